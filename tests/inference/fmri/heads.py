"""Heads in a scanner, small and known: an ellipsoid of a brain in air, and NIfTI files of it, right or wrong."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import nibabel
import numpy as np
from numpy.typing import NDArray

Volumes = NDArray[np.float32]

#: A coarse scan: a field of 200 x 210 x 150 mm.
SHAPE, VOXEL_MM = (20, 21, 15), (10.0, 10.0, 10.0)
#: Semi-axes of the brain in mm: right, front, up.
BRAIN_MM = np.array([66.0, 82.0, 60.0])
#: Volumes of a scan, of which 20 are used.
N_VOLUMES, TR_S = 25, 2.0
#: Counts of the brain, of air and of the noise.
BRAIN, AIR, NOISE = 800.0, 15.0, 8.0


def affine(shape: tuple[int, ...] = SHAPE, voxel_mm: tuple[float, ...] = VOXEL_MM) -> NDArray[np.float64]:
    """Return the affine of voxels that run right, front and up, the middle of the field at 0."""
    matrix = np.diag([*voxel_mm, 1.0])
    matrix[:3, 3] = -np.array(voxel_mm) * (np.array(shape[:3]) - 1) / 2
    return matrix


def brain(shape: tuple[int, ...] = SHAPE, voxel_mm: tuple[float, ...] = VOXEL_MM) -> NDArray[np.bool_]:
    """Return which voxels are brain, columns right, rows front, slices up."""
    at = np.indices(shape[:3]) - (np.array(shape[:3]) - 1).reshape(3, 1, 1, 1) / 2
    mm = at * np.array(voxel_mm).reshape(3, 1, 1, 1)
    return np.asarray(((mm / BRAIN_MM.reshape(3, 1, 1, 1)) ** 2).sum(axis=0) < 1)


def still(shape: tuple[int, ...] = SHAPE, voxel_mm: tuple[float, ...] = VOXEL_MM) -> Volumes:
    """Return a volume without noise: brighter to the front, and a bright spot in the right half."""
    inside = brain(shape, voxel_mm)
    rows = np.linspace(-0.1, 0.1, shape[1])[np.newaxis, :, np.newaxis]
    volume = np.where(inside, BRAIN * (1 + rows), AIR)
    column, row, level = (int(share * n) for share, n in zip((0.62, 0.5, 0.55), shape, strict=False))
    volume[column : column + 2, row : row + 2, level : level + 2] *= 1.5
    return volume.astype(np.float32)


def course(n_volumes: int = N_VOLUMES, seed: int = 0, one: Volumes | None = None) -> Volumes:
    """Return volumes over time, shape (columns, rows, slices, n), with noise."""
    volume = still() if one is None else one
    noise = NOISE * np.random.default_rng(seed).standard_normal((*volume.shape, n_volumes))
    return (volume[..., np.newaxis] + noise).astype(np.float32)


def image(data: NDArray[Any], **changes: Any) -> nibabel.Nifti1Image:
    """Return an image of volumes: counts, both affines, TR in s; ``changes`` are settings of its header.

    ``affine``, ``units``, ``tr``, ``dtype``, ``kind`` (the class of the image).
    """
    matrix = changes.get("affine", affine(data.shape))
    kind = changes.get("kind", nibabel.Nifti1Image)
    made = kind(np.rint(data).astype(changes.get("dtype", np.int16)), matrix)
    edges = np.linalg.norm(matrix[:3, :3], axis=0)
    made.header.set_zooms((*edges, changes.get("tr", TR_S)) if data.ndim == 4 else edges)
    made.header.set_xyzt_units(*changes.get("units", ("mm", "sec")))
    made.header.set_qform(matrix, code=1)
    made.header.set_sform(matrix, code=1)
    return made


def write(folder: Path, data: NDArray[Any] | None = None, name: str = "scan_bold.nii.gz", **changes: Any) -> Path:
    """Write a scan and return its path."""
    path = folder / name
    nibabel.save(image(course() if data is None else data, **changes), path)
    return path


def patched(path: Path, **fields: Any) -> Path:
    """Overwrite fields of a plain file's header, of either version, whatever sense that makes, and return its path."""
    block = bytearray(path.read_bytes())
    size = int.from_bytes(block[:4], "little")
    kind = nibabel.Nifti1Header if size == 348 else nibabel.Nifti2Header
    header = kind(bytes(block[:size]), check=False)
    for key, value in fields.items():
        header[key] = value
    block[:size] = header.binaryblock
    path.write_bytes(bytes(block))
    return path
