"""Tensors: whether a graph has those that the manifest names, each with its axes and its type, whatever reads it."""

from __future__ import annotations

from collections.abc import Iterable

from inference.bundle import Bundle
from inference.errors import BundleError
from inference.manifest import REMEDY, TensorSpec

#: An axis that a graph leaves open and does not name.
OPEN = "?"


def check_tensors(bundle: Bundle, graph: Iterable[TensorSpec]) -> None:
    """Refuse a graph whose inputs and outputs are not the manifest's.

    Parameters
    ----------
    bundle : Bundle
    graph : iterable of TensorSpec
        What comes into the graph and goes out of it; an axis that is no number is open.

    Raises
    ------
    BundleError
        Names the tensor as the manifest has it, and what the graph has in its place.
    """
    there = {tensor.name: tensor for tensor in graph}
    for wanted in (*bundle.model.inputs, *bundle.model.outputs):
        found = there.get(wanted.name)
        if found is None or not _agree(wanted, found):
            raise BundleError(
                f"{bundle.model_path}: the manifest names {wanted}, the graph has {found or 'no such tensor'}.",
                subject=str(bundle.model_path),
                remedy=REMEDY,
            )


def _agree(one: TensorSpec, other: TensorSpec) -> bool:
    """Tell whether two may be the same tensor: only two different numbers of one axis contradict each other."""
    axes = zip(one.shape, other.shape, strict=False)
    fixed = all(a == b for a, b in axes if isinstance(a, int) and isinstance(b, int))
    return one.dtype == other.dtype and len(one.shape) == len(other.shape) and fixed
