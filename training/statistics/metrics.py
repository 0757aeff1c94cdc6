"""Figures over patients, each with its interval. A patient counts once, however many windows it has (law 9).

Calls (accuracy, recall ...) and probabilities (Brier, calibration, reliability) stand here, ranks in ``auc``, what a
call is worth in ``decision_curve``. The last axis is patients, so that one call answers for a thousand resamples.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from training.statistics.logistic import fit_lines, sigmoid

#: Two-sided 95 % of a normal distribution.
Z95 = 1.959963984540054
#: Resamples of a bootstrap interval.
N_BOOTSTRAP = 2000
#: How such an interval is had.
BOOTSTRAP = "bootstrap over patients, within outcome"
#: Draws that differ by no more than this are one, and why they then have no interval.
NO_WIDTH, ALIKE = 1e-9, "no interval: all alike"
#: Percentiles of a bootstrap interval.
PERCENTILES = (2.5, 97.5)
#: How the interval of a calibration line is had.
CLUSTERED = "Wald, robust, patients as clusters"
#: A calibration slope or intercept beyond this is written as this: patients told apart without an error have none.
MOST = 10.0
#: Why such a one has no interval: patients told apart without an error have neither.
AT_BOUND = "no interval: at its bound"
#: Log-odds with a smaller standard deviation have no slope: one number for everybody, but for which fold fitted it.
NO_SPREAD = 0.1
#: Bins of a reliability table, of equal width.
N_BINS = 5
#: Chance that guessing clears the bar of ``chance_bar``.
LEVEL = 0.05

Floats = NDArray[np.float64]
#: A figure of patients at these positions; positions have shape (..., n), the answer (...).
Statistic = Callable[[NDArray[np.intp]], Floats]


@dataclass(frozen=True)
class Figure:
    """A figure and its 95 % interval.

    Parameters
    ----------
    value, low, high : float
        NaN where there is none.
    method : str
        How value and interval were had.
    """

    value: float
    low: float = math.nan
    high: float = math.nan
    method: str = ""

    def to_json(self) -> dict[str, Any]:
        """Return the figure as JSON holds it: what is not there is null."""
        numbers = {"value": self.value, "low": self.low, "high": self.high}
        return {key: float(number) if math.isfinite(number) else None for key, number in numbers.items()} | {
            "method": self.method
        }


def resamples(labels: ArrayLike, seed: int, n: int = N_BOOTSTRAP) -> NDArray[np.intp]:
    """Return positions of resampled patients, shape (n, n_patients): drawn within each outcome, with replacement."""
    good = np.asarray(labels, bool)
    rng = np.random.default_rng(seed)
    parts = [np.flatnonzero(good == outcome) for outcome in (True, False)]
    return np.concatenate([part[rng.integers(0, len(part), (n, len(part)))] for part in parts if len(part)], axis=1)


def bootstrapped(statistic: Statistic, labels: ArrayLike, seed: int, method: str = "", n: int = N_BOOTSTRAP) -> Figure:
    """Return a figure of all patients with the percentile interval over `n` resamples of them.

    There is none where resamples cannot differ, or do not: of one patient of an outcome, of patients who are all alike.
    """
    good = np.asarray(labels, bool)
    value, words = float(statistic(np.arange(len(good)))), f"{BOOTSTRAP}, {n} draws"
    drawn = statistic(resamples(good, seed, n))
    low, high = np.percentile(drawn, PERCENTILES) if np.isfinite(drawn).all() else (math.nan, math.nan)
    if 1 in (good.sum(), (~good).sum()) or np.ptp(drawn) < NO_WIDTH:
        low, high, words = math.nan, math.nan, f"{words}; {ALIKE}"
    return Figure(value, float(low), float(high), f"{method}; {words}" if method else words)


def accuracy(labels: ArrayLike, calls: ArrayLike) -> Floats:
    """Return the share of patients that were called right."""
    return np.mean(np.asarray(labels, bool) == np.asarray(calls, bool), axis=-1)


def recall(labels: ArrayLike, calls: ArrayLike) -> Floats:
    """Return the share of good patients that were called good; 0 where there are none."""
    good, called = np.asarray(labels, bool), np.asarray(calls, bool)
    return _share((good & called).sum(-1), good.sum(-1))


def precision(labels: ArrayLike, calls: ArrayLike) -> Floats:
    """Return the share of patients called good that are; 0 where none was."""
    return recall(calls, labels)


def f1(labels: ArrayLike, calls: ArrayLike) -> Floats:
    """Return the harmonic mean of recall and precision; 0 where both are."""
    good, called = np.asarray(labels, bool), np.asarray(calls, bool)
    return _share(2 * (good & called).sum(-1), good.sum(-1) + called.sum(-1))


def macro(measure: Callable[[ArrayLike, ArrayLike], Floats], labels: ArrayLike, calls: ArrayLike) -> Floats:
    """Return the plain mean of ``recall``, ``precision`` or ``f1`` of both outcomes, as the paper's tables have it."""
    good, called = np.asarray(labels, bool), np.asarray(calls, bool)
    return (measure(good, called) + measure(~good, ~called)) / 2


def chance_bar(n: int, share: float = 0.5, level: float = LEVEL) -> float:
    """Return the accuracy that guessing does not exceed but for `level`: a model must lie above it.

    Parameters
    ----------
    n : int
        Patients.
    share : float
        Chance of a guess to be right: one half, or the larger outcome's share when that is always said.
    level : float
        Chance of lying above the bar without knowing anything.

    Examples
    --------
    >>> chance_bar(13) * 13
    9.0
    """
    from scipy import stats  # takes a second: not for a process that only trains

    return float(stats.binom.isf(level, n, share)) / n


def calibration_slope(labels: ArrayLike, log_odds: ArrayLike) -> Figure:
    """Return the slope of the outcome's log-odds on the model's (Cox 1958): 1 is honest, below 1 overconfident.

    Held within ``MOST``; NaN where the log-odds are all but equal, or one outcome is missing.

    Parameters
    ----------
    labels : array, shape (n,)
        Outcomes.
    log_odds : array, shape (n,) or (n_looks, n)
        Several looks at a patient share its one vote; the interval is Wald's with patients as clusters.
    """
    good, x = np.asarray(labels, float), np.atleast_2d(np.asarray(log_odds, np.float64))
    if x.std() < NO_SPREAD or good.min() == good.max():
        return Figure(math.nan, method=CLUSTERED)
    line = fit_lines(x.ravel(), np.tile(good, len(x)))
    error = _errors(good, np.stack([x, np.ones_like(x)]), line[0] * x + line[1])[0]
    return _held(float(line[0]), error, CLUSTERED)


def calibration_intercept(labels: ArrayLike, log_odds: ArrayLike) -> Figure:
    """Return calibration in the large: what must be added to the log-odds so that their mean is right; 0 is honest.

    The slope is held at 1. Below 0 the model promises too much. Parameters and interval are those of
    ``calibration_slope``.
    """
    from scipy import optimize

    good, x = np.asarray(labels, float), np.atleast_2d(np.asarray(log_odds, np.float64))
    words = f"slope held at 1; {CLUSTERED}"
    if good.min() == good.max():
        return Figure(math.nan, method=words)
    span = MOST + float(np.abs(x).max())
    shift = float(optimize.brentq(lambda shift: float(np.mean(sigmoid(x + shift) - good)), -span, span))
    return _held(shift, _errors(good, np.ones((1, *x.shape)), x + shift)[0], words)


def reliability(labels: ArrayLike, probabilities: ArrayLike, n_bins: int = N_BINS) -> list[dict[str, float]]:
    """Return for every bin that has patients: what was promised, what came, how many, and Wilson's interval."""
    good, p = np.asarray(labels, bool), np.asarray(probabilities, np.float64)
    bins = np.minimum((p * n_bins).astype(int), n_bins - 1)
    return [_bin(good[bins == k], p[bins == k]) for k in np.unique(bins)]


def _bin(good: NDArray[np.bool_], p: Floats) -> dict[str, float]:
    from scipy import stats

    interval = stats.binomtest(int(good.sum()), len(good)).proportion_ci(method="wilson")
    return {
        "p": float(p.mean()),
        "observed": float(good.mean()),
        "n": len(good),
        "low": float(interval.low),
        "high": float(interval.high),
    }


def _errors(good: Floats, design: Floats, log_odds: Floats) -> Floats:
    """Return the standard errors of a logistic fit whose rows are clustered by patient (Liang and Zeger 1986)."""
    p = sigmoid(log_odds)
    scores = np.sum(design * (good - p), axis=1)
    bread = np.linalg.pinv(np.einsum("krn,lrn,rn->kl", design, design, p * (1 - p)))
    n = len(good)
    return np.sqrt(np.diag(bread @ scores @ scores.T @ bread) * n / (n - 1))


def _held(value: float, error: float, method: str) -> Figure:
    if abs(value) >= MOST:
        return Figure(math.copysign(MOST, value), method=f"{method}; {AT_BOUND}")
    low, middle, high = np.clip([value - Z95 * error, value, value + Z95 * error], -MOST, MOST)
    return Figure(float(middle), float(low), float(high), method)


def _share(part: ArrayLike, whole: ArrayLike) -> Floats:
    some = np.asarray(whole) > 0
    return np.where(some, np.asarray(part) / np.where(some, whole, 1), 0.0)
