"""The scorer: every window gets one result, whatever dies in between (law 5)."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from structlog.testing import capture_logs

from inference.bundle import Bundle
from inference.engines.engine import Engine, EngineInfo
from inference.engines.parity import Parity
from inference.errors import EngineError
from inference.scorer import Scorer, Served, open_scorer
from inference.scoring import score
from streaming import keys
from streaming.committer import Committer
from streaming.connection import Client, connect
from streaming.consumer import Consumer
from streaming.errors import TransportDown
from streaming.heartbeat import Beat, Heartbeat
from streaming.publisher import Publisher
from streaming.results import ResultReader
from streaming.sessions import Registry, SessionEntry
from tests.inference import tiny

#: Seconds until a window is handed to another scorer; the real one is longer than a test should last.
IDLE_S = 0.05


@pytest.fixture
def client(redis_url: str) -> Iterator[Client]:
    """Return a client of an empty Redis with one open session."""
    with connect(redis_url, "test") as client:
        Registry(client).open(SessionEntry(tiny.SESSION, "1", "P-01", "replay", "2026-04-01T10:00:00Z"))
        yield client


@pytest.fixture
def publisher(client: Client) -> Publisher:
    """Return the session's publisher."""
    publisher = Publisher(client, tiny.SESSION, 1)
    publisher.open()
    return publisher


class TouchyEngine:
    """An engine that fails on every batch with a window of the given mean, and remembers its batches."""

    info = EngineInfo("touchy", "cpu", "fp32", False, "0", batch_invariant=True, max_batch=16)

    def __init__(self, poison: Callable[[NDArray[np.float32]], bool] = lambda x: False) -> None:
        self._poison = poison
        self.batches: list[int] = []

    def run(self, inputs: Mapping[str, NDArray[Any]]) -> Mapping[str, NDArray[np.float32]]:
        """Fail, or answer each window's first sample."""
        self.batches.append(len(inputs["x"]))
        if any(self._poison(x) for x in inputs["x"]):
            raise EngineError("the engine choked")
        return {"logit": inputs["x"][:, 0, 0]}

    def warmup(self) -> None: ...

    def selfcheck(self) -> Parity:
        """Find nothing wrong."""
        return Parity(True, True, 0.0, ())

    def close(self) -> None: ...


def make(url: str, bundle: Bundle, engine: Engine, stop: threading.Event, **options: Any) -> Scorer:
    """Return a scorer that takes over and retries quickly."""
    consumer = Consumer(
        connect(url, "scorer", blocking=True), "s-1", Registry(connect(url, "r")).to_drain, 8, min_idle_s=IDLE_S
    )
    committer = options.pop("committer", None) or Committer(connect(url, "commit"))
    heartbeat = Heartbeat(connect(url, "beacon"), "scorer", "s-1")
    return Scorer(consumer, committer, [Served(bundle, engine)], heartbeat, stop, retry_s=0.01, beat_s=0.02, **options)


@contextmanager
def running(scorer: Scorer, stop: threading.Event) -> Iterator[None]:
    """Run the scorer on a thread until the block is left; raise what it died of."""
    died: list[BaseException] = []

    def run() -> None:
        try:
            scorer.run()
        except BaseException as error:
            died.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()
    if died:
        raise died[0]


def collect(client: Client, n: int) -> dict[int, Any]:
    """Return the first n results of the session by index, as they come."""
    with connect(client.url, "reader", blocking=True) as blocking:
        reader = ResultReader(blocking, tiny.SESSION)
        found = []
        for _ in range(200):
            found += reader.read(block_s=0.1)
            if len(found) >= n:
                break
    assert len(found) == len({result.index for result in found}) == n
    return {result.index: result for result in found}


def test_every_window_gets_the_result_that_offline_scoring_gives(
    client: Client, publisher: Publisher, bundle: Bundle, engine: Engine
) -> None:
    """Through Redis, in whatever batches: the same bits as `score` (law 1)."""
    records = [tiny.record(bundle, i, weight=float(i != 3)) for i in range(12)]
    for record in records:
        publisher.publish(record)
    stop = threading.Event()
    with running(make(client.url, bundle, engine, stop), stop):
        found = collect(client, 12)
    for expected in score(engine, bundle, records):
        stages = found[expected.index].stages_s
        assert found[expected.index] == expected.with_stage("score", stages["score"])
    assert client.xlen(keys.windows(tiny.SESSION)) == 0


def test_a_window_of_an_unknown_bundle_gets_words(
    client: Client, publisher: Publisher, bundle: Bundle, fmri_bundle: Bundle, engine: Engine
) -> None:
    """In a batch with others, which are scored."""
    for i in range(4):
        publisher.publish(tiny.record(fmri_bundle if i == 1 else bundle, i))
    stop = threading.Event()
    with running(make(client.url, bundle, engine, stop), stop):
        found = collect(client, 4)
    assert [found[i].state for i in range(4)] == ["scored", "not_scored", "scored", "scored"]
    assert found[1].reason and found[1].reason.startswith("bundle_mismatch: the session is bound to")


@pytest.mark.faults
def test_a_poisonous_window_takes_no_neighbour_with_it(client: Client, publisher: Publisher, bundle: Bundle) -> None:
    """It is tried thrice, dead-lettered with its bytes, and every other is scored."""
    poison = tiny.window(2, x_uv=tiny.samples(77)).x_uv

    def touches(x: NDArray[np.float32]) -> bool:
        return bool(abs(x[0, 0] - (poison[0, 0] - poison[:, 0].mean()) / poison[:, 0].std()) < 1e-4)

    for i in range(6):
        publisher.publish(tiny.record(bundle, i, x_uv=poison if i == 2 else tiny.samples(i)))
    engine, stop = TouchyEngine(touches), threading.Event()
    with capture_logs() as logs, running(make(client.url, bundle, engine, stop), stop):
        found = collect(client, 6)
    assert [found[i].state for i in range(6)] == ["scored", "scored", "dead_lettered", "scored", "scored", "scored"]
    assert found[2].reason == "no result after 3 deliveries"
    failed = [entry for entry in logs if entry["event"] == "window_failed"]
    assert [(entry["index"], entry["deliveries"]) for entry in failed] == [(2, 1), (2, 2), (2, 3)]
    assert "the engine choked" in failed[0]["cause"]


@pytest.mark.faults
@pytest.mark.parametrize("happened", [False, True])
def test_an_outage_in_the_middle_of_a_commit_loses_and_doubles_nothing(
    client: Client, publisher: Publisher, bundle: Bundle, engine: Engine, happened: bool
) -> None:
    """The reply was lost before or after the commit was done: it is committed again, which is harmless."""

    class Flaky(Committer):
        left = 3

        def commit(self, delivery: Any, result: Any) -> bool:
            if self.left and result.index == 1:
                self.left -= 1
                if happened:
                    super().commit(delivery, result)
                raise TransportDown("the reply was lost")
            return super().commit(delivery, result)

    for i in range(3):
        publisher.publish(tiny.record(bundle, i))
    stop = threading.Event()
    scorer = make(client.url, bundle, engine, stop, committer=Flaky(client))
    with capture_logs() as logs, running(scorer, stop):
        found = collect(client, 3)
        assert {result.state for result in found.values()} == {"scored"}
    assert [entry["event"] for entry in logs] == ["scorer_begun", "redis_away", "redis_back", "scorer_ended"]
    assert client.xlen(keys.results(tiny.SESSION)) == 3


@pytest.mark.faults
def test_windows_that_wait_for_their_batch_are_held(
    client: Client, publisher: Publisher, bundle: Bundle, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A slow engine tells Redis that it still works on them, so that no other scorer takes them."""
    for i in range(20):
        publisher.publish(tiny.record(bundle, i))
    held: list[int] = []
    monkeypatch.setattr(Consumer, "hold", lambda self, deliveries: held.append(len(list(deliveries))))
    monkeypatch.setattr("inference.scorer.TOGETHER", 2)
    ticks = iter(range(10_000))
    stop = threading.Event()
    scorer = make(client.url, bundle, TouchyEngine(), stop, clock=lambda: float(next(ticks)))
    with running(scorer, stop):
        collect(client, 20)
    assert held and max(held) <= 8


def test_it_beats_while_it_waits(client: Client, bundle: Bundle, engine: Engine) -> None:
    """With its bundles, its engine and its counts."""
    stop = threading.Event()
    with client.pubsub() as listener:
        listener.subscribe(keys.HEARTBEATS)
        listener.get_message(timeout=5.0)
        with running(make(client.url, bundle, engine, stop), stop):
            messages = [listener.get_message(timeout=5.0) for _ in range(2)]
    beat = Beat.decode(messages[1]["data"])
    assert (beat.role, beat.name, beat.n) == ("scorer", "s-1", 1)
    assert beat.info == {
        "bundles": [bundle.to_json()],
        "engine": engine.info.to_json(),
        "windows": {},
        "waiting": 0,
        "trouble": "",
    }


def test_it_is_put_together_from_an_address_and_bundles(client: Client, publisher: Publisher, bundle: Bundle) -> None:
    """Clients, engine and name of its own."""
    publisher.publish(tiny.record(bundle, 0))
    stop = threading.Event()
    with running(open_scorer(client.url, [bundle], stop), stop):
        assert collect(client, 1)[0].state == "scored"


@pytest.mark.faults
def test_a_scorer_that_is_killed_loses_nothing(
    client: Client, publisher: Publisher, bundle: Bundle, engine: Engine, bundles: Path
) -> None:
    """SIGKILL in the middle of a batch; the next scorer takes over what it held."""
    code = f"""
import os, signal, threading
from pathlib import Path
from inference import scorer as module
from inference.bundle import Bundle
module.score = lambda *args: os.kill(os.getpid(), signal.SIGKILL)
module.open_scorer({client.url!r}, [Bundle.load(Path({str(bundles / "tiny")!r}))], threading.Event()).run()
"""
    for i in range(3):
        publisher.publish(tiny.record(bundle, i))
    assert subprocess.run([sys.executable, "-c", code], timeout=50).returncode == -9
    assert client.xpending(keys.windows(tiny.SESSION), keys.GROUP)["pending"] > 0
    stop = threading.Event()
    with running(make(client.url, bundle, engine, stop), stop):
        assert {result.state for result in collect(client, 3).values()} == {"scored"}


def test_neither_process_imports_what_it_does_not_need() -> None:
    """scipy, torch and pylsl cost memory and start-up time; scorer and aggregator have no use for them."""
    code = (
        "import sys, inference.scorer, inference.aggregator;"
        "print([name for name in ('scipy', 'torch', 'pylsl', 'onnx', 'pandas') if name in sys.modules])"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=50, check=True)
    assert found.stdout.strip() == "[]"
