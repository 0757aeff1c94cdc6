"""What a bundle expects of a scan is a protocol that somebody was scanned with; who was not is counted."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from inference.fmri.parameters import ExpectedScan
from tests.training.scans import patients
from training.bundles.expected import Unlike, expected_of, unlike
from training.data.slices import PatientSlices


def scanned(n: int, **changes: Any) -> list[PatientSlices]:
    """Return so many patients whose scans differ so from the protocol."""
    return [replace(one, parameters=replace(one.parameters, **changes)) for one in patients(n, 0)]


def test_scans_are_expected_as_most_were_taken():
    """A repetition time that nobody states is the protocol's, one that few state theirs."""
    others = scanned(1, matrix=(96, 96), tr_s=None)
    assert expected_of([*scanned(2), *others]) == ExpectedScan()
    assert expected_of(others) == replace(ExpectedScan(), matrix=(96, 96))
    assert expected_of([*scanned(3, tr_s=None), *scanned(1, tr_s=2.4, n_slices=34)]).tr_s == 2.4


def test_settings_are_expected_together():
    """One by one the most frequent ones would be of no scanner that was used, and refuse patients that trained."""
    fine = scanned(4, matrix=(128, 128), n_slices=35, thickness_mm=4.0)
    few = scanned(3, matrix=(64, 64), n_slices=20, thickness_mm=6.5)
    thick = scanned(2, matrix=(64, 64), n_slices=22, thickness_mm=6.5)
    expected = expected_of([*few, *fine, *thick])
    assert (expected.matrix, expected.n_slices, expected.thickness_mm) == ((128, 128), 35, 4.0)
    assert unlike(fine, expected) == (0, 0) and unlike(few, expected) == (0, 3)


def test_what_a_header_rounds_is_one_protocol():
    """Fields of 220 mm that float32 made others of are counted together."""
    some = [scanned(1, fov_mm=(220.0 + i * 1e-5, 220.0))[0] for i in range(3)]
    assert expected_of([*scanned(2, n_slices=30), *some]).n_slices == 35


def test_who_is_unlike_is_counted_and_told():
    """Beyond a tolerance, and beyond twice that; a scan with both counts as refused."""
    expected = ExpectedScan()
    some = [*scanned(3), *scanned(2, n_slices=41), *scanned(1, n_slices=41, matrix=(128, 128)), *scanned(1, tr_s=None)]
    assert unlike(some, expected) == Unlike(flagged=3, refused=1)
    words = unlike(some, expected).words(len(some))
    assert words.startswith("Of the 7 scans") and words.endswith("would refuse them: 1; flag them: 3.")
    assert Unlike(0, 0).words(7) == ""
