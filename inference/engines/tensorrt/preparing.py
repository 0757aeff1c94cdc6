"""Preparing: build a plan, try it apart, and keep it only if some of its lanes may serve."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from inference.bundle import Bundle
from inference.engines.oracle import check, hold
from inference.engines.parity import Run
from inference.engines.tensorrt.apart import build_apart, try_apart
from inference.engines.tensorrt.cache import Plan, PlanCache, PlanKey
from inference.engines.tensorrt.driver import Gpu, find_gpu
from inference.engines.tensorrt.library import tensorrt_library
from inference.errors import EngineUnavailable


@dataclass(frozen=True)
class Prepared:
    """A plan that may serve on this machine.

    Attributes
    ----------
    key : PlanKey
        What it belongs to.
    plan : Plan
        Where it lies.
    built : bool
        Whether it was built now; one that was there is not built again.
    """

    key: PlanKey
    plan: Plan
    built: bool


def prepare(
    bundle: Bundle, cache: PlanCache | None = None, *, anew: bool = False, exact: Run | None = None
) -> Prepared:
    """Make sure that ``bundle`` has a plan on this machine.

    Parameters
    ----------
    bundle : Bundle
        The model.
    cache : PlanCache, optional
        Where plans lie; the user's own cache by default.
    anew : bool
        Build even if there is one; it is exchanged only for one that passed.
    exact : callable, optional
        The model in float64, against which a plan that is built is held; the golden logits it must give in any case.

    Raises
    ------
    EngineAbsent
        If there is no GPU, or a library is not installed.
    EngineUnavailable
        If it cannot be built, loaded or run, or no lane of it may serve; what was kept before stays.
    BundleError
        If TensorRT cannot read the graph.
    """
    cache = cache or PlanCache()
    gpu = find_gpu()
    key = PlanKey.of(bundle, tensorrt_library().__version__, gpu)
    with cache.lock():
        kept = None if anew else _kept(cache, key)
        if kept is not None:
            return Prepared(key, kept, built=False)
        return Prepared(key, _build(bundle, cache, key, gpu, exact), built=True)


def _kept(cache: PlanCache, key: PlanKey) -> Plan | None:
    """Return the plan that is there; one that is lacking or spoilt is built."""
    try:
        return cache.find(key)
    except EngineUnavailable:
        return None


def _build(bundle: Bundle, cache: PlanCache, key: PlanKey, gpu: Gpu, exact: Run | None) -> Plan:
    with tempfile.TemporaryDirectory(prefix="flexion-plan-") as name:
        folder = Path(name)
        build_apart(bundle, folder, key.buckets, cache.timing(key))
        cache.keep_timing(key, (folder / "timing").read_bytes())
        facts = try_apart(bundle, folder, key.buckets, gpu)
        if not facts["serving"]:
            raise _unproven(bundle, facts["lanes"])
        if exact is not None:
            _hold(bundle, facts["logits"], exact)
        return cache.keep(key, (folder / "plan").read_bytes(), facts)


def _hold(bundle: Bundle, logits: Sequence[float], exact: Run) -> None:
    """Hold what the trial found for the proving set against float64."""
    found = iter(logits)
    check(bundle, "tensorrt", hold(lambda inputs: {"logit": np.array([next(found)])}, exact, bundle))


def _unproven(bundle: Bundle, lanes: list[dict[str, object]]) -> EngineUnavailable:
    off = ", ".join(f"{lane['largest']:g} on {lane['bucket']}" for lane in lanes)
    wrong = [str(lane["bucket"]) for lane in lanes if not lane["repeatable"]]
    shaky = f"; two runs differ on {', '.join(wrong)}" if wrong else ""
    return EngineUnavailable(
        f"The plan of {bundle.words} may not serve: its logits are off by {off} windows, "
        f"{bundle.model.logit_atol:g} is allowed{shaky}.",
        subject=bundle.name,
        remedy="Name another engine; the figures belong to whoever looks after Flexion.",
    )
