"""The AUC over patients: its intervals, its curve, and two models on the same patients (law 9)."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from training.statistics.metrics import N_BOOTSTRAP, PERCENTILES, Z95, Figure, Floats, bootstrapped, resamples

#: Exchanges of a paired permutation test.
N_EXCHANGES = 5000
#: How an interval without resamples is had.
DELONG = "DeLong"
#: How it is had where every pair is in one order, which has no variance; and where it cannot be had.
ONE_ORDER, NONE = "every pair in one order: exact bound of disjoint pairs", "no interval: too few, or no variance"
#: Chance that is left below, and above, a two-sided interval of 95 %.
TAIL = 0.025


@dataclass(frozen=True)
class Difference:
    """Two models on the same patients.

    Parameters
    ----------
    figure : Figure
        AUC of the first less that of the second.
    p_delong, p_permutation : float
        Two-sided chance of such a difference between models that are equal; the first is None where DeLong's variance
        is none.
    """

    figure: Figure
    p_delong: float | None
    p_permutation: float


def auc(labels: ArrayLike, scores: ArrayLike) -> float:
    """Return the chance that a good patient scores above a poor one, ties half.

    Raises
    ------
    ValueError
        If there are not patients of both outcomes.
    """
    return float(aucs(_both_outcomes(labels), scores))


def aucs(labels: ArrayLike, scores: ArrayLike) -> Floats:
    """Return ``auc`` of every row, by the sum of ranks; NaN for rows with one outcome.

    Parameters
    ----------
    labels, scores : array, shape (..., n)
        Outcomes, and scores in any unit; one row of labels serves for many of scores.
    """
    good, values = np.broadcast_arrays(np.asarray(labels, bool), np.asarray(scores, np.float64))
    n_good = good.sum(axis=-1)
    pairs = n_good * (good.shape[-1] - n_good)
    ranks = np.sum(ranked(values) * good, axis=-1) - n_good * (n_good + 1) / 2
    return np.where(pairs > 0, ranks / np.maximum(pairs, 1), np.nan)


def ranked(values: Floats) -> Floats:
    """Return the rank of each value in its row, from 1; ties share the mean of theirs, a row with a NaN has none.

    As ``scipy.stats.rankdata`` has it. That takes a second to import, and every process that trains asks for an AUC.

    Parameters
    ----------
    values : ndarray, shape (..., n)
    """
    order = np.argsort(values, axis=-1)
    in_order = np.take_along_axis(values, order, axis=-1)
    places = np.arange(values.shape[-1])
    begins = np.ones(values.shape, bool)
    begins[..., 1:] = in_order[..., 1:] != in_order[..., :-1]
    ends = np.roll(begins, -1, axis=-1)
    first = np.maximum.accumulate(np.where(begins, places, 0), axis=-1)
    last = np.minimum.accumulate(np.where(ends, places, len(places))[..., ::-1], axis=-1)[..., ::-1]
    ranks = np.empty(values.shape)
    np.put_along_axis(ranks, order, (first + last) / 2.0 + 1.0, axis=-1)
    return np.where(np.isnan(values).any(axis=-1, keepdims=True), np.nan, ranks)


def auc_delong(labels: ArrayLike, scores: ArrayLike) -> Figure:
    """Return the AUC with the interval of DeLong, DeLong and Clarke-Pearson (Biometrics 1988), cut at 0 and 1.

    Patients told apart without an error leave no variance, and yet a few of them prove little. Of m good and n poor
    ones, min(m, n) pairs share nobody; they all stand in one order with a chance of AUC ** min(m, n) at most, which
    bounds the AUC whatever the distributions. One patient of an outcome shows no variance: there is no interval then.
    One score for everybody is no estimate: its AUC is one half.
    """
    of_good, of_poor = _placements(labels, scores)
    value, error, fewer = float(of_good.mean()), _error(of_good, of_poor), min(len(of_good), len(of_poor))
    if math.isnan(error):
        return Figure(value, method=NONE)
    if error == 0.0 and value in (0.0, 1.0):
        bound = TAIL ** (1.0 / fewer)
        low, high = (bound, 1.0) if value else (0.0, 1.0 - bound)
        return Figure(value, low, high, ONE_ORDER)
    return Figure(value, max(0.0, value - Z95 * error), min(1.0, value + Z95 * error), DELONG)


def auc_bootstrap(labels: ArrayLike, scores: ArrayLike, seed: int, n: int = N_BOOTSTRAP) -> Figure:
    """Return the AUC with the percentile interval over patients, drawn within each outcome."""
    good, values = _both_outcomes(labels), np.asarray(scores, np.float64)
    return bootstrapped(lambda chosen: aucs(good[chosen], values[chosen]), good, seed, n=n)


def difference(labels: ArrayLike, first: ArrayLike, second: ArrayLike, seed: int) -> Difference:
    """Return how far two models differ on the same patients, by DeLong's covariance and by exchange of ranks.

    Under the null hypothesis of the permutation test either model's rank of a patient could be the other's (Bandos,
    Rockette and Gur, Stat Med 2005); ranks, since the two need not score in one unit.
    """
    good = _both_outcomes(labels)
    pairs = zip(_placements(good, first), _placements(good, second), strict=True)
    of_good, of_poor = (one - other for one, other in pairs)
    value, error, p_permutation = (
        float(of_good.mean()),
        _error(of_good, of_poor),
        _p_permutation(good, first, second, seed),
    )
    if error > 0.0:
        figure = Figure(value, value - Z95 * error, value + Z95 * error, f"{DELONG}, paired")
        return Difference(figure, math.erfc(abs(value) / error / math.sqrt(2.0)), p_permutation)
    return Difference(_to_one_half(good, first, second), 1.0 if value == 0.0 else None, p_permutation)


def _to_one_half(good: NDArray[np.bool_], first: ArrayLike, second: ArrayLike) -> Figure:
    """Return a difference without variance: its interval is known where one of the two says one number to everybody."""
    one, other = (auc_delong(good, scores) for scores in (first, second))
    if np.ptp(np.asarray(second, np.float64)) == 0.0:
        return Figure(one.value - 0.5, one.low - 0.5, one.high - 0.5, one.method)
    if np.ptp(np.asarray(first, np.float64)) == 0.0:
        return Figure(0.5 - other.value, 0.5 - other.high, 0.5 - other.low, other.method)
    return Figure(one.value - other.value, method=NONE)


def roc(labels: ArrayLike, scores: ArrayLike, seed: int, n: int = N_BOOTSTRAP) -> dict[str, list[float]]:
    """Return the curve and its pointwise bootstrap band.

    Returns
    -------
    dict
        ``fpr`` and ``tpr`` at every threshold, and ``low`` and ``high`` of the true positives at each ``fpr``.
    """
    good, values = _both_outcomes(labels), np.asarray(scores, np.float64)
    fpr, tpr = _curve(good, values)
    drawn = [np.interp(fpr, *_curve(good[chosen], values[chosen])) for chosen in resamples(good, seed, n)]
    low, high = np.percentile(drawn, PERCENTILES, axis=0)
    return {key: line.tolist() for key, line in (("fpr", fpr), ("tpr", tpr), ("low", low), ("high", high))}


def _curve(good: NDArray[np.bool_], values: Floats) -> tuple[Floats, Floats]:
    """Return false and true positive rates, from nobody called good to everybody."""
    order = np.argsort(-values, kind="stable")
    last_of_tie = np.append(np.diff(values[order]) != 0.0, True)
    true, false = np.cumsum(good[order])[last_of_tie], np.cumsum(~good[order])[last_of_tie]
    return np.append(0.0, false / false[-1]), np.append(0.0, true / true[-1])


def _p_permutation(good: NDArray[np.bool_], first: ArrayLike, second: ArrayLike, seed: int) -> float:
    ranks = ranked(np.stack([np.asarray(first, np.float64), np.asarray(second, np.float64)]))
    swapped = np.random.default_rng(seed).random((N_EXCHANGES, len(good))) < 0.5
    one, other = np.where(swapped, ranks[1], ranks[0]), np.where(swapped, ranks[0], ranks[1])
    seen = abs(float(np.subtract(*aucs(good, ranks))))
    as_far = np.abs(aucs(good, one) - aucs(good, other)) >= seen - 1e-12
    return (1 + int(as_far.sum())) / (1 + N_EXCHANGES)


def _error(of_good: Floats, of_poor: Floats) -> float:
    """Return the standard error of a mean of placements; NaN where an outcome has one patient."""
    if min(len(of_good), len(of_poor)) < 2:
        return math.nan
    return math.sqrt(sum(float(np.var(place, ddof=1)) / len(place) for place in (of_good, of_poor)))


def _placements(labels: ArrayLike, scores: ArrayLike) -> tuple[Floats, Floats]:
    """Return the share of poor patients below each good one, and of good ones above each poor one; ties half."""
    good, values = _both_outcomes(labels), np.asarray(scores, np.float64)
    wins = (np.sign(values[good][:, np.newaxis] - values[~good]) + 1.0) / 2.0
    return wins.mean(axis=1), wins.mean(axis=0)


def _both_outcomes(labels: ArrayLike) -> NDArray[np.bool_]:
    good = np.asarray(labels, bool)
    if good.all() or not good.any():
        raise ValueError(f"an AUC needs patients of both outcomes, got {int(good.sum())} good of {len(good)}")
    return good
