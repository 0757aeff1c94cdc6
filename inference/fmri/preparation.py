"""Preparation: from a scan's file to the slices that a network sees, in training and at the bedside (law 1)."""

from __future__ import annotations

import hashlib
from dataclasses import asdict, dataclass
from datetime import date
from itertools import islice
from pathlib import Path
from typing import Any, Literal, cast, get_args

import numpy as np
from numpy.typing import NDArray

from acquisition.decisions import canonical_json
from acquisition.fields import Fields
from inference.errors import BundleError
from inference.fmri.maps import Fluctuations, Moments
from inference.fmri.mask import brain_mask
from inference.fmri.motion import HeadMotion, framewise_displacement
from inference.fmri.parameters import ScanParameters
from inference.fmri.quality import Quality, Seen, judge
from inference.fmri.remedies import SERIES, refused
from inference.fmri.slices import N_CHANNELS, Grid, for_network, laid_back, resampled, scaled, screen
from inference.fmri.volume import Scan, open_scan
from inference.manifest import REMEDY

Recipe = Literal["mean", "functional"]

#: Counts changes of the algorithms that no setting shows; part of the fingerprint.
ALGORITHM = 1
#: Fewer volumes that are used are no series over time.
LEAST_USED = 15
#: s of a scan beyond which slow fluctuations are not looked for: of an hour there are 324 frequencies, each of whose
#: sums is as large as the brain. Resting scans take 5 to 30 minutes.
LONGEST_S = 3600.0
#: A mask of fewer ml is no brain but noise that hangs together.
LEAST_BRAIN_ML = 50.0
#: The field of a slice must hold a head, front to back.
HEAD_MM = 200.0


@dataclass(frozen=True)
class PreparationSpec:
    """Everything that decides what a slice's pixels are.

    Parameters
    ----------
    recipe : str
        ``mean``: the mean over time in all three channels (the paper); ``functional``: mean, strength of slow
        fluctuations (ALFF), temporal signal-to-noise.
    drop_volumes : int
        First volumes that are left out: the tissue is not saturated yet.
    mm_per_pixel : float
        1 mm: a field of 224 mm holds a head, and one pixel is a third of a voxel.
    screen_share : float
        A slice counts if its area of brain is at least this share of the widest one's.
    size : int
        Pixels of an edge.

    Raises
    ------
    ValueError
        If a value makes no sense, or the field cannot hold a head.
    """

    recipe: Recipe = "mean"
    drop_volumes: int = 5
    mm_per_pixel: float = 1.0
    screen_share: float = 0.5
    size: int = 224

    def __post_init__(self) -> None:
        if self.recipe not in get_args(Recipe):
            raise ValueError(f"recipe is {self.recipe!r}, expected one of {', '.join(get_args(Recipe))}")
        if self.drop_volumes < 0 or not 0 < self.screen_share <= 1:
            raise ValueError(f"drop_volumes {self.drop_volumes} or screen_share {self.screen_share:g} makes no sense")
        if self.size * self.mm_per_pixel < HEAD_MM:
            field_mm = self.size * self.mm_per_pixel
            raise ValueError(
                f"{self.size} pixels of {self.mm_per_pixel:g} mm are {field_mm:g} mm, a head needs {HEAD_MM:g}"
            )

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the whole spec and of the algorithm's number, in hex."""
        return hashlib.sha256(canonical_json(asdict(self) | {"algorithm": ALGORITHM}).encode()).hexdigest()

    def to_json(self) -> dict[str, Any]:
        """Return what :meth:`from_json` reads: the settings, and the fingerprint that they had."""
        return asdict(self) | {"fingerprint": self.fingerprint}

    @classmethod
    def from_json(cls, value: object, file: str = "preparation") -> PreparationSpec:
        """Read the ``preparation`` object of a manifest.

        Raises
        ------
        BundleError
            If a key is missing, unknown or makes no sense, or the fingerprint is another: slices would be other ones.
        """
        fields = Fields(value, file, "preparation", BundleError, REMEDY)
        recipe = cast(Recipe, fields.text("recipe", among=get_args(Recipe)))
        drop_volumes, size = fields.count("drop_volumes"), fields.count("size", low=1)
        mm_per_pixel = fields.number("mm_per_pixel", low=0.0)
        screen_share = fields.number("screen_share", low=0.0, high=1.0)
        stated = fields.text("fingerprint")
        fields.end()
        try:
            spec = cls(recipe, drop_volumes, mm_per_pixel, screen_share, size)
        except ValueError as error:
            raise fields.refuse("", f"makes no sense: {error}") from error
        if spec.fingerprint != stated:
            raise fields.refuse(
                "fingerprint", f"is {stated[:12]}, this version prepares slices as {spec.fingerprint[:12]}"
            )
        return spec


@dataclass(frozen=True, eq=False)
class Prepared:
    """A scan that is ready for a network.

    Attributes
    ----------
    slices : ndarray, shape (n, 3, size, size), float32
        C order; rows from front to back, columns from the patient's left to his right.
    indices : ndarray, shape (n,), intp
        Canonical slice of each, from below.
    level_mm : ndarray, shape (n,), float64
        Height of the middle of each slice in the scanner's coordinates.
    mask : ndarray, shape (columns, rows, slices), bool
        The brain, canonical.
    mean : ndarray, of that shape, float32
        Mean over the volumes that are used.
    affine : ndarray, shape (4, 4), float64
        Canonical voxel indices to mm (right, front, up).
    grid : Grid
        Where a pixel lies in the scan.
    quality : Quality
    parameters : ScanParameters
    assumed : tuple of str
        What was corrected or taken for granted in reading the file, in sentences.
    scan_sha256 : str
    scanned_on : date or None
    origin : str
        ``synthetic`` or ``clinical``.
    fingerprint : str
        Of the :class:`PreparationSpec`.
    """

    slices: NDArray[np.float32]
    indices: NDArray[np.intp]
    level_mm: NDArray[np.float64]
    mask: NDArray[np.bool_]
    mean: NDArray[np.float32]
    affine: NDArray[np.float64]
    grid: Grid
    quality: Quality
    parameters: ScanParameters
    assumed: tuple[str, ...]
    scan_sha256: str
    scanned_on: date | None
    origin: str
    fingerprint: str


def prepare(path: Path, spec: PreparationSpec) -> Prepared:
    """Prepare a scan.

    Parameters
    ----------
    path : Path
        A NIfTI file of volumes over time.
    spec : PreparationSpec

    Raises
    ------
    ScanError
        If it cannot be read, is no functional scan, or no brain is found in it. A scan that can be prepared but must
        not be used says so in ``quality.problems``.
    """
    scan = open_scan(path)
    moments, displacement_mm = _watched(scan, spec.drop_volumes)
    voxel_mm, mean, tsnr = scan.parameters.voxel_mm, moments.mean(), moments.tsnr()
    mask = brain_mask(mean, voxel_mm)
    if mask.sum() * np.prod(voxel_mm) < 1e3 * LEAST_BRAIN_ML:
        raise refused(scan.path, "holds nothing that looks like a brain", SERIES)
    indices = screen(mask, spec.screen_share)
    grid = Grid.around(mask, voxel_mm[:2], spec.size, spec.mm_per_pixel)
    field_mm = spec.size * spec.mm_per_pixel
    quality = judge(Seen(mask, voxel_mm, tsnr[mask], displacement_mm, len(indices), field_mm))
    images = [resampled(scaled(one, mask), indices, grid) for one in _maps(scan, spec, mask, mean, tsnr)]
    middle = np.array([[*grid.centre, float(index), 1.0] for index in indices])
    return Prepared(
        slices=for_network(images if len(images) == N_CHANNELS else N_CHANNELS * images),
        indices=indices,
        level_mm=(middle @ scan.affine.T)[:, 2],
        mask=mask,
        mean=mean,
        affine=scan.affine,
        grid=grid,
        quality=quality,
        parameters=scan.parameters,
        assumed=scan.assumed,
        scan_sha256=scan.sha256,
        scanned_on=scan.scanned_on,
        origin=scan.origin,
        fingerprint=spec.fingerprint,
    )


def to_volume(maps: NDArray[np.float32], prepared: Prepared) -> NDArray[np.float32]:
    """Lay maps over slices back into the scan.

    Parameters
    ----------
    maps : ndarray, shape (n, h, w), float32
        One per slice, over the whole field of the grid at any resolution.
    prepared : Prepared

    Returns
    -------
    ndarray, shape of ``prepared.mean``, float32
        Bilinear between the maps' cells; 0 in slices that do not count and outside the field.
    """
    columns, rows, n_slices = prepared.mean.shape
    return laid_back(maps, prepared.indices, prepared.grid, (columns, rows, n_slices))


def _watched(scan: Scan, n_dropped: int) -> tuple[Moments, NDArray[np.float64]]:
    """Return the moments of the volumes that are used, and the head's way from one to the next in mm."""
    n_used = scan.parameters.n_volumes - n_dropped
    if n_used < LEAST_USED:
        left = f"{n_used} without the first {n_dropped}"
        raise refused(scan.path, f"has {scan.parameters.n_volumes} volumes, {left}; {LEAST_USED} are needed", SERIES)
    moments, head, places = Moments(n_used), None, []
    for volume in islice(scan.volumes(), n_dropped, None):
        head = head or HeadMotion(volume, scan.parameters.voxel_mm)
        places.append(head.push(volume))
        moments.push(volume)
    return moments, framewise_displacement(np.stack(places))


def _maps(
    scan: Scan, spec: PreparationSpec, mask: NDArray[np.bool_], mean: NDArray[np.float32], tsnr: NDArray[np.float32]
) -> list[NDArray[np.float32]]:
    """Return the maps of a recipe, each of the shape of ``mean``: one for all channels, or one for each."""
    if spec.recipe == "mean":
        return [mean]
    tr_s, n_used = scan.parameters.tr_s, scan.parameters.n_volumes - spec.drop_volumes
    if tr_s is None:
        remedy = "Write RepetitionTime in seconds into the .json beside it."
        raise refused(scan.path, "does not say how long a volume took, which slow fluctuations need", remedy)
    if n_used * tr_s > LONGEST_S:
        raise refused(scan.path, f"took {n_used * tr_s / 60:.0f} min, expected {LONGEST_S / 60:g} at most", SERIES)
    try:
        fluctuations = Fluctuations(mask, n_used, tr_s)
    except ValueError as error:
        raise refused(scan.path, f"is too short for slow fluctuations: {error}", SERIES) from error
    for volume in islice(scan.volumes(), spec.drop_volumes, None):
        fluctuations.push(volume)
    return [mean, fluctuations.alff(mean), tsnr]
