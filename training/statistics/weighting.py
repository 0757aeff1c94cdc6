"""Calibration: what the mean logit of n windows is worth, fitted on patients that the network never saw.

One line of log-odds for each number of windows, and the same lines on resampled patients: their spread becomes the
interval at the bedside (``inference.calibration``).

**Whose logits.** A bundle holds one network. Cross-validation scores a patient once per repeat, by another network each
time; the mean of those logits is less spread by chance than any of them, and a line fitted to it would promise too much
when one network speaks. So every row that is fitted is one network's logit of one patient, and the rows of a patient
share its one vote: five repeats are five looks at the same people, not five times as many. A draw resamples the
patients and takes one of the repeats, so that its spread has in it whom one happened to see and which network one
happened to get.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import logit

from inference.aggregation import P_MARGIN
from inference.calibration import Calibration
from inference.manifest import AGGREGATIONS
from training.errors import TrainingError
from training.statistics.logistic import fit_lines, sigmoid

if TYPE_CHECKING:
    from training.runs.predictions import Prediction, Unit

#: Numbers of windows for which a line is fitted (contract); 53 are nine minutes.
FITTED = (1, 2, 3, 6, 12, 24, 53)
#: Resamples of the patients (contract).
N_DRAWS = 200
#: Weight of the prior that the slope is 1 and the offset 0, in patients' worth of squared log-odds.
PRIOR = 0.1

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Scored:
    """One network's scores of one patient's windows.

    Parameters
    ----------
    patient : str
        Who; several rows may be of one patient.
    good : bool
        Outcome.
    repeat : int
        Of the cross-validation; each has a patient at most once.
    fold : int
        Whose network this is, within the repeat.
    logits, weights : ndarray, shape (n_windows,)
        Of the scored windows, in order.
    """

    patient: str
    good: bool
    repeat: int
    fold: int
    logits: Floats
    weights: Floats

    def logit(self, n_windows: int | None = None, aggregation: str = "logit_mean_quality") -> float:
        """Return the session's logit after its first `n_windows`, or after all."""
        return session_logit(self.logits[:n_windows], self.weights[:n_windows], aggregation)


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
    return float(logit(np.clip(sigmoid(values).mean(), P_MARGIN, 1.0 - P_MARGIN)))


def fit_line(logits: ArrayLike, labels: ArrayLike, weights: ArrayLike = 1.0) -> tuple[float, float]:
    """Return slope and offset of the log-odds that fit the outcomes best; the slope is never negative.

    Platt's targets, (n_good + 1) / (n_good + 2) and 1 / (n_poor + 2), keep patients that are told apart without an
    error from sending the slope to infinity.

    Parameters
    ----------
    logits : array, shape (n,)
        Of sessions.
    labels : array, shape (n,)
        True for a good outcome.
    weights : array, shape (n,)
        How much of a patient each row is.
    """
    a, b = lines_of(*np.broadcast_arrays(np.asarray(logits, np.float64), np.asarray(labels, bool), weights))
    return float(a), float(b)


def bundle_calibration(predictions: Sequence[Prediction], n_draws: int = N_DRAWS, seed: int = 0) -> dict[str, Any]:
    """Return what a manifest says under ``calibration``: a curve for each aggregation, from out-of-fold logits.

    Parameters
    ----------
    predictions : sequence of Prediction
        Of a run; the rows of windows, which are the network's, are taken.
    n_draws, seed : int
        How many draws, and of what.

    Raises
    ------
    TrainingError
        If there are windows of no network, or of several, or patients of one outcome only.
    """
    rows = scored_rows(predictions)
    return {aggregation: fit_curve(rows, seed, aggregation, n_draws) for aggregation in AGGREGATIONS}


def scored_rows(predictions: Sequence[Prediction], unit: Unit = "window") -> list[Scored]:
    """Return each network's scores of each patient, its windows or slices in order; patients and repeats in order."""
    parts = [row for row in predictions if row.unit == unit]
    models = sorted({row.model for row in parts})
    if len(models) != 1:
        raise TrainingError(
            f"the predictions hold {unit}s of {len(models)} networks ({', '.join(models) or 'none'}), expected one",
            subject="predictions.csv",
            remedy="Give the predictions of one run whose network was trained to its end.",
        )
    of: dict[tuple[str, int], list[Prediction]] = {}
    for row in parts:
        of.setdefault((row.patient, row.repeat), []).append(row)
    return [scored_session(of[key]) for key in sorted(of)]


def scored_session(session: Sequence[Prediction]) -> Scored:
    """Return one network's scores of one patient from its rows, in whatever order they come."""
    ordered = sorted(session, key=lambda row: row.index or 0)
    first = ordered[0]
    logits, weights = (np.array([getattr(row, name) for row in ordered], np.float64) for name in ("logit", "weight"))
    return Scored(first.patient, first.label, first.repeat, first.fold, logits, weights)


def fit_curve(
    rows: Sequence[Scored], seed: int, aggregation: str = "logit_mean_quality", n_draws: int = N_DRAWS
) -> dict[str, Any]:
    """Return a curve in the manifest's form: the first n windows of each session, as they come at the bedside.

    Parameters
    ----------
    rows : sequence of Scored
        Of patients that their networks never saw; those of one patient count once together.
    seed : int
        Of the draws. A draw is one set of patients for every n, so that its curve is one curve.
    aggregation : str
        Which mean of the windows.
    n_draws : int
        How many; with 0 there are none.

    Returns
    -------
    dict
        ``n``, ``a``, ``b``, and ``draws`` of ``a`` and ``b`` with `n_draws` values for each n. A line is fitted to the
        patients who have so many windows; numbers that fewer than half of them reach, or those of one outcome alone,
        are left out, and beyond the last the bedside holds its value.

    Raises
    ------
    TrainingError
        If there are not patients of both outcomes.
    """
    good = np.array([row.good for row in rows], bool)
    if not _both(good):
        raise TrainingError(
            f"a calibration needs patients of both outcomes, got {int(good.sum())} good of {len(good)}",
            subject="calibration",
            remedy="Add patients, or choose a split whose test parts hold both.",
        )
    shares = shares_of(rows)
    n_windows = np.array([len(row.logits) for row in rows])
    having = {n: n_windows >= n for n in FITTED}
    having = {n: some for n, some in having.items() if np.average(some, weights=shares) >= 0.5 and _both(good[some])}
    draws = resampled(rows, seed, n_draws, np.min(list(having.values()), axis=0))
    lines, drawn = [], []
    for n, some in having.items():
        x = np.array([row.logit(n, aggregation) for row in rows])
        lines.append(fit_line(x, good, shares * some))
        drawn.append(lines_of(np.tile(x, (n_draws, 1)), np.tile(good, (n_draws, 1)), draws * some))
    return {
        "n": list(having),
        "a": [line[0] for line in lines],
        "b": [line[1] for line in lines],
        "draws": {key: [[_short(value) for value in pair[i]] for pair in drawn] for i, key in enumerate("ab")},
    }


def curve_of(fitted: Mapping[str, Any]) -> Calibration:
    """Return a fitted curve as the bedside uses it."""
    draws = (tuple(map(tuple, fitted["draws"][key])) for key in "ab")
    return Calibration(*(tuple(fitted[key]) for key in "nab"), *draws)


def lines_of(x: Floats, good: NDArray[np.bool_], weights: Floats) -> tuple[Floats, Floats]:
    """Return slopes and offsets, each of shape (...), of many lines at once.

    Parameters
    ----------
    x, good, weights : ndarray, shape (..., n)
        A row for each line: logits, outcomes, how much of a patient each is; see ``fit_line``.
    """
    n_good, n_poor = ((weights * side).sum(-1, keepdims=True) for side in (good, ~good))
    target = np.where(good, (n_good + 1) / (n_good + 2), 1 / (n_poor + 2))
    lines = fit_lines(x, target, weights, prior=PRIOR)
    p = (weights * target).sum(-1) / weights.sum(-1)
    turned = lines[..., 0] < 0.0
    return np.where(turned, 0.0, lines[..., 0]), np.where(turned, np.log(p / (1 - p)), lines[..., 1])


def shares_of(rows: Sequence[Scored]) -> Floats:
    """Return how much of its patient each row is."""
    _, which, counts = np.unique([row.patient for row in rows], return_inverse=True, return_counts=True)
    return np.asarray(1.0 / counts[which])


def _both(good: NDArray[np.bool_]) -> bool:
    """Tell whether there are patients of both outcomes."""
    return bool(good.any() and not good.all())


def resampled(rows: Sequence[Scored], seed: int, n_draws: int, long: NDArray[np.bool_] | None = None) -> Floats:
    """Return how often each row is in each draw, shape (n_draws, n_rows).

    A draw takes one repeat and resamples its patients; both outcomes are in it, also among the `long` rows, where
    a line is to be fitted to these alone.
    """
    long = np.ones(len(rows), bool) if long is None else long
    rng = np.random.default_rng(seed)
    repeat, good = np.array([row.repeat for row in rows]), np.array([row.good for row in rows])
    members = [np.flatnonzero(repeat == one) for one in np.unique(repeat)]
    draws: list[Floats] = []
    while len(draws) < n_draws:
        of_one = members[rng.integers(len(members))]
        chosen = of_one[rng.integers(0, len(of_one), len(of_one))]
        if _both(good[chosen[long[chosen]]]):
            draws.append(np.bincount(chosen, minlength=len(rows)).astype(np.float64))
    return np.array(draws).reshape(n_draws, len(rows))


def _short(value: float) -> float:
    """Return six digits: draws are for an interval, and there are thousands of them."""
    return float(f"{value:.6g}")
