"""Checkup: everything that must be true of TensorRT on this machine, as one table, for a person who has the GPU.

Each line is looked at anew: the driver, the library, a build, its trial apart with the proof of every lane, and last
the engine as a scorer opens it. A line that fails ends the table, since what comes after it hangs on it.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from acquisition.errors import FlexionError
from inference.bundle import Bundle
from inference.engines import oracle
from inference.engines.parity import PROVING_SET, Run, settle
from inference.engines.tensorrt.cache import PlanCache
from inference.engines.tensorrt.driver import find_gpu
from inference.engines.tensorrt.engine import open_tensorrt
from inference.engines.tensorrt.library import tensorrt_library
from inference.engines.tensorrt.memory import Memory
from inference.engines.tensorrt.preparing import prepare
from inference.errors import BundleMismatch, EngineAbsent

MB = 1e6


@dataclass(frozen=True)
class Finding:
    """One line.

    Attributes
    ----------
    name : str
        What was looked at.
    found : str
        What it is, or what is wrong with it and what to do.
    ok : bool
        Whether TensorRT may serve as far as this line goes.
    """

    name: str
    found: str
    ok: bool = True


def examine(bundle: Bundle) -> Iterator[Finding]:
    """Yield the findings of ``bundle`` on this machine, as they come; the last is the first that is not well.

    Parameters
    ----------
    bundle : Bundle
        The model; its plan is built anew, and what was kept is exchanged only for one that passed.
    """
    steps = {"driver": _driver, "library": _library, "memory": _memory, "plan": _plan, "engine": _engine}
    for name, step in steps.items():
        try:
            yield from step(bundle)
        except FlexionError as error:
            yield Finding(name, str(error), ok=False)
            return


def _driver(bundle: Bundle) -> Iterator[Finding]:
    gpu = find_gpu()
    size = f"{gpu.memory_bytes / MB:.0f} MB"
    yield Finding("driver", f"{gpu.name}, compute capability {gpu.capability}, {size}, driver {gpu.driver}")


def _library(bundle: Bundle) -> Iterator[Finding]:
    yield Finding("library", f"TensorRT {tensorrt_library().__version__}")


def _memory(bundle: Bundle) -> Iterator[Finding]:
    memory = Memory()
    yield Finding("memory", f"by torch {memory.version}, {memory.free_bytes() / MB:.0f} MB free")


def _plan(bundle: Bundle) -> Iterator[Finding]:
    begun = time.perf_counter()
    exact = _exact(bundle)
    plan = prepare(bundle, PlanCache(), anew=True, exact=exact).plan
    took_s, size = time.perf_counter() - begun, plan.path.stat().st_size
    yield Finding("plan", f"{bundle.words} built, tried and proven in {took_s:.1f} s, {size / MB:.1f} MB: {plan.path}")
    yield Finding("float64", _exact_words(exact))
    for lane in plan.facts["lanes"]:
        yield Finding(f"{lane['bucket']} windows", _lane_words(lane, bundle), ok=lane["repeatable"] and lane["within"])
    together = ", ".join(map(str, plan.facts["serving"]))
    yield Finding("serving", f"in buckets of {together}, which give a window the same bits")


def _exact(bundle: Bundle) -> Run | None:
    """Return the model in float64, where this machine and the kind of bundle have it."""
    try:
        return oracle.exact_run(bundle)
    except (EngineAbsent, BundleMismatch):
        return None


def _exact_words(exact: Run | None) -> str:
    if exact is None:
        return "not compared: it needs torch and onnx, and a bundle of EEG and EMG"
    return f"within the tolerance on {len(PROVING_SET)} windows"


def _lane_words(lane: Mapping[str, Any], bundle: Bundle) -> str:
    bits = [
        "same bits twice" if lane["repeatable"] else "OTHER BITS IN TWO RUNS",
        "whatever lies beside it" if lane["invariant"] else "other bits beside others",
        "and those of the largest bucket that serves" if lane["agrees"] else "and other bits than the largest bucket",
    ]
    run = f"eager, since {lane['eager_because']}" if lane["eager_because"] else "by a graph with the same bits"
    took = f"{lane['ms']:.3f} ms a call {run} (eager {lane['eager_ms']:.3f} ms)"
    memory = f"{lane['working_bytes'] / MB:.1f} MB to work in, {lane['buffer_bytes'] / MB:.1f} MB of tensors"
    logit = f"logits {lane['largest']:.2g} from the golden ones, {bundle.model.logit_atol:g} allowed"
    return "; ".join([logit, ", ".join(bits), took, memory])


def _engine(bundle: Bundle) -> Iterator[Finding]:
    begun = time.perf_counter()
    engine = open_tensorrt(bundle)
    engine.warmup()
    found = settle(engine.selfcheck())
    took_s = time.perf_counter() - begun
    engine.close()
    words = "; ".join(found.problems) or f"opened, warm and past its golden windows in {took_s:.1f} s"
    yield Finding("engine", f"{words}, at most {engine.info.max_batch} windows a call", ok=found.ok)
