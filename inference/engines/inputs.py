"""Inputs: what every engine asks of what it is given, before the backend sees it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inference.bundle import Bundle
from inference.errors import EngineError
from inference.manifest import TensorSpec


def check_inputs(bundle: Bundle, inputs: Mapping[str, NDArray[Any]]) -> None:
    """Refuse inputs that are not the manifest's, or hold a value that is not finite.

    Raises
    ------
    EngineError
        Says what came and what was expected.
    """
    for tensor in bundle.model.inputs:
        x = inputs.get(tensor.name)
        if x is None or set(inputs) != {tensor.name}:
            raise _refusal(bundle, f"inputs {sorted(inputs)}", tensor)
        if x.dtype != tensor.dtype or not tensor.fits(x.shape):
            raise _refusal(bundle, f"{tensor.name} {x.shape} {x.dtype}", tensor)
        if not np.isfinite(x).all():
            raise _refusal(bundle, f"{tensor.name} with a value that is not finite", tensor)


def window_shape(tensor: TensorSpec) -> tuple[int, ...]:
    """Return the shape of one window; a free axis beyond the batch is one long."""
    return tuple(1 if isinstance(axis, str) else axis for axis in tensor.shape[1:])


def silence(bundle: Bundle) -> dict[str, NDArray[Any]]:
    """Return one window of zeros, by the name of the input."""
    tensor = bundle.model.inputs[0]
    return {tensor.name: np.zeros((1, *window_shape(tensor)), tensor.dtype)}


def _refusal(bundle: Bundle, came: str, tensor: TensorSpec) -> EngineError:
    return EngineError(
        f"{bundle.words} takes {tensor}, but {came} came.",
        subject=bundle.name,
        remedy="Give it z-scored windows in the shape of its manifest.",
    )
