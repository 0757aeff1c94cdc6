"""Calibration lines are what logistic regression says, and never wilder than the patients allow."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from scipy.optimize import minimize

from inference.aggregation import mean_logit
from inference.manifest import AGGREGATIONS
from tests.training.evaluations import predictions
from training.errors import TrainingError
from training.statistics.weighting import (
    FITTED,
    N_DRAWS,
    PRIOR,
    Scored,
    bundle_calibration,
    curve_of,
    fit_curve,
    fit_line,
    scored_rows,
    session_logit,
)


def patients(n: int, n_windows: int, seed: int = 0):
    """Return sessions whose windows have a logit of the patient's own plus noise, and their outcomes."""
    rng = np.random.default_rng(seed)
    latent = rng.standard_normal(n)
    good = 1 / (1 + np.exp(-2 * latent)) > rng.random(n)
    return [(z + 2 * rng.standard_normal(n_windows), np.ones(n_windows)) for z in latent], good.tolist()


def calibrate(sessions, labels, seed):
    """Return the curve of one repeat."""
    pairs = enumerate(zip(sessions, labels, strict=True))
    return fit_curve([Scored(str(i), good, 0, 0, *session) for i, (session, good) in pairs], seed)


@given(
    st.lists(st.tuples(st.floats(-20, 20), st.floats(0.1, 1)), min_size=1, max_size=20),
    st.sampled_from(["logit_mean_quality", "prob_mean"]),
)
@example([(-1000.0, 1.0), (-1000.0, 0.5)], "prob_mean")
def test_a_session_s_logit_is_the_bedside_s(windows, aggregation):
    """The mean that is calibrated is the mean that will be calibrated with it (law 1)."""
    scored = [SimpleNamespace(logit=logit, weight=weight) for logit, weight in windows]
    logits, weights = zip(*windows, strict=True)
    with np.errstate(over="raise"):
        found = session_logit(logits, weights, aggregation)
    assert found == pytest.approx(mean_logit(scored, aggregation), abs=1e-6)


def test_a_line_minimises_the_penalised_loss():
    """Against a general optimiser on the same loss."""
    sessions, good = patients(40, 5)
    x, y = np.array([np.mean(logits) for logits, _ in sessions]), np.array(good)
    target = np.where(y, (y.sum() + 1) / (y.sum() + 2), 1 / ((~y).sum() + 2))

    def loss(line):
        z = line[0] * x + line[1]
        return np.sum(np.logaddexp(0, z) - target * z) + PRIOR / 2 * ((line[0] - 1) ** 2 + line[1] ** 2)

    assert fit_line(x, y) == pytest.approx(minimize(loss, [1.0, 0.0], tol=1e-10).x, abs=1e-4)


def test_patients_told_apart_without_error_get_a_finite_slope():
    """Ten that separate do not prove certainty."""
    a, b = fit_line([-3, -2, -1, 1, 2, 3], [False] * 3 + [True] * 3)
    assert 0 < a < 3
    assert abs(b) < 0.1


def test_a_slope_that_would_turn_the_score_around_is_zero():
    """Then the probability is the share of good outcomes, whatever the score."""
    a, b = fit_line([3, 2, 1, -1, -2, -3, -3], [False] * 3 + [True] * 4)
    assert a == 0.0
    assert 1 / (1 + np.exp(-b)) == pytest.approx(4 / 7, abs=0.05)


@given(st.floats(-1e3, 1e3), st.floats(1e-3, 1e3), st.integers(0, 20))
def test_a_line_is_finite_whatever_the_logits(shift: float, scale: float, seed: int):
    """Logits far off, or all but equal, still have a line."""
    rng = np.random.default_rng(seed)
    good = np.arange(20) < 8
    line = fit_line(shift + scale * rng.standard_normal(20), good)
    assert np.isfinite(line).all()
    assert line[0] >= 0


def test_more_windows_are_worth_more_and_the_draws_surround_the_line():
    """The slope grows with n as the mean's noise falls; 200 draws for each n."""
    sessions, good = patients(150, 53)
    curve = calibrate(sessions, good, seed=1)
    assert tuple(curve["n"]) == FITTED
    assert curve["a"][0] < curve["a"][3] < curve["a"][6]
    for key in "ab":
        draws = np.array(curve["draws"][key])
        assert draws.shape == (7, N_DRAWS)
        low, high = np.percentile(draws, [1, 99], axis=1)
        assert (low < curve[key]).all()
        assert (curve[key] < high).all()
    assert calibrate(sessions, good, seed=1) == curve != calibrate(sessions, good, seed=2)


def test_a_number_that_most_patients_do_not_reach_is_left_out():
    """Beyond the last fitted number the bedside holds its value."""
    sessions, good = patients(30, 13)
    assert calibrate(sessions, good, seed=1)["n"] == [1, 2, 3, 6, 12]


def test_a_line_is_of_the_patients_who_have_so_many_windows():
    """What those with five windows say moves the lines up to three alone; among ten patients every draw has a line."""
    sessions, good = patients(40, 12)
    short = [(logits[:5], weights[:5]) if i < 15 else (logits, weights) for i, (logits, weights) in enumerate(sessions)]
    louder = [(3 * logits, weights) if len(logits) < 12 else (logits, weights) for logits, weights in short]
    one, other = (calibrate(some, good, seed=1) for some in (short, louder))
    same = [n for n, a, b in zip(one["n"], one["a"], other["a"], strict=True) if a == b]
    assert (one["n"], same) == ([1, 2, 3, 6, 12], [6, 12])
    assert one["draws"]["a"][-1] == other["draws"]["a"][-1]
    few = calibrate(short[10:20], [i % 2 == 0 for i in range(10)], seed=1)
    assert few["n"][-1] == 12 and np.isfinite(few["draws"]["a"]).all()


def test_looks_at_the_same_patients_are_no_more_patients():
    """Ten repeats of one repeat: the same curves; a prior would weigh less among ten times as many patients."""
    once = [row for row in predictions(30) if row.repeat == 0]
    often = [replace(row, repeat=repeat) for row in once for repeat in range(10)]
    one, other = (bundle_calibration(rows, n_draws=0) for rows in (once, often))
    for aggregation, curve in one.items():
        for key in "nab":
            assert curve[key] == pytest.approx(other[aggregation][key], abs=1e-9)


def test_a_draw_is_of_one_repeat():
    """Two repeats whose networks differ fourfold: the draws come in two heaps, the curve lies between."""
    rows = [replace(row, logit=row.logit * (4 if row.repeat else 1)) for row in predictions(80, spread=3.0)]
    curve = bundle_calibration(rows, n_draws=100)["logit_mean_quality"]
    small, large = np.percentile(curve["draws"]["a"][-1], [10, 90])
    assert large > 2.5 * small
    assert small < curve["a"][-1] < large


def test_a_bundle_s_calibration_is_what_the_bedside_reads():
    """Both aggregations, each number of windows with its draws; the order of the rows leaves no trace."""
    rows = predictions(30)
    found = bundle_calibration(rows, n_draws=20)
    assert tuple(found) == AGGREGATIONS
    for curve in found.values():
        assert curve["n"] == [1, 2, 3, 6, 12]
        line = curve_of(curve).at(12)
        assert (line.a, len(line.draws_a)) == (curve["a"][-1], 20)
    assert bundle_calibration(rows[::-1], n_draws=20) == found


def test_windows_of_no_network_or_of_two_have_no_calibration():
    """A bundle holds one."""
    rows = predictions(20)
    with pytest.raises(TrainingError, match=r"windows of 0 networks \(none\), expected one"):
        scored_rows([row for row in rows if row.unit == "patient"])
    with pytest.raises(TrainingError, match=r"2 networks \(lstm-bands, lstm-raw\)"):
        scored_rows([*rows, *(replace(row, model="lstm-raw") for row in rows if row.unit == "window")])


def test_one_outcome_alone_has_no_calibration():
    """There is nothing to fit."""
    rows = [row for row in predictions(20) if row.label]
    with pytest.raises(TrainingError, match="needs patients of both outcomes"):
        bundle_calibration(rows)
