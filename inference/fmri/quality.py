"""Whether a scan may be used: motion, noise, coverage, length; flagged by name, or a problem in words (law 8)."""

from __future__ import annotations

from dataclasses import dataclass


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
