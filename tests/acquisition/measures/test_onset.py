"""Onset: a known delay comes back; noise, spikes and a muscle that is never at rest give none."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from acquisition.measures.onset import ACTIVE, NO_ONSET, first_rise, onset
from tests.acquisition.measures.conftest import by_phase

N = 8
FLEXOR = {"preparation": 1, "flexion": 10, "rest": 1, "extension": 1}
EXTENSOR = {"preparation": 1, "flexion": 1, "rest": 1, "extension": 10}


def muscle(levels, delay=0, seed=0):
    """Noise of a level that follows the phases, so many samples late."""
    level = by_phase(N, levels, delay)
    level[:delay] = levels["preparation"]
    return level * np.random.default_rng(seed).normal(size=N * 10_000)


def thigh(session, bf, vm=None):
    """A session of the four muscles; those that are not given follow their cue at once."""
    vm = muscle(EXTENSOR, 100, 2) if vm is None else vm
    return session(BF=bf, ST=muscle(FLEXOR, 100, 3), RF=muscle(EXTENSOR, 100, 4), VM=vm)


@pytest.mark.parametrize("delay", [120, 300, 800])
def test_a_known_delay_comes_back(session, delay):
    """Each agonist in its own movement, within 10 ms."""
    rows = onset(thigh(session, muscle(FLEXOR, delay), muscle(EXTENSOR, delay, 5)))
    assert [(r.subject.site, r.subject.phase) for r in rows] == [
        ("BF", "flexion"), ("ST", "flexion"), ("RF", "extension"), ("VM", "extension"),
    ]  # fmt: skip
    assert rows[0].value == pytest.approx(delay, abs=10) and rows[3].value == pytest.approx(delay, abs=10)
    assert all((row.n_trials, row.left_out, row.subject.unit) == (N, {}, "ms") for row in rows)


def test_trials_without_an_onset_are_counted(session):
    """Two trials in which the muscle stays at rest: six latencies, two of `no onset`."""
    bf = muscle(FLEXOR, 200)
    bf[2_000:6_000] = bf[2_000:6_000].clip(-1, 1)
    bf[12_000:16_000] = bf[12_000:16_000].clip(-1, 1)
    row = onset(thigh(session, bf))[0]
    assert (row.n_trials, row.left_out) == (6, {NO_ONSET: 2})
    assert row.value == pytest.approx(200, abs=10)


def test_a_muscle_that_is_active_at_the_cue_has_no_latency(session):
    """It began before the cue, in the second that says what rest is not long enough to hide it."""
    bf = muscle(FLEXOR, 200)
    for trial in (3, 5):
        start = trial * 10_000 + 1_960
        bf[start : start + 400] = 40 * np.sin(np.arange(400))
    row = onset(thigh(session, bf))[0]
    assert (row.n_trials, row.left_out) == (6, {ACTIVE: 2})


def test_a_spike_is_no_onset(session):
    """An electrode that pops for 5 ms between cue and contraction is passed over."""
    bf = muscle(FLEXOR, 300)
    for trial in range(N):
        bf[trial * 10_000 + 2_100 : trial * 10_000 + 2_105] = 8.0
    assert onset(thigh(session, bf))[0].value == pytest.approx(300, abs=10)


def test_a_muscle_that_is_not_there_is_named(session):
    """A montage without EMG has no onset, and says which channel it lacks."""
    rows = onset(session(C3=np.zeros(20_000)))
    assert [row.missing for row in rows] == [f"the montage has no channel {m}" for m in ("BF", "ST", "RF", "VM")]


@given(st.integers(0, 2_000), st.integers(1, 100))
def test_the_first_rise_is_the_first_that_lasts(start, length):
    """A plateau of 25 samples and more is found at its first one, a shorter one never."""
    movement = np.ones(2_200)
    movement[start : start + length] = 100.0
    rest = 1 + 0.1 * np.sin(np.arange(1_000))
    assert first_rise(rest, movement, 1000.0) == (start if length >= 25 else None)
