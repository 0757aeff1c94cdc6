"""Desynchronisation: a fall that was put in comes back, in its own band, at its own site."""

from __future__ import annotations

import numpy as np
import pytest

from acquisition.measures.desynchronisation import desynchronisation
from tests.acquisition.measures.conftest import RATE_HZ, by_phase

N = 12
HZ = {"mu": 10.0, "beta": 20.0}


def rhythm(band, change, seed=0, hz=None):
    """A rhythm whose power changes by so many per cent in movements, and a little noise."""
    moving = np.sqrt(1 + change / 100)
    amplitude = by_phase(N, {"preparation": 10, "flexion": 10 * moving, "rest": 10, "extension": 10 * moving})
    noise = np.random.default_rng(seed).normal(scale=0.5, size=N * 10_000)
    return amplitude * np.sin(2 * np.pi * (hz or HZ[band]) * np.arange(N * 10_000) / RATE_HZ) + noise


def found(rows, measure, site, phase="flexion"):
    """The one row of a measure."""
    (row,) = [r for r in rows if (r.subject.measure, r.subject.site, r.subject.phase) == (measure, site, phase)]
    return row


@pytest.mark.parametrize("band", ["mu", "beta"])
@pytest.mark.parametrize("change", [-80.0, -40.0, 60.0])
def test_a_known_change_comes_back(session, band, change):
    """In per cent of the phase before, negative for a fall, in both movements, within two points."""
    rows = desynchronisation(session(C3=rhythm(band, change), C4=rhythm(band, 0.0, 1)))
    for phase in ("flexion", "extension"):
        row = found(rows, f"{band} desynchronisation", "C3", phase)
        assert row.value == pytest.approx(change, abs=2.0)
        assert row.interval[0] <= row.value <= row.interval[1]
        assert (row.n_trials, row.left_out, row.subject.unit) == (N, {}, "%")
        assert found(rows, f"{band} desynchronisation", "C4", phase).value == pytest.approx(0.0, abs=2.0)


def test_a_band_does_not_see_the_other(session):
    """Mu falls by 80 %; a steady beta beside it does not move."""
    both = rhythm("mu", -80.0) + rhythm("beta", 0.0, 1)
    rows = desynchronisation(session(C3=both, C4=both))
    assert found(rows, "mu desynchronisation", "C3").value == pytest.approx(-80.0, abs=2.0)
    assert found(rows, "beta desynchronisation", "C3").value == pytest.approx(0.0, abs=2.0)


@pytest.mark.parametrize(
    ("moved", "site", "index"), [(None, "C3 over C4", 0.5), ("right", "C3 over C4", 0.5), ("left", "C4 over C3", -0.5)]
)
def test_laterality_tells_the_moved_legs_hemisphere(session, moved, site, index):
    """60 % on the left, 20 % on the right: an index of 0.5 for the right leg, -0.5 for the left one."""
    rows = desynchronisation(session(C3=rhythm("mu", -60.0), C4=rhythm("mu", -20.0, 1)), moved)
    assert found(rows, "mu laterality", site).value == pytest.approx(index, abs=0.05)


def test_laterality_of_nothing_is_not_given(session):
    """Where neither side changes the index would be noise over noise: it says so."""
    rows = desynchronisation(session(C3=rhythm("mu", 0.0), C4=rhythm("mu", 0.0, 1)))
    row = found(rows, "mu laterality", "C3 over C4")
    assert (row.value, row.missing, row.n_trials) == (None, "neither side changes beyond its interval", N)


def test_what_is_missing_is_named(session):
    """A montage without C4, a session of five trials: words in the place of values, everything else is there."""
    rows = desynchronisation(session(C3=rhythm("mu", -60.0)))
    assert found(rows, "mu desynchronisation", "C4").missing == "the montage has no channel C4"
    assert found(rows, "mu laterality", "C3 over C4").missing == "the montage has no channel C4"
    assert found(rows, "mu desynchronisation", "C3").value is not None
    short = desynchronisation(session(C3=rhythm("mu", -60.0)[:50_000], C4=rhythm("mu", -60.0)[:50_000]))
    assert {row.missing for row in short} == {"not enough trials: 5 of 6"}
