"""The band-power baseline: how much power each band of each channel has and how far it moves, and one logistic line.

What a network over the same tokens must beat (law 9). There are more features than patients, so the line is held short.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from training.statistics.logistic import fit_ridge

if TYPE_CHECKING:
    from training.data.windows import PatientWindows

#: Variance of the log-odds over patients before anything is known. The features share it evenly, so that the line is
#: as short whatever the number of channels.
PRIOR_VARIANCE = 1.0
#: Least standard deviation of a feature in natural logarithms of power: what varies less is rounding.
LEAST_SD = 1e-6

Floats = NDArray[np.float64]


def band_powers(windows: PatientWindows) -> Floats:
    """Return a patient's features: mean and standard deviation of every band token over the session.

    Parameters
    ----------
    windows : PatientWindows
        A patient's windows; each counts by its quality weight.

    Returns
    -------
    ndarray, shape (2 * n_tokens,), float64
        Means, then deviations, of log power.
    """
    tokens = np.asarray(windows.tokens, np.float64)
    shares = windows.weights / windows.weights.sum()
    mean = np.tensordot(shares, tokens.mean(axis=1), 1)
    variance = np.tensordot(shares, ((tokens - mean) ** 2).mean(axis=1), 1)
    return np.concatenate([mean, np.sqrt(variance)])


def band_power_logits(features: Floats, labels: ArrayLike, train: ArrayLike, test: ArrayLike) -> Floats:
    """Return the logits of some patients from a line fitted to others.

    Parameters
    ----------
    features : ndarray, shape (n, n_features)
        Of all patients.
    labels : array, shape (n,) or (n_outcomes, n)
        Whether the outcome is good; rows are several deals of outcomes to the same patients, as in a permutation test.
    train, test : array of int
        Positions of the patients to fit and to score.

    Returns
    -------
    ndarray, shape (n_test,) or (n_outcomes, n_test)
    """
    train, good = np.asarray(train), np.asarray(labels, bool)
    mean, sd = features[train].mean(axis=0), np.maximum(features[train].std(axis=0), LEAST_SD)
    z = (features - mean) / sd
    coefficients, intercepts = fit_ridge(z[train], np.atleast_2d(good)[:, train], PRIOR_VARIANCE / z.shape[1])
    logits = coefficients @ z[np.asarray(test)].T + intercepts[:, np.newaxis]
    return np.asarray(logits if good.ndim > 1 else logits[0])
