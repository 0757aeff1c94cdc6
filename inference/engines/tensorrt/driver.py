"""Driver: which GPU there is, asked of libcuda alone and before TensorRT is imported.

Without a driver TensorRT imports, hands out a runtime and then dies of a segmentation fault in its first call; so it is
not asked. No context is made here: what libcuda tells needs none.
"""

from __future__ import annotations

import ctypes
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from inference.errors import EngineAbsent, EngineUnavailable

#: The driver's own library.
LIBRARY = "libcuda.so.1"
#: Where the kernel's module says its version; it is not there on every system.
VERSION_FILE = Path("/proc/driver/nvidia/version")
#: From cuda.h: success; a driver without a device; the attributes that make up the compute capability.
_SUCCESS, _NO_DEVICE = 0, 100
_MAJOR, _MINOR = 75, 76
_NAME_BYTES = 256


@dataclass(frozen=True)
class Gpu:
    """The first GPU that this process may use.

    Attributes
    ----------
    name : str
        As its vendor calls it.
    capability : str
        Compute capability, such as ``9.0``.
    driver : str
        Version of the kernel's module where it can be read, and the CUDA level of the driver.
    memory_bytes : int
        All of its memory.
    """

    name: str
    capability: str
    driver: str
    memory_bytes: int


def find_gpu() -> Gpu:
    """Return the GPU.

    Raises
    ------
    EngineAbsent
        If there is no driver or no device.
    EngineUnavailable
        If the driver is there and refuses.
    """
    cuda = _open()
    _start(cuda)
    n_devices = ctypes.c_int()
    _ask(cuda, "cuDeviceGetCount", ctypes.byref(n_devices))
    if not n_devices.value:
        raise _no_device()
    device = ctypes.c_int()
    _ask(cuda, "cuDeviceGet", ctypes.byref(device), 0)
    return Gpu(_name(cuda, device), _capability(cuda, device), _driver(cuda), _memory_bytes(cuda, device))


def load(name: str) -> Any:
    """Return the shared library ``name``."""
    return ctypes.CDLL(name)


def _open() -> Any:
    try:
        return load(LIBRARY)
    except OSError as error:
        raise EngineAbsent(
            f"This machine has no NVIDIA driver: {error}.",
            subject=LIBRARY,
            remedy="Install the driver of the GPU, or name an engine that runs on the CPU.",
        ) from error


def _start(cuda: Any) -> None:
    code = cuda.cuInit(0)
    if code == _NO_DEVICE:
        raise _no_device()
    if code != _SUCCESS:
        raise _refused("cuInit", code)


def _ask(cuda: Any, name: str, *arguments: Any) -> None:
    code = getattr(cuda, name)(*arguments)
    if code != _SUCCESS:
        raise _refused(name, code)


def _name(cuda: Any, device: ctypes.c_int) -> str:
    name = ctypes.create_string_buffer(_NAME_BYTES)
    _ask(cuda, "cuDeviceGetName", name, _NAME_BYTES, device)
    return name.value.decode("utf-8", "replace")


def _capability(cuda: Any, device: ctypes.c_int) -> str:
    parts = []
    for attribute in (_MAJOR, _MINOR):
        value = ctypes.c_int()
        _ask(cuda, "cuDeviceGetAttribute", ctypes.byref(value), attribute, device)
        parts.append(str(value.value))
    return ".".join(parts)


def _memory_bytes(cuda: Any, device: ctypes.c_int) -> int:
    n_bytes = ctypes.c_size_t()
    _ask(cuda, "cuDeviceTotalMem_v2", ctypes.byref(n_bytes), device)
    return n_bytes.value


def _driver(cuda: Any) -> str:
    """Return the module's version before the CUDA level: a driver may be exchanged within one level."""
    level = ctypes.c_int()
    _ask(cuda, "cuDriverGetVersion", ctypes.byref(level))
    cuda_level = f"CUDA {level.value // 1000}.{level.value % 1000 // 10}"
    try:
        found = re.search(r"\b\d{3}\.\d[\d.]*", VERSION_FILE.read_text("utf-8"))
    except OSError:
        return cuda_level
    return f"{found[0]}, {cuda_level}" if found else cuda_level


def _no_device() -> EngineAbsent:
    return EngineAbsent(
        "The NVIDIA driver is there, but it has no GPU for this process.",
        subject=LIBRARY,
        remedy="Look at CUDA_VISIBLE_DEVICES and nvidia-smi, or name an engine that runs on the CPU.",
    )


def _refused(call: str, code: int) -> EngineUnavailable:
    return EngineUnavailable(
        f"The NVIDIA driver refuses: {call} gave error {code}.",
        subject=LIBRARY,
        remedy="Look at nvidia-smi: a driver that was just exchanged works after a restart of the machine.",
    )
