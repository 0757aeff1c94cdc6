"""Co-contraction: what share of the work is done against each other comes back, whatever the electrodes' gains."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from acquisition.measures.cocontraction import cocontraction, index
from tests.acquisition.measures.conftest import by_phase

N = 8
positive = arrays(np.float64, 50, elements=st.floats(0.01, 100))


def thigh(against, gains=(1, 1, 1, 1), n_trials=N):
    """Four muscles: each at 10 in its own movement, and at so much of it in the other one."""
    flexors = {"preparation": 0.1, "flexion": 10, "rest": 0.1, "extension": 10 * against}
    extensors = {"preparation": 0.1, "flexion": 10 * against, "rest": 0.1, "extension": 10}
    noise = np.random.default_rng(0).normal(size=(4, n_trials * 10_000))
    return {
        muscle: gain * by_phase(n_trials, levels) * own
        for muscle, gain, levels, own in zip(
            ("BF", "ST", "RF", "VM"), gains, (flexors, flexors, extensors, extensors), noise, strict=True
        )
    }


@pytest.mark.parametrize("against", [0.05, 0.3, 0.6])
def test_a_known_co_contraction_comes_back(session, against):
    """An antagonist at the share c of the agonist gives 2c / (1 + c), within two points."""
    for row in cocontraction(session(**thigh(against))):
        assert row.value == pytest.approx(100 * 2 * against / (1 + against), abs=2.0)
        assert (row.n_trials, row.left_out, row.subject.unit) == (N, {}, "%")


def test_the_gain_of_an_electrode_does_not_matter(session):
    """Each muscle is held against itself."""
    plain = [row.value for row in cocontraction(session(**thigh(0.3)))]
    scaled = [row.value for row in cocontraction(session(**thigh(0.3, gains=(10, 0.2, 3, 1))))]
    assert scaled == pytest.approx(plain, abs=1e-3)


@given(positive, positive)
def test_the_index_lies_between_nothing_and_all(extensors, flexors):
    """0 to 100, the same either way round, 100 for equal sides."""
    assert 0.0 <= index(extensors, flexors) <= 100.0 + 1e-9
    assert index(extensors, flexors) == pytest.approx(index(flexors, extensors))
    assert index(extensors, extensors) == pytest.approx(100.0)


def test_sides_that_take_turns_do_not_work_against_each_other():
    """No moment in common, no co-contraction."""
    assert index(np.array([1.0, 0.0]), np.array([0.0, 1.0])) == 0.0


def test_both_movements_are_needed_for_the_scale(session):
    """Too few trials of either, or a muscle that is not there: words for both movements."""
    short = cocontraction(session(**thigh(0.3, n_trials=5)))
    assert {row.missing for row in short} == {"not enough trials: 5 of 6 in flexion, 5 of 6 in extension"}
    lacking = cocontraction(session(BF=np.zeros(10_000)))
    assert [row.missing for row in lacking] == ["the montage has no channel ST, RF, VM"] * 2
