"""Slices for the network: which count, scaled within the brain, on one grid of pixels for every scanner."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Grid:
    """Where the pixels of a slice lie in the scan: row 0 in front, column 0 on the patient's left.

    Attributes
    ----------
    size : int
        Pixels of an edge.
    mm_per_pixel : float
    centre : (float, float)
        Canonical voxel indices (column, row) of the middle of the field.
    voxel_mm : (float, float)
        Edges of a voxel along them.
    """

    size: int
    mm_per_pixel: float
    centre: tuple[float, float]
    voxel_mm: tuple[float, float]


def screen(mask: NDArray[np.bool_], share: float) -> NDArray[np.intp]:
    """Return the slices, from below, whose area of brain is at least ``share`` of the widest one's, shape (n,)."""
    area = mask.sum(axis=(0, 1))
    return np.flatnonzero((area > 0) & (area >= share * area.max()))
