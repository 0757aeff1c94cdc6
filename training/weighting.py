"""Calibration: what the mean logit of n windows is worth, fitted on patients that the network never saw.

One line of log-odds for each number of windows, and the same lines on resampled patients: their spread becomes the
interval at the bedside (``inference.calibration``).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

#: Numbers of windows for which a line is fitted (contract); 53 are nine minutes.
FITTED = (1, 2, 3, 6, 12, 24, 53)
#: Resamples of the patients (contract).
N_DRAWS = 200
#: Most steps of Newton's method, and the step below which it has settled.
N_STEPS, SETTLED = 50, 1e-10
#: Weight of the prior that the slope is 1 and the offset 0, in patients' worth of squared log-odds.
PRIOR = 0.1


def session_logit(logits: ArrayLike, weights: ArrayLike, aggregation: str = "logit_mean_quality") -> float:
    """Return the logit of a session from its windows: ``inference.aggregation.mean_logit`` on plain arrays.

    Parameters
    ----------
    logits, weights : array, shape (n_windows,)
        Of the scored windows.
    aggregation : str
        ``logit_mean_quality`` or ``prob_mean``.
    """
    values = np.asarray(logits, np.float64)
    if aggregation == "logit_mean_quality":
        return float(np.average(values, weights=np.asarray(weights, np.float64)))
    p = float(np.clip(np.mean(1.0 / (1.0 + np.exp(-values))), 1e-12, 1.0 - 1e-12))
    return float(np.log(p / (1.0 - p)))


def fit_line(logits: ArrayLike, labels: ArrayLike) -> tuple[float, float]:
    """Return slope and offset of the log-odds that fit the outcomes best; the slope is never negative.

    Platt's targets, (n_good + 1) / (n_good + 2) and 1 / (n_poor + 2), keep patients that are told apart without an
    error from sending the slope to infinity.

    Parameters
    ----------
    logits : array, shape (n_patients,)
        Of sessions.
    labels : array, shape (n_patients,)
        True for a good outcome.
    """
    x, good = np.asarray(logits, np.float64), np.asarray(labels, bool)
    n_good = int(good.sum())
    target = np.where(good, (n_good + 1) / (n_good + 2), 1 / (len(good) - n_good + 2))
    design = np.column_stack([x, np.ones_like(x)])
    line = _newton(design, target)
    if line[0] < 0.0:
        p = float(target.mean())
        return 0.0, float(np.log(p / (1 - p)))
    return float(line[0]), float(line[1])


def calibrate(
    sessions: Sequence[tuple[NDArray[np.float64], NDArray[np.float64]]],
    labels: Sequence[bool],
    seed: int,
    aggregation: str = "logit_mean_quality",
) -> dict[str, Any]:
    """Return a calibration as manifests hold it: the first n windows of each patient, as they come at the bedside.

    Parameters
    ----------
    sessions : sequence of (logits, weights)
        Of each patient's scored windows, in order.
    labels : sequence of bool
        Outcome of each.
    seed : int
        Of the draws. A draw is one set of patients for every n, so that its curve is one curve.
    aggregation : str
        Which mean of the windows.

    Returns
    -------
    dict
        ``n``, ``a``, ``b``, and ``draws`` of ``a`` and ``b`` with ``N_DRAWS`` values for each n. Numbers that fewer
        than half of the patients reach are left out; beyond the last the bedside holds its value.
    """
    good = np.asarray(labels, bool)
    n_windows = np.array([len(logits) for logits, _ in sessions])
    fitted = [n for n in FITTED if np.mean(n_windows >= n) >= 0.5]
    draws = _draws(good, seed)
    lines, drawn = [], []
    for n in fitted:
        x = np.array([session_logit(logits[:n], weights[:n], aggregation) for logits, weights in sessions])
        lines.append(fit_line(x, good))
        drawn.append([fit_line(x[chosen], good[chosen]) for chosen in draws])
    return {
        "n": fitted,
        "a": [line[0] for line in lines],
        "b": [line[1] for line in lines],
        "draws": {key: [[_short(line[i]) for line in row] for row in drawn] for i, key in enumerate("ab")},
    }


def _draws(good: NDArray[np.bool_], seed: int) -> list[NDArray[np.intp]]:
    """Return resamples of the patients, each with both outcomes in it."""
    rng = np.random.default_rng(seed)
    draws: list[NDArray[np.intp]] = []
    while len(draws) < N_DRAWS:
        chosen = rng.integers(0, len(good), len(good))
        if 0 < good[chosen].sum() < len(good):
            draws.append(chosen)
    return draws


def _newton(design: NDArray[np.float64], target: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the penalised maximum-likelihood line; the problem is convex, so steps that overshoot are halved."""
    prior = np.array([1.0, 0.0])

    def loss(line: NDArray[np.float64]) -> float:
        z = design @ line
        return float(np.sum(np.logaddexp(0.0, z) - target * z) + PRIOR / 2 * np.sum((line - prior) ** 2))

    line = prior.copy()
    for _ in range(N_STEPS):
        p = 1.0 / (1.0 + np.exp(-np.clip(design @ line, -30, 30)))
        gradient = design.T @ (p - target) + PRIOR * (line - prior)
        hessian = (design * (p * (1 - p))[:, np.newaxis]).T @ design + PRIOR * np.eye(2)
        step = np.linalg.solve(hessian, gradient)
        if np.abs(step).max() < SETTLED:
            break
        while loss(line - step) > loss(line) and np.abs(step).max() > SETTLED:
            step /= 2
        line = line - step
    return line


def _short(value: float) -> float:
    """Return six digits: draws are for an interval, and there are thousands of them."""
    return float(f"{value:.6g}")
