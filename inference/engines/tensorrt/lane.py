"""Lane: one bucket of windows: its execution context, its buffers and, where it can be captured, its graph.

All lanes of a plan share one block of working memory, since one stream runs them one after another. A graph replays the
same kernels on the same addresses, so its bits are compared with the eager run's before it is used.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from numpy.typing import NDArray

from inference.bundle import Bundle
from inference.engines.tensorrt.building import tensor_shape
from inference.engines.tensorrt.memory import CaptureRefused, Memory
from inference.errors import EngineError, EngineUnavailable

#: What fills the rows of a bucket that hold no window.
PADDING = 0.0

Outputs = dict[str, NDArray[Any]]


class Lane:
    """A bucket, ready to run.

    Parameters
    ----------
    trt, log : module and logger
        TensorRT and its words.
    engine : ICudaEngine
        The plan.
    memory : Memory
        Where buffers come from.
    bundle : Bundle
        The model.
    profile, bucket : int
        Which profile of the plan, and how many windows it takes.
    block : tensor
        Working memory, shared with the other lanes.

    Raises
    ------
    EngineUnavailable
        If TensorRT makes no context for it.
    """

    def __init__(
        self,
        trt: Any,
        log: Any,
        engine: Any,
        memory: Memory,
        bundle: Bundle,
        profile: int,
        bucket: int,
        block: Any,
    ) -> None:
        self.bucket = bucket
        self.working_bytes = int(engine.get_device_memory_size_for_profile_v2(profile))
        self._log = log
        self._memory = memory
        # The context knows its address alone: it must be there as long as the lane is.
        self._block = block
        self._subject = bundle.name
        self._context = engine.create_execution_context(trt.ExecutionContextAllocationStrategy.USER_MANAGED)
        if self._context is None:
            raise self._refused("made no execution context")
        [tensor] = bundle.model.inputs
        self._input = memory.pair(tensor_shape(tensor, bucket), tensor.dtype)
        self._outputs = {out.name: memory.pair(tensor_shape(out, bucket), out.dtype) for out in bundle.model.outputs}
        self._bind(tensor.name, profile, block, int(engine.device_memory_size_v2))
        self._replay: Callable[[], None] | None = None
        #: Why it runs eagerly; empty once a graph replays it.
        self.eager_because = "no capture was tried"

    @property
    def buffer_bytes(self) -> int:
        """What its tensors take on the device."""
        return int(self._input.array.nbytes + sum(pair.array.nbytes for pair in self._outputs.values()))

    def run(self, x: NDArray[Any], padding: float = PADDING) -> Outputs:
        """Return the outputs of up to ``bucket`` windows.

        Parameters
        ----------
        x : ndarray, shape (n, ...)
            Windows; n is at most ``bucket``.
        padding : float
            What fills the other rows.

        Raises
        ------
        EngineError
            If TensorRT refuses the run.
        DeviceLost
            If the GPU failed on it.
        """
        n = len(x)
        self._input.array[:n] = x
        self._input.array[n:] = padding
        self._memory.upload(self._input)
        (self._replay or self._enqueue)()
        for pair in self._outputs.values():
            self._memory.download(pair)
        self._memory.wait()
        return {name: pair.array[:n].copy() for name, pair in self._outputs.items()}

    def capture(self, x: NDArray[Any]) -> None:
        """Replay a graph from now on, if the run can be captured and gives the same bits as an eager one.

        Parameters
        ----------
        x : ndarray, shape (n, ...)
            Windows to compare with, in turns of a bucket.
        """
        eager = self._all(x)
        try:
            self._replay = self._memory.capture(self._enqueue_captured)
        except CaptureRefused as error:
            self.eager_because = f"it cannot be captured: {error}"
            return
        if _same(self._all(x), eager):
            self.eager_because = ""
        else:
            self._replay = None
            self.eager_because = "the graph gave other bits than the eager run"

    def _all(self, x: NDArray[Any]) -> list[Outputs]:
        return [self.run(x[i : i + self.bucket]) for i in range(0, len(x), self.bucket)]

    def _enqueue(self) -> None:
        if self._context.execute_async_v3(self._memory.stream):
            return
        said = self._log.heard()
        self._memory.wait()  # a device that failed is lost; one that only refused is not
        raise EngineError(
            f"TensorRT refused to run {self._subject} on {self.bucket} windows: {said}.",
            subject=self._subject,
            remedy="Look at the window that it was given; the engine goes on with the next.",
        )

    def _enqueue_captured(self) -> None:
        # Nothing may wait for the stream while it is captured.
        if not self._context.execute_async_v3(self._memory.stream):
            raise CaptureRefused(self._log.heard())

    def _bind(self, name: str, profile: int, block: Any, block_bytes: int) -> None:
        """Fix the profile, the shape, the working memory and every address, once for all runs."""
        context, stream = self._context, self._memory.stream
        self._demand(context.set_optimization_profile_async(profile, stream), f"took no profile {profile}")
        self._memory.wait()
        self._demand(context.set_input_shape(name, self._input.array.shape), "took no shape of its own profile")
        context.set_device_memory(block.data_ptr(), block_bytes)
        for tensor, pair in {name: self._input, **self._outputs}.items():
            self._demand(context.set_tensor_address(tensor, pair.address), f"took no memory for {tensor}")
        missing = context.infer_shapes()
        self._demand(not missing, f"knows no shape of {', '.join(missing)}")

    def _demand(self, done: bool, otherwise: str) -> None:
        if not done:
            raise self._refused(otherwise)

    def _refused(self, what: str) -> EngineUnavailable:
        return EngineUnavailable(
            f"TensorRT {what} for {self.bucket} windows of {self._subject}: {self._log.heard()}.",
            subject=self._subject,
            remedy="Free the GPU's memory if it was full, or build the plan again.",
        )


def _same(ones: list[Outputs], others: list[Outputs]) -> bool:
    return all(same_bits(one, other) for one, other in zip(ones, others, strict=True))


def same_bits(one: Mapping[str, NDArray[Any]], other: Mapping[str, NDArray[Any]]) -> bool:
    """Return whether two outputs are the same to the last bit."""
    return all(one[name].tobytes() == other[name].tobytes() for name in one)
