"""The beacon and the patience of a role's loop."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from structlog.testing import capture_logs

from inference.beacon import STUCK_S, Beacon
from inference.patience import Patience
from streaming.connection import Client, connect
from streaming.errors import TransportDown
from streaming.heartbeat import Beat, Heartbeat
from streaming.keys import HEARTBEATS


@pytest.fixture
def client(redis_url: str) -> Iterator[Client]:
    """Return a client of an empty Redis."""
    with connect(redis_url, "test") as client:
        yield client


def heard(client: Client, beacon: Beacon, n: int) -> list[Beat]:
    """Return the first n heartbeats that are heard while the beacon is lit."""
    with client.pubsub() as listener:
        listener.subscribe(HEARTBEATS)
        listener.get_message(timeout=5.0)
        with beacon:
            messages = [listener.get_message(timeout=5.0) for _ in range(n)]
    return [Beat.decode(message["data"]) for message in messages if message]


def test_it_beats_while_nothing_else_happens(client: Client) -> None:
    """At once, and then at its interval, whatever the loop is busy with."""
    counts = iter(range(99))
    beacon = Beacon(Heartbeat(client, "scorer", "s-1"), lambda: {"n": next(counts)}, interval_s=0.01)
    beats = heard(client, beacon, 3)
    assert [(beat.role, beat.name, beat.n, beat.info) for beat in beats] == [
        ("scorer", "s-1", i, {"n": i}) for i in range(3)
    ]


def test_a_loop_that_hangs_falls_silent(client: Client) -> None:
    """A process that exists and does nothing must not look alive."""
    now = [0.0]
    beacon = Beacon(Heartbeat(client, "scorer", "s-1"), dict, clock=lambda: now[0])
    now[0] = STUCK_S
    assert beacon.beat()
    now[0] = STUCK_S + 0.1
    assert not beacon.beat()
    beacon.mark()
    assert beacon.beat()


def test_without_redis_it_goes_on(tmp_path: Any) -> None:
    """Nobody hears it, and nothing breaks."""
    with connect(f"unix://{tmp_path}/none.sock", "test") as nowhere:
        beacon = Beacon(Heartbeat(nowhere, "scorer", "s-1"), dict, interval_s=0.01)
        assert not beacon.beat()
        with beacon:
            pass


def turns(stop: threading.Event, outcomes: list[bool]) -> Callable[[], None]:
    """Return a turn that succeeds or loses Redis as told, and stops after the last."""
    left = list(outcomes)

    def turn() -> None:
        fine = left.pop(0)
        if not left:
            stop.set()
        if not fine:
            raise TransportDown("Redis does not answer.")

    return turn


@pytest.mark.parametrize(
    ("outcomes", "events"),
    [
        ([True, True, True], []),
        ([True, False, False, False, True, True], ["redis_away", "redis_back"]),
        ([False, True, False, True], ["redis_away", "redis_back", "redis_away", "redis_back"]),
        ([False, False], ["redis_away"]),
    ],
)
def test_one_line_of_log_per_change(outcomes: list[bool], events: list[str]) -> None:
    """However often Redis is missed in between; after each miss the caller may begin anew."""
    stop, losses = threading.Event(), []
    patience = Patience("scorer", stop, retry_s=0.0)
    with capture_logs() as logs:
        patience.repeat(turns(stop, outcomes), on_loss=lambda: losses.append(patience.trouble))
    assert [entry["event"] for entry in logs] == events
    assert losses == ["Redis does not answer."] * outcomes.count(False)
    assert bool(patience.trouble) == (not outcomes[-1])


def test_anything_else_is_not_endured() -> None:
    """Patience is for Redis alone: every other failure ends the process, and the supervisor sees it."""

    def turn() -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        Patience("scorer", threading.Event()).repeat(turn, on_loss=lambda: None)
