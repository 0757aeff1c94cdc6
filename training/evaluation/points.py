"""The extra heads: Fugl-Meyer points at three months, and the steps that they pass (9, 17, 25 of 34).

A session's points are the quality-weighted mean over its windows, held within the scale, as the bedside shows them.
Errors are of single networks; the looks at a patient share its one vote.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from training.runs.predictions import STEPS_FMA, Prediction
from training.statistics.auc import auc_delong
from training.statistics.logistic import sigmoid
from training.statistics.metrics import N_BOOTSTRAP, Floats, bootstrapped
from training.statistics.points import Session, points_of, session_means, session_points

#: Points that vary less than this (their sum of squares) have no correlation.
NO_SPREAD = 1e-6


def fma(predictions: Sequence[Prediction], seed: int, n: int = N_BOOTSTRAP) -> dict[str, Any] | None:
    """Return how near the points came; None where no window has any, or no patient's are known.

    ``interval_half_width`` is what a bundle would hold; ``coverage`` is how often such an interval, made from the other
    folds of the same repeat, held the true points of a patient.
    """
    rows = [row for row in predictions if row.fma_predicted is not None and row.fma is not None]
    if not rows:
        return None
    expected, true = session_points(rows), {row.patient: float(row.fma or 0.0) for row in rows}
    patients = sorted(true)
    error = _of_patients(patients, {s: abs(points - true[s[0]]) for s, points in expected.items()})
    mean, score = _of_patients(patients, expected), np.array([true[patient] for patient in patients])
    strata = score > np.median(score)
    whole, inside = points_of(rows), _inside(rows, expected, true)
    covered = _of_patients([p for p in patients if p in {s[0] for s in inside}], inside)
    held = np.isin(patients, [session[0] for session in inside])

    def figure(
        statistic: Callable[[NDArray[np.intp]], Floats],
        of: NDArray[np.bool_] = strata,
        words: str = "mean over single networks",
    ) -> dict[str, Any]:
        return bootstrapped(statistic, of, seed, words, n).to_json()

    return {
        "n": len(patients),
        "mae": figure(lambda i: error[i].mean(axis=-1)),
        "interval_half_width": whole["half_width"] if whole else None,
        "nominal_coverage": whole["coverage"] if whole else None,
        "coverage": figure(lambda i: covered[i].mean(axis=-1), strata[held]) if len(covered) else None,
        "r": figure(lambda i: _correlation(mean[i], score[i]), words="mean over repeats"),
        "mae_of_mean": float(np.abs(score - score.mean()).mean()),
    }


def ordinal(predictions: Sequence[Prediction]) -> dict[str, Any] | None:
    """Return, for each step, how well passing it is told; None where no window has that head."""
    rows = [row for row in predictions if row.above_17 is not None and row.fma is not None]
    if not rows:
        return None
    true = {row.patient: float(row.fma or 0.0) for row in rows}
    patients = sorted(true)
    above = {step: np.array([true[patient] > step for patient in patients]) for step in STEPS_FMA}
    said = {step: session_means(rows, f"above_{step}") for step in STEPS_FMA}
    logits = {step: _of_patients(patients, said[step]) for step in STEPS_FMA}
    squared = {
        step: _of_patients(patients, {s: (float(sigmoid(x)) - (true[s[0]] > step)) ** 2 for s, x in said[step].items()})
        for step in STEPS_FMA
    }
    return {
        "n": len(patients),
        "steps": [
            {
                "above": step,
                "n_above": int(above[step].sum()),
                "auc": auc_delong(above[step], logits[step]).to_json() if len(set(above[step])) == 2 else None,
                "brier": float(squared[step].mean()),
            }
            for step in STEPS_FMA
        ],
        "ranked_probability_score": float(np.mean([squared[step].mean() for step in STEPS_FMA])),
    }


def _of_patients(patients: Sequence[str], by_session: dict[Session, float]) -> Floats:
    """Return the mean over the repeats of each patient."""
    of: dict[str, list[float]] = defaultdict(list)
    for session in sorted(by_session):
        of[session[0]].append(by_session[session])
    return np.array([np.mean(of[patient]) for patient in patients])


def _inside(rows: Sequence[Prediction], expected: dict[Session, float], true: dict[str, float]) -> dict[Session, float]:
    """Return 1 for each session whose true points lay within the interval of the other folds, 0 for the others."""
    widths = {}
    for repeat, fold in sorted({session[1:] for session in expected}):
        others = points_of([row for row in rows if row.repeat == repeat and row.fold != fold])
        if others:
            widths[repeat, fold] = others["half_width"]
    return {
        session: float(abs(points - true[session[0]]) <= widths[session[1:]])
        for session, points in expected.items()
        if session[1:] in widths
    }


def _correlation(x: Floats, y: Floats) -> Floats:
    """Return Pearson's r of each row; 0 where one of the two does not vary."""
    x, y = (part - part.mean(axis=-1, keepdims=True) for part in (x, y))
    spread = np.sqrt((x**2).sum(axis=-1) * (y**2).sum(axis=-1))
    return np.where(spread > NO_SPREAD, (x * y).sum(axis=-1) / np.maximum(spread, NO_SPREAD), 0.0)
