"""A scan's geometry beside a bundle's: equal within the tolerance, flagged up to twice as much, refused beyond."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inference.errors import BundleError, ScanError
from inference.fmri.parameters import ExpectedScan, ScanParameters, accept, compare

EXPECTED = ExpectedScan()
SCAN = ScanParameters((220.0, 220.0), (64, 64), 35, 2.0, 4.0, 120, (3.4375, 3.4375, 4.0))


@pytest.mark.parametrize(
    ("name", "within", "flagged", "refused"),
    [
        ("fov", {"fov_mm": (220.0, 242.0)}, {"fov_mm": (196.0, 220.0)}, {"fov_mm": (220.0, 265.0)}),
        ("matrix", {"matrix": (80, 64)}, {"matrix": (64, 96)}, {"matrix": (128, 128)}),
        ("slices", {"n_slices": 30}, {"n_slices": 45}, {"n_slices": 24}),
        ("tr", {"tr_s": 2.5}, {"tr_s": 3.0}, {"tr_s": 0.8}),
        ("thickness", {"thickness_mm": 3.0}, {"thickness_mm": 5.5}, {"thickness_mm": 6.5}),
    ],
)
def test_each_parameter_has_its_tolerance(
    name: str, within: dict[str, Any], flagged: dict[str, Any], refused: dict[str, Any]
) -> None:
    """Both bounds count as inside, and the parameter is named."""
    assert compare(replace(SCAN, **within), EXPECTED) == ()
    [flag] = accept(Path("scan.nii.gz"), replace(SCAN, **flagged), EXPECTED)
    assert (flag.name, flag.refused) == (name, False) and flag.words.startswith(f"{name} ")
    with pytest.raises(ScanError, match=rf"scan\.nii\.gz differs too much .*: {name} .*, expected .* within"):
        accept(Path("scan.nii.gz"), replace(SCAN, **refused), EXPECTED)


def test_the_words_have_both_values_and_the_tolerance() -> None:
    """What is, what was expected, within what."""
    [flag] = compare(replace(SCAN, fov_mm=(192.0, 220.0)), EXPECTED)
    assert flag.words == "fov 192 x 220 mm, expected 220 x 220 within 22"
    [flag] = compare(replace(SCAN, n_slices=45), EXPECTED)
    assert flag.words == "slices 45, expected 35 within 5"


def test_everything_that_is_refused_is_said_at_once() -> None:
    """Nobody should have to try five times."""
    with pytest.raises(ScanError, match=r"fov 300 x 300 mm.*; slices 10"):
        accept(Path("scan.nii.gz"), replace(SCAN, fov_mm=(300.0, 300.0), n_slices=10), EXPECTED)


def test_an_unstated_repetition_time_is_flagged() -> None:
    """It is not equal, and nothing says that it is far off."""
    [flag] = compare(replace(SCAN, tr_s=None), EXPECTED)
    assert (flag.name, flag.words, flag.refused) == ("tr", "tr is not stated, expected 2 s", False)


@given(st.floats(0.5, 10.0), st.floats(0.0, 2.0))
def test_farther_off_is_never_judged_milder(thickness_mm: float, more: float) -> None:
    """Fit, flagged, refused: in this order as the difference grows."""

    def grade(value: float) -> int:
        found = compare(replace(SCAN, thickness_mm=value), EXPECTED)
        return sum(1 + deviation.refused for deviation in found)

    further = thickness_mm + more if thickness_mm >= 4.0 else thickness_mm - more
    assert grade(further) >= grade(thickness_mm)


def test_a_manifest_holds_what_is_expected() -> None:
    """Written and read again it is the same."""
    other = ExpectedScan(n_slices=40, tr_s=1.5, fov_tolerance_mm=10.0)
    assert ExpectedScan.from_json(other.to_json()) == other
    assert ExpectedScan.from_json(EXPECTED.to_json()) == EXPECTED


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"fov_mm": [220.0]}, "scan.fov_mm has 1 numbers, expected 2"),
        ({"matrix": [64.5, 64]}, "scan.matrix must be whole numbers"),
        ({"tr_s": -1.0}, "scan.tr_s is -1.0"),
        ({"n_slices": 0}, "scan.n_slices is 0"),
        ({"voxels": 3}, "scan.voxels is not a known key"),
    ],
)
def test_a_manifest_that_makes_no_sense_is_refused(change: dict[str, Any], words: str) -> None:
    """By the name of its key."""
    with pytest.raises(BundleError, match=words):
        ExpectedScan.from_json(EXPECTED.to_json() | change, "manifest.json")
