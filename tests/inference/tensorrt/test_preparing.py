"""Preparing: build apart, try apart, keep what was proven; nothing that dies or hangs there reaches a scorer."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from inference.bundle import Bundle
from inference.engines.choice import choose
from inference.engines.engine import Engine
from inference.engines.parity import settle
from inference.engines.registry import make_ready
from inference.engines.tensorrt import driver
from inference.engines.tensorrt.apart import build_apart, try_apart
from inference.engines.tensorrt.building import build_plan
from inference.engines.tensorrt.cache import PlanCache
from inference.engines.tensorrt.engine import open_tensorrt
from inference.engines.tensorrt.library import listener
from inference.engines.tensorrt.preparing import prepare
from inference.errors import BundleError, EngineUnavailable, UnknownEngine
from tests.inference import tiny
from tests.inference.tensorrt.conftest import GPU, VERSIONS, FakeCuda, UseMachine

BUCKETS = (1, 8)


@pytest.mark.parametrize("version", VERSIONS)
def test_a_plan_is_built_tried_and_kept(machine: UseMachine, bundle: Bundle, plans: PlanCache, version: str) -> None:
    """Once: it is there the next time, and a scorer opens it."""
    machine(version)
    first = prepare(bundle)
    assert first.built and first.key.version.startswith(version) and first.plan.facts["serving"] == [1, 8, 32]
    assert [lane["eager_because"] for lane in first.plan.facts["lanes"]] == ["", "", ""]
    again = prepare(bundle)
    assert not again.built and again.plan == first.plan
    engine = open_tensorrt(bundle)
    engine.warmup()
    assert settle(engine.selfcheck()).ok and engine.info.max_batch == 32
    assert plans.timing(first.key)


def test_a_plan_that_was_spoilt_is_built_again(machine: UseMachine, bundle: Bundle) -> None:
    """Its bytes are not those that were tried."""
    machine()
    path = prepare(bundle).plan.path
    path.write_bytes(b"spoilt")
    assert prepare(bundle).built and path.read_bytes() != b"spoilt"


def test_a_gpu_that_was_exchanged_gets_a_plan_of_its_own(machine: UseMachine, bundle: Bundle, plans: PlanCache) -> None:
    """And so does a TensorRT that was updated; the older plans stay for whoever goes back."""
    for version in ("10.16", "11.4"):
        machine(version)
        assert prepare(bundle).built
    assert len(list(plans.root.glob("*/*.plan"))) == 2


@pytest.mark.parametrize(
    ("bits", "allowed"),
    [("by bucket", [8, 32]), ("by neighbour", [1])],
)
def test_only_proven_lanes_are_kept_for_serving(
    machine: UseMachine, bundle: Bundle, bits: str, allowed: list[int]
) -> None:
    """One window runs in a bucket of eight where a bucket of one has other bits."""
    machine(bits=bits)
    assert prepare(bundle).plan.facts["serving"] == allowed


@pytest.mark.parametrize(
    ("bits", "words"),
    [
        ("off", r"may not serve: its logits are off by 1.* on 1, .* on 32 windows, 0\.0001 is allowed\. Name"),
        ("shaky", r"may not serve: .*is allowed; two runs differ on 1, 8, 32\. Name another"),
    ],
)
def test_what_may_not_serve_is_not_kept(
    machine: UseMachine, bundle: Bundle, plans: PlanCache, bits: str, words: str
) -> None:
    """And what was kept before stays."""
    machine()
    kept = prepare(bundle).plan
    machine(bits=bits)
    with pytest.raises(EngineUnavailable, match=words):
        prepare(bundle, anew=True)
    machine()
    assert prepare(bundle).plan == kept


def test_a_plan_that_is_not_the_model_in_float64_is_not_kept(
    machine: UseMachine, bundle: Bundle, engine: Engine, plans: PlanCache
) -> None:
    """Also where its golden logits, which another engine found, agree."""
    machine()

    def other(inputs: Any) -> Any:
        return {"logit": engine.run(inputs)["logit"] + 0.5 * (inputs["x"].std() > 1.01)}

    with pytest.raises(EngineUnavailable, match=r"tensorrt is not the model tiny .*float64 .*; 0\.0001 is allowed"):
        make_ready(bundle, "tensorrt", other)
    assert not list(plans.root.glob("*/*.plan"))
    make_ready(bundle, "auto", engine.run)
    assert choose(bundle, ("auto",)).engine.info.backend == "tensorrt"


def test_where_there_is_no_gpu_nothing_is_made_ready(
    machine: UseMachine, bundle: Bundle, engine: Engine, monkeypatch: pytest.MonkeyPatch, plans: PlanCache
) -> None:
    """The choice that follows says why; a name that is none is refused."""
    machine()
    monkeypatch.setattr(driver, "load", lambda name: FakeCuda(n_devices=0))
    make_ready(bundle, "auto", engine.run)
    make_ready(bundle, "onnxruntime-cpu", engine.run)
    assert not plans.root.exists()
    with pytest.raises(UnknownEngine, match=r"no engine 'cudnn'"):
        make_ready(bundle, "cudnn", engine.run)


@pytest.fixture
def built(machine: UseMachine, bundle: Bundle, tmp_path: Path) -> Path:
    """Return a folder with a plan in it."""
    folder = tmp_path / "work"
    folder.mkdir()
    trt = machine()
    (folder / "plan").write_bytes(build_plan(trt, listener(trt), bundle, BUCKETS).plan)
    return folder


def test_a_build_that_kills_its_process_is_told(machine: UseMachine, bundle: Bundle, tmp_path: Path) -> None:
    """By the signal; this process lives."""
    machine(build="dies")
    with pytest.raises(EngineUnavailable, match=r"Building a plan of tiny .* failed in its own process: .*by SIGSEGV"):
        build_apart(bundle, tmp_path, BUCKETS, b"")


def test_a_plan_that_kills_its_process_is_told(machine: UseMachine, bundle: Bundle, built: Path) -> None:
    """Before any scorer loads it."""
    machine(load="dies")
    with pytest.raises(EngineUnavailable, match=r"Trying the plan of tiny .*: it was ended by SIGSEGV; the last"):
        try_apart(bundle, built, BUCKETS, GPU)


def test_a_plan_that_never_loads_is_given_up(machine: UseMachine, bundle: Bundle, built: Path) -> None:
    """A lock-up ends with its time."""
    machine(load="hangs")
    with pytest.raises(EngineUnavailable, match=r"it did not end within 4 s\. See whether driver"):
        try_apart(bundle, built, BUCKETS, GPU, limit_s=4.0)


def test_a_gpu_that_fails_in_the_trial_fails_the_trial_alone(machine: UseMachine, bundle: Bundle, built: Path) -> None:
    """Its words come through; it is the child's device that was lost."""
    machine(run="lost", after=5)
    with pytest.raises(EngineUnavailable, match=r"The GPU failed: CUDA error: an illegal memory access"):
        try_apart(bundle, built, BUCKETS, GPU)


def test_a_child_that_says_nothing_has_its_last_words_kept(
    machine: UseMachine, bundle: Bundle, built: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An exception that nobody foresaw."""
    (built / "plan").unlink()
    with pytest.raises(EngineUnavailable, match=r"it ended with code 1; the last that it said was .FileNotFoundError"):
        try_apart(bundle, built, BUCKETS, GPU)


def test_a_graph_that_cannot_be_read_is_a_bundle_error(machine: UseMachine, tmp_path: Path) -> None:
    """The kind of the refusal survives the way from the child."""
    machine()
    spoilt = tiny.write(tmp_path / "spoilt", tiny.manifest(), b"rubbish")
    with pytest.raises(BundleError, match=r"cannot be read by TensorRT") as caught:
        build_apart(spoilt, tmp_path, BUCKETS, b"")
    assert caught.value.remedy


def test_facts_are_plain(machine: UseMachine, bundle: Bundle, built: Path) -> None:
    """What a trial tells is what a manifest holds and a table shows."""
    facts: dict[str, Any] = try_apart(bundle, built, BUCKETS, GPU)
    assert json.loads(json.dumps(facts)) == facts and facts["serving"] == [1, 8]
    assert {lane["bucket"]: lane["working_bytes"] for lane in facts["lanes"]} == {1: 4096, 8: 32768}
    assert all(lane["ms"] > 0 and lane["eager_ms"] > 0 and lane["buffer_bytes"] > 0 for lane in facts["lanes"])
