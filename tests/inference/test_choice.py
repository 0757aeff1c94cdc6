"""Choice of an engine: what runs, what was passed over and why, and when that is a lesser engine than was asked for."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from inference.bundle import Bundle
from inference.engines.choice import choose, open_engine
from inference.engines.engine import Engine
from inference.engines.ort import OrtEngine
from inference.engines.registry import AUTO_ORDER, BACKENDS, Backend
from inference.errors import EngineAbsent, EngineError, EngineUnavailable, UnknownEngine
from tests.inference import tiny

#: Libraries that a scorer must not need.
OPTIONAL = ("torch", "openvino", "tensorrt", "onnx")


class Standin:
    """A backend whose opener is given."""

    def __init__(self, opener: Callable[..., Engine]) -> None:
        self.opener = opener

    def load(self, name: str) -> Callable[..., Engine]:
        """Return the opener."""
        return self.opener


def absent(bundle: Bundle, name: str, *, degraded: bool) -> Engine:
    """Open as on a machine without the device."""
    raise EngineAbsent(f"{name}: no GPU.", remedy="")


def broken(bundle: Bundle, name: str, *, degraded: bool) -> Engine:
    """Open as on a machine with the device, on which it fails."""
    raise EngineUnavailable(f"{name}: the driver is too old.", remedy="Install a newer one.")


def good(bundle: Bundle, name: str, *, degraded: bool) -> Engine:
    """Open as on a machine that has everything."""
    return OrtEngine(bundle, degraded=degraded)


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Return a function that gives the backends of this machine their openers."""

    def have(**openers: Callable[..., Engine]) -> None:
        for name, opener in openers.items():
            monkeypatch.setitem(BACKENDS, name.replace("_", "-"), Standin(opener))  # type: ignore[arg-type]

    return have


def test_auto_on_a_machine_without_a_gpu_is_not_degraded(bundle: Bundle, machine: Callable[..., None]) -> None:
    """Nobody asked for a GPU that is not there; what was passed over is said all the same."""
    machine(tensorrt=absent, onnxruntime_cuda=absent)
    choice = choose(bundle, ("auto",))
    assert choice.engine.info.backend == "onnxruntime-cpu" and not choice.engine.info.degraded
    assert choice.passed_over == ("tensorrt: no GPU.", "onnxruntime-cuda: no GPU.")


@pytest.mark.parametrize("failing", AUTO_ORDER[:2])
def test_auto_is_degraded_where_something_was_there_and_failed(
    bundle: Bundle, machine: Callable[..., None], failing: str
) -> None:
    """A GPU that does not start is a fault, whichever library says it."""
    machine(tensorrt=absent, onnxruntime_cuda=absent)
    machine(**{failing.replace("-", "_"): broken})
    choice = choose(bundle, ("auto",))
    assert choice.engine.info.degraded
    assert f"{failing}: the driver is too old. Install a newer one." in choice.passed_over


def test_a_list_that_somebody_wrote_is_a_wish(bundle: Bundle, machine: Callable[..., None]) -> None:
    """Named and absent is degraded; `auto` behind it does not take that back, and tries nothing twice."""
    machine(tensorrt=absent, onnxruntime_cuda=absent)
    assert choose(bundle, ("tensorrt", "onnxruntime-cpu")).engine.info.degraded
    choice = choose(bundle, ("tensorrt", "auto"))
    assert choice.engine.info.degraded and len(choice.passed_over) == 2
    assert not choose(bundle, ("onnxruntime-cpu", "auto")).passed_over


def test_the_first_that_can_runs(bundle: Bundle, machine: Callable[..., None]) -> None:
    """Nothing behind it is opened."""

    def never(*args: Any, **other: Any) -> Engine:
        raise AssertionError

    machine(tensorrt=good, onnxruntime_cuda=never)
    assert not choose(bundle, ("auto",)).passed_over


def test_an_engine_that_fails_its_self_check_is_passed_over(bundle: Bundle, machine: Callable[..., None]) -> None:
    """It is closed and never serves; the next of the list does, degraded."""
    opened: list[OrtEngine] = []

    def off(bundle: Bundle, name: str, *, degraded: bool) -> Engine:
        opened.append(Off(bundle, degraded=degraded))
        return opened[0]

    machine(tensorrt=off)
    choice = choose(bundle, ("tensorrt", "onnxruntime-cpu"))
    assert choice.engine.info.degraded and "golden window noise 0" in choice.passed_over[0]
    with pytest.raises(EngineError, match="closed"):
        opened[0].warmup()


class Off(OrtEngine):
    """An engine whose logits are off by one."""

    def run(self, inputs: Any) -> Any:
        """Answer with other logits."""
        outputs = dict(super().run(inputs))
        return outputs | {"logit": outputs["logit"] + 1}


def test_an_engine_that_fails_while_it_runs_ends_the_choice(bundle: Bundle, machine: Callable[..., None]) -> None:
    """After an error on a GPU nothing in the process may be trusted: no other backend is tried in it."""

    class Dying(OrtEngine):
        def warmup(self) -> None:
            raise EngineError("an illegal memory access was encountered", remedy="")

    machine(tensorrt=lambda bundle, name, degraded: Dying(bundle))
    with pytest.raises(EngineError, match="illegal memory access"):
        choose(bundle, ("tensorrt", "onnxruntime-cpu"))


@pytest.mark.parametrize("order", [("onnxruntime-cpu", "tensorflow"), ("tensorflow", "onnxruntime-cpu")])
def test_an_unknown_name_is_refused_wherever_it_stands(bundle: Bundle, order: tuple[str, ...]) -> None:
    """A misspelt name is no reason to run something else; exit code 3."""
    with pytest.raises(UnknownEngine, match=r"no engine 'tensorflow'\. Name one of: auto, tensorrt, onn") as caught:
        open_engine(bundle, order)
    assert caught.value.exit_code == 3


def test_a_library_that_cannot_be_imported_is_absence(bundle: Bundle, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the words of the import and the remedy."""
    monkeypatch.setitem(BACKENDS, "torch", Backend("inference.engines.no_such_module", "x", "Install it."))
    with pytest.raises(EngineUnavailable, match=r"torch cannot be loaded on this machine: No module named"):
        open_engine(bundle, ("torch",))


@pytest.mark.parametrize("name", BACKENDS)
def test_every_backend_has_its_module(name: str) -> None:
    """A name without code behind it would look like a library that is not installed."""
    assert find_spec(BACKENDS[name].module) is not None


def test_a_scorer_needs_none_of_the_optional_libraries(tmp_path: Path) -> None:
    """It starts, and scores by the core, where each of them is missing."""
    folder = tmp_path / "tiny"
    tiny.build(folder)
    code = f"""
import sys
from pathlib import Path
for name in {OPTIONAL!r}:
    sys.modules[name] = None
import inference.scorer
from inference.bundle import Bundle
from inference.engines.choice import choose
choice = choose(Bundle.load(Path({str(folder)!r})), ("openvino", "torch", "onnxruntime-cpu"))
assert choice.engine.info.degraded
print(*choice.passed_over, sep="\\n")
"""
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.splitlines()
    assert [line.split(":")[0] for line in said] == [
        "openvino cannot be loaded on this machine",
        "torch cannot be loaded on this machine",
    ]
