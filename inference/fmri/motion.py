"""How far the head moved from volume to volume: six rigid parameters each, found on some voxels of it.

Gauss-Newton in its inverse compositional form (Baker and Matthews 2004): the derivatives are those of the first volume
alone, so that each step is one interpolation and one product. The image's overall brightness is a seventh parameter,
as the scanner drifts.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

#: Finer voxels are averaged to about so many mm. At 7 mm turns of a simulated head came out a third too small, at
#: 3.4 mm a tenth.
COARSE_MM = 4.0
#: An axis keeps so many voxels when they are averaged: a slope is the difference of two.
LEAST_COARSE = 2
#: Edges of the image say where the head lies: so many voxels of the steepest are looked at. A still head with the
#: noise of a scanner then seems to move by 0.02 mm.
MOST_POINTS = 6000
#: Steps at most; the first is from where the volume before lay. A step below so many mm ends it.
MOST_STEPS, SMALL_MM = 8, 0.01
#: Radius in mm of the sphere on which a turn becomes a way (Power et al. 2012).
SPHERE_MM = 50.0


class HeadMotion:
    """Follow a head through the volumes of a scan.

    Parameters
    ----------
    reference : ndarray, shape (columns, rows, slices), float32
        The volume to which the others are compared.
    voxel_mm : sequence of 3 float
    """

    def __init__(self, reference: NDArray[np.float32], voxel_mm: Sequence[float]) -> None:
        self._times = [
            max(1, min(round(COARSE_MM / edge), n // LEAST_COARSE))
            for edge, n in zip(voxel_mm, reference.shape, strict=True)
        ]
        self._edges_mm = np.array(voxel_mm) * self._times
        coarse = self._coarse(reference)
        self._middle = (np.array(coarse.shape) - 1) / 2
        slopes = np.stack([_slope(coarse, axis) for axis in range(3)], axis=-1) / self._edges_mm
        steepest = np.argsort(-(slopes**2).sum(axis=-1), axis=None, kind="stable")[:MOST_POINTS]
        at = np.stack(np.unravel_index(steepest, coarse.shape), axis=-1)
        self._at_mm = (at - self._middle) * self._edges_mm
        self._values = coarse.ravel()[steepest]
        steep = slopes.reshape(-1, 3)[steepest]
        self._solve = np.linalg.pinv(np.column_stack([steep, np.cross(self._at_mm, steep), self._values]))
        self._moved = np.eye(4)

    def push(self, volume: NDArray[np.float32]) -> Array:
        """Return where the head lies in a volume.

        Parameters
        ----------
        volume : ndarray, of the reference's shape, float32

        Returns
        -------
        ndarray, shape (6,), float64
            Shift in mm (right, front, up) and turn in radians about those axes, through the middle of the field.
        """
        from scipy.ndimage import map_coordinates

        coarse = self._coarse(volume)
        for _ in range(MOST_STEPS):
            at_mm = self._at_mm @ self._moved[:3, :3].T + self._moved[:3, 3]
            seen = map_coordinates(coarse, (at_mm / self._edges_mm + self._middle).T, order=1, mode="nearest")
            step = (self._solve @ (seen - self._values))[:6]
            self._moved = self._moved @ np.linalg.inv(rigid(step))
            if np.abs(step[:3]).sum() + SPHERE_MM * np.abs(step[3:]).sum() < SMALL_MM:
                break
        return parameters_of(self._moved)

    def _coarse(self, volume: NDArray[np.float32]) -> Array:
        """Return the means of blocks of voxels; what is left over at the far faces is left out."""
        (a, b, c), (i, j, k) = volume.shape, self._times
        whole = volume[: a // i * i, : b // j * j, : c // k * k]
        blocks = whole.reshape(a // i, i, b // j, j, c // k, k)
        return np.asarray(blocks.mean(axis=(1, 3, 5)), np.float64)


def _slope(coarse: Array, axis: int) -> Array:
    """Return how a volume changes from voxel to voxel along an axis; not at all along one of a single voxel."""
    return np.asarray(np.gradient(coarse, axis=axis) if coarse.shape[axis] >= LEAST_COARSE else 0 * coarse)


def framewise_displacement(parameters: Array) -> Array:
    """Return the way from each volume to the next in mm: shifts, and turns on a sphere of 50 mm (Power et al. 2012).

    Parameters
    ----------
    parameters : ndarray, shape (n_volumes, 6), float64
        As :meth:`HeadMotion.push` returns them.

    Returns
    -------
    ndarray, shape (n_volumes - 1,), float64

    Examples
    --------
    >>> framewise_displacement(np.array([[0, 0, 0, 0, 0, 0], [1, -2, 0, 0.01, 0, 0]], float))
    array([3.5])
    """
    steps = np.abs(np.diff(parameters, axis=0))
    return np.asarray(steps[:, :3].sum(axis=1) + SPHERE_MM * steps[:, 3:].sum(axis=1))


def rigid(parameters: Array) -> Array:
    """Return the turn and shift of six parameters, shape (4, 4): about the first axis, then the second, the third."""
    (cx, cy, cz), (sx, sy, sz) = np.cos(parameters[3:]), np.sin(parameters[3:])
    about_x = np.array([[1, 0, 0], [0, cx, -sx], [0, sx, cx]])
    about_y = np.array([[cy, 0, sy], [0, 1, 0], [-sy, 0, cy]])
    about_z = np.array([[cz, -sz, 0], [sz, cz, 0], [0, 0, 1]])
    matrix = np.eye(4)
    matrix[:3, :3] = about_z @ about_y @ about_x
    matrix[:3, 3] = parameters[:3]
    return matrix


def parameters_of(matrix: Array) -> Array:
    """Return the six parameters of a turn and shift; the inverse of :func:`rigid` for turns below a right angle."""
    turn = matrix[:3, :3]
    angles = np.arctan2(turn[2, 1], turn[2, 2]), np.arcsin(-turn[2, 0]), np.arctan2(turn[1, 0], turn[0, 0])
    return np.array([*matrix[:3, 3], *angles])
