"""Many small regressions at once give what scikit-learn gives for each."""

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from training.statistics.logistic import fit_lines, fit_ridge, sigmoid

#: No penalty to speak of.
FREE = 1e8


def cohort(n=60, n_features=1, seed=0):
    """Return features and outcomes that hang together."""
    rng = np.random.default_rng(seed)
    features = rng.standard_normal((n, n_features))
    return features, rng.random(n) < sigmoid(features.sum(axis=1) / np.sqrt(n_features) + 0.3)


def test_lines_are_scikit_learn_s_for_each_row():
    """Three cohorts in one call."""
    rows = [cohort(seed=seed) for seed in range(3)]
    lines = fit_lines(np.stack([x[:, 0] for x, _ in rows]), np.stack([good for _, good in rows]))
    for line, (x, good) in zip(lines, rows, strict=True):
        model = LogisticRegression(C=FREE, tol=1e-10, max_iter=1000).fit(x, good)
        assert line == pytest.approx([model.coef_[0, 0], model.intercept_[0]], abs=1e-4)


def test_weights_count_patients():
    """A patient of weight two is two patients."""
    x, good = cohort()
    weights = np.where(np.arange(len(x)) % 3 == 0, 2.0, 1.0)
    twice = np.repeat(np.arange(len(x)), weights.astype(int))
    assert fit_lines(x[:, 0], good, weights) == pytest.approx(fit_lines(x[twice, 0], good[twice]), abs=1e-9)


def test_patients_told_apart_without_error_do_not_stop_the_rest():
    """A row without an answer ends somewhere finite; its neighbour has its own answer."""
    x, good = cohort()
    both = fit_lines(np.stack([x[:, 0], x[:, 0]]), np.stack([x[:, 0] > 0, good]))
    assert np.isfinite(both).all()
    assert both[1] == pytest.approx(fit_lines(x[:, 0], good), abs=1e-8)


@pytest.mark.parametrize(("n", "n_features", "c"), [(40, 128, 1 / 128), (60, 5, 1.0), (30, 64, 0.1)])
def test_a_ridge_is_scikit_learn_s_for_each_outcome(n, n_features, c):
    """More features than patients, or fewer; several outcomes on one table."""
    features, good = cohort(n, n_features)
    worlds = np.stack([good, np.random.default_rng(1).permutation(good)])
    coefficients, intercepts = fit_ridge(features, worlds, c)
    for world, row, intercept in zip(worlds, coefficients, intercepts, strict=True):
        model = LogisticRegression(C=c, tol=1e-10, max_iter=10_000).fit(features, world)
        assert row == pytest.approx(model.coef_[0], abs=1e-5)
        assert intercept == pytest.approx(model.intercept_[0], abs=1e-5)
