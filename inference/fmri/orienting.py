"""Which way a scan's axes run, and how they are turned right, front and top up.

A hemisphere is told from the other by the affine alone: where the header leaves that open the scan is refused.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inference.fmri.remedies import refused

Affine = NDArray[np.float64]

#: Degrees between an axis of the scan and the nearest of the body beyond which another could as well be the nearest.
MOST_OBLIQUE_DEG = 44.0
#: Degrees from which it is told.
TOLD_OBLIQUE_DEG = 1.0
#: Degrees between the axes of two affines of one header from which it is told, and beyond which it is refused: one was
#: put right after the other, or is of another scan.
TOLD_APART_DEG, MOST_APART_DEG = 1.0, 10.0
#: Shares by which voxel sizes and affine may differ, and axes be off right angles: rounding of a file's float32.
ROUNDED = 0.01


def facing(path: Path, nifti: Any, per_mm: float) -> tuple[Affine, tuple[str, ...]]:
    """Return the affine that a header states, and what was assumed.

    Parameters
    ----------
    path : Path
        For the refusal.
    nifti : nibabel's header
    per_mm : float
        mm per unit of length.

    Returns
    -------
    ndarray, shape (4, 4), float64
        Voxel indices in the file's order to mm (right, front, up).
    tuple of str

    Raises
    ------
    ScanError
        If no affine is stated, or it is no turn and shift of voxels of the stated size, or two contradict each other.
    """
    qfac_words = _qfac(nifti)
    edges_mm = per_mm * np.abs(np.asarray(nifti["pixdim"][1:4], np.float64))
    stated = [np.diag([per_mm, per_mm, per_mm, 1.0]) @ one for one in _stated(path, nifti)]
    for one in stated:
        _fits(path, one, edges_mm)
    affine = stated[0]
    if not np.array_equal(turns(affine), turns(stated[-1])):
        raise refused(path, "has two affines, sform and qform, which differ in which side is left, front or up")
    apart_words = _apart(path, affine, stated[-1], np.asarray(nifti["dim"][1:4], np.float64))
    degrees = oblique_deg(affine)
    if degrees > MOST_OBLIQUE_DEG:
        raise refused(path, f"was taken {degrees:.0f}° off the body's axes: which is which cannot be told")
    words = (f"It was taken {degrees:.0f}° off the body's axes; the nearest ones are used.",)
    return affine, (*qfac_words, *apart_words, *(words if degrees >= TOLD_OBLIQUE_DEG else ()))


def turns(affine: Affine) -> NDArray[np.float64]:
    """Return nibabel's orientation, shape (3, 2): the body's axis nearest to each of the scan's, and its direction."""
    from nibabel import orientations

    nearest: Any = orientations.io_orientation
    return np.asarray(nearest(affine), np.float64)


def oblique_deg(affine: Affine) -> float:
    """Return the largest angle, in degrees, between an axis of the scan and the body's nearest one."""
    axes = affine[:3, :3] / np.linalg.norm(affine[:3, :3], axis=0)
    nearest = np.abs(axes).max(axis=0)
    return float(np.degrees(np.arccos(np.clip(nearest.min(), 0.0, 1.0))))


def canonical(affine: Affine, shape: tuple[int, int, int]) -> tuple[Affine, tuple[int, int, int], tuple[bool, ...]]:
    """Return how volumes are turned right, front and top up.

    Parameters
    ----------
    affine : ndarray, shape (4, 4)
        Of the volumes as stored.
    shape : (int, int, int)

    Returns
    -------
    ndarray, shape (4, 4), float64
        Of the turned volumes.
    (int, int, int)
        Order of the stored axes, for ``transpose``.
    tuple of bool
        Which of the turned axes are reversed.
    """
    from nibabel import orientations

    back: Any = orientations.inv_ornt_aff
    found = turns(affine)
    order = tuple(int(axis) for axis in np.argsort(found[:, 0]))
    reverse = tuple(bool(found[axis, 1] < 0) for axis in order)
    return affine @ back(found, shape), (order[0], order[1], order[2]), reverse


def _qfac(nifti: Any) -> tuple[str, ...]:
    """Read a qfac of 0 as 1, as the format's own library does, and return that in words."""
    if int(nifti["qform_code"]) <= 0 or nifti["pixdim"][0] != 0:
        return ()
    nifti["pixdim"][0] = 1.0
    return ("It does not say which way its third axis runs (qfac 0), which is read as 1.",)


def _apart(path: Path, used: Affine, other: Affine, shape: NDArray[np.float64]) -> tuple[str, ...]:
    """Return in words how far two affines of a scan of that shape differ; refuse those that contradict each other."""
    one, two = (affine[:3, :3] / np.linalg.norm(affine[:3, :3], axis=0) for affine in (used, other))
    degrees = float(np.degrees(np.arccos(np.clip((one * two).sum(axis=0).min(), -1.0, 1.0))))
    if degrees > MOST_APART_DEG:
        raise refused(path, f"has two affines, sform and qform, which are turned by {degrees:.0f}° against each other")
    shift_mm = float(np.linalg.norm(((used - other) @ [*(shape - 1) / 2, 1.0])[:3]))
    if degrees <= TOLD_APART_DEG and shift_mm <= np.linalg.norm(used[:3, :3], axis=0).min():
        return ()
    return (f"Its two affines, sform and qform, are {degrees:.0f}° and {shift_mm:.0f} mm apart; the sform is used.",)


def _stated(path: Path, nifti: Any) -> list[Affine]:
    """Return the affines that a header states, the one to use first."""
    from nibabel.spatialimages import HeaderDataError

    with np.errstate(invalid="ignore"):
        found = [nifti.get_sform()] if int(nifti["sform_code"]) > 0 else []
        try:
            found += [nifti.get_qform()] if int(nifti["qform_code"]) > 0 else []
        except (HeaderDataError, ValueError) as error:
            raise refused(path, f"has an affine (qform) that cannot be used: {error}") from error
    if not found:
        raise refused(path, "does not say which side is left (its qform and sform codes are 0)")
    if not all(np.isfinite(affine).all() for affine in found):
        raise refused(path, "has an affine that says nowhere where a voxel lies")
    return [np.asarray(affine, np.float64) for affine in found]


def _fits(path: Path, affine: Affine, edges_mm: NDArray[np.float64]) -> None:
    """Refuse an affine that shears voxels, or is of voxels of another size."""
    found_mm = np.linalg.norm(affine[:3, :3], axis=0)
    if np.any(np.abs(found_mm - edges_mm) > ROUNDED * edges_mm):
        found, stated = (" x ".join(f"{edge:.3g}" for edge in edges) for edges in (found_mm, edges_mm))
        raise refused(path, f"has voxels of {stated} mm by its sizes and of {found} mm by its affine")
    axes = affine[:3, :3] / found_mm
    if np.any(np.abs(axes.T @ axes - np.eye(3)) > ROUNDED):
        raise refused(path, "has an affine whose axes are not at right angles")
