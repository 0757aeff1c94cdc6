"""The library: absent, broken, of another version, or there."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from inference.engines.tensorrt.library import listener, tensorrt_library
from inference.errors import EngineAbsent, EngineUnavailable
from tests.inference.tensorrt.conftest import VERSIONS, UseMachine


def test_a_machine_without_it_lacks_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """An absence, with the way to get it."""
    monkeypatch.setitem(sys.modules, "tensorrt", None)
    with pytest.raises(EngineAbsent, match=r"TensorRT is not installed here: .*Install flexion\[gpu\]"):
        tensorrt_library()


def test_a_package_without_its_libraries_has_failed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Bindings that were installed alone say which library they miss."""
    (tmp_path / "tensorrt.py").write_text("raise ImportError('libnvonnxparser.so.11: cannot open')\n", "utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "tensorrt", raising=False)
    with pytest.raises(EngineUnavailable, match=r"its libraries cannot be loaded: libnvonnxparser\.so\.11") as caught:
        tensorrt_library()
    assert not isinstance(caught.value, EngineAbsent)


@pytest.mark.parametrize("version", VERSIONS)
def test_the_versions_that_are_known_are_taken(machine: UseMachine, version: str) -> None:
    """From the first with sized memory to the last that was looked at."""
    assert machine(version) is tensorrt_library()


@pytest.mark.parametrize("version", ["8.6.1", "10.0.1", "12.0.0.1"])
def test_other_versions_are_refused(machine: UseMachine, monkeypatch: pytest.MonkeyPatch, version: str) -> None:
    """Both ends are said."""
    monkeypatch.setattr(machine(), "__version__", version)
    with pytest.raises(
        EngineUnavailable, match=rf"TensorRT {version} is installed, 10\.1 or later and before 12\.0 is needed"
    ):
        tensorrt_library()


@pytest.mark.parametrize("version", VERSIONS)
def test_errors_are_kept_until_they_are_heard(machine: UseMachine, version: str) -> None:
    """Warnings are not reasons; a silent failure says that it is one."""
    trt = machine(version)
    log = listener(trt)
    log.log(trt.ILogger.Severity.WARNING, "slow")
    assert log.heard() == "it gave no reason"
    log.log(trt.ILogger.Severity.ERROR, "it is full. ")
    log.log(trt.ILogger.Severity.INTERNAL_ERROR, "it broke")
    assert (log.heard(), log.heard()) == ("it is full; it broke", "it gave no reason")
