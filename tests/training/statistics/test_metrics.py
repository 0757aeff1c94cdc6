"""Figures against their definitions, scikit-learn and other ways to have them."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score, f1_score, precision_score, recall_score

from training.statistics.logistic import sigmoid
from training.statistics.metrics import (
    accuracy,
    bootstrapped,
    calibration_intercept,
    calibration_slope,
    chance_bar,
    f1,
    macro,
    precision,
    recall,
    reliability,
    resamples,
)

CALLS = st.lists(st.tuples(st.booleans(), st.booleans()), min_size=1, max_size=30)


@settings(deadline=None)
@given(CALLS)
def test_calls_are_judged_as_scikit_learn_judges_them(calls):
    """Of the good outcome and as the mean of both; what has no patients is 0."""
    good, called = (np.array(column) for column in zip(*calls, strict=True))
    assert accuracy(good, called) == pytest.approx(accuracy_score(good, called))
    ours, theirs = (recall, precision, f1), (recall_score, precision_score, f1_score)
    for one, other in zip(ours, theirs, strict=True):
        assert one(good, called) == pytest.approx(other(good, called, zero_division=0))
        both = other(good, called, labels=[False, True], average="macro", zero_division=0)
        assert macro(one, good, called) == pytest.approx(both)


def test_the_paper_s_row_comes_back_from_25_calls():
    """Its LSTM has .68, .6833, .6753, .6763: 7 of 10 and 10 of 15 called right, as macro averages."""
    good = np.arange(25) < 10
    called = np.where(good, np.arange(25) < 7, np.arange(25) >= 20)
    found = (accuracy(good, called), *(macro(one, good, called) for one in (recall, f1, precision)))
    assert [round(float(figure), 4) for figure in found] == [0.68, 0.6833, 0.6753, 0.6763]


def test_the_chance_bar_of_thirteen_patients_is_nine():
    """A guesser lies above nine of thirteen in one of twenty such cohorts, and above eight more often."""
    assert chance_bar(13) == 9 / 13
    tails = [sum(math.comb(13, k) for k in range(above + 1, 14)) / 2**13 for above in (8, 9)]
    assert tails[1] <= 0.05 < tails[0]
    assert chance_bar(13, 8 / 13) > chance_bar(13)


def test_slope_and_intercept_are_a_logistic_regression_s():
    """The slope against scikit-learn without a penalty; the intercept makes the mean right with the slope at 1."""
    rng = np.random.default_rng(0)
    log_odds = 2 * rng.standard_normal(80)
    good = rng.random(80) < sigmoid(0.5 * log_odds - 0.4)
    model = LogisticRegression(C=1e8, tol=1e-10).fit(log_odds[:, np.newaxis], good)
    assert calibration_slope(good, log_odds).value == pytest.approx(model.coef_[0, 0], abs=1e-4)
    shift = calibration_intercept(good, log_odds).value
    assert sigmoid(log_odds + shift).mean() == pytest.approx(good.mean(), abs=1e-9)


def test_slope_and_intercept_find_what_was_done_to_honest_log_odds():
    """Doubled they have slope one half, raised by 1 they have intercept -1."""
    rng = np.random.default_rng(1)
    honest = 1.5 * rng.standard_normal(40_000)
    good = rng.random(40_000) < sigmoid(honest)
    assert calibration_slope(good, 2 * honest).value == pytest.approx(0.5, abs=0.02)
    assert calibration_intercept(good, honest + 1).value == pytest.approx(-1.0, abs=0.05)


def test_looks_at_the_same_patients_do_not_narrow_an_interval():
    """Five copies of every row are the same patients: same figures, same intervals."""
    rng = np.random.default_rng(2)
    log_odds = 2 * rng.standard_normal(60)
    good = rng.random(60) < sigmoid(log_odds)
    for figure in (calibration_slope, calibration_intercept):
        once, often = figure(good, log_odds), figure(good, np.tile(log_odds, (5, 1)))
        assert (often.value, often.low, often.high) == pytest.approx((once.value, once.low, once.high), abs=1e-6)


def test_intervals_of_a_calibration_line_cover_the_truth():
    """300 cohorts whose log-odds are twice too large, each patient seen twice with noise between the looks."""
    rng, hits = np.random.default_rng(3), 0
    for _ in range(300):
        honest = 1.5 * rng.standard_normal(80)
        found = calibration_slope(rng.random(80) < sigmoid(honest), np.stack([2 * honest, 2 * honest]))
        hits += found.low <= 0.5 <= found.high
    assert 0.9 <= hits / 300 <= 0.99


def test_one_number_for_all_has_no_slope():
    """Rounding is not a reason to print one; patients told apart without an error are held at the most."""
    good = np.arange(20) % 2 == 0
    assert np.isnan(calibration_slope(good, np.where(good, 0.30, 0.31)).value)
    assert np.isnan(calibration_slope(np.ones(20, bool), np.arange(20)).value)
    assert np.isnan(calibration_intercept(np.ones(20, bool), np.arange(20)).value)
    apart = calibration_slope(good, np.where(good, 0.2, -0.2))
    assert apart.value == 10.0 and np.isnan(apart.low) and "at its bound" in apart.method


def test_resamples_keep_the_outcomes():
    """Each has as many good and poor patients as the cohort."""
    good = np.array([True] * 7 + [False] * 3)
    chosen = resamples(good, seed=0, n=50)
    assert (good[chosen].sum(axis=1) == 7).all()
    assert len(np.unique(chosen, axis=0)) > 40


def test_a_bootstrap_interval_is_as_wide_as_the_binomial_s():
    """60 right of 80 calls: the standard error is known."""
    right = np.arange(80) < 60
    good = np.arange(80) % 2 == 0
    figure = bootstrapped(lambda chosen: right[chosen].mean(axis=-1), good, seed=0, method="share")
    assert figure.value == 0.75
    assert (figure.high - figure.low) / 3.92 == pytest.approx(np.sqrt(0.75 * 0.25 / 80), rel=0.1)
    assert figure.method == "share; bootstrap over patients, within outcome, 2000 draws"


def test_a_statistic_that_some_resamples_lack_has_no_interval():
    """The value stands alone then."""
    good = np.arange(8) % 2 == 0
    figure = bootstrapped(lambda chosen: np.where((chosen == 0).any(axis=-1), 1.0, np.nan), good, seed=0)
    assert figure.to_json() == {"value": 1.0, "low": None, "high": None, "method": figure.method}


def test_reliability_counts_every_patient_once():
    """Bins by what was promised; empty ones are left out; the interval holds what came."""
    p = np.array([0.05, 0.1, 0.5, 0.55, 1.0])
    rows = reliability([False, True, True, False, True], p)
    assert [(row["n"], row["observed"]) for row in rows] == [(2, 0.5), (2, 0.5), (1, 1.0)]
    assert rows[0]["p"] == pytest.approx(0.075)
    assert all(row["low"] <= row["observed"] <= row["high"] for row in rows)
