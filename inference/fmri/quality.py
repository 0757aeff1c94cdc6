"""Whether a scan may be used: motion, noise, coverage, size, length; a flag, or a problem, in words (law 8)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

#: Mean framewise displacement in mm from which it is flagged, the bound of Power et al. (2012) for one volume, and
#: from which it is a problem. The largest step that is not flagged, about a voxel.
FD_FLAG_MM, FD_PROBLEM_MM, FD_MAX_FLAG_MM = 0.5, 1.0, 3.0
#: Median temporal signal-to-noise below which it is flagged, and a problem; 3 T scanners at 3.4 mm reach 60 to 120.
TSNR_FLAG, TSNR_PROBLEM = 30.0, 10.0
#: Coverage below which it is flagged; below the other a slice that counts lies at the edge, so that some are missing.
COVERAGE_FLAG, COVERAGE_PROBLEM = 0.75, 0.5
#: What a mask of an adult's brain, fluid included, measures in ml; with a voxel's edge twice as long it is outside.
BRAIN_ML = (700.0, 2100.0)
#: Fewer slices that count are no mean of a brain.
LEAST_COUNTED = 5
#: Fewer volumes are flagged: the paper's 120, halved.
VOLUMES_FLAG = 60


@dataclass(frozen=True)
class Quality:
    """How good a scan is.

    Attributes
    ----------
    fd_mean_mm, fd_max_mm : float
        Framewise displacement (Power et al. 2012) over the volumes that are used.
    tsnr_median : float
        Median over the brain of a voxel's mean over its standard deviation in time, without its slope.
    coverage : float
        0 to 1: one less the largest share of the brain's cross-section that lies on a face of the field of view.
    brain_ml : float
        Volume of the mask.
    n_volumes : int
        That are used: without the first ones.
    n_slices : int
        That count.
    flags : tuple of str
        What people should know of, in sentences.
    problems : tuple of str
        Why the scan must not be used, in sentences; empty when it may.
    """

    fd_mean_mm: float
    fd_max_mm: float
    tsnr_median: float
    coverage: float
    brain_ml: float
    n_volumes: int
    n_slices: int
    flags: tuple[str, ...]
    problems: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class Seen:
    """What a scan's quality is judged by.

    Attributes
    ----------
    mask : ndarray, shape (columns, rows, slices), bool
        At least one voxel of it is brain.
    voxel_mm : (float, float, float)
    tsnr : ndarray, shape (n,), float32
        Of the brain's voxels.
    displacement_mm : ndarray, shape (n_volumes - 1,), float64
    n_slices : int
        That count.
    field_mm : float
        Edge of the field that a slice is resampled to.
    """

    mask: NDArray[np.bool_]
    voxel_mm: tuple[float, float, float]
    tsnr: NDArray[np.float32]
    displacement_mm: NDArray[np.float64]
    n_slices: int
    field_mm: float


def judge(seen: Seen) -> Quality:
    """Return how good a scan is."""
    brain_ml = float(seen.mask.sum() * np.prod(seen.voxel_mm) / 1e3)
    mean_mm, max_mm = float(seen.displacement_mm.mean()), float(seen.displacement_mm.max())
    tsnr, covered, n_volumes = float(np.median(seen.tsnr)), coverage(seen.mask), len(seen.displacement_mm) + 1
    problems = (
        *_over("The head moved by", mean_mm, FD_PROBLEM_MM, "mm from volume to volume in the mean"),
        *_under("Signal over noise in time is", tsnr, TSNR_PROBLEM),
        *_under("The brain goes on beyond the field of view: coverage is", covered, COVERAGE_PROBLEM),
        *_unlike_a_brain(seen, brain_ml),
        *_under("Slices that count:", seen.n_slices, LEAST_COUNTED),
    )
    flags = (
        *_over("The head moved by", mean_mm, FD_FLAG_MM, "mm from volume to volume in the mean", FD_PROBLEM_MM),
        *_over("The head moved by", max_mm, FD_MAX_FLAG_MM, "mm at once"),
        *_under("Signal over noise in time is", tsnr, TSNR_FLAG, TSNR_PROBLEM),
        *_under(
            "The brain reaches the edge of the field of view: coverage is", covered, COVERAGE_FLAG, COVERAGE_PROBLEM
        ),
        *_under("Volumes that are used:", n_volumes, VOLUMES_FLAG),
    )
    return Quality(mean_mm, max_mm, tsnr, covered, brain_ml, n_volumes, seen.n_slices, flags, problems)


def coverage(mask: NDArray[np.bool_]) -> float:
    """Return one less the largest share of the brain's cross-section that lies on a face of the field of view."""
    shares = []
    for axis in range(3):
        areas = mask.sum(axis=tuple(other for other in range(3) if other != axis))
        shares += [areas[0] / areas.max(), areas[-1] / areas.max()]
    return 1.0 - float(max(shares))


def _unlike_a_brain(seen: Seen, brain_ml: float) -> Iterator[str]:
    """Yield what is wrong with the mask's size and proportions: then voxel sizes or axes of the header are wrong."""
    low, high = BRAIN_ML
    if not low <= brain_ml <= high:
        yield f"What was taken for the brain measures {brain_ml:.0f} ml, expected {low:.0f} to {high:.0f}."
    wide, long, up = (
        float(np.ptp(np.flatnonzero(seen.mask.any(axis=axes))) + 1) * edge
        for axes, edge in zip(((1, 2), (0, 2), (0, 1)), seen.voxel_mm, strict=True)
    )
    if long < max(wide, up):
        extent = f"{wide:.0f} mm wide, {long:.0f} mm long and {up:.0f} mm high"
        yield f"What was taken for the brain is {extent}; a brain is longest from front to back."
    if max(wide, long) > seen.field_mm:
        yield f"What was taken for the brain does not fit into a field of {seen.field_mm:.0f} mm."


def _over(what: str, value: float, bound: float, unit: str, below: float = np.inf) -> Iterator[str]:
    if bound < value <= below:
        yield f"{what} {value:.2f} {unit}; at most {bound:g} expected."


def _under(what: str, value: float, bound: float, above: float = -np.inf) -> Iterator[str]:
    if above <= value < bound:
        yield f"{what} {value:.3g}; at least {bound:g} expected."
