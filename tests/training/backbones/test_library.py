"""The libraries come, whatever torchvision's own operators say; what does not come is refused with the way out."""

from __future__ import annotations

import importlib
import subprocess
import sys

import pytest
import torch

from acquisition.errors import BadEnvironment
from training.backbones import library


def test_both_libraries_come_beside_any_torch():
    """In a process of its own: what was declared is exactly what the import asked for."""
    code = (
        "from training.backbones.library import declared, load; timm = load('timm'); tv = load('torchvision'); "
        "print(timm.__version__, tv.__version__.partition('+')[0], *declared())"
    )
    timm, torchvision, *declared = subprocess.check_output([sys.executable, "-c", code], text=True).split()
    assert (timm, torchvision) == ("1.0.31", "0.28.0")
    has_own = torch.version.cuda is not None
    assert declared == [] if has_own else set(declared) == {"torchvision::nms", "torchvision::qnms"}


def test_an_operator_that_was_declared_has_no_code():
    """Whoever calls it is told; it never answers."""
    library.load("torchvision")
    if not library.declared():
        pytest.skip("torchvision fits this torch")
    with pytest.raises(NotImplementedError):
        torch.ops.torchvision.nms(torch.zeros(1, 4), torch.zeros(1), 0.5)


@pytest.mark.parametrize("words", ["operator torchvision::other does not exist", "it broke"])
def test_any_other_failure_is_refused(words: str, monkeypatch: pytest.MonkeyPatch):
    """Nothing is declared but what is known to be needless."""

    def fail(name: str) -> None:
        raise RuntimeError(words)

    monkeypatch.setattr(importlib, "import_module", fail)
    with pytest.raises(BadEnvironment, match=rf"timm does not work with torch .*{words}.* pip install -c"):
        library.load("timm")


def test_an_operator_is_declared_once(monkeypatch: pytest.MonkeyPatch):
    """An import that fails the same way again is refused, not tried for ever."""

    def fail(name: str) -> None:
        raise RuntimeError("operator torchvision::nms does not exist")

    monkeypatch.setattr(importlib, "import_module", fail)
    monkeypatch.setattr(library, "_declared", {"nms": object()})
    with pytest.raises(BadEnvironment, match="torchvision does not work with torch"):
        library.load("torchvision")


def test_a_library_that_is_not_installed_is_named(monkeypatch: pytest.MonkeyPatch):
    """With the line that installs it."""

    def fail(name: str) -> None:
        raise ImportError(f"No module named {name!r}")

    monkeypatch.setattr(importlib, "import_module", fail)
    with pytest.raises(BadEnvironment, match=r"need timm, which cannot be imported.*flexion\[training\]"):
        library.load("timm")
