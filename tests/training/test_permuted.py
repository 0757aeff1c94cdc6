"""On outcomes dealt anew there is nothing to find, and the control would see it if patients leaked."""

import numpy as np
import pytest

from training.permuted import permuted_control


def cohort(effect, n=60, n_features=40, seed=0):
    """Return features of which a quarter know the outcome, outcomes, and five folds."""
    rng = np.random.default_rng(seed)
    good = np.arange(n) % 2 == 0
    features = rng.standard_normal((n, n_features))
    features[:, : n_features // 4] += effect * good[:, np.newaxis]
    dealt = rng.permutation(n) % 5
    return features, good, [(np.flatnonzero(dealt != k), np.flatnonzero(dealt == k)) for k in range(5)]


def test_an_effect_stands_out_and_its_absence_does_not():
    """The mean on permuted outcomes is one half; without an effect so is the true one, within chance."""
    null, easy = (permuted_control(*cohort(effect), n=100) for effect in (0.0, 1.0))
    for found in (null, easy):
        assert found.mean == pytest.approx(0.5, abs=0.03)
        assert found.n == len(found.values) == 100
        assert 0.03 < found.sd < 0.15
    assert abs(null.z) < 3.5 < easy.z
    assert easy.observed > 0.8


def test_z_is_about_standard_normal_where_there_is_no_effect():
    """Over 30 cohorts without an effect."""
    z = [permuted_control(*cohort(0.0, seed=seed), n=40).z for seed in range(30)]
    assert abs(np.mean(z)) < 0.6
    assert 0.6 < np.std(z) < 1.5


def test_a_leak_is_seen():
    """Patients that are fitted and judged: the mean on permuted outcomes is far from one half."""
    features, good, folds = cohort(0.0)
    found = permuted_control(features, good, [(np.arange(len(good)), test) for _, test in folds], n=20)
    assert found.mean > 0.8


def test_a_deal_that_leaves_one_outcome_to_judge_is_not_counted():
    """Three patients judge: in about a quarter of the deals they are all of one outcome."""
    features, good, _ = cohort(0.0, n=20)
    found = permuted_control(features, good, [(np.arange(3, 20), np.arange(3))], n=100)
    assert 50 < found.n < 95
    assert np.isfinite([found.mean, found.sd, found.z]).all()


def test_deals_without_a_spread_have_no_z():
    """Two patients judge, and always come out the same way."""
    found = permuted_control(np.zeros((20, 3)), np.arange(20) % 2 == 0, [(np.arange(2, 20), np.arange(2))], n=30)
    assert found.mean == 0.5
    assert np.isnan(found.z)
