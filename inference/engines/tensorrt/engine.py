"""Engine: a plan in this process, behind the contract of every engine.

It opens a plan that was built, tried in a process of its own and kept; it builds none, since that takes longer than a
scorer may be silent. Only the lanes that were proven to give the same bits are opened, and the self-check looks again.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inference.bundle import Bundle
from inference.engines import parity
from inference.engines.engine import EngineInfo
from inference.engines.inputs import check_inputs, window_shape
from inference.engines.parity import golden_window
from inference.engines.tensorrt.cache import PlanCache, PlanKey
from inference.engines.tensorrt.driver import Gpu, find_gpu
from inference.engines.tensorrt.lane import Lane
from inference.engines.tensorrt.library import listener, tensorrt_library
from inference.engines.tensorrt.memory import Memory
from inference.errors import BundleError, EngineError, EngineUnavailable
from inference.manifest import REMEDY

#: Golden windows by which a graph's replay is compared with an eager run.
COMPARED = (("noise", 0), ("impulse-first", 0))


def open_tensorrt(bundle: Bundle, backend: str = "tensorrt", *, degraded: bool = False) -> TensorrtEngine:
    """Open the kept plan of ``bundle`` on this machine.

    Raises
    ------
    EngineAbsent
        If there is no GPU, or a library is not installed.
    EngineUnavailable
        If one is there and fails, or there is no plan that was proven here.
    """
    gpu = find_gpu()
    trt = tensorrt_library()
    key = PlanKey.of(bundle, trt.__version__, gpu)
    plan = PlanCache().find(key)
    serving = tuple(plan.facts["serving"])
    return TensorrtEngine(trt, bundle, plan.path.read_bytes(), gpu, key.buckets, serving, degraded=degraded)


class TensorrtEngine:
    """A plan's lanes.

    Parameters
    ----------
    trt : module
        TensorRT.
    bundle : Bundle
        The model that the plan was built from.
    plan : bytes
        Of this version, for this GPU.
    gpu : Gpu
        Where it runs.
    buckets : sequence of int
        What each profile of the plan takes, in order.
    serving : sequence of int
        Those that are opened.
    degraded : bool
        Whether another backend was asked for first.

    Raises
    ------
    EngineUnavailable
        If the plan cannot be loaded, or the GPU's memory does not suffice for it.
    BundleError
        If the plan has other tensors than the manifest says.
    """

    def __init__(
        self,
        trt: Any,
        bundle: Bundle,
        plan: bytes,
        gpu: Gpu,
        buckets: Sequence[int],
        serving: Sequence[int],
        *,
        degraded: bool = False,
    ) -> None:
        self._bundle = bundle
        self._log = listener(trt)
        self._memory = Memory()
        self._runtime = trt.Runtime(self._log)
        self._engine = _load(trt, self._runtime, self._log, plan, bundle)
        _check_tensors(trt, self._engine, bundle, buckets)
        self._block = self._memory.block(int(self._engine.device_memory_size_v2))
        self.lanes = tuple(
            Lane(trt, self._log, self._engine, self._memory, bundle, i, bucket, self._block)
            for i, bucket in enumerate(buckets)
            if bucket in serving
        )
        self._info = EngineInfo(
            "tensorrt", gpu.name, "fp32", degraded, str(trt.__version__), batch_invariant=False, max_batch=1
        )

    @property
    def info(self) -> EngineInfo:
        """What runs; ``max_batch`` is 1 until the self-check has shown that a batch changes no bit."""
        return self._info

    def run(self, inputs: Mapping[str, NDArray[Any]]) -> Mapping[str, NDArray[np.float32]]:
        """Return the outputs by name; see :class:`~inference.engines.engine.Engine`."""
        if not self.lanes:
            raise EngineError("The engine is closed.", subject=self._bundle.name, remedy="Open it again.")
        check_inputs(self._bundle, inputs)
        x = inputs[self._bundle.model.inputs[0].name]
        largest = self.lanes[-1].bucket
        parts = [self._lane(len(x[i : i + largest])).run(x[i : i + largest]) for i in range(0, len(x), largest)]
        return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}

    def warmup(self) -> None:
        """Run every lane once, and capture what can be captured."""
        [tensor] = self._bundle.model.inputs
        x = np.stack([golden_window(window, seed, window_shape(tensor)) for window, seed in COMPARED])
        for lane in self.lanes:
            lane.capture(x)

    def selfcheck(self) -> Iterator[parity.Parity]:
        """Run the golden windows; allow the batches that were shown to change no bit."""
        model = self._bundle.model
        largest = self.lanes[-1].bucket
        for found in parity.check(self.run, model.inputs[0], model.golden, model.logit_atol, largest):
            self._info = self._info.shown(found)
            yield found

    def close(self) -> None:
        """Free the plan and its memory."""
        self.lanes = ()
        self._engine = self._runtime = self._block = None

    def _lane(self, n: int) -> Lane:
        return next(lane for lane in self.lanes if lane.bucket >= n)


def _load(trt: Any, runtime: Any, log: Any, plan: bytes, bundle: Bundle) -> Any:
    engine = runtime.deserialize_cuda_engine(plan)
    if engine is None:
        raise EngineUnavailable(
            f"TensorRT {trt.__version__} does not load the plan of {bundle.words}: {log.heard()}.",
            subject=bundle.name,
            remedy="Build it again: flexion models prepare NAME --backend tensorrt.",
        )
    return engine


def _check_tensors(trt: Any, engine: Any, bundle: Bundle, buckets: Sequence[int]) -> None:
    wanted = {tensor.name: tensor for tensor in (*bundle.model.inputs, *bundle.model.outputs)}
    names = [engine.get_tensor_name(i) for i in range(engine.num_io_tensors)]
    if set(names) != set(wanted):
        raise _other(bundle, f"it has the tensors {', '.join(sorted(names))}")
    for name, tensor in wanted.items():
        dtype = np.dtype(trt.nptype(engine.get_tensor_dtype(name)))
        shape = tuple(engine.get_tensor_shape(name))
        if dtype != tensor.dtype or shape[1:] != window_shape(tensor):
            raise _other(bundle, f"it has {name} {shape} {dtype}")
    [tensor] = bundle.model.inputs
    profiles = [engine.get_tensor_profile_shape(tensor.name, i) for i in range(engine.num_optimization_profiles)]
    if [next(iter(profile[2])) for profile in profiles] != list(buckets):
        raise _other(bundle, f"it has {len(profiles)} profiles, not those of {', '.join(map(str, buckets))} windows")


def _other(bundle: Bundle, found: str) -> BundleError:
    tensors = ", ".join(map(str, (*bundle.model.inputs, *bundle.model.outputs)))
    return BundleError(
        f"The plan of {bundle.words} is another model's: {found}; the manifest names {tensors}.",
        subject=bundle.name,
        remedy=REMEDY,
    )
