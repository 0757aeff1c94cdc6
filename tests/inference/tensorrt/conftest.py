"""A machine with a GPU and TensorRT, made of stand-ins; see ``standins`` beside this file."""

from __future__ import annotations

import ctypes
import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from inference.engines import oracle
from inference.engines.tensorrt import cache, driver
from inference.engines.tensorrt.cache import PlanCache
from inference.engines.tensorrt.driver import Gpu
from inference.errors import EngineAbsent

STANDINS = Path(__file__).parent / "standins"
#: The versions whose names the stand-in has: the oldest that is taken, a late 10 and an 11.
VERSIONS = ("10.1", "10.16", "11.4")
#: What the stand-in device is.
GPU = Gpu("Stand-in GPU", "9.0", "580.65.06, CUDA 13.0", 1 << 30)
MODULES = ("tensorrt", "torch", "standin_device", "standin_tensorrt")

UseMachine = Callable[..., Any]


class FakeCuda:
    """A libcuda that answers as it is told; ``codes`` are the results of calls that fail."""

    def __init__(self, n_devices: int = 1, **codes: int) -> None:
        self._n_devices, self._codes = n_devices, codes

    def cuInit(self, flags: int) -> int:
        return self._codes.get("cuInit", 0)

    def cuDriverGetVersion(self, version: Any) -> int:
        version._obj.value = 13000
        return 0

    def cuDeviceGetCount(self, n: Any) -> int:
        n._obj.value = self._n_devices
        return self._codes.get("cuDeviceGetCount", 0)

    def cuDeviceGet(self, device: Any, index: int) -> int:
        device._obj.value = index
        return 0

    def cuDeviceGetName(self, name: Any, size: int, device: Any) -> int:
        name.value = GPU.name.encode()
        return self._codes.get("cuDeviceGetName", 0)

    def cuDeviceGetAttribute(self, value: Any, attribute: int, device: Any) -> int:
        value._obj.value = {75: 9, 76: 0}[attribute]
        return 0

    def cuDeviceTotalMem_v2(self, n_bytes: Any, device: Any) -> int:
        assert isinstance(n_bytes._obj, ctypes.c_size_t)
        n_bytes._obj.value = 1 << 30
        return 0


def _absent(bundle: Any) -> Any:
    raise EngineAbsent("There is nothing here to hold it against.")


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> UseMachine:
    """Return a function that makes this machine one with a GPU and a version of TensorRT, with some faults."""
    for name in MODULES:  # what is there comes back when all else that a test patches is undone
        monkeypatch.setitem(sys.modules, name, None)
    (tmp_path / "version").write_text("NVRM version: NVIDIA UNIX x86_64 Kernel Module  580.65.06  Thu\n", "utf-8")
    monkeypatch.setattr(driver, "load", lambda name: FakeCuda())
    monkeypatch.setattr(driver, "VERSION_FILE", tmp_path / "version")
    monkeypatch.setattr(cache, "DEFAULT_ROOT", tmp_path / "plans")
    # The stand-in of torch is no torch to compute with.
    monkeypatch.setattr(oracle, "exact_run", _absent)
    monkeypatch.syspath_prepend(str(STANDINS))
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(STANDINS), *filter(None, [os.environ.get("PYTHONPATH")])]))

    def use(version: str = "11.4", gpu: str = GPU.name, **faults: Any) -> Any:
        monkeypatch.setenv("STANDIN_TENSORRT", version)
        monkeypatch.setenv("STANDIN_GPU", gpu)
        monkeypatch.setenv("STANDIN_FAULTS", json.dumps(faults))
        for name in MODULES:
            sys.modules.pop(name, None)
        import tensorrt

        return tensorrt

    return use


@pytest.fixture
def plans(tmp_path: Path) -> PlanCache:
    """Return the cache that the machine has."""
    return PlanCache(tmp_path / "plans")
