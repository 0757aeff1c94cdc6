"""Intervals: how far a figure of a session could lie off, from the spread between its trials.

Trials are the unit that is resampled, never samples, which are not independent. The draws are fixed, so that the same
folder gives the same report.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy import stats

#: Share of the cases in which an interval is to hold the true value.
LEVEL = 0.95
#: With five values no interval between two of them holds the median in 95 % of the cases (1 - 2 * 0.5**5 = 0.94).
MIN_TRIALS = 6
#: Draws of a bootstrap; the bounds of a 95 % interval then move by about a twentieth of its width between seeds.
N_RESAMPLES = 2000
#: Any number; always the same one.
_SEED = 20_240_229


def resamples(n_trials: int) -> NDArray[np.intp]:
    """Return the trials of each draw with replacement, shape (N_RESAMPLES, n_trials)."""
    return np.random.default_rng(_SEED).integers(0, n_trials, (N_RESAMPLES, n_trials))


def interval(replicates: NDArray[np.float64]) -> tuple[float, float]:
    """Return the percentile interval of what each draw gave (Efron and Tibshirani 1993, chapter 13)."""
    low, high = np.quantile(replicates, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return float(low), float(high)


def jackknife(whole: float, without_each: NDArray[np.float64]) -> tuple[float, float]:
    """Return the interval of a figure from its values without each of the trials in turn.

    Parameters
    ----------
    whole : float
        Of all trials, on a scale on which it is about normal.
    without_each : ndarray, shape (n_trials,)
        The same figure without one of them.
    """
    n = len(without_each)
    error = np.sqrt((n - 1) / n * np.sum((without_each - without_each.mean()) ** 2))
    reach = float(stats.t.ppf((1 + LEVEL) / 2, n - 1) * error)
    return whole - reach, whole + reach


def mapped(bounds: tuple[float, float], back: Callable[[float], float]) -> tuple[float, float]:
    """Return an interval on another scale."""
    return back(bounds[0]), back(bounds[1])
