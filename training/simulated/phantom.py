"""A simulated head in a scanner: its geometry, its tissues, and what makes it this patient's.

No real anatomy: an ellipsoid with a folded rim of cortex, ventricles and deep nuclei, a texture of its own, and the
bias of a head coil. Enough for code that masks, cuts and learns; nothing to learn about brains from.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from acquisition.simulator import Patient
from training.simulated.lesion import ANATOMY, Lesion

Volume = NDArray[np.float32]

#: Semi-axes of the brain and of the head around it in mm: right, front, up. Of the brain's 35 layers of 4 mm, 20 have
#: at least half the area of the widest.
BRAIN_MM, HEAD_MM = np.array([66.0, 82.0, 57.0]), np.array([75.0, 92.0, 67.0])
#: Spread of a head's size, as a share; of its place in mm; of its turn in degrees.
SIZE_SPREAD, PLACE_SPREAD_MM, TURN_SPREAD_DEG = 0.04, 4.0, 3.0
#: Signal of each tissue in a T2*-weighted image; white matter is 1.
GREY, WHITE, FLUID, LESION, SCALP = 1.18, 1.0, 1.55, 1.5, 0.12
#: Where the cortex begins, in radii of the brain, and how far its folds reach to and fro.
RIM, FOLDS = 0.87, 0.06
#: Millimetres over which one tissue becomes another.
EDGE_MM = 1.5
#: Strength of a patient's own texture and of the coil's bias, as shares of the signal.
TEXTURE, BIAS = 0.05, 0.15
#: Width of texture and folds in mm.
TEXTURE_MM, FOLDS_MM = 7.0, 8.0
#: Centre and semi-axes in mm of the right ventricle and of the right deep nuclei.
VENTRICLE_MM = (np.array([9.0, 4.0, 12.0]), np.array([6.0, 30.0, 9.0]))
NUCLEI_MM = (np.array([16.0, -6.0, 4.0]), np.array([7.0, 18.0, 9.0]))


@dataclass(frozen=True)
class ScanSpec:
    """The geometry of a scan: that of a GE scanner's resting-state protocol.

    Parameters
    ----------
    shape : (int, int, int)
        Voxels: columns, rows, layers.
    voxel_mm : (float, float, float)
        Their size.
    n_volumes : int
    tr_s : float
        Seconds from one volume to the next.
    """

    shape: tuple[int, int, int] = (64, 64, 35)
    voxel_mm: tuple[float, float, float] = (3.4375, 3.4375, 4.0)
    n_volumes: int = 120
    tr_s: float = 2.0

    @property
    def affine(self) -> NDArray[np.float64]:
        """Voxel indices to mm (right, front, up), shape (4, 4): columns run to the left, as converters of DICOM do."""
        scale = np.array(self.voxel_mm) * (-1.0, 1.0, 1.0)
        affine = np.diag([*scale, 1.0])
        affine[:3, 3] = -scale * (np.array(self.shape) - 1) / 2
        return affine


@dataclass(frozen=True)
class Phantom:
    """One patient's head, as bright as a still scanner without noise sees it.

    Parameters
    ----------
    at_mm : ndarray, shape (3, columns, rows, layers), float32
        Where each voxel lies from the centre of the head, in the head's own directions, scaled to the average head.
    brain : ndarray, shape (columns, rows, layers), float32
        How much of a voxel is brain, 0 to 1.
    grey : ndarray, of that shape
        How much of it is grey matter.
    lesion : ndarray, of that shape
        How much of it is lesion.
    signal : ndarray, of that shape
        Its brightness; white matter without bias is 1.
    """

    at_mm: NDArray[np.float32]
    brain: Volume
    grey: Volume
    lesion: Volume
    signal: Volume

    @classmethod
    def of(cls, patient: Patient, scan: ScanSpec) -> Phantom:
        """Build a patient's head; nothing but the lesion knows of his recovery."""
        rng = np.random.default_rng((patient.seed, ANATOMY))
        at_mm = _placed(scan, rng)
        folds, texture = _smooth(scan, FOLDS_MM, rng), _smooth(scan, TEXTURE_MM, rng)
        radius = _radius(at_mm, np.zeros(3), BRAIN_MM)
        brain = _inside(1.0 - radius, BRAIN_MM)
        cortex = _inside(np.asarray(radius + FOLDS * folds - RIM, np.float32), BRAIN_MM)
        nuclei, fluid = _pair(at_mm, *NUCLEI_MM), _pair(at_mm, *_ventricle(rng))
        grey = brain * np.maximum(cortex, nuclei) * (1 - fluid)
        lesion = brain * _share(Lesion.of(patient).depth_mm(at_mm))
        tissue = WHITE + (GREY - WHITE) * grey
        tissue += (FLUID - tissue) * fluid
        tissue += (LESION - tissue) * lesion
        scalp = SCALP * _inside(1.0 - _radius(at_mm, np.zeros(3), HEAD_MM), HEAD_MM)
        signal = (brain * tissue * (1 + TEXTURE * texture) + (1 - brain) * scalp) * _bias(at_mm, rng)
        return cls(at_mm, brain, grey * (1 - lesion), lesion, signal.astype(np.float32))


def _placed(scan: ScanSpec, rng: np.random.Generator) -> NDArray[np.float32]:
    """Return where each voxel lies in a head of its own size, place and turn."""
    size = np.exp(SIZE_SPREAD * rng.standard_normal(3))
    place_mm = PLACE_SPREAD_MM * rng.standard_normal(3)
    turn = _turned(np.deg2rad(TURN_SPREAD_DEG * rng.standard_normal(3)))
    onto_head = turn @ scan.affine[:3, :3] / size[:, None]
    origin = turn @ (scan.affine[:3, 3] - place_mm) / size
    indices = np.indices(scan.shape, np.float32).reshape(3, -1)
    at_mm = onto_head.astype(np.float32) @ indices + origin.astype(np.float32)[:, None]
    return at_mm.reshape(3, *scan.shape)


def _turned(angles: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the rotation about the three axes, one after the other."""
    turn = np.eye(3)
    for axis, angle in enumerate(angles):
        one, other = (axis + 1) % 3, (axis + 2) % 3
        step = np.eye(3)
        step[one, one] = step[other, other] = np.cos(angle)
        step[other, one], step[one, other] = np.sin(angle), -np.sin(angle)
        turn = step @ turn
    return turn


def _smooth(scan: ScanSpec, width_mm: float, rng: np.random.Generator) -> Volume:
    """Return noise of variance 1, smoothed over so many mm."""
    noise = rng.standard_normal(scan.shape, np.float32)
    smooth = ndimage.gaussian_filter(noise, [width_mm / 2 / size for size in scan.voxel_mm], mode="wrap")
    return np.asarray(smooth / smooth.std(), np.float32)


def _radius(at_mm: NDArray[np.float32], centre_mm: NDArray[np.float64], axes_mm: NDArray[np.float64]) -> Volume:
    """Return the distance from an ellipsoid's centre in its radii: 1 on its surface."""
    squares = sum(((at_mm[k] - np.float32(centre_mm[k])) / np.float32(axes_mm[k])) ** 2 for k in range(3))
    return np.asarray(np.sqrt(squares), np.float32)


def _inside(radii: Volume, axes_mm: NDArray[np.float64]) -> Volume:
    """Return how much of a voxel lies inside, so many radii below a surface."""
    return _share(radii * np.float32(axes_mm.mean()))


def _share(depth_mm: Volume) -> Volume:
    """Return how much of a voxel lies inside, so many mm below a surface."""
    return np.asarray(np.clip(0.5 + depth_mm / np.float32(2 * EDGE_MM), 0.0, 1.0), np.float32)


def _pair(at_mm: NDArray[np.float32], centre_mm: NDArray[np.float64], axes_mm: NDArray[np.float64]) -> Volume:
    """Return how much of a voxel lies in an ellipsoid of the right hemisphere or its mirror image."""
    folded = np.stack([np.abs(at_mm[0]), at_mm[1], at_mm[2]])
    return _inside(1.0 - _radius(folded, centre_mm, axes_mm), axes_mm)


def _ventricle(rng: np.random.Generator) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return centre and semi-axes of a ventricle as wide as chance has it."""
    centre_mm, axes_mm = VENTRICLE_MM
    return centre_mm, axes_mm * np.exp(0.2 * rng.standard_normal(3))


def _bias(at_mm: NDArray[np.float32], rng: np.random.Generator) -> Volume:
    """Return the coil's bias: brighter to one side, and towards the rim."""
    x, y, z = (at_mm[k] / np.float32(BRAIN_MM[k]) for k in range(3))
    shapes = (x, y, z, x * y, x * x + y * y - 0.5, z * z - 0.3)
    strengths = BIAS / np.sqrt(len(shapes)) * rng.standard_normal(len(shapes))
    bias = sum(np.float32(strength) * shape for strength, shape in zip(strengths, shapes, strict=True))
    return np.asarray(np.clip(1.0 + bias, 0.4, 1.8), np.float32)
