"""As much of torch as an allocator needs, on the stand-in device; every name is one of torch's."""

from __future__ import annotations

from types import TracebackType
from typing import Any

import numpy as np
import standin_device as device

__version__ = "2.13.0+standin"
float32, float64, int64, bool, uint8 = (np.dtype(name) for name in ("float32", "float64", "int64", "bool", "uint8"))


class OutOfMemoryError(RuntimeError): ...


class Tensor:
    def __init__(self, array: np.ndarray, on_device: Any, owner: Any = None) -> None:
        self._array, self._on_device, self._owner = array, on_device, owner

    def data_ptr(self) -> int:
        return self._array.ctypes.data

    def numpy(self) -> np.ndarray:
        if self._on_device:
            raise TypeError("can't convert cuda:0 device type tensor to numpy.")
        return self._array

    def copy_(self, src: Tensor, non_blocking: Any = False) -> Tensor:
        assert non_blocking and cuda.current is not None, "a copy on the default stream synchronises the device"
        device.check()
        cuda.current._stream.enqueue(lambda: np.copyto(self._array, src._array))
        return self


def empty(size: tuple[int, ...], *, dtype: Any, device: Any = "cpu", pin_memory: Any = False) -> Tensor:
    """Return a tensor of whatever lies there."""
    if device == "cpu":
        assert pin_memory, "memory that is not pinned is copied twice"
        if _device.faults.get("pinned") == "full":
            raise RuntimeError("CUDA error: out of memory\nCompile with TORCH_USE_CUDA_DSA")
        return Tensor(np.full(size, 77, dtype), False)
    _device.check()
    n_bytes = int(np.prod(size)) * dtype.itemsize
    try:
        block = _device.allocate(n_bytes)
    except MemoryError:
        raise OutOfMemoryError(f"CUDA out of memory. Tried to allocate {n_bytes} bytes.\nSee the docs") from None
    return Tensor(block.view(dtype).reshape(size), True, block)


_device = device


class _Stream:
    def __init__(self) -> None:
        device.check()
        self._stream = device.Stream()
        self.cuda_stream = self._stream.handle

    def synchronize(self) -> None:
        self._stream.synchronize()


class _Current:
    """The context manager of ``torch.cuda.stream``."""

    def __init__(self, stream: _Stream) -> None:
        self._stream = stream

    def __enter__(self) -> None:
        self._before, cuda.current = cuda.current, self._stream

    def __exit__(self, *error: object) -> None:
        cuda.current = self._before


class _CUDAGraph:
    _work: list[Any]

    def replay(self) -> None:
        device.check()
        assert cuda.current is not None
        for work in self._work:
            cuda.current._stream.enqueue(work)


class _Graph:
    """The context manager of ``torch.cuda.graph``."""

    def __init__(self, cuda_graph: _CUDAGraph, *, stream: _Stream) -> None:
        self._graph, self._stream = cuda_graph, stream._stream

    def __enter__(self) -> None:
        assert not self._stream.waiting, "what is enqueued before a capture must be done"
        if device.faults.get("capture") == "lost":
            device.die("an illegal memory access was encountered")
        device.check()
        self._stream.captured = []

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._graph._work, self._stream.captured = self._stream.captured or [], None
        if self._stream.spoilt or device.faults.get("capture") == "broken":
            raise RuntimeError("CUDA error: operation failed due to a previous error during capture\nmore")


class cuda:
    """``torch.cuda``."""

    current: _Stream | None = None
    Stream, stream, CUDAGraph, graph = _Stream, _Current, _CUDAGraph, _Graph

    @staticmethod
    def is_available() -> Any:
        return not device.faults.get("no_cuda", False)

    @staticmethod
    def mem_get_info() -> tuple[int, int]:
        return device.memory_bytes - device.taken_bytes, device.memory_bytes
