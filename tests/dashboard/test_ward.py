"""The ward: all beds over one socket."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import numpy as np
import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from dashboard.ward import MESSAGES_KEPT, Ward
from streaming import keys
from streaming.waves import WaveFrame
from tests.dashboard.conftest import SOON_S, Teller
from tests.dashboard.test_envelope import frame, read


@contextmanager
def ward(served: str) -> Iterator[ClientConnection]:
    """Open the ward's socket as a page does."""
    with connect(served.replace("http", "ws") + "/api/v1/ward", compression=None) as socket:
        yield socket


def cards(socket: ClientConnection) -> list[dict[str, Any]]:
    """Return the next cards."""
    while isinstance(message := socket.recv(SOON_S), bytes):
        pass
    beds: list[dict[str, Any]] = json.loads(message)["beds"]
    return beds


def envelope(socket: ClientConnection) -> bytes:
    """Return the next message of traces."""
    while isinstance(message := socket.recv(SOON_S), str):
        pass
    return message


def test_all_beds_come_over_one_socket(teller: Teller, redis_url: str, served: str) -> None:
    """At once, then once a second, with what changed; a bed that begins later joins them."""
    with ward(served) as socket:
        assert [card["bed"] for card in cards(socket)] == ["B4"]
        teller.tell("outcome", {"state": "PARTIAL", "probability": 0.6, "interval": [0.5, 0.7]})
        second = Teller(redis_url, bed="B5").open()
        while len(told := cards(socket)) < 2 or told[0]["state"] is None:
            pass
        assert [card["session"] for card in told] == [teller.session, second.session]
        assert (told[0]["state"], told[1]["state"]) == ("PARTIAL", None)


def test_a_bed_that_cannot_be_read_has_a_bare_card_and_harms_no_other(
    teller: Teller, redis_url: str, served: str
) -> None:
    """Another version may tell what ours does not know: its ages are told, nothing of what it says is."""
    second = Teller(redis_url, bed="B5").open()
    for bed in (teller, second):
        bed.tell("outcome", {"state": "PARTIAL", "probability": 0.6, "interval": [0.5, 0.7]})
    second.tell("session", {"labels": ["C3"], "kinds": ["eeg"]})
    for strange in ({"labels": 7}, {"labels": [[1]], "kinds": ["eeg"]}, {"labels": ["A"], "kinds": ["eeg"] * 4}):
        second.tell("session", strange)  # said in words, as every entry that cannot be read
    for number in ("NaN", "1e999", "1" + "0" * 400):
        data = f'{{"state": "PARTIAL", "probability": {number}}}'
        second.redis.xadd(keys.events(second.session), {"type": "outcome", "data": data})
    with ward(served) as socket:
        while len(told := cards(socket)) < 2 or told[1]["state"] is not None:
            second.beat(quality=["C3"])
        assert [card["state"] for card in told] == ["PARTIAL", None]
        assert told[1]["contact_age_s"] >= 0.0 and told[1]["session"] == second.session
    assert httpx.get(f"{served}/readyz").json()["checks"] == {"redis": True, "readers": True}


def test_traces_of_all_beds_come_together(teller: Teller, redis_url: str, served: str) -> None:
    """Which bed a run belongs to is told by the key in its card; only the channels of its card are drawn."""
    channels = {"labels": ["C3", "C1", "C4", "RF", "BF"], "kinds": ["eeg"] * 3 + ["emg"] * 2}
    beds = [teller, Teller(redis_url, bed="B5").open()]
    for bed in beds:
        bed.tell("session", {"session": bed.session, **channels})
    with ward(served) as socket:
        while len(told := [card for card in cards(socket) if card["labels"]]) < len(beds):
            pass
        at, heard = 0, set[int]()
        while heard != {card["wave_key"] for card in told}:
            for bed in beds:
                bed.wave(frame(at, channels=5))
            at += 20
            if at % 100 == 0:
                runs = read(envelope(socket))
                heard |= {run.key for run in runs}
                assert all(run.columns.shape[1:] == (4, 2) for run in runs)
        assert told[0]["drawn"] == ["C3", "C4", "RF", "BF"]
        while (wave := cards(socket)[0]["wave"])["end"] < at:
            pass
        assert wave["age_s"] >= 0.25  # the frame was that old when it was sent


def test_nobody_listens_while_nobody_looks_at_the_ward(teller: Teller, served: str) -> None:
    """An idle ward costs nothing."""
    with ward(served) as socket:
        cards(socket)
        while not teller.wave(b"first"):
            pass
    while teller.wave(b"after"):
        pass


def test_a_session_that_the_registry_forgot_leaves_the_ward(teller: Teller, served: str) -> None:
    """A day after its end a bed is free; a card of a session that is nowhere would never change again."""
    with ward(served) as socket:
        teller.close()
        while not (told := cards(socket)) or told[0]["ended_utc"] is None:
            pass
        teller.redis.delete(keys.SESSIONS, keys.BEDS)
        while cards(socket):
            pass
    assert httpx.get(f"{served}/api/v1/beds/B4").status_code == 404
    assert httpx.get(f"{served}/readyz").json()["status"] == "ready"


def test_an_open_session_that_redis_lost_stays(teller: Teller, served: str) -> None:
    """A wiped Redis is told all again by the bridge: until then the card ages."""
    with ward(served) as socket:
        cards(socket)
        teller.redis.delete(keys.SESSIONS, keys.BEDS)
        assert [len(cards(socket)) for _ in range(3)] == [1, 1, 1]


@pytest.mark.parametrize("path", ["/api/v1/ward", "/api/v1/beds/B4/wave"])
@pytest.mark.parametrize(
    ("message", "code"),
    [("", 1008), ("{}", 1008), (b"\x00" * 1024, 1008), ("x" * 1025, 1009), (b"x" * (1 << 20), 1009)],
    ids=["empty", "text", "binary", "a byte too many", "a megabyte"],
)
def test_a_page_that_talks_is_shown_out(teller: Teller, served: str, path: str, message: Any, code: int) -> None:
    """Pages only listen: whatever comes is bounded and answered with a reason."""
    with connect(served.replace("http", "ws") + path, compression=None) as socket:
        socket.recv(SOON_S)
        socket.send(message)
        with pytest.raises(ConnectionClosed) as closed:
            while True:
                socket.recv(SOON_S)
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == code


def test_a_flood_ends_with_the_socket_and_harms_nobody(teller: Teller, served: str) -> None:
    """What a page sends is not read beyond its first message, and the one beside it is served on."""
    with ward(served) as quiet, ward(served) as loud:
        cards(quiet)
        with pytest.raises(ConnectionClosed):
            for _ in range(100_000):
                loud.send(b"x" * 1000)
        assert cards(quiet)


def test_a_slow_viewer_of_the_ward_gets_the_newest(teller: Teller) -> None:
    """Messages of traces are dropped and counted; what is said of the beds replaces what was not sent."""
    now = [0.0]
    told = Ward(lambda: now[0])
    viewer = told.watch([], {})
    for n in range(MESSAGES_KEPT + 3):
        told.take("S", frame(20 * n), 0.0)
        told.send({"S": (1, [0])})
        told.tell([], {})
    assert viewer.dropped == 3
    assert isinstance(told.viewers.pop(), type(viewer))


def test_frames_of_a_session_that_no_bed_has_are_forgotten() -> None:
    """Nothing piles up, and a frame says how long it waited."""
    now = [1.0]
    told = Ward(lambda: now[0])
    told.take("S", frame(0), 1.0)  # nobody looks: not even gathered
    told.watch([], {})
    told.take("gone", frame(0), 1.0)
    told.take("S", WaveFrame(0, 0, 1.0, np.zeros((20, 2), np.int16), 0).encode(1.5), 1.0)
    now[0] = 1.25
    told.send({"S": (1, [0])})
    told.send({"S": (1, [0]), "gone": (2, [0])})
    (viewer,) = told.viewers
    assert len(viewer._frames) == 1
    (run,) = read(viewer._frames[0])
    assert (run.key, run.age_s) == (1, 0.75)
