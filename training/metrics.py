"""Figures over patients, each with its interval. A patient counts once, however many windows it has (law 9)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

#: Two-sided 95 % of a normal distribution.
Z95 = 1.959963984540054
#: Resamples of a bootstrap interval.
N_BOOTSTRAP = 2000


@dataclass(frozen=True)
class Figure:
    """A figure and its 95 % interval."""

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.value:.2f} ({self.low:.2f} to {self.high:.2f})"


def auc(labels: ArrayLike, scores: ArrayLike) -> float:
    """Return the chance that a good patient scores above a poor one, ties half.

    Raises
    ------
    ValueError
        If there are not patients of both outcomes.
    """
    return float(_placements(labels, scores)[0].mean())


def auc_delong(labels: ArrayLike, scores: ArrayLike) -> Figure:
    """Return the AUC with the interval of DeLong, DeLong and Clarke-Pearson (Biometrics 1988), cut at 0 and 1."""
    of_good, of_poor = _placements(labels, scores)
    value = float(of_good.mean())
    variance = sum(float(np.var(place, ddof=1)) / len(place) for place in (of_good, of_poor) if len(place) > 1)
    half = Z95 * variance**0.5
    return Figure(value, max(0.0, value - half), min(1.0, value + half))


def auc_bootstrap(labels: ArrayLike, scores: ArrayLike, seed: int) -> Figure:
    """Return the AUC with the percentile interval over patients, drawn within each outcome."""
    wins = _wins(labels, scores)
    rng = np.random.default_rng(seed)
    n_good, n_poor = wins.shape
    drawn = [
        wins[np.ix_(rng.integers(0, n_good, n_good), rng.integers(0, n_poor, n_poor))].mean()
        for _ in range(N_BOOTSTRAP)
    ]
    low, high = np.percentile(drawn, [2.5, 97.5])
    return Figure(float(wins.mean()), float(low), float(high))


def brier(labels: ArrayLike, probabilities: ArrayLike) -> float:
    """Return the mean squared error of probabilities; a constant one half has 0.25."""
    return float(np.mean((np.asarray(labels, float) - np.asarray(probabilities, float)) ** 2))


def _wins(labels: ArrayLike, scores: ArrayLike) -> NDArray[np.float64]:
    """Return, for each good and poor patient, 1 where the good one scores higher, one half at a tie."""
    good, values = np.asarray(labels, bool), np.asarray(scores, np.float64)
    if good.all() or not good.any():
        raise ValueError(f"an AUC needs patients of both outcomes, got {int(good.sum())} good of {len(good)}")
    difference = values[good][:, np.newaxis] - values[~good]
    return (np.sign(difference) + 1.0) / 2.0


def _placements(labels: ArrayLike, scores: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    wins = _wins(labels, scores)
    return wins.mean(axis=1), wins.mean(axis=0)
