"""Building: one code path for 10.x and 11.x, and nothing in a plan but fp32."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from inference.bundle import Bundle
from inference.engines.tensorrt.building import build_plan
from inference.engines.tensorrt.library import listener
from inference.errors import BundleError, EngineUnavailable
from tests.inference import tiny
from tests.inference.tensorrt.conftest import GPU, VERSIONS, UseMachine


def head_of(plan: bytes) -> dict[str, Any]:
    """Return what the stand-in noted of a build."""
    head: dict[str, Any] = json.loads(plan.removeprefix(b"standin-plan ").split(b"\n", 1)[0])
    return head


@pytest.mark.parametrize("version", VERSIONS)
def test_a_plan_is_strongly_typed_without_tf32_and_not_refittable(
    machine: UseMachine, bundle: Bundle, version: str
) -> None:
    """With one profile of one shape for each bucket."""
    trt = machine(version)
    head = head_of(build_plan(trt, listener(trt), bundle, (1, 4)).plan)
    shapes = [{"x": [[n, tiny.N_SAMPLES, len(tiny.LABELS)]] * 3} for n in (1, 4)]
    assert head == {"version": trt.__version__, "gpu": GPU.name, "honest": True, "refit": False, "profiles": shapes}


def test_a_flag_that_stays_is_no_fp32(machine: UseMachine, bundle: Bundle) -> None:
    """The flag is read back."""
    trt = machine(build="keeps tf32")
    with pytest.raises(EngineUnavailable, match=r"TensorRT 11\.4\.0\.106 does not give up TF32"):
        build_plan(trt, listener(trt), bundle, (1,))


def test_a_graph_that_it_cannot_read_is_refused(machine: UseMachine, tmp_path: Path) -> None:
    """In the parser's words."""
    trt = machine()
    bundle = tiny.write(tmp_path / "spoilt", tiny.manifest(), b"rubbish")
    with pytest.raises(BundleError, match=r"model\.onnx cannot be read by TensorRT 11.*: In node -1: DecodeError"):
        build_plan(trt, listener(trt), bundle, (1,))


def test_a_build_that_memory_ends_says_so(machine: UseMachine, bundle: Bundle) -> None:
    """The reason stands in the log alone; a warning before it is none."""
    trt = machine(build="memory")
    with pytest.raises(EngineUnavailable, match=r"cannot build tiny .* here: Cuda Runtime \(out of memory\)\. Free"):
        build_plan(trt, listener(trt), bundle, (1,))


def test_timings_are_gone_on_with_on_the_same_gpu_alone(machine: UseMachine, bundle: Bundle) -> None:
    """Another GPU's are put away."""
    trt = machine()
    first = build_plan(trt, listener(trt), bundle, (1,)).timing
    assert build_plan(trt, listener(trt), bundle, (1,), first).timing == first + b"+"
    trt = machine(gpu="Another GPU")
    assert build_plan(trt, listener(trt), bundle, (1,), first).timing == b"timings of Another GPU:+"
