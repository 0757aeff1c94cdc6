"""Calibration: from the mean logit of n windows to a probability and its interval."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from inference.bundle import Bundle
from inference.calibration import Calibration, interval_of, sigmoid
from tests.inference import tiny


@pytest.fixture
def curve(bundle: Bundle) -> Calibration:
    """Return the tiny bundle's curve: a = 1 - 0.5/n, b = 0.1/n, straight in 1/n by its making."""
    return bundle.model.calibration["logit_mean_quality"]


@pytest.mark.parametrize("i", range(len(tiny.FITTED)))
def test_a_fitted_number_gets_its_own_line(curve: Calibration, i: int) -> None:
    """At 1, 2, 3, 6, 12, 24 and 53 windows the fitted values come back, draws too."""
    line = curve.at(tiny.FITTED[i])
    assert (line.a, line.b) == (curve.a[i], curve.b[i])
    assert tuple(line.draws_a) == curve.draws_a[i] and tuple(line.draws_b) == curve.draws_b[i]


@given(st.floats(1.0, 53.0))
def test_between_fitted_numbers_it_runs_straight_in_one_over_n(n: float) -> None:
    """A curve that is straight in 1/n is met everywhere, broken numbers too."""
    fitted = tiny.calibration()
    draws = fitted["draws"]
    as_rows = [tuple(map(tuple, draws[key])) for key in "ab"]
    line = Calibration(tuple(fitted["n"]), tuple(fitted["a"]), tuple(fitted["b"]), *as_rows).at(n)
    assert line.a == pytest.approx(1.0 - 0.5 / n, abs=1e-12)
    assert line.b == pytest.approx(0.1 / n, abs=1e-12)
    assert line.draws_a[0] == pytest.approx(1.0 - 0.7 / n, abs=1e-12)


@pytest.mark.parametrize(("n", "held"), [(0.5, 0), (1, 0), (53, -1), (54, -1), (5000, -1)])
def test_below_the_first_and_beyond_the_last_it_is_held(curve: Calibration, n: float, held: int) -> None:
    """No curve is drawn beyond what was fitted."""
    assert curve.at(n).a == curve.a[held]


def test_a_single_fitted_number_holds_everywhere() -> None:
    """An fMRI bundle may have one line alone."""
    curve = Calibration((1.0,), (2.0,), (0.5,), ((2.0,),), ((0.5,),))
    assert {curve.at(n).log_odds(1.0) for n in (0.5, 1, 7, 300)} == {2.5}


@given(st.floats(-800, 800))
def test_the_sigmoid_never_overflows(x: float) -> None:
    """Any logit gives a probability, and its mirror image the rest."""
    assert 0.0 <= sigmoid(x) <= 1.0
    assert sigmoid(x) + sigmoid(-x) == pytest.approx(1.0)
    if abs(x) < 30:
        assert sigmoid(x) == pytest.approx(1 / (1 + math.exp(-x)))


def test_the_interval_is_the_middle_nine_tenths_of_the_draws() -> None:
    """5th and 95th percentile, as probabilities."""
    low, high = interval_of(np.linspace(-1.0, 1.0, 201))
    assert [low, high] == pytest.approx([sigmoid(-0.9), sigmoid(0.9)])
