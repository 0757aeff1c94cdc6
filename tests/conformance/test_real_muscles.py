"""Real muscles begin before the knee moves, and our conditioning leaves them where they were."""

from __future__ import annotations

import numpy as np
import pytest

from tests.conformance.muscles import EXERCISES, read, shifts_ms

pytestmark = pytest.mark.conformance

SIT, STAND = EXERCISES
#: What conditioning may move an onset by, in ms.
MOST_MS = 10.0


@pytest.mark.parametrize("exercise", EXERCISES, ids=lambda exercise: exercise.file)
def test_conditioning_moves_no_onset_by_more_than_ten_milliseconds(shared_data, exercise):
    """The median over the movements of each agonist, found before and after in most of them."""
    recorded = read(shared_data, exercise)
    assert recorded.raw_uv.shape == recorded.conditioned_uv.shape
    for muscle in exercise.agonists:
        before, after = recorded.lags_ms(muscle)
        moved = shifts_ms(before, after)
        assert len(moved) > len(before) / 2, muscle
        assert abs(np.median(moved)) <= MOST_MS, muscle


@pytest.mark.parametrize("exercise", EXERCISES, ids=lambda exercise: exercise.file)
def test_conditioning_delays_every_envelope_alike(shared_data, exercise):
    """In each movement of each agonist, with an onset or without, by ten milliseconds at most."""
    recorded = read(shared_data, exercise)
    for muscle in exercise.agonists:
        delays = recorded.delays_ms(muscle)
        assert len(delays) == len(recorded.starts)
        assert all(0 <= delay <= MOST_MS for delay in delays), muscle


def test_every_single_onset_of_the_extensors_stays(shared_data):
    """From rest, as the paradigm has it, each of the four onsets of both muscles moves by 10 ms at most."""
    recorded = read(shared_data, SIT)
    assert len(recorded.starts) == 4
    for muscle in SIT.agonists:
        moved = shifts_ms(*recorded.lags_ms(muscle))
        assert len(moved) == 4
        assert np.abs(moved).max() <= MOST_MS, muscle


def test_the_extensors_fire_before_the_knee_extends(shared_data):
    """By 50 to 250 ms, as force has to be built first, and within 60 ms of each other from movement to movement."""
    recorded = read(shared_data, SIT)
    for muscle in SIT.agonists:
        for lags in recorded.lags_ms(muscle):
            assert all(-250 <= lag <= -50 for lag in lags), muscle
            assert max(lags) - min(lags) <= 60, muscle
