"""A scan's geometry beside the one that a bundle was trained on: flagged by name, refused far off (laws 6 and 10)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from acquisition.fields import Fields
from inference.errors import BundleError, ScanError
from inference.manifest import REMEDY

#: A difference beyond so many tolerances is refused.
REFUSED_BEYOND = 2.0


@dataclass(frozen=True)
class ScanParameters:
    """How a scan was taken; axes are canonical: columns to the right, rows to the front, slices to the top.

    Attributes
    ----------
    fov_mm : (float, float)
        Field of view, columns and rows.
    matrix : (int, int)
        Voxels of a slice, columns and rows.
    n_slices : int
    tr_s : float or None
        Seconds from volume to volume; None where nothing says.
    thickness_mm : float
        From slice to slice: with the gap between them.
    n_volumes : int
        As in the file, the first ones included.
    voxel_mm : (float, float, float)
        Edges of a voxel.
    """

    fov_mm: tuple[float, float]
    matrix: tuple[int, int]
    n_slices: int
    tr_s: float | None
    thickness_mm: float
    n_volumes: int
    voxel_mm: tuple[float, float, float]


@dataclass(frozen=True)
class ExpectedScan:
    """The scans that a bundle was trained on, and how far another may differ from them.

    Up to its tolerance a parameter is taken as equal, up to twice as much it is flagged, beyond that refused.

    Attributes
    ----------
    fov_mm, matrix, n_slices, tr_s, thickness_mm
        As in :class:`ScanParameters`; those of a GE scanner's resting-state protocol by default.
    fov_tolerance_mm : float
        A tenth: slices are resampled to one size of pixel, so that the field alone matters little.
    matrix_tolerance : int
        A quarter: how sharp a slice is.
    n_slices_tolerance : int
        Two slices more or fewer at either end, and one for rounding.
    tr_tolerance_s : float
        How bright tissues are beside each other depends on it.
    thickness_tolerance_mm : float
        A quarter: how much of the brain a slice averages.
    """

    fov_mm: tuple[float, float] = (220.0, 220.0)
    matrix: tuple[int, int] = (64, 64)
    n_slices: int = 35
    tr_s: float = 2.0
    thickness_mm: float = 4.0
    fov_tolerance_mm: float = 22.0
    matrix_tolerance: int = 16
    n_slices_tolerance: int = 5
    tr_tolerance_s: float = 0.5
    thickness_tolerance_mm: float = 1.0

    def to_json(self) -> dict[str, Any]:
        """Return what :meth:`from_json` reads."""
        return {key: list(value) if isinstance(value, tuple) else value for key, value in asdict(self).items()}

    @classmethod
    def from_json(cls, value: object, file: str = "scan") -> ExpectedScan:
        """Read the ``scan`` object of a manifest.

        Parameters
        ----------
        value : object
            As ``json.loads`` returned it.
        file : str
            For the refusal.

        Raises
        ------
        BundleError
            If a key is missing, unknown, or holds something else.
        """
        fields = Fields(value, file, "scan", BundleError, REMEDY)
        expected = cls(
            fov_mm=_pair(fields, "fov_mm"),
            matrix=_whole(_pair(fields, "matrix"), fields),
            n_slices=fields.count("n_slices", low=1),
            tr_s=fields.number("tr_s", low=0.0),
            thickness_mm=fields.number("thickness_mm", low=0.0),
            fov_tolerance_mm=fields.number("fov_tolerance_mm", low=0.0),
            matrix_tolerance=fields.count("matrix_tolerance"),
            n_slices_tolerance=fields.count("n_slices_tolerance"),
            tr_tolerance_s=fields.number("tr_tolerance_s", low=0.0),
            thickness_tolerance_mm=fields.number("thickness_tolerance_mm", low=0.0),
        )
        fields.end()
        return expected


@dataclass(frozen=True)
class Deviation:
    """One parameter that is outside its tolerance.

    Attributes
    ----------
    name : str
        Of the parameter: ``fov``, ``matrix``, ``slices``, ``tr`` or ``thickness``.
    words : str
        Value, expectation and tolerance, for people.
    refused : bool
        Beyond twice the tolerance.
    """

    name: str
    words: str
    refused: bool


def compare(parameters: ScanParameters, expected: ExpectedScan) -> tuple[Deviation, ...]:
    """Return every parameter that is outside its tolerance; a repetition time that nothing states is one."""
    return tuple(_deviations(parameters, expected))


def accept(path: Path, parameters: ScanParameters, expected: ExpectedScan) -> tuple[Deviation, ...]:
    """Return what is outside its tolerance but may pass, to be flagged.

    Raises
    ------
    ScanError
        If a parameter is beyond twice its tolerance.
    """
    found = compare(parameters, expected)
    refused = [deviation.words for deviation in found if deviation.refused]
    if refused:
        raise ScanError(
            f"{path.name} differs too much from the scans that the bundle was trained on: {'; '.join(refused)}.",
            subject=str(path),
            remedy="Take a bundle that was trained on such scans, or another series of this patient.",
        )
    return found


def _deviations(scan: ScanParameters, expected: ExpectedScan) -> Iterator[Deviation]:
    yield from _judge("fov", "mm", scan.fov_mm, expected.fov_mm, expected.fov_tolerance_mm)
    yield from _judge("matrix", "voxels", scan.matrix, expected.matrix, expected.matrix_tolerance)
    yield from _judge("slices", "", (scan.n_slices,), (expected.n_slices,), expected.n_slices_tolerance)
    if scan.tr_s is None:
        yield Deviation("tr", f"tr is not stated, expected {expected.tr_s:g} s", refused=False)
    else:
        yield from _judge("tr", "s", (scan.tr_s,), (expected.tr_s,), expected.tr_tolerance_s)
    thickness = (scan.thickness_mm,), (expected.thickness_mm,), expected.thickness_tolerance_mm
    yield from _judge("thickness", "mm", *thickness)


def _judge(
    name: str, unit: str, values: Sequence[float], wanted: Sequence[float], tolerance: float
) -> Iterator[Deviation]:
    """Yield a deviation if a value is outside the tolerance; rounding is no difference."""
    off = max(abs(value - want) for value, want in zip(values, wanted, strict=True))
    slack = 1e-4 * max(abs(want) for want in wanted)
    if off > tolerance + slack:
        is_, want = (" x ".join(f"{number:.4g}" for number in numbers) for numbers in (values, wanted))
        words = f"{name} {is_} {unit}".rstrip() + f", expected {want} within {tolerance:g}"
        yield Deviation(name, words, refused=off > REFUSED_BEYOND * tolerance + slack)


def _pair(fields: Fields, key: str) -> tuple[float, float]:
    values = fields.numbers(key, low=0.0)
    if len(values) != 2:
        raise fields.refuse(key, f"has {len(values)} numbers, expected 2")
    return values[0], values[1]


def _whole(values: tuple[float, float], fields: Fields) -> tuple[int, int]:
    if any(value != int(value) for value in values):
        raise fields.refuse("matrix", "must be whole numbers")
    return int(values[0]), int(values[1])
