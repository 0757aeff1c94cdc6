"""Methods: the weights of two heads, fitted to the calibrated log-odds of patients that neither head had seen.

Both heads are few numbers by now, so the weights are the only thing to be learned, and little can be learned of them:
the weights that 13 patients choose are noise. So ``logit_stack`` is drawn to equal weights by as much as its prior is
worth, ``mean_prob`` chooses among 21 weights, and ``equal`` asks nobody. All resamples of the patients are fitted at
once, as rows of one array.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike, NDArray

from inference.fusion import combine
from inference.manifest import METHODS, FusionDraw
from training.statistics.logistic import ROUNDING, SETTLED, sigmoid

Floats = NDArray[np.float64]

#: One half of each one's log-odds.
EQUAL = FusionDraw(0.5, 0.5, 0.0)
#: Curvature by which a weight of ``logit_stack`` is drawn to one half. A calibrated head of AUC 0.72 gives about 0.13
#: of it per patient: 13 patients move a weight a sixth of the way to what they would choose, 86 three fifths. In the
#: study (docs/fusion.md) 8 has the smallest log-loss of 0.5, 1, 2, 4, 8, 16 in most cells, and 16 is as good.
PRIOR = 8.0
#: The same for its bias, to 0: as much as the offset of a calibration is drawn.
BIAS_PRIOR = 0.1
#: Weights among which ``mean_prob`` chooses: 0 to 1 in steps of 0.05, the nearest to one half first, so that a tie goes
#: to the more equal one.
GRID = tuple(sorted((float(w) for w in np.linspace(0.0, 1.0, 21)), key=lambda w: (abs(w - 0.5), w)))
#: Losses that differ by no more than this share differ by rounding alone: a tie, of which the first is taken.
TIE = 1e-12
#: Probabilities are kept this far from 0 and 1, so that one sure and wrong head does not decide alone.
P_MARGIN = 1e-6
#: Most steps of Newton's method.
N_STEPS = 100


def fit_weights(method: str, eeg_emg: ArrayLike, fmri: ArrayLike, good: ArrayLike, shares: ArrayLike = 1.0) -> Floats:
    """Return the weights of a method, for each row of `shares`, of outcomes or of log-odds.

    Parameters
    ----------
    method : str
        One of :data:`inference.manifest.METHODS`.
    eeg_emg, fmri : array, shape (n,), or both (n_rows, n)
        Calibrated log-odds of patients that neither head had seen; several rows where the calibration is another in
        each row.
    good : array, shape (..., n)
        True for a good outcome; several rows where outcomes are dealt anew.
    shares : array, shape (..., n)
        How much of a patient each entry is; several rows where patients are resampled.

    Returns
    -------
    ndarray, shape (..., 3)
        Weight of eeg_emg, weight of fmri, bias.
    """
    x, y = np.asarray(eeg_emg, np.float64), np.asarray(fmri, np.float64)
    label, rows, _ = np.broadcast_arrays(np.asarray(good, np.float64), np.asarray(shares, np.float64), x)
    n = x.shape[-1]
    weights = _FITS[method](x, y, label.reshape(-1, n), rows.reshape(-1, n))
    return weights.reshape(*label.shape[:-1], 3)


def draws_of(weights: Floats) -> tuple[FusionDraw, ...]:
    """Return rows of weights, shape (n, 3), as a manifest holds them."""
    return tuple(FusionDraw(float(row[0]), float(row[1]), float(row[2])) for row in weights)


def fused(method: str, weights: Floats, eeg_emg: ArrayLike, fmri: ArrayLike) -> Floats:
    """Return the log-odds that both have together, by one row of weights, shape (3,): as the bedside does it."""
    return combine(method, draws_of(weights[np.newaxis])[0], eeg_emg, fmri)


def _equal(x: Floats, y: Floats, good: Floats, shares: Floats) -> Floats:
    return np.tile((EQUAL.eeg_emg, EQUAL.fmri, EQUAL.bias), (len(shares), 1))


def _mean_prob(x: Floats, y: Floats, good: Floats, shares: Floats) -> Floats:
    """Choose the weight whose mean of probabilities has the smallest log-loss over patients that were not seen."""
    grid = np.array(GRID)
    of_x, of_y = (sigmoid(one)[..., np.newaxis, :] for one in (x, y))
    p = np.clip(grid[:, np.newaxis] * of_x + (1.0 - grid[:, np.newaxis]) * of_y, P_MARGIN, 1.0 - P_MARGIN)
    losses = -_summed(shares * good, np.log(p)) - _summed(shares * (1.0 - good), np.log1p(-p))
    chosen = grid[np.argmax(losses <= losses.min(axis=1, keepdims=True) * (1.0 + TIE), axis=1)]
    return np.stack([chosen, 1.0 - chosen, np.zeros_like(chosen)], axis=-1)


def _logit_stack(x: Floats, y: Floats, good: Floats, shares: Floats) -> Floats:
    """Fit a logistic regression whose weights are at least 0 and drawn to one half each.

    The loss is convex, so where the free answer has a negative weight the answer lies on an edge: the best of the fits
    with one head, the other or both left out is taken.
    """
    design, prior = np.stack([x, y, np.ones_like(x)], axis=-2), np.array([PRIOR, PRIOR, BIAS_PRIOR])
    at = np.array([EQUAL.eeg_emg, EQUAL.fmri, EQUAL.bias])
    found, losses = [], []
    for kept in ([0, 1, 2], [1, 2], [0, 2], [2]):
        weights = np.zeros((len(shares), 3))
        weights[:, kept] = _newton(design[..., kept, :], good, shares, prior[kept], at[kept])
        loss = _loss(design, good, shares, weights) + 0.5 * ((weights - at) ** 2) @ prior
        losses.append(np.where((weights[:, :2] >= 0.0).all(axis=1), loss, np.inf))
        found.append(weights)
    best = np.argmin(losses, axis=0)
    return np.stack(found)[best, np.arange(len(shares))]


def _newton(design: Floats, good: Floats, shares: Floats, prior: Floats, at: Floats) -> Floats:
    """Return the penalised optimum of each row of shares, shape (n_rows, n_weights); long steps are halved.

    The design is (n_weights, n), or (n_rows, n_weights, n) where each row has its own.
    """
    weights = np.tile(at, (len(shares), 1))

    def loss(weights: Floats) -> Floats:
        return _loss(design, good, shares, weights) + 0.5 * ((weights - at) ** 2) @ prior

    of_pairs = "rn,kn,ln->rkl" if design.ndim == 2 else "rn,rkn,rln->rkl"
    now = loss(weights)
    for _ in range(N_STEPS):
        p = sigmoid(_log_odds(weights, design))
        slope = _summed(shares * (p - good), design) + prior * (weights - at)
        curve = np.einsum(of_pairs, shares * p * (1.0 - p), design, design) + np.diag(prior)
        step = np.linalg.solve(curve, slope[..., np.newaxis])[..., 0]
        after = loss(weights - step)
        while (worse := (after > now + ROUNDING * np.abs(now)) & (np.abs(step).max(-1) > SETTLED)).any():
            step = np.where(worse[:, np.newaxis], step / 2.0, step)
            after = np.where(worse, loss(weights - step), after)
        if np.abs(step).max(initial=0.0) < SETTLED:
            break
        weights, now = weights - step, after
    return weights


def _loss(design: Floats, good: Floats, shares: Floats, weights: Floats) -> Floats:
    z = _log_odds(weights, design)
    return np.sum(shares * (np.logaddexp(0.0, z) - good * z), axis=-1)


def _log_odds(weights: Floats, design: Floats) -> Floats:
    """Return what each row of weights makes of the design that all share, or of its own, shape (n_rows, n)."""
    return weights @ design if design.ndim == 2 else (weights[:, np.newaxis] @ design)[:, 0]


def _summed(rows: Floats, table: Floats) -> Floats:
    """Return the sums over patients of each row times the table that all share, or its own, shape (n_rows, k)."""
    return rows @ table.T if table.ndim == 2 else (rows[:, np.newaxis] @ table.swapaxes(1, 2))[:, 0]


_FITS: dict[str, Callable[[Floats, Floats, Floats, Floats], Floats]] = {
    "equal": _equal,
    "logit_stack": _logit_stack,
    "mean_prob": _mean_prob,
}
assert tuple(_FITS) == METHODS
