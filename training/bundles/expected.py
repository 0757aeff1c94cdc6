"""The scans that a bundle expects: those that most of its patients had, and how many of theirs are unlike them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Sequence
from dataclasses import replace
from typing import NamedTuple, TypeVar

from inference.fmri.parameters import ExpectedScan, ScanParameters, compare
from training.data.slices import PatientSlices

T = TypeVar("T", bound=Hashable)


def expected_of(patients: Sequence[PatientSlices]) -> ExpectedScan:
    """Return how most of the patients' scans were taken, all settings together; tolerances as they are.

    Setting by setting the most frequent values might be of a protocol that nobody was scanned with.
    """
    scans = [patient.parameters for patient in patients]
    most = _most([_protocol(scan) for scan in scans])
    alike = [scan for scan in scans if _protocol(scan) == most]
    stated = _stated(alike) or _stated(scans) or [ExpectedScan().tr_s]
    one = alike[0]
    return replace(
        ExpectedScan(),
        fov_mm=one.fov_mm,
        matrix=one.matrix,
        n_slices=one.n_slices,
        tr_s=_most(stated),
        thickness_mm=one.thickness_mm,
    )


class Unlike(NamedTuple):
    """How many of the scans that a network learned from are unlike those that its bundle expects.

    Attributes
    ----------
    flagged, refused : int
        Beyond a tolerance, and beyond twice that.
    """

    flagged: int
    refused: int

    def words(self, n: int) -> str:
        """Return it in a sentence; nothing where there is none."""
        if not any(self):
            return ""
        return (
            f"Of the {n} scans that the network learned from, taken otherwise than most so that the bundle would "
            f"refuse them: {self.refused}; flag them: {self.flagged}."
        )


def unlike(patients: Sequence[PatientSlices], expected: ExpectedScan) -> Unlike:
    """Return how many of the patients' scans the bedside would flag, or refuse, for how they were taken."""
    found = [compare(patient.parameters, expected) for patient in patients]
    refused = sum(any(deviation.refused for deviation in deviations) for deviations in found)
    return Unlike(sum(map(bool, found)) - refused, refused)


def _protocol(scan: ScanParameters) -> tuple[object, ...]:
    """Return what two scans of one protocol have in common, whatever rounding made of it in their headers."""
    tr_s = None if scan.tr_s is None else round(scan.tr_s, 2)
    return (*(round(edge, 1) for edge in (*scan.fov_mm, scan.thickness_mm)), scan.matrix, scan.n_slices, tr_s)


def _stated(scans: Sequence[ScanParameters]) -> list[float]:
    return [scan.tr_s for scan in scans if scan.tr_s is not None]


def _most(values: Sequence[T]) -> T:
    """Return the most frequent value; of equals the first."""
    return Counter(values).most_common(1)[0][0]
