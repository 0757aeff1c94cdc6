"""The interval of the points holds as many patients as it says, each counted once."""

from __future__ import annotations

import numpy as np
import pytest

from training.runs.predictions import Prediction
from training.statistics.points import points_of


def rows(patient: str, fma: float | None, said: dict[int, list[float | None]], weight: float = 1.0) -> list[Prediction]:
    """Return the windows of a patient, by repeat."""
    return [
        Prediction("lstm-bands", repeat, 0, patient, "window", i, weight, 0.0, 0.5, True, fma, points)
        for repeat, windows in said.items()
        for i, points in enumerate(windows)
    ]


def test_nine_in_ten_of_the_patients_lie_within():
    """Of 19 patients that are 1, 2, ... 19 points off, the 18th: one more than nine in ten, for the one who is new."""
    found = [row for i in range(19) for row in rows(str(i), 10.0, {0: [11.0 + i]})]
    assert points_of(found) == {"half_width": 18.0, "coverage": 0.9, "n": 19}


def test_too_few_patients_have_no_interval():
    """Eight cannot show what holds for nine in ten; nine can."""
    found = [row for i in range(9) for row in rows(str(i), 10.0, {0: [11.0 + i]})]
    assert points_of(found) == {"half_width": 9.0, "coverage": 0.9, "n": 9}
    assert points_of(found[:-1]) is None
    assert points_of([]) is None


def test_repeats_of_a_patient_share_its_vote():
    """Five looks at the same people are not five times as many people."""
    once = [row for i in range(9) for row in rows(str(i), 10.0, {0: [11.0 + i]})]
    five = [row for i in range(9) for row in rows(str(i), 10.0, {r: [11.0 + i] for r in range(5)})]
    assert points_of(five) == points_of(once)


def test_a_session_is_what_the_bedside_shows():
    """The mean by quality, held within the scale; what is not known is left out."""
    good = [row for i in range(9) for row in rows(str(i), 34.0, {0: [40.0, 50.0]})]
    assert points_of(good) == {"half_width": 0.0, "coverage": 0.9, "n": 9}
    weighted = [
        row
        for i in range(9)
        for row in (*rows(str(i), 10.0, {0: [12.0]}, weight=1.0), *rows(str(i), 10.0, {0: [18.0]}, weight=0.5))
    ]
    assert points_of(weighted) == {"half_width": 4.0, "coverage": 0.9, "n": 9}
    assert points_of([*rows("a", None, {0: [12.0]}), *rows("b", 10.0, {0: [None]})]) is None


@pytest.mark.parametrize("coverage", [0.5, 0.8, 0.9])
def test_patients_of_the_same_kind_are_held_as_often_as_it_says(coverage):
    """On average over many cohorts, a new patient lies within with at least that chance, and not with much more."""
    rng = np.random.default_rng(0)
    held = []
    for _ in range(400):
        off = rng.normal(0, 3, 41)
        found = [row for i in range(40) for row in rows(str(i), 17.0, {0: [17.0 + off[i]]})]
        half_width = points_of(found, coverage)["half_width"]
        held.append(abs(off[40]) <= half_width)
    assert coverage - 0.04 < np.mean(held) < coverage + 0.06
