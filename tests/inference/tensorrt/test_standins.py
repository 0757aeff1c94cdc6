"""The stand-ins show what the real packages show, and nothing else."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib import import_module
from typing import Any

import pytest

from tests.inference.tensorrt.conftest import UseMachine

#: What 10.16 still has and 11.4 has not.
REMOVED = {
    "NetworkDefinitionCreationFlag": ("EXPLICIT_BATCH",),
    "BuilderFlag": ("FP16", "BF16", "INT8", "FP8", "OBEY_PRECISION_CONSTRAINTS", "PREFER_PRECISION_CONSTRAINTS"),
}


@pytest.mark.parametrize("kind", REMOVED)
def test_what_was_removed_is_an_attribute_error(machine: UseMachine, kind: str) -> None:
    """Code that names it works on 10.x and dies on 11.x."""
    assert all(hasattr(getattr(machine("10.16"), kind), name) for name in REMOVED[kind])
    assert not any(hasattr(getattr(machine("11.4"), kind), name) for name in REMOVED[kind])


@pytest.mark.parametrize("version", ["10.16", "11.4"])
def test_what_never_was_is_an_attribute_error(machine: UseMachine, version: str) -> None:
    """Reading and, as in a binding, writing too."""
    trt = machine(version)
    config = trt.Builder(None).create_builder_config()
    with pytest.raises(AttributeError):
        config.max_workspace_size = 1
    with pytest.raises(AttributeError):
        trt.ICudaEngine.device_memory_size  # noqa: B018
    with pytest.raises(AttributeError):
        trt.init_libnvinfer  # noqa: B018


def public(thing: Any) -> list[str]:
    """Return the names without an underscore."""
    return sorted(name for name in vars(thing) if not name.startswith("_"))


@pytest.mark.conformance
@pytest.mark.timeout(180)
def test_every_name_of_the_allocator_is_torchs(machine: UseMachine) -> None:
    """Torch itself, asked in a process of its own, has every name that the stand-in has."""
    machine()
    standin = import_module("torch")
    own = {"Any", "TracebackType", "annotations", "np", "device"}
    wanted = {
        "torch": [name for name in public(standin) if name not in own],
        "torch.cuda": [name for name in public(standin.cuda) if name != "current"],
        "torch.Tensor": public(standin.Tensor),
    }
    code = f"import torch\nfor place, names in {wanted}.items(): [getattr(eval(place), name) for name in names]"
    environ = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    found = subprocess.run([sys.executable, "-c", code], env=environ, capture_output=True, text=True, timeout=170)
    if "ModuleNotFoundError" in found.stderr:
        pytest.skip("torch is not installed here")
    assert found.returncode == 0, found.stderr
