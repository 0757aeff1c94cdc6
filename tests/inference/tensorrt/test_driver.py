"""The driver is asked before TensorRT is: without one, TensorRT dies of its first call."""

from __future__ import annotations

from pathlib import Path

import pytest

from inference.engines.tensorrt import driver
from inference.engines.tensorrt.driver import find_gpu
from inference.errors import EngineAbsent, EngineUnavailable
from tests.inference.tensorrt.conftest import GPU, FakeCuda


def test_a_gpu_is_described(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Name, capability, driver and memory: what a plan is tied to."""
    (tmp_path / "version").write_text("NVRM version: NVIDIA UNIX x86_64 Kernel Module  580.65.06  Thu\n", "utf-8")
    monkeypatch.setattr(driver, "VERSION_FILE", tmp_path / "version")
    monkeypatch.setattr(driver, "load", lambda name: FakeCuda())
    assert find_gpu() == GPU


@pytest.mark.parametrize("text", [None, "a module without a number"])
def test_where_the_module_says_nothing_the_cuda_level_stands_alone(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, text: str | None
) -> None:
    """Some systems have no such file."""
    if text is not None:
        (tmp_path / "version").write_text(text, "utf-8")
    monkeypatch.setattr(driver, "VERSION_FILE", tmp_path / "version")
    monkeypatch.setattr(driver, "load", lambda name: FakeCuda())
    assert find_gpu().driver == "CUDA 13.0"


def test_without_the_library_there_is_no_driver(monkeypatch: pytest.MonkeyPatch) -> None:
    """The loader's own words are kept."""
    monkeypatch.setattr(driver, "LIBRARY", "libcuda-that-is-not-there.so.1")
    with pytest.raises(EngineAbsent, match=r"has no NVIDIA driver: libcuda-that-is-not-there\.so\.1: .*name"):
        find_gpu()


@pytest.mark.parametrize("cuda", [FakeCuda(cuInit=100), FakeCuda(n_devices=0)], ids=["no device", "none visible"])
def test_a_driver_without_a_gpu_is_an_absence(monkeypatch: pytest.MonkeyPatch, cuda: FakeCuda) -> None:
    """Nothing failed: `auto` passes on and degrades nothing."""
    monkeypatch.setattr(driver, "load", lambda name: cuda)
    with pytest.raises(EngineAbsent, match=r"has no GPU for this process\. Look at CUDA_VISIBLE_DEVICES"):
        find_gpu()


@pytest.mark.parametrize(("call", "code"), [("cuInit", 803), ("cuDeviceGetCount", 3), ("cuDeviceGetName", 999)])
def test_a_driver_that_refuses_is_a_failure(monkeypatch: pytest.MonkeyPatch, call: str, code: int) -> None:
    """The call and its number are said."""
    monkeypatch.setattr(driver, "load", lambda name: FakeCuda(**{call: code}))
    with pytest.raises(EngineUnavailable, match=rf"The NVIDIA driver refuses: {call} gave error {code}\.") as caught:
        find_gpu()
    assert not isinstance(caught.value, EngineAbsent)
