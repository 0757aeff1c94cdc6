"""Intervals: they hold the true value as often as they say, and are the same for the same trials."""

from __future__ import annotations

import numpy as np

from acquisition.measures.intervals import LEVEL, MIN_TRIALS, interval, jackknife, mapped, resamples


def test_the_draws_are_the_same_every_time():
    """The same folder gives the same report."""
    assert np.array_equal(resamples(7), resamples(7))
    assert resamples(7).min() == 0 and resamples(7).max() == 6


def test_the_interval_of_a_median_holds_it_as_often_as_it_says():
    """400 sessions of 25 skewed trials: the true median lies in about 95 % of the intervals."""
    sessions = np.random.default_rng(1).exponential(size=(400, 25))
    bounds = np.array([interval(np.median(trials[resamples(25)], axis=1)) for trials in sessions])
    held = np.mean((bounds[:, 0] <= np.log(2)) & (np.log(2) <= bounds[:, 1]))
    assert 0.91 <= held <= 0.98


def test_the_jackknife_of_a_mean_is_its_t_interval():
    """For a mean the jackknife is the textbook's interval, exactly."""
    x = np.random.default_rng(2).normal(size=12)
    without = (x.sum() - x) / 11
    low, high = jackknife(float(x.mean()), without)
    error = x.std(ddof=1) / np.sqrt(12)
    assert np.allclose([low, high], [x.mean() - 2.200985 * error, x.mean() + 2.200985 * error], atol=1e-6)
    assert mapped((1.0, 2.0), lambda z: 10 * z) == (10.0, 20.0)


def test_fewer_trials_than_the_least_cannot_carry_the_level():
    """With one trial fewer even the widest interval, from the least to the largest, holds the median less often."""
    assert 1 - 2 * 0.5**MIN_TRIALS >= LEVEL > 1 - 2 * 0.5 ** (MIN_TRIALS - 1)
