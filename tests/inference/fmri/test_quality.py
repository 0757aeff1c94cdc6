"""Quality: each thing that spoils a scan is said, as a flag or as a problem, and nothing else is."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from inference.fmri.quality import Seen, coverage, judge
from tests.inference.fmri import heads

GOOD = Seen(
    mask=heads.brain(),
    voxel_mm=heads.VOXEL_MM,
    tsnr=np.full(100, 80.0, np.float32),
    displacement_mm=np.full(114, 0.1),
    n_slices=20,
    field_mm=224.0,
)


def moved(mean_mm: float, once_mm: float = 0.0) -> np.ndarray:
    """Return ways from volume to volume of a mean, one of them larger."""
    ways = np.full(114, mean_mm)
    ways[50] += once_mm
    return ways


def noisy(tsnr: float) -> np.ndarray:
    """Return signal to noise of voxels."""
    return np.full(100, tsnr, np.float32)


def test_a_good_scan_has_nothing_said_of_it() -> None:
    """Its figures are those that were seen."""
    quality = judge(GOOD)
    assert (quality.flags, quality.problems) == ((), ())
    assert quality.fd_mean_mm == pytest.approx(0.1) and quality.fd_max_mm == pytest.approx(0.1)
    assert (quality.tsnr_median, quality.coverage, quality.n_volumes, quality.n_slices) == (80.0, 1.0, 115, 20)
    assert quality.brain_ml == pytest.approx(4 / 3 * np.pi * np.prod(heads.BRAIN_MM) / 1e3, rel=0.05)


@pytest.mark.parametrize(
    ("seen", "words"),
    [
        (replace(GOOD, displacement_mm=moved(0.6)), "The head moved by 0.60 mm from volume to volume in the mean; at"),
        (replace(GOOD, displacement_mm=moved(0.1, 4.0)), "The head moved by 4.10 mm at once"),
        (replace(GOOD, tsnr=noisy(20.0)), "Signal over noise in time is 20; at least 30"),
        (replace(GOOD, displacement_mm=moved(0.1)[:40]), "Volumes that are used: 41; at least 60"),
        (
            replace(GOOD, mask=heads.brain()[:, :, 2:]),
            "The brain reaches the edge of the field of view: coverage is 0.",
        ),
    ],
)
def test_what_people_should_know_is_flagged(seen: Seen, words: str) -> None:
    """With the value and the bound; the scan may be used."""
    quality = judge(seen)
    assert len(quality.flags) == 1 and quality.flags[0].startswith(words) and quality.problems == ()


@pytest.mark.parametrize(
    ("seen", "words"),
    [
        (replace(GOOD, displacement_mm=moved(1.5)), "The head moved by 1.50 mm"),
        (replace(GOOD, tsnr=noisy(5.0)), "Signal over noise in time is 5;"),
        (replace(GOOD, mask=heads.brain()[:, :, :8]), "The brain goes on beyond the field of view: coverage is"),
        (replace(GOOD, mask=heads.brain()[:, 10:]), "The brain goes on beyond the field of view: coverage is"),
        (replace(GOOD, voxel_mm=(5.0, 5.0, 5.0)), "What was taken for the brain measures 1.. ml, expected 700 to 2100"),
        (replace(GOOD, voxel_mm=(10.0, 20.0, 10.0)), "What was taken for the brain measures 2... ml"),
        (replace(GOOD, mask=heads.brain().swapaxes(0, 1)), "mm wide, 140 mm long and .* a brain is longest from front"),
        (replace(GOOD, mask=heads.brain().swapaxes(1, 2)), "a brain is longest from front to back"),
        (replace(GOOD, field_mm=150.0), "does not fit into a field of 150 mm"),
        (replace(GOOD, n_slices=4), "Slices that count: 4; at least 5"),
    ],
)
def test_what_must_not_be_used_is_a_problem(seen: Seen, words: str) -> None:
    """A brain that is cut, an affine that is wrong, too much motion or noise: in words, with the value."""
    import re

    problems = judge(seen).problems
    assert any(re.search(words, problem) for problem in problems), problems


@given(st.floats(0.0, 5.0))
def test_motion_is_said_once(mean_mm: float) -> None:
    """Either as a flag or as a problem, never as both."""
    quality = judge(replace(GOOD, displacement_mm=moved(mean_mm)))
    said = [words for words in (*quality.flags, *quality.problems) if "in the mean" in words]
    assert len(said) == (mean_mm > 0.5)


@given(arrays(bool, (4, 5, 6), elements=st.booleans()).filter(np.any))
def test_coverage_is_a_share(mask: np.ndarray) -> None:
    """From 0 to 1; 1 where no face is touched."""
    assert 0.0 <= coverage(mask) <= 1.0
    assert coverage(np.pad(mask, 1)) == 1.0
