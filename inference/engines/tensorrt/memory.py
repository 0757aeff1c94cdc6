"""Memory: pinned host and device memory, one side stream, and graphs captured from it; torch is the allocator.

TensorRT brings no allocator for its callers. torch's is one that works beside TensorRT in one process, on the same
primary context. Work goes to a side stream: on the default one TensorRT synchronises the whole device. An error of the
device stays: once one came, every later call of the process fails, so there is nothing to try again here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray

from inference.errors import DeviceLost, EngineAbsent, EngineUnavailable

#: How CUDA says that memory does not suffice: of the host's and of a context's torch has no error of its own, and
#: unlike CUDA's other errors it does not stay.
FULL = "out of memory"


@dataclass(frozen=True)
class Pair:
    """One tensor twice: pinned on the host, where ``array`` is its view, and on the device."""

    array: NDArray[Any]
    host: Any
    device: Any

    @property
    def address(self) -> int:
        """Where it lies on the device."""
        return int(self.device.data_ptr())


class CaptureRefused(Exception):
    """The work cannot be captured; nothing is broken by that."""


class Memory:
    """The device's memory and stream.

    Raises
    ------
    EngineAbsent
        If torch is not installed.
    EngineUnavailable
        If torch is there and has no CUDA.
    """

    def __init__(self) -> None:
        self._torch = _torch()
        with self._honest():
            self._stream = self._torch.cuda.Stream()

    @property
    def stream(self) -> int:
        """The side stream's handle."""
        return int(self._stream.cuda_stream)

    @property
    def version(self) -> str:
        """Of torch."""
        return str(self._torch.__version__)

    def free_bytes(self) -> int:
        """Return how much memory the device has left, for every process."""
        return int(self._torch.cuda.mem_get_info()[0])

    def block(self, n_bytes: int) -> Any:
        """Return ``n_bytes`` of the device's memory; its ``data_ptr()`` is where they begin.

        Raises
        ------
        EngineUnavailable
            If it has not so much left.
        """
        with self._honest():
            return self._torch.empty((max(n_bytes, 1),), dtype=self._torch.uint8, device="cuda")

    def pair(self, shape: tuple[int, ...], dtype: str) -> Pair:
        """Return a tensor on both sides.

        Raises
        ------
        EngineUnavailable
            If either side has not so much memory left.
        """
        with self._honest():
            kind = getattr(self._torch, dtype)
            host = self._torch.empty(shape, dtype=kind, pin_memory=True)
            return Pair(host.numpy(), host, self._torch.empty(shape, dtype=kind, device="cuda"))

    def upload(self, pair: Pair) -> None:
        """Copy the host's side to the device, in the stream's order."""
        with self._honest(), self._torch.cuda.stream(self._stream):
            pair.device.copy_(pair.host, non_blocking=True)

    def download(self, pair: Pair) -> None:
        """Copy the device's side to the host, in the stream's order."""
        with self._honest(), self._torch.cuda.stream(self._stream):
            pair.host.copy_(pair.device, non_blocking=True)

    def wait(self) -> None:
        """Wait until the stream has done all its work.

        Raises
        ------
        DeviceLost
            If the device failed on any of it.
        """
        with self._honest():
            self._stream.synchronize()

    def capture(self, work: Callable[[], None]) -> Callable[[], None]:
        """Return what replays ``work``, which only enqueues on the stream.

        Raises
        ------
        CaptureRefused
            If it cannot be captured.
        DeviceLost
            If the device failed while it was tried.
        """
        self.wait()
        graph = self._torch.cuda.CUDAGraph()
        try:
            with self._torch.cuda.graph(graph, stream=self._stream):
                work()
        except (RuntimeError, CaptureRefused) as error:
            self.wait()  # an error of the device, not of the capture, comes up here
            raise CaptureRefused(str(error).splitlines()[0]) from error

        def replay() -> None:
            with self._honest(), self._torch.cuda.stream(self._stream):
                graph.replay()

        return replay

    @contextmanager
    def _honest(self) -> Iterator[None]:
        try:
            yield
        except RuntimeError as error:
            if FULL not in str(error):
                raise DeviceLost.because(str(error)) from error
            raise EngineUnavailable(
                f"The GPU's memory does not suffice: {str(error).splitlines()[0]}.",
                subject="tensorrt",
                remedy="Free it, run fewer scorers on this GPU, or name another engine.",
            ) from error


def _torch() -> Any:
    try:
        import torch
    except ModuleNotFoundError as error:
        raise EngineAbsent(
            f"The TensorRT engine takes its memory from torch, which is not installed here: {error}.",
            subject="torch",
            remedy="Install flexion[gpu], or name another engine.",
        ) from error
    if not torch.cuda.is_available():
        raise EngineUnavailable(
            f"torch {torch.__version__} finds no CUDA, though the driver has a GPU.",
            subject="torch",
            remedy="Install the build of torch that has CUDA.",
        )
    return torch
