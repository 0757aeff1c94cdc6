"""Slices for the network: which count, scaled within the brain, on one grid of pixels for every scanner.

Only the plane of a slice is resampled; the slices stay the scanner's own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

#: Standard deviations from the brain's mean beyond which a voxel is as bright or dark as can be.
CLIP_SD = 3.0
#: Mean and deviation of the photographs that the published weights were trained on, per channel (ImageNet).
IMAGENET_MEAN, IMAGENET_SD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
N_CHANNELS = len(IMAGENET_MEAN)


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

    @classmethod
    def around(cls, mask: NDArray[np.bool_], voxel_mm: tuple[float, float], size: int, mm_per_pixel: float) -> Grid:
        """Return the grid whose middle is that of the brain's extent, wherever the head lay in the scanner.

        Parameters
        ----------
        mask : ndarray, shape (columns, rows, slices), bool
            At least one voxel of it is brain.
        voxel_mm : (float, float)
        size : int
        mm_per_pixel : float
        """
        extents = [np.flatnonzero(mask.any(axis=axes))[[0, -1]].mean() for axes in ((1, 2), (0, 2))]
        return cls(size, mm_per_pixel, (float(extents[0]), float(extents[1])), voxel_mm)

    def pixels(self) -> tuple[Array, Array]:
        """Return the voxel index of each row and of each column of pixels, each of shape (size,)."""
        mm = self.mm_per_pixel * (np.arange(self.size, dtype=np.float64) - (self.size - 1) / 2)
        return self.centre[1] - mm / self.voxel_mm[1], self.centre[0] + mm / self.voxel_mm[0]

    def voxels(self, shape: tuple[int, int]) -> tuple[Array, Array]:
        """Return the row of pixels of each row of voxels, shape (rows,), and the column of each column, (columns,).

        Parameters
        ----------
        shape : (int, int)
            Columns and rows of voxels.
        """
        columns, rows = (np.arange(n, dtype=np.float64) - at for n, at in zip(shape, self.centre, strict=True))
        wide, long = (edge / self.mm_per_pixel for edge in self.voxel_mm)
        return (self.size - 1) / 2 - rows * long, (self.size - 1) / 2 + columns * wide


def screen(mask: NDArray[np.bool_], share: float) -> NDArray[np.intp]:
    """Return the slices, from below, whose area of brain is at least ``share`` of the widest one's, shape (n,)."""
    area = mask.sum(axis=(0, 1))
    return np.flatnonzero((area > 0) & (area >= share * area.max()))


def scaled(values: NDArray[np.float32], mask: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Return values from 0 to 1 by their distance from the brain's mean; 0 outside the brain.

    Parameters
    ----------
    values : ndarray, shape (columns, rows, slices), float32
    mask : ndarray, of that shape, bool

    Returns
    -------
    ndarray, of that shape, float32
        0.5 at the brain's mean, 0 and 1 at ``CLIP_SD`` standard deviations and beyond.
    """
    inside = values[mask].astype(np.float64)
    sd = float(inside.std())
    z = (inside - inside.mean()) / sd if sd > 0 else np.zeros_like(inside)
    found = np.zeros(values.shape, np.float32)
    found[mask] = (np.clip(z, -CLIP_SD, CLIP_SD) + CLIP_SD) / (2 * CLIP_SD)
    return found


def resampled(volume: NDArray[np.float32], indices: NDArray[np.intp], grid: Grid) -> Array:
    """Return slices on the grid, shape (n, size, size), float64: bilinear, 0 outside the scan.

    Parameters
    ----------
    volume : ndarray, shape (columns, rows, slices), float32
    indices : ndarray, shape (n,), intp
        Slices.
    grid : Grid
    """
    at_rows, at_columns = grid.pixels()
    rows, columns = between(at_rows, volume.shape[1]), between(at_columns, volume.shape[0])
    chosen = np.transpose(volume[:, :, indices], (2, 1, 0)).astype(np.float64)
    return np.asarray(rows @ chosen @ columns.T)


def for_network(channels: Sequence[Array]) -> NDArray[np.float32]:
    """Return three channels of values from 0 to 1, each of shape (n, size, size), as ImageNet's networks expect them.

    Returns
    -------
    ndarray, shape (n, 3, size, size), float32
        In C order.
    """
    shifted = [(x - mean) / sd for x, mean, sd in zip(channels, IMAGENET_MEAN, IMAGENET_SD, strict=True)]
    return np.ascontiguousarray(np.stack(shifted, axis=1), np.float32)


def laid_back(
    maps: NDArray[np.float32], indices: NDArray[np.intp], grid: Grid, shape: tuple[int, int, int]
) -> NDArray[np.float32]:
    """Return maps over slices as a volume: bilinear between the maps' cells, 0 in other slices and outside the field.

    Parameters
    ----------
    maps : ndarray, shape (n, h, w), float32
        Over the whole field of the grid, whatever their resolution.
    indices : ndarray, shape (n,), intp
        Slice of each.
    grid : Grid
    shape : (int, int, int)
        Of the volume: columns, rows, slices.
    """
    _, h, w = maps.shape
    at_rows, at_columns = grid.voxels(shape[:2])
    rows = between((at_rows + 0.5) * h / grid.size - 0.5, h)
    columns = between((at_columns + 0.5) * w / grid.size - 0.5, w)
    found = np.zeros(shape, np.float32)
    found[:, :, indices] = np.transpose(rows @ maps.astype(np.float64) @ columns.T, (2, 1, 0))
    return found


def between(positions: Array, n: int) -> Array:
    """Return the weights of ``n`` cells at positions between their middles, shape (len(positions), n), float64.

    Up to half a cell beyond the first and last middle the outermost cell counts alone; beyond that all are 0.

    Examples
    --------
    >>> between(np.array([0.0, 0.25, 1.4, 1.6]), 2)
    array([[1.  , 0.  ],
           [0.75, 0.25],
           [0.  , 1.  ],
           [0.  , 0.  ]])
    """
    held = np.clip(positions, 0, n - 1)
    weights = np.maximum(1 - np.abs(held[:, np.newaxis] - np.arange(n)), 0)
    inside = (positions >= -0.5) & (positions <= n - 0.5)
    return np.asarray(weights * inside[:, np.newaxis])
