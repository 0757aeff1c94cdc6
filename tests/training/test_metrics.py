"""Figures against their definitions and against published values."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from training.metrics import Figure, auc, auc_bootstrap, auc_delong, brier

LABELS = [True, True, True, False, False]


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
    assert auc_delong(LABELS, [1] * 5) == Figure(0.5, 0.5, 0.5)


def test_brier_is_the_mean_squared_error():
    """A fair coin's is a quarter."""
    assert brier([True, False], [0.5, 0.5]) == 0.25
    assert brier([True, False], [1.0, 0.0]) == 0.0


def test_a_figure_is_printed_with_its_interval():
    """No number stands alone."""
    assert str(Figure(0.8123, 0.7, 0.9)) == "0.81 (0.70 to 0.90)"
