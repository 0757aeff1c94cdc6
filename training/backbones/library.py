"""timm and torchvision, imported here alone, also beside a torch that torchvision's own operators were not built for.

The registry's torchvision is built for torch with CUDA. Beside a torch without it, its compiled operators do not load
and ``import torchvision`` ends at ``operator torchvision::nms does not exist``, though no network of ours uses one. On
exactly that failure the operator is declared, without code, and the import is tried again; :func:`declared` says so.
"""

from __future__ import annotations

import importlib
import re
from types import ModuleType
from typing import Literal

import torch

from acquisition.errors import BadEnvironment

#: Operators that torchvision 0.28 describes on import, before it asks whether they are there: their signatures.
SCHEMAS = {
    "nms": "nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
    "qnms": "qnms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
}
#: How torch says that an operator is missing.
MISSING = re.compile(r"operator torchvision::(\w+) does not exist")

_declared: dict[str, torch.library.Library] = {}


def load(name: Literal["timm", "torchvision"]) -> ModuleType:
    """Return a library, imported.

    Parameters
    ----------
    name : {"timm", "torchvision"}
        Which.

    Raises
    ------
    BadEnvironment
        If it is not installed, or does not work with this torch.
    """
    while True:
        try:
            return importlib.import_module(name)
        except ImportError as error:
            message = f"The image networks need {name}, which cannot be imported: {error}."
            raise BadEnvironment(message, subject=name, remedy="Install it: pip install 'flexion[training]'") from error
        except RuntimeError as error:
            missing = MISSING.search(str(error))
            operator = missing[1] if missing else ""
            if operator not in SCHEMAS or operator in _declared:
                raise _refusal(name, error) from error
            _declare(operator)


def declared() -> tuple[str, ...]:
    """Return the operators that were declared without code, because the installed torchvision has none for this torch.

    Empty where torchvision fits torch, and before the first import.
    """
    return tuple(f"torchvision::{operator}" for operator in _declared)


def _declare(operator: str) -> None:
    """Give torch the signature of an operator; whoever calls it is told that it has no code."""
    # Kept: the declaration lives as long as this object.
    _declared[operator] = torch.library.Library("torchvision", "FRAGMENT")
    _declared[operator].define(SCHEMAS[operator])


def _refusal(name: str, error: RuntimeError) -> BadEnvironment:
    return BadEnvironment(
        f"{name} does not work with torch {torch.__version__}: {error}.",
        subject=name,
        remedy="Install the versions that fit: pip install -c constraints.txt 'flexion[training]'",
    )
