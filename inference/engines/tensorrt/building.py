"""Building: a bundle's graph to a plan for this GPU.

The network is strongly typed, so that every tensor has the type that the graph gives it; TF32, which is on by default
and rounds an fp32 product to ten bits, is cleared and the flag read back. Each bucket of windows has a profile of its
own whose three shapes are one, so that its kernels are chosen for that shape. A plan is never made refittable: it is
built again instead.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from inference.bundle import Bundle
from inference.engines.inputs import window_shape
from inference.errors import BundleError, EngineUnavailable
from inference.manifest import REMEDY, TensorSpec

#: Most memory that a layer may take while it runs. The loop over 10,000 samples of 32 windows is reported to take
#: 1.1 GB, so this leaves room and still bounds the choice.
WORKSPACE_BYTES = 4 << 30


@dataclass(frozen=True)
class Built:
    """A plan, and the timings that a next build of the same kind may go by."""

    plan: bytes
    timing: bytes


def build_plan(trt: Any, log: Any, bundle: Bundle, buckets: Sequence[int], timing: bytes = b"") -> Built:
    """Build the plan of ``bundle``.

    Parameters
    ----------
    trt : module
        TensorRT.
    log : logger
        Of :func:`~.library.listener`.
    bundle : Bundle
        A model with one input.
    buckets : sequence of int
        Windows per call; one profile each, in this order.
    timing : bytes
        Timings of earlier builds by this version on this GPU; none are needed.

    Raises
    ------
    BundleError
        If TensorRT cannot read the graph.
    EngineUnavailable
        If it cannot build it here, memory that does not suffice included.
    """
    builder = trt.Builder(log)
    network = builder.create_network(_flags(trt))
    _read_graph(trt, log, network, bundle)
    config = _configure(trt, builder, bundle, buckets)
    _set_timing(config, timing)
    plan = builder.build_serialized_network(network, config)
    if plan is None:
        raise EngineUnavailable(
            f"TensorRT cannot build {bundle.words} here: {log.heard()}.",
            subject=bundle.name,
            remedy="Free the GPU's memory if it was full, or name another engine.",
        )
    return Built(bytes(plan), bytes(config.get_timing_cache().serialize()))


def tensor_shape(tensor: TensorSpec, n: int) -> tuple[int, ...]:
    """Return the shape of ``n`` windows: the first axis is the free one."""
    return (n, *window_shape(tensor))


def _flags(trt: Any) -> int:
    """Return the network's flags: 11.x is always strongly typed, 10.x, which still knows EXPLICIT_BATCH, is not."""
    flag = trt.NetworkDefinitionCreationFlag
    return 1 << int(flag.STRONGLY_TYPED) if hasattr(flag, "EXPLICIT_BATCH") else 0


def _read_graph(trt: Any, log: Any, network: Any, bundle: Bundle) -> None:
    parser = trt.OnnxParser(network, log)
    if not parser.parse(bundle.model_path.read_bytes()):
        said = "; ".join(str(parser.get_error(i)) for i in range(parser.num_errors)) or log.heard()
        raise BundleError(
            f"{bundle.model_path} cannot be read by TensorRT {trt.__version__}: {said}.",
            subject=str(bundle.model_path),
            remedy=REMEDY,
        )


def _configure(trt: Any, builder: Any, bundle: Bundle, buckets: Sequence[int]) -> Any:
    config = builder.create_builder_config()
    config.set_memory_pool_limit(trt.MemoryPoolType.WORKSPACE, WORKSPACE_BYTES)
    config.clear_flag(trt.BuilderFlag.TF32)
    if config.get_flag(trt.BuilderFlag.TF32):
        raise EngineUnavailable(
            f"TensorRT {trt.__version__} does not give up TF32, which spoils fp32.",
            subject="tensorrt",
            remedy="Name another engine.",
        )
    [tensor] = bundle.model.inputs
    for bucket in buckets:
        profile = builder.create_optimization_profile()
        shape = tensor_shape(tensor, bucket)
        profile.set_shape(tensor.name, shape, shape, shape)
        config.add_optimization_profile(profile)
    return config


def _set_timing(config: Any, timing: bytes) -> None:
    """Go by earlier timings; begin anew where they are another GPU's."""
    if not config.set_timing_cache(config.create_timing_cache(timing), False):
        config.set_timing_cache(config.create_timing_cache(b""), False)
