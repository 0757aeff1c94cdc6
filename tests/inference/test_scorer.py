"""The scorer: every window gets one result, whatever dies in between (law 5)."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from structlog.testing import capture_logs

from inference.bundle import Bundle
from inference.engines.engine import Engine, EngineInfo
from inference.engines.parity import Parity
from inference.engines.registry import BACKENDS
from inference.errors import EngineAbsent, EngineDrift, EngineError, EngineUnavailable
from inference.scorer import TOGETHER, Scorer, Served, open_scorer, tell_open_sessions
from inference.scoring import score
from inference.stages import STAGES, Histograms
from streaming import keys
from streaming.committer import Committer
from streaming.connection import Client, connect
from streaming.consumer import Consumer
from streaming.errors import TransportDown
from streaming.events import EventLog
from streaming.heartbeat import Beat, Heartbeat
from streaming.publisher import Publisher
from streaming.results import ResultReader
from streaming.sessions import Registry, SessionEntry
from tests.inference import tiny
from tests.inference.on_thread import on_thread

#: Seconds until a window is handed to another scorer; the real one is longer than a test should last.
IDLE_S = 0.05


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

    def selfcheck(self) -> Iterator[Parity]:
        """Find nothing wrong."""
        yield Parity(True, True, self.info.max_batch, 0.0, ())

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
    with on_thread(scorer, stop) as died:
        yield
    if died:
        raise died[0]


def wait_for(true: Callable[[], bool]) -> None:
    """Wait until something is true, for as long as a slow machine may need."""
    deadline_s = time.monotonic() + 10.0
    while not true():
        assert time.monotonic() < deadline_s
        time.sleep(0.005)


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
        stages_s = found[expected.index].stages_s
        assert found[expected.index] == replace(expected, stages_s=stages_s)
        assert list(stages_s) == (["queue"] if expected.index == 3 else ["input", "compute", "output", "queue"])
        assert min(stages_s.values()) >= 0.0
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


#: A second session, on another bed.
OTHER = "01JABCDEFGHJKMNPQRSTVWXYZ1"


@pytest.fixture
def other(client: Client) -> Publisher:
    """Return the publisher of the second session."""
    Registry(client).open(SessionEntry(OTHER, "2", "P-02", "replay", "2026-04-01T10:00:01Z"))
    publisher = Publisher(client, OTHER, 1)
    publisher.open()
    return publisher


def on_gpu() -> TouchyEngine:
    """Return an engine that says it runs on a GPU, where windows are waited for."""
    engine = TouchyEngine()
    engine.info = replace(engine.info, backend="onnxruntime-cuda")
    return engine


def test_windows_of_two_beds_share_a_batch(
    client: Client, publisher: Publisher, other: Publisher, bundle: Bundle, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first waits a moment for the second, and no longer than for it: the moment here is far beyond the test's."""
    monkeypatch.setattr("inference.batching.GATHER_S", 600.0)
    engine, stop = on_gpu(), threading.Event()
    with running(make(client.url, bundle, engine, stop), stop):
        publisher.publish(tiny.record(bundle, 0))
        while client.xpending(keys.windows(tiny.SESSION), keys.GROUP)["pending"] == 0:
            time.sleep(0.01)
        other.publish(tiny.record(bundle, 0, session=OTHER))
        collect(client, 1)
    assert engine.batches[1:] == [2]  # the first run is the canary's


@pytest.mark.parametrize(("engine", "batches"), [(on_gpu(), [8]), (TouchyEngine(), [4, 4])], ids=["gpu", "core"])
def test_a_gpu_takes_together_what_its_engine_allows_and_a_core_four(
    client: Client, publisher: Publisher, other: Publisher, bundle: Bundle, engine: TouchyEngine, batches: list[int]
) -> None:
    """Four windows of each of two beds wait when the scorer begins."""
    for i in range(4):
        publisher.publish(tiny.record(bundle, i))
        other.publish(tiny.record(bundle, i, session=OTHER))
    stop = threading.Event()
    with running(make(client.url, bundle, engine, stop), stop):
        collect(client, 4)
    assert engine.batches[1:] == batches


def test_on_a_core_no_window_waits_for_another_bed(
    client: Client, publisher: Publisher, other: Publisher, bundle: Bundle, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The other bed is read and silent; a moment's wait would outlast the test."""
    monkeypatch.setattr("inference.batching.GATHER_S", 600.0)
    engine, stop = TouchyEngine(), threading.Event()
    scorer = make(client.url, bundle, engine, stop)
    publisher.publish(tiny.record(bundle, 0))
    with running(scorer, stop):
        collect(client, 1)
        assert scorer._consumer.n_sessions == 2
    assert engine.batches[1:] == [1]


@pytest.mark.faults
def test_a_window_that_waits_for_others_survives_an_outage(
    client: Client, publisher: Publisher, other: Publisher, bundle: Bundle, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Redis goes away between the first and the second: both are handed over again and scored once."""
    monkeypatch.setattr("inference.batching.GATHER_S", 600.0)
    publisher.publish(tiny.record(bundle, 0))
    lost: list[float] = []

    class Flaky(Consumer):
        def _read(self, block_s: float) -> list[Any]:
            if not lost and self.n_sessions and client.xpending(keys.windows(tiny.SESSION), keys.GROUP)["pending"]:
                lost.append(block_s)
                other.publish(tiny.record(bundle, 0, session=OTHER))
                raise TransportDown("the connection broke")
            return super()._read(block_s)

    monkeypatch.setattr("tests.inference.test_scorer.Consumer", Flaky)
    stop = threading.Event()
    with running(make(client.url, bundle, on_gpu(), stop), stop):
        assert collect(client, 1)[0].state == "scored"
    assert lost and client.xlen(keys.results(tiny.SESSION)) == 1


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
        "standby": False,
        "fallback": 0,
        "stages": Histograms().to_json(),
        "canary": {"looks": 0, "drifted": 0},
    }


def test_what_was_scored_is_counted_by_stage_and_by_fallback(
    client: Client, publisher: Publisher, bundle: Bundle
) -> None:
    """The heartbeat has how long each stage took, and how many windows an engine scored that was no first choice."""
    engine = TouchyEngine()
    engine.info = replace(engine.info, degraded=True)
    for i in range(5):
        publisher.publish(tiny.record(bundle, i, weight=float(i != 3)))
    stop = threading.Event()
    scorer = make(client.url, bundle, engine, stop)
    with running(scorer, stop):
        collect(client, 5)
    info = scorer._info()
    counts = {stage: sum(info["stages"]["stages"][stage]["counts"]) for stage in STAGES}
    assert counts == {"queue": 5, "input": 4, "compute": 4, "output": 4}
    assert info["fallback"] == 4 and info["windows"] == {"scored": 4, "not_scored": 1}


class WanderingEngine(TouchyEngine):
    """An engine whose numbers change when it is told to."""

    astray = False

    def run(self, inputs: Mapping[str, NDArray[Any]]) -> Mapping[str, NDArray[np.float32]]:
        """Answer as ever, or one bit off."""
        logit = super().run(inputs)["logit"]
        return {"logit": np.nextafter(logit, np.float32(np.inf)) if self.astray else logit}


@pytest.mark.faults
def test_an_engine_that_changes_ends_its_scorer_with_words(
    client: Client, publisher: Publisher, bundle: Bundle
) -> None:
    """One bit is enough: the scorer says so in every open session and in its last heartbeat, and ends."""
    engine, stop = WanderingEngine(), threading.Event()
    tell = partial(tell_open_sessions, connect(client.url, "notices"))
    scorer = make(client.url, bundle, engine, stop, canary_s=0.0, tell=tell)
    words = r"touchy has changed: for golden window noise 0 of tiny .* it gives"
    with pytest.raises(EngineDrift, match=words), running(scorer, stop):
        publisher.publish(tiny.record(bundle, 0))
        collect(client, 1)
        wait_for(lambda: scorer._info()["canary"]["looks"] > 0)
        engine.astray = True
        wait_for(lambda: scorer._info()["canary"]["drifted"] > 0)
    assert scorer._info()["canary"]["drifted"] == 1
    [notice] = [event for event in EventLog(client, tiny.SESSION).read() if event.type == "notice"]
    assert "has changed" in notice.data["text"] and "Do not lean on windows scored since" in notice.data["remedy"]


def test_the_words_of_a_change_do_not_wait_for_a_redis_that_is_away(redis_url: str) -> None:
    """Nobody hears them; the scorer ends all the same."""
    tell_open_sessions(connect("redis://127.0.0.1:1", "away"), EngineDrift("changed"))


def test_it_is_heard_only_when_its_golden_windows_have_passed(client: Client, bundle: Bundle, tmp_path: Path) -> None:
    """An engine that is off never begins: no heartbeat, no window taken."""
    write = tiny.write(tmp_path / "off", tiny.manifest(golden=[{"window": "noise", "seed": 0, "logit": 7.5}]))
    with client.pubsub() as listener:
        listener.subscribe(keys.HEARTBEATS)
        listener.get_message(timeout=5.0)
        with pytest.raises(EngineUnavailable, match=r"failed its self-check"):
            open_scorer(client.url, [bundle, write], threading.Event())
        assert listener.get_message(timeout=0.2) is None


def test_it_takes_batches_when_their_turn_has_come_to_be_shown(
    client: Client, publisher: Publisher, bundle: Bundle
) -> None:
    """It serves after its golden windows, goes on with its self-check in between, and only as far as it needs."""
    stop = threading.Event()
    scorer = open_scorer(client.url, [bundle], stop)
    engine = scorer._first.engine
    assert engine.info.max_batch == 1
    with running(scorer, stop):
        publisher.publish(tiny.record(bundle, 0))
        assert collect(client, 1)[0].state == "scored"
        wait_for(lambda: engine.info.max_batch > 1)
        wait_for(lambda: engine.info.max_batch == TOGETHER)
        publisher.publish(tiny.record(bundle, 1))
        assert collect(client, 2)[1].state == "scored"
    assert engine.info.max_batch == TOGETHER


def test_it_is_put_together_from_an_address_and_bundles(client: Client, publisher: Publisher, bundle: Bundle) -> None:
    """Clients, engine and name of its own."""
    publisher.publish(tiny.record(bundle, 0))
    stop = threading.Event()
    with running(open_scorer(client.url, [bundle], stop), stop):
        assert collect(client, 1)[0].state == "scored"


@pytest.mark.parametrize(("failed", "level"), [(EngineAbsent, "info"), (EngineUnavailable, "warning")])
def test_what_was_passed_over_is_in_its_log(
    client: Client, bundle: Bundle, monkeypatch: pytest.MonkeyPatch, failed: type[EngineUnavailable], level: str
) -> None:
    """As news where the machine merely lacks it, as a warning where it was there and failed."""

    def opener(bundle: Bundle, name: str, *, degraded: bool) -> Engine:
        raise failed(f"{name}: so.")

    for name in ("tensorrt", "onnxruntime-cuda"):
        monkeypatch.setitem(BACKENDS, name, SimpleNamespace(load=lambda name: opener))
    with capture_logs() as logs:
        open_scorer(client.url, [bundle], threading.Event(), order=("auto",))
    assert [(entry["event"], entry["cause"], entry["serves"], entry["log_level"]) for entry in logs] == [
        ("engine_passed_over", f"{name}: so.", "onnxruntime-cpu", level) for name in ("tensorrt", "onnxruntime-cuda")
    ]


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
