"""Standby: a warm scorer on a CPU core takes windows while the one with the GPU is away, and at no other time."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from importlib.util import find_spec
from typing import Any

import numpy as np
import onnxruntime
import pytest
from numpy.typing import NDArray
from structlog.testing import capture_logs

from deploy.supervisor import DEVICE_LOST_S
from inference.bundle import Bundle
from inference.engines.choice import choose, open_engine, shares_gpu
from inference.engines.engine import Engine, EngineInfo
from inference.engines.parity import Parity
from inference.engines.tensorrt import driver
from inference.errors import DeviceLost, EngineUnavailable
from inference.scorer import Scorer, Served
from inference.standby import SILENT_S as STANDBY_S
from inference.standby import Standby
from streaming import keys
from streaming.committer import Committer
from streaming.connection import Client, connect
from streaming.consumer import MIN_IDLE_S, Consumer
from streaming.heartbeat import Heartbeat
from streaming.publisher import Publisher
from streaming.results import ResultReader
from streaming.sessions import Registry
from tests.inference import tiny
from tests.inference.on_thread import on_thread
from tests.inference.tensorrt.conftest import FakeCuda

#: Seconds of silence after which a scorer is missed here, between heartbeats, and until a window changes hands.
SILENT_S, BEAT_S, IDLE_S = 2.0, 0.05, 0.2


# --- who is heard ----------------------------------------------------------------------------------------------------


@pytest.fixture
def clock() -> list[float]:
    """Return a clock that a test moves."""
    return [0.0]


@pytest.fixture
def standby(client: Client, clock: list[float]) -> Standby:
    """Return a standby that listens."""
    standby = Standby(client, clock=lambda: clock[0], silent_s=3.0)
    standby.needed()
    return standby


def beat(client: Client, role: str = "scorer", **engine: str) -> None:
    """Send one heartbeat of a role with an engine."""
    Heartbeat(client, role, "other").beat({"engine": engine} if engine else {})


@pytest.mark.parametrize("backend", ["tensorrt", "onnxruntime-cuda"])
def test_a_scorer_with_a_gpu_that_is_heard_is_left_alone(
    client: Client, standby: Standby, clock: list[float], backend: str
) -> None:
    """Three seconds of silence make the other needed, its next heartbeat unneeded."""
    for now_s, speaks, needed in [(2.0, True, False), (5.0, False, False), (5.1, False, True), (9.0, True, False)]:
        clock[0] = now_s
        if speaks:
            beat(client, backend=backend)
        assert standby.needed() is needed


def test_nobody_else_counts(client: Client, standby: Standby, clock: list[float]) -> None:
    """Scorers on a CPU, other roles, and what is no heartbeat of this version."""
    beat(client, backend="onnxruntime-cpu")
    beat(client, "aggregator", backend="tensorrt")
    beat(client)
    client.publish(keys.HEARTBEATS, b"rubbish")
    clock[0] = 3.1
    assert standby.needed()


def test_at_its_start_it_waits_as_for_one_that_fell_silent(standby: Standby, clock: list[float]) -> None:
    """The other one needs longer to begin."""
    assert not standby.needed()
    clock[0] = 3.1
    assert standby.needed()


# --- which engine waits ----------------------------------------------------------------------------------------------


def test_a_scorer_that_waits_opens_no_gpu(bundle: Bundle, monkeypatch: pytest.MonkeyPatch) -> None:
    """What it scores is degraded where there is a GPU: somebody chose it, or it is there and another's."""
    monkeypatch.setattr(driver, "load", lambda name: FakeCuda())
    monkeypatch.setattr("inference.engines.choice.be_there", lambda name: None)
    for order in (("auto",), ("tensorrt", "onnxruntime-cpu")):
        choice = choose(bundle, order, spare_gpu=True)
        assert choice.engine.info.backend == "onnxruntime-cpu" and choice.engine.info.degraded
        assert choice.passed_over[0].startswith("tensorrt is left to the scorer that has the Stand-in GPU.")
    with pytest.raises(EngineUnavailable, match=r"No engine of the list \(tensorrt\).*left to the scorer"):
        choose(bundle, ("tensorrt",), spare_gpu=True)


@pytest.mark.skipif(find_spec("tensorrt") is not None, reason="this machine has TensorRT")
def test_a_gpu_that_no_library_runs_is_nobodys(bundle: Bundle, monkeypatch: pytest.MonkeyPatch) -> None:
    """With neither TensorRT nor ONNX Runtime's CUDA, `auto` is the core in each scorer alike: nothing is degraded."""
    monkeypatch.setattr(driver, "load", lambda name: FakeCuda())
    monkeypatch.setattr(onnxruntime, "get_available_providers", lambda: ["CPUExecutionProvider"])
    choice = choose(bundle, ("auto",), spare_gpu=True)
    assert not choice.engine.info.degraded
    words = ("TensorRT is not installed here", "onnxruntime-cuda needs ONNX Runtime's CUDAExecutionProvider")
    assert all(said.startswith(word) for said, word in zip(choice.passed_over, words, strict=True))


def test_without_a_gpu_auto_waits_for_nothing(bundle: Bundle, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is left to anybody; nothing is degraded."""
    monkeypatch.setattr(driver, "LIBRARY", "libcuda-that-is-not-there.so.1")
    choice = choose(bundle, ("auto",), spare_gpu=True)
    assert not choice.engine.info.degraded and choice.passed_over[0].startswith("This machine has no NVIDIA driver")


@pytest.mark.parametrize(
    ("order", "expected"),
    [
        (("auto",), True),
        (("tensorrt", "onnxruntime-cpu"), True),
        (("onnxruntime-cpu",), False),
        (("tensorrt",), False),
        (("tensorrt", "onnxruntime-cuda"), False),
    ],
)
def test_scorers_wait_where_a_list_has_both(order: tuple[str, ...], expected: bool) -> None:
    """A GPU to have, and something to wait with."""
    assert shares_gpu(order) is expected


# --- the change of hands ---------------------------------------------------------------------------------------------


class GpuEngine:
    """An engine on a GPU that fails for good when it is told to."""

    info = EngineInfo("tensorrt", "Stand-in GPU", "fp32", False, "11", batch_invariant=True, max_batch=8)

    def __init__(self, dying: threading.Event) -> None:
        self._dying = dying

    def run(self, inputs: Mapping[str, NDArray[Any]]) -> Mapping[str, NDArray[np.float32]]:
        """Fail, or answer each window's first sample."""
        if self._dying.is_set():
            raise DeviceLost.because("CUDA error: an illegal memory access was encountered\nmore")
        return {"logit": inputs["x"][:, 0, 0]}

    def warmup(self) -> None: ...

    def selfcheck(self) -> Iterator[Parity]:
        """Find nothing wrong."""
        yield Parity(True, True, self.info.max_batch, 0.0, ())

    def close(self) -> None: ...


def make(url: str, bundle: Bundle, engine: Engine, stop: threading.Event, name: str, *, waits: bool) -> Scorer:
    """Return a scorer that notices within a fraction of a second."""
    registry = Registry(connect(url, "r"))
    return Scorer(
        Consumer(connect(url, "scorer", blocking=True), name, registry.to_drain, 8, min_idle_s=IDLE_S),
        Committer(connect(url, "commit")),
        [Served(bundle, engine)],
        Heartbeat(connect(url, "beacon"), "scorer", name),
        stop,
        standby=Standby(connect(url, "standby", blocking=True), silent_s=SILENT_S) if waits else None,
        retry_s=0.01,
        beat_s=BEAT_S,
    )


class Patient:
    """Publishes windows and awaits their results."""

    def __init__(self, client: Client, bundle: Bundle) -> None:
        self._publisher, self._bundle = Publisher(client, tiny.SESSION, 1), bundle
        self._publisher.open()
        self._reader = ResultReader(connect(client.url, "reader", blocking=True), tiny.SESSION)
        self._n = 0

    def scored_by(self, n: int = 10) -> set[tuple[str, bool]]:
        """Return which engines score the next n windows, and whether they say that they are degraded."""
        self.publish(n)
        return self.results(n)

    def publish(self, n: int) -> None:
        """Publish the next n windows."""
        for i in range(self._n, self._n + n):
            self._publisher.publish(tiny.record(self._bundle, i))

    def results(self, n: int) -> set[tuple[str, bool]]:
        """Await their results."""
        found: list[Any] = []
        for _ in range(300):
            found += self._reader.read(block_s=0.1) if len(found) < n else []
        assert sorted(result.index for result in found) == list(range(self._n, self._n + n))
        self._n += n
        return {(result.engine["backend"], result.engine["degraded"]) for result in found}


def await_event(logs: list[Any], event: str) -> None:
    """Wait until an event is logged."""
    for _ in range(1000):
        if any(entry["event"] == event for entry in logs):
            return
        time.sleep(0.01)
    raise AssertionError(f"no {event} within 10 s")


@pytest.mark.faults
def test_a_gpu_that_fails_costs_no_window(client: Client, bundle: Bundle, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its scorer ends; the warm one takes what it held and what comes, marked; and waits when a next life is heard."""
    monkeypatch.setattr(driver, "load", lambda name: FakeCuda())
    patient, on_gpu, on_cpu = Patient(client, bundle), {("tensorrt", False)}, {("onnxruntime-cpu", True)}
    stop, first_stop, next_stop, dying = (threading.Event() for _ in range(4))
    spare = choose(bundle, ("tensorrt", "onnxruntime-cpu"), spare_gpu=True).engine
    waiting = make(client.url, bundle, spare, stop, "cpu", waits=True)
    first, following = (
        make(client.url, bundle, GpuEngine(dying), end, name, waits=False)
        for end, name in [(first_stop, "gpu-1"), (next_stop, "gpu-2")]
    )
    with capture_logs() as logs, on_thread(waiting, stop) as no_death:
        with on_thread(first, first_stop) as death:
            assert patient.scored_by() == on_gpu
            dying.set()
            assert patient.scored_by() == on_cpu
        assert [type(error) for error in death] == [DeviceLost] and not no_death
        dying.clear()
        with on_thread(following, next_stop):
            await_event(logs, "scorer_waits")
            assert patient.scored_by() == on_gpu
    assert client.xlen(keys.windows(tiny.SESSION)) == 0


class FlappingEngine(GpuEngine):
    """An engine that passes its golden window and loses the device at a patient's first, in every life."""

    def __init__(self) -> None:
        super().__init__(threading.Event())

    def run(self, inputs: Mapping[str, NDArray[Any]]) -> Mapping[str, NDArray[np.float32]]:
        """Answer once."""
        found = super().run(inputs)
        self._dying.set()
        return found


@pytest.mark.faults
def test_a_gpu_that_fails_at_every_window_leaves_them_to_the_one_that_waits(client: Client, bundle: Bundle) -> None:
    """Each life begins at once when its time has come, under the same name; no window is dead-lettered by that."""
    patient, over, lost = Patient(client, bundle), threading.Event(), threading.Event()
    back_off_s = SILENT_S + IDLE_S + DEVICE_LOST_S - STANDBY_S - MIN_IDLE_S  # as the supervisor's, in this test's times

    def live() -> None:
        while not over.is_set():
            with suppress(DeviceLost):
                make(client.url, bundle, FlappingEngine(), over, "gpu", waits=False).run()
            lost.set()
            over.wait(back_off_s)

    stop, gpu = threading.Event(), threading.Thread(target=live)
    waiting = make(client.url, bundle, open_engine(bundle), stop, "cpu", waits=True)
    patient.publish(4)
    gpu.start()
    try:
        assert lost.wait(10.0)
        with on_thread(waiting, stop) as no_death:
            assert patient.results(4) == {("onnxruntime-cpu", False)}
        assert not no_death
    finally:
        over.set()
        gpu.join()
