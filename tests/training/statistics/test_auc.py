"""The AUC, its intervals and its differences, against their definitions and against other ways to have them."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from numpy.typing import NDArray
from scipy import stats
from sklearn.metrics import roc_auc_score, roc_curve

from training.statistics.auc import auc, auc_bootstrap, auc_delong, aucs, difference, ranked, roc

LABELS = [True, True, True, False, False]
#: Few values, so that rows have ties.
RANKED = (-np.inf, -1.0, 0.0, 0.5, 2.0, np.inf, np.nan)


@settings(deadline=None)
@given(st.lists(st.tuples(st.booleans(), st.integers(0, 5)), min_size=2, max_size=40))
def test_the_auc_is_the_share_of_pairs_that_are_in_order(patients):
    """Counted pair by pair, a tie half."""
    labels, scores = zip(*patients, strict=True)
    good = [s for g, s in patients if g]
    poor = [s for g, s in patients if not g]
    if not good or not poor:
        return
    pairs = [(g > p) + 0.5 * (g == p) for g in good for p in poor]
    assert auc(labels, scores) == pytest.approx(np.mean(pairs))


def test_one_outcome_alone_has_no_auc():
    """There is nothing to tell apart."""
    with pytest.raises(ValueError, match="needs patients of both outcomes, got 3 good of 3"):
        auc([True] * 3, [1, 2, 3])


def test_delong_s_interval_by_hand():
    """Placements 1, 1, 0.5 and 1, 2/3 have variances 1/12 and 1/18."""
    figure = auc_delong(LABELS, [5, 4, 2, 1, 3])
    assert figure.value == pytest.approx(5 / 6)
    half = 1.96 * np.sqrt((1 / 12) / 3 + (1 / 18) / 2)
    assert figure.low == pytest.approx(5 / 6 - half, abs=1e-3)
    assert figure.high == 1.0


def test_intervals_cover_the_truth_about_as_often_as_they_say():
    """200 cohorts of known AUC: both 95 % intervals hold it in 89 to 99 % of them."""
    rng, truth, hits = np.random.default_rng(0), 0.8555, np.zeros(2)
    for i in range(200):
        labels = np.arange(60) < 35
        scores = rng.standard_normal(60) + 1.5 * labels
        figures = (auc_delong(labels, scores), auc_bootstrap(labels, scores, i) if i < 60 else None)
        hits += [f is not None and f.low <= truth <= f.high for f in figures]
    assert 0.89 <= hits[0] / 200 <= 0.99
    assert 0.87 <= hits[1] / 60 <= 1.0


def test_a_constant_score_is_chance():
    """Ties are half right."""
    figure = auc_delong(LABELS, [1] * 5)
    assert (figure.value, figure.low, figure.high) == (0.5, 0.5, 0.5)


def test_patients_told_apart_without_an_error_are_still_few():
    """Seven good and six poor: six pairs that share nobody are all in order once in 40 at an AUC of 0.54."""
    labels = np.arange(13) < 7
    right, wrong = auc_delong(labels, -np.arange(13)), auc_delong(labels, np.arange(13))
    assert (right.value, right.low, right.high) == (1.0, pytest.approx(0.5407, abs=1e-4), 1.0)
    assert (wrong.value, wrong.low, wrong.high) == (0.0, 0.0, pytest.approx(0.4593, abs=1e-4))
    assert "disjoint pairs" in right.method
    assert np.isnan(auc_bootstrap(labels, -np.arange(13), seed=0).low)


def test_one_patient_of_an_outcome_has_no_interval():
    """How far the next one would lie from it nobody knows."""
    labels, scores = np.arange(12) == 5, np.arange(12)
    for found in (
        auc_delong(labels, scores),
        auc_bootstrap(labels, scores, 0),
        difference(labels, scores, -scores, 0).figure,
    ):
        assert np.isfinite(found.value)
        assert np.isnan([found.low, found.high]).all() and "no interval" in found.method


def test_a_difference_without_variance_is_bounded_by_the_one_model_or_not_at_all():
    """A model without an error beside one number for everybody, either way round; and beside another without one."""
    labels, best = np.arange(13) < 7, -np.arange(13)
    to_one, from_one = (difference(labels, *pair, 0) for pair in ((best, np.zeros(13)), (np.zeros(13), best)))
    for found, ends in ((to_one, (0.5, 0.0407, 0.5)), (from_one, (-0.5, -0.5, -0.0407))):
        assert (found.figure.value, found.figure.low, found.figure.high) == pytest.approx(ends, abs=1e-4)
        assert found.p_delong is None and found.p_permutation < 0.01
    other = difference(labels, best, np.where(labels, -best, -best - 20), 0)
    assert (other.figure.value, other.p_delong) == (0.0, 1.0) and np.isnan(other.figure.low)


def cohort(n=50, shift=1.0, seed=0):
    """Return outcomes and the scores of two models that share half of what they see."""
    rng = np.random.default_rng(seed)
    good, shared = rng.random(n) < 0.55, rng.standard_normal(n)
    return good, *(shift * good + shared + rng.standard_normal(n) for _ in range(2))


def test_many_rows_have_scikit_learn_s_auc_each():
    """Ties included; a row of one outcome has none."""
    good, first, second = cohort()
    rows = np.stack([first, second.round()])
    assert aucs(good, rows) == pytest.approx([roc_auc_score(good, row) for row in rows])
    assert np.isnan(aucs(np.stack([good, np.ones_like(good)]), first)).tolist() == [False, True]


def test_delong_s_difference_has_the_spread_of_resampled_patients():
    """The error from covariances of placements is the bootstrap's, within a tenth."""
    good, first, second = cohort(n=120)
    found = difference(good, first, second, seed=0)
    rng = np.random.default_rng(0)
    members = [np.flatnonzero(good == outcome) for outcome in (True, False)]
    chosen = np.concatenate([m[rng.integers(0, len(m), (3000, len(m)))] for m in members], axis=1)
    drawn = aucs(good[chosen], first[chosen]) - aucs(good[chosen], second[chosen])
    assert found.figure.value == pytest.approx(roc_auc_score(good, first) - roc_auc_score(good, second))
    assert (found.figure.high - found.figure.low) / 3.92 == pytest.approx(drawn.std(), rel=0.1)


@given(arrays(np.float64, array_shapes(min_dims=1, max_dims=3, min_side=1), elements=st.sampled_from(RANKED)))
def test_ranks_are_scipy_s(values: NDArray[np.float64]):
    """Ties share theirs, infinities are values, and a row with a NaN has none."""
    assert np.array_equal(ranked(values), stats.rankdata(values, axis=-1), equal_nan=True)


def test_tests_of_a_difference_are_fair_where_there_is_none():
    """Of 100 cohorts with two models of one quality, about one in twenty has a p below 0.05, by either test."""
    found = [difference(*cohort(seed=seed), seed=seed) for seed in range(100)]
    assert 0 <= sum(one.p_delong < 0.05 for one in found) <= 12
    assert 0 <= sum(one.p_permutation < 0.05 for one in found) <= 12


def test_both_tests_see_a_model_that_is_better():
    """The second one guesses."""
    good, first, _ = cohort(n=100, shift=2.0)
    found = difference(good, first, np.random.default_rng(9).standard_normal(100), seed=1)
    assert found.figure.low > 0.0
    assert found.p_delong < 0.01
    assert found.p_permutation < 0.01


def test_a_model_does_not_differ_from_itself():
    """Nor from itself in another unit, which ranks alike."""
    good, first, _ = cohort()
    for other in (first, 3 * first - 1):
        found = difference(good, first, other, seed=1)
        assert (found.figure.value, found.p_delong, found.p_permutation) == (0.0, 1.0, 1.0)


def test_the_curve_is_scikit_learn_s_and_lies_in_its_band():
    """From nobody called good to everybody."""
    good, first, _ = cohort()
    curve = roc(good, first.round(1), seed=3)
    fpr, tpr, _ = roc_curve(good, first.round(1), drop_intermediate=False)
    assert curve["fpr"] == pytest.approx(fpr)
    assert curve["tpr"] == pytest.approx(tpr)
    assert np.trapezoid(curve["tpr"], curve["fpr"]) == pytest.approx(roc_auc_score(good, first.round(1)))
    assert all(low <= high for low, high in zip(curve["low"], curve["high"], strict=True))
