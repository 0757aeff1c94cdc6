"""Logistic regression of many small problems at once: resamples of the patients, permuted labels.

Scikit-learn fits one model at a time and spends most of a small fit around it: 5,000 fits of 69 patients with 128
features took it 21 to 85 s on one busy core. Here they are rows of one array. Both functions are held to scikit-learn's
answers by their tests.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import expit

Floats = NDArray[np.float64]

#: Most steps of Newton's method, and the step below which it has settled.
N_STEPS, SETTLED = 50, 1e-10
#: Share of a loss by which it may rise for rounding alone: near the optimum a good step lowers it by less.
ROUNDING = 1e-14
#: Most steps of the bounded iteration, and the change of log-odds below which it has settled.
N_BOUNDED, SETTLED_BOUNDED = 2000, 1e-7
#: Log-odds beyond this are as good as certain; they are held there inside a step's weights only.
CERTAIN = 30.0
#: Added to the curvature, so that rows that have no line (separated, or all equal) still step.
LEAST_CURVATURE = 1e-9


def fit_lines(
    x: ArrayLike, target: ArrayLike, weights: ArrayLike = 1.0, prior: float = 0.0, at: tuple[float, float] = (1.0, 0.0)
) -> Floats:
    """Return slope and offset of the log-odds of each row, by Newton's method; steps that overshoot are halved.

    Parameters
    ----------
    x, target : array, shape (..., n)
        What is known of each patient, and its outcome, 0 to 1.
    weights : array, shape (..., n)
        How much each counts.
    prior : float
        Weight of the squared distance from `at`, halved; 0 for plain maximum likelihood. Rows without an answer (all
        told apart) then end at whatever the last step reached.
    at : (slope, offset)
        Where the prior draws to and the search begins.

    Returns
    -------
    ndarray, shape (..., 2)
        Slope, offset.
    """
    x, y, w = np.broadcast_arrays(*(np.asarray(part, np.float64) for part in (x, target, weights)))
    line = np.broadcast_to(np.asarray(at, np.float64), (*x.shape[:-1], 2)).copy()

    def loss(line: Floats) -> Floats:
        z = line[..., :1] * x + line[..., 1:]
        return np.sum(w * (np.logaddexp(0.0, z) - y * z), -1) + prior / 2 * np.sum((line - at) ** 2, -1)

    now = loss(line)
    for _ in range(N_STEPS):
        step = _newton_step(x, y, w, line, prior, at)
        after = loss(line - step)
        while (worse := (after > now + ROUNDING * np.abs(now)) & (np.abs(step).max(-1) > SETTLED)).any():
            step = np.where(worse[..., np.newaxis], step / 2, step)
            after = np.where(worse, loss(line - step), after)
        if np.abs(step).max(initial=0.0) < SETTLED:
            break
        line, now = line - step, after
    return line


def fit_ridge(features: Floats, targets: ArrayLike, c: float) -> tuple[Floats, Floats]:
    """Return the coefficients and intercepts of L2-penalised logistic regressions of several outcomes on one table.

    The curvature of the logistic loss is never above one quarter (Böhning and Lindsay, Ann Inst Stat Math 1988), so one
    matrix serves for every step of every outcome, and no step can overshoot. The search runs among the patients, of
    whom there are fewer than features.

    Parameters
    ----------
    features : ndarray, shape (n, n_features)
        Standardised.
    targets : array, shape (n_outcomes, n)
        0 or 1.
    c : float
        Scikit-learn's ``C``: the variance that a coefficient has before anything is known.

    Returns
    -------
    coefficients : ndarray, shape (n_outcomes, n_features)
    intercepts : ndarray, shape (n_outcomes,)
    """
    y = np.asarray(targets, np.float64)
    n = len(features)
    kernel = c * features @ features.T
    bound = np.linalg.inv(kernel + 4.0 * np.eye(n))
    ones = bound.sum(axis=1)
    duals, intercepts = np.zeros_like(y), np.zeros(len(y))
    odds = np.zeros_like(y)
    for _ in range(N_BOUNDED):
        working = odds + 4.0 * (y - sigmoid(odds))
        intercepts = working @ ones / ones.sum()
        duals = (working - intercepts[:, np.newaxis]) @ bound
        before, odds = odds, duals @ kernel + intercepts[:, np.newaxis]
        if np.abs(odds - before).max(initial=0.0) < SETTLED_BOUNDED:
            break
    return c * duals @ features, intercepts


def sigmoid(log_odds: ArrayLike) -> Floats:
    """Return probabilities: ``inference.calibration.sigmoid`` of each; log-odds of 700 and more do not overflow."""
    return np.asarray(expit(np.asarray(log_odds, np.float64)))


def _newton_step(x: Floats, y: Floats, w: Floats, line: Floats, prior: float, at: tuple[float, float]) -> Floats:
    """Return what Newton's method would take from `line`; the two-by-two system is solved by hand for all rows."""
    p = sigmoid(np.clip(line[..., :1] * x + line[..., 1:], -CERTAIN, CERTAIN))
    rest, curve = w * (p - y), w * p * (1.0 - p)
    slope, offset = np.sum(rest * x, -1), np.sum(rest, -1)
    slope, offset = slope + prior * (line[..., 0] - at[0]), offset + prior * (line[..., 1] - at[1])
    of_offset = np.sum(curve, -1) + prior + LEAST_CURVATURE
    centre = np.sum(curve * x, -1) / of_offset
    of_slope = np.sum(curve * (x - centre[..., np.newaxis]) ** 2, -1)
    of_slope = of_slope + (prior + LEAST_CURVATURE) * (1.0 + centre**2)
    by_slope = (slope - centre * offset) / of_slope
    return np.stack([by_slope, offset / of_offset - centre * by_slope], axis=-1)
