"""The engine: the contract of every engine, on stand-ins of three versions; what it refuses; what ends it."""

from __future__ import annotations

import gc
import sys
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from inference.bundle import Bundle
from inference.engines.choice import choose
from inference.engines.engine import Engine
from inference.engines.parity import settle
from inference.engines.tensorrt.building import build_plan
from inference.engines.tensorrt.cache import BUCKETS, PlanCache, PlanKey
from inference.engines.tensorrt.engine import TensorrtEngine, open_tensorrt
from inference.engines.tensorrt.library import listener
from inference.errors import BundleError, DeviceLost, EngineAbsent, EngineError, EngineUnavailable
from tests.inference import tiny
from tests.inference.tensorrt.conftest import GPU, VERSIONS, UseMachine

Open = Callable[..., TensorrtEngine]


def batch(n: int, seed: int = 0) -> NDArray[np.float32]:
    """Return n z-scored windows of noise."""
    return np.random.RandomState(seed).normal(0, 1, (n, tiny.N_SAMPLES, len(tiny.LABELS))).astype(np.float32)


@pytest.fixture
def opened(machine: UseMachine, bundle: Bundle) -> Open:
    """Return a function that opens the tiny bundle's plan on a machine with some faults."""

    def open_(version: str = "11.4", plan: bytes = b"", serving: tuple[int, ...] = BUCKETS, **faults: Any) -> Any:
        trt = machine(version, **faults)
        plan = plan or build_plan(trt, listener(trt), bundle, BUCKETS).plan
        return TensorrtEngine(trt, bundle, plan, GPU, BUCKETS, serving)

    return open_


@pytest.mark.parametrize("version", VERSIONS)
def test_it_gives_what_other_engines_give(opened: Open, engine: Engine, version: str) -> None:
    """In every size of batch, also beyond the largest bucket, with what the manifest names."""
    ours = opened(version)
    ours.warmup()
    assert settle(ours.selfcheck()).ok
    for n in (1, 2, 8, 9, 33):
        found, expected = ours.run({"x": batch(n)}), engine.run({"x": batch(n)})
        assert {name: value.shape for name, value in found.items()} == {
            name: value.shape for name, value in expected.items()
        }
        np.testing.assert_allclose(found["logit"], expected["logit"], atol=1e-5)


@pytest.mark.parametrize("version", VERSIONS)
def test_what_runs_is_said(opened: Open, version: str) -> None:
    """Batches are allowed once they were found to change nothing."""
    engine = opened(version)
    assert not engine.info.batch_invariant and engine.info.max_batch == 1
    settle(engine.selfcheck())
    info = engine.info
    assert (info.backend, info.device, info.precision, info.degraded) == ("tensorrt", GPU.name, "fp32", False)
    assert info.version.startswith(version) and info.batch_invariant and info.max_batch == BUCKETS[-1]


@pytest.mark.parametrize(
    ("inputs", "words"),
    [
        ({}, r"takes x \(batch, 200, 4\) float32, but inputs \[\] came"),
        ({"x": batch(1)[:, :100]}, r"but x \(1, 100, 4\) float32 came"),
        ({"x": batch(1) * np.float32(np.nan)}, r"but x with a value that is not finite came"),
    ],
)
def test_what_the_manifest_does_not_name_is_refused(opened: Open, inputs: dict[str, Any], words: str) -> None:
    """Before the GPU sees it."""
    with pytest.raises(EngineError, match=words):
        opened().run(inputs)


def test_a_closed_engine_says_so(opened: Open) -> None:
    """And has given its memory back."""
    engine = opened()
    device = sys.modules["standin_device"]
    assert device.taken_bytes > 0
    engine.close()
    assert device.taken_bytes == 0
    with pytest.raises(EngineError, match=r"The engine is closed\."):
        engine.run({"x": batch(1)})


def test_lanes_share_their_working_memory(opened: Open) -> None:
    """One block as large as the largest lane's, not the sum of all."""
    engine = opened()
    blocks = {lane._context._block for lane in engine.lanes}
    assert len(blocks) == 1 and blocks.pop()[1] == max(lane.working_bytes for lane in engine.lanes)


def test_the_rows_of_a_bucket_that_hold_no_window_hold_its_padding(opened: Open) -> None:
    """Nothing of an earlier call stays in them, and what a proof puts there is there."""
    lane = opened().lanes[1]
    lane.run(batch(8))
    for padding in (float("nan"), 0.0):
        lane.run(batch(3), padding)
        np.testing.assert_array_equal(lane._input.array[3:], np.full_like(batch(5), padding))


def test_a_lane_holds_what_it_works_in(opened: Open) -> None:
    """A context knows an address alone; without its owner it would write into memory of others."""
    engine = opened()
    lane, device = engine.lanes[1], sys.modules["standin_device"]
    block, before = weakref.ref(engine._block), device.taken_bytes
    del engine
    gc.collect()
    assert block() is not None and 0 < device.taken_bytes < before
    lane.run(batch(3))


def test_an_engine_that_is_off_does_not_serve(opened: Open) -> None:
    """The self-check finds it here too, whatever the trial found."""
    assert "expected" in settle(opened(bits="off").selfcheck()).problems[0]


def test_batches_that_came_to_change_bits_are_not_allowed(opened: Open) -> None:
    """What was proven in the trial is looked at again; one window at a time is what is left."""
    engine = opened(bits="by neighbour")
    assert not settle(engine.selfcheck()).batch_invariant
    assert engine.info.max_batch == 1 and not engine.info.batch_invariant


# --- what it does not load -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("plan", "words"),
    [
        (b"rubbish", r"does not load the plan of tiny .*: Serialization assertion magicTagRead"),
        (b'standin-plan {"version": "10.16.0.72"}\n', r"is of version 10\.16\.0\.72, expecting 11\.4"),
        (b'standin-plan {"version": "11.4.0.106", "gpu": "Old GPU"}\n', r"is for Old GPU, expecting Stand-in GPU"),
    ],
    ids=["corrupt", "another version", "another GPU"],
)
def test_a_plan_that_does_not_belong_here_is_refused(opened: Open, plan: bytes, words: str) -> None:
    """In TensorRT's words, which stand in its log alone."""
    with pytest.raises(EngineUnavailable, match=words):
        opened(plan=plan)


def test_a_plan_of_another_model_is_refused(opened: Open, machine: UseMachine, tmp_path: Path) -> None:
    """Its tensors are not the manifest's."""
    trt = machine()
    other = tiny.write(tmp_path / "o", tiny.manifest(), tiny.graph(n_samples=100).SerializeToString())
    with pytest.raises(BundleError, match=r"is another model's: it has x \(-1, 100, 4\) float32; the manifest names x"):
        opened(plan=build_plan(trt, listener(trt), other, BUCKETS).plan)
    renamed = tiny.graph()
    renamed.graph.output.pop()
    with pytest.raises(BundleError, match=r"it has the tensors logit, x; the manifest names"):
        opened(plan=build_plan(trt, listener(trt), _graph(tmp_path, renamed), BUCKETS).plan)


def _graph(tmp_path: Path, model: Any) -> Bundle:
    return tiny.write(tmp_path / "r", tiny.manifest(), model.SerializeToString())


def test_a_plan_of_other_buckets_is_refused(opened: Open, machine: UseMachine, bundle: Bundle) -> None:
    """Its profiles would be taken for others."""
    trt = machine()
    with pytest.raises(BundleError, match=r"it has 2 profiles, not those of 1, 8, 32 windows"):
        opened(plan=build_plan(trt, listener(trt), bundle, (1, 8)).plan)


@pytest.mark.parametrize(
    ("faults", "words"),
    [
        ({"context": "none"}, r"made no execution context for 1 windows of tiny: Cannot create a context"),
        ({"context": "no address"}, r"took no memory for x for 1 windows"),
        ({"memory_bytes": 1000}, r"The GPU's memory does not suffice: CUDA out of memory\. Tried to allocate"),
        ({"pinned": "full"}, r"The GPU's memory does not suffice: CUDA error: out of memory"),
        ({"no_cuda": True}, r"torch 2\.13\.0\+standin finds no CUDA, though the driver has a GPU"),
    ],
)
def test_a_machine_that_cannot_run_it_says_why(opened: Open, faults: dict[str, Any], words: str) -> None:
    """A typed reason, so that the next engine of the list is tried."""
    with pytest.raises(EngineUnavailable, match=words) as caught:
        opened(**faults)
    assert not isinstance(caught.value, EngineAbsent)


def test_without_torch_there_is_no_memory(opened: Open, monkeypatch: pytest.MonkeyPatch, bundle: Bundle) -> None:
    """Its absence is said as one of a library."""
    opened().close()
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(EngineAbsent, match=r"takes its memory from torch, which is not installed here"):
        TensorrtEngine(sys.modules["tensorrt"], bundle, b"", GPU, BUCKETS, BUCKETS)


# --- what ends it ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("says", [True, False], ids=["found when it waits", "found when it enqueues"])
def test_a_gpu_that_fails_is_lost_for_good(opened: Open, says: bool) -> None:
    """Every later call fails too; the error is no EngineError, so that no scorer tries the window again."""
    engine = opened(run="lost", says=says)
    for _ in range(2):
        with pytest.raises(
            DeviceLost, match=r"The GPU failed: CUDA error: an illegal memory access.*process ends"
        ) as e:
            engine.run({"x": batch(1)})
        assert not isinstance(e.value, EngineError) and e.value.exit_code == 5


def test_a_run_that_is_refused_leaves_the_engine_alive(opened: Open) -> None:
    """The device is asked whether it lives; it does."""
    engine = opened(run="refused")
    with pytest.raises(EngineError, match=r"TensorRT refused to run tiny on 1 windows: enqueueV3: it will not"):
        engine.run({"x": batch(1)})
    sys.modules["standin_device"].faults.clear()
    assert engine.run({"x": batch(1)})["logit"].shape == (1,)


# --- graphs ----------------------------------------------------------------------------------------------------------


def test_a_captured_lane_replays_the_same_bits(opened: Open) -> None:
    """And enqueues nothing itself any more."""
    engine = opened()
    eager = engine.run({"x": batch(5)})
    engine.warmup()
    assert [lane.eager_because for lane in engine.lanes] == ["", "", ""]
    runs = [lane._context._runs for lane in engine.lanes]
    assert engine.run({"x": batch(5)})["logit"].tobytes() == eager["logit"].tobytes()
    assert runs == [lane._context._runs for lane in engine.lanes]


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ("refused", "it cannot be captured: Loops cannot be captured"),
        ("broken", "it cannot be captured: CUDA error: operation failed due to a previous error during capture"),
        ("drifts", "the graph gave other bits than the eager run"),
    ],
)
def test_a_lane_that_cannot_be_captured_runs_eagerly(opened: Open, fault: str, words: str) -> None:
    """Why is kept, and what it gives is what it gave."""
    engine = opened()
    eager = engine.run({"x": batch(5)})
    sys.modules["standin_device"].faults["capture"] = fault
    engine.warmup()
    assert {lane.eager_because for lane in engine.lanes} == {words}
    assert engine.run({"x": batch(5)})["logit"].tobytes() == eager["logit"].tobytes()


def test_a_gpu_that_fails_in_a_capture_is_lost(opened: Open) -> None:
    """A capture that only did not work is told from a device that died of it."""
    engine = opened()
    sys.modules["standin_device"].faults["capture"] = "lost"
    with pytest.raises(DeviceLost):
        engine.lanes[-1].capture(batch(1))


# --- opened by name --------------------------------------------------------------------------------------------------


def test_it_is_opened_from_the_cache_and_never_built(machine: UseMachine, bundle: Bundle, plans: PlanCache) -> None:
    """Without a plan it is passed over, with the words for how to get one; with one it serves the proven lanes."""
    trt = machine()
    with pytest.raises(EngineUnavailable, match=r"There is no plan .*Build it: flexion models prepare NAME --backend"):
        open_tensorrt(bundle)
    assert choose(bundle, ("tensorrt", "onnxruntime-cpu")).engine.info.degraded
    plan = build_plan(trt, listener(trt), bundle, BUCKETS).plan
    plans.keep(PlanKey.of(bundle, trt.__version__, GPU), plan, {"serving": [8, 32]})
    engine = choose(bundle, ("tensorrt", "onnxruntime-cpu")).engine
    assert isinstance(engine, TensorrtEngine) and [lane.bucket for lane in engine.lanes] == [8, 32]
    assert not engine.info.degraded and engine.info.max_batch == 32
