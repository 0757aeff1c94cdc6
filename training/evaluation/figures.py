"""The figures of a model over patients (law 9).

Ranks and calls are of the one score of each patient, the mean over the repeats; so are ROC, reliability and decision
curve. Brier score, intercept and slope are of single networks, since one network is what a bundle holds: the mean of
several is less spread, and would need another slope. There the looks at a patient share its one vote.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from training.evaluation.scores import Scores
from training.statistics.auc import auc, auc_bootstrap, auc_delong, difference, roc
from training.statistics.decision_curve import decision_curve
from training.statistics.logistic import sigmoid
from training.statistics.metrics import (
    N_BOOTSTRAP,
    Figure,
    Floats,
    accuracy,
    bootstrapped,
    calibration_intercept,
    calibration_slope,
    chance_bar,
    f1,
    macro,
    precision,
    recall,
    reliability,
)
from training.statistics.weighting import FITTED

#: Probability from which on an outcome is called good, in reports alone: the bedside calls nothing.
THRESHOLD = 0.5
#: Share of the patients that must have so many windows for a row of their own.
REACHED = 0.5
#: Of each outcome there must be so many patients for an AUC of a part of the cohort.
LEAST = 5
#: Measures of calls that exist for the good outcome and as the mean of both.
MEASURES = {"recall": recall, "precision": precision, "f1": f1}


def model_figures(scores: Scores, seed: int, n: int = N_BOOTSTRAP, kind: str = "") -> dict[str, Any]:
    """Return everything that ``evaluation.json`` says of one model.

    Parameters
    ----------
    scores : Scores
        With patients of both outcomes.
    seed, n : int
        Of the bootstrap, and its draws.
    kind : str
        What it is in the run; by default ``network`` or ``baseline``.
    """
    good, ranks, p = scores.good, scores.logits().mean(axis=0), scores.probabilities()
    return {
        "name": scores.model,
        "kind": kind or ("network" if scores.network else "baseline"),
        "unit": "patient",
        "n": len(good),
        "n_good": int(good.sum()),
        "calibrated": scores.calibrated,
        "figures": _ranked(scores, seed, n) | _called(good, p >= THRESHOLD, seed, n) | _promised(scores, None, seed, n),
        "by_windows": by_windows(scores, seed, n) if scores.unit == "window" else [],
        "window_level": window_level(scores) if scores.unit == "window" else None,
        "slice_level": slice_level(scores) if scores.unit == "slice" else None,
        "roc": roc(good, ranks, seed, n),
        "reliability": reliability(good, p),
        "decision": decision_curve(good, p, seed, n),
    }


def by_windows(scores: Scores, seed: int, n: int = N_BOOTSTRAP) -> list[dict[str, Any]]:
    """Return figures after the first so many windows, of the patients that have them, and after all."""
    counts = [count for count in FITTED if np.mean(scores.n_windows >= count) >= REACHED]
    rows: list[dict[str, Any]] = []
    for count in (*counts, None):
        part = scores if count is None else scores.select(scores.n_windows >= count)
        if part.both_outcomes:
            found = {"auc": auc_delong(part.good, part.logits(count).mean(axis=0)).to_json()}
            rows.append(
                {"n_windows": "all" if count is None else count, "patients": len(part.good)}
                | found
                | _promised(part, count, seed, n)
            )
    return rows


def window_level(scores: Scores) -> dict[str, Any]:
    """Return the AUC over windows, for comparison with those who report it; the mean over repeats of each window."""
    logits = np.concatenate([np.mean([rows[i].logits for rows in scores.rows], 0) for i in range(len(scores.good))])
    return {
        "n": len(logits),
        "auc": auc(np.repeat(scores.good, scores.n_windows), logits),
        "note": "secondary: windows of one patient are not independent",
    }


def slice_level(scores: Scores) -> dict[str, Any]:
    """Return the figures over slices, as the paper has them; the mean over repeats of each slice's logit.

    A slice is called good from a probability of one half, uncalibrated: the paper calibrates none.
    """
    logits = np.concatenate([np.mean([rows[i].logits for rows in scores.rows], 0) for i in range(len(scores.good))])
    good = np.repeat(scores.good, scores.n_windows)
    calls = logits >= 0.0
    return {
        "n": len(logits),
        "n_good": int(good.sum()),
        "auc": auc(good, logits),
        "accuracy": float(accuracy(good, calls)),
        **{f"{name}_macro": float(macro(measure, good, calls)) for name, measure in MEASURES.items()},
        "note": "secondary: slices of one patient are not independent",
    }


def paired(
    models: Sequence[Scores], seed: int, pairs: Iterable[tuple[Scores, Scores]] | None = None
) -> list[dict[str, Any]]:
    """Return the differences in AUC between each two models, or those of `pairs`, on the patients that both scored."""
    rows = []
    for one, other in combinations(models, 2) if pairs is None else pairs:
        common = set(one.patients) & set(other.patients)
        first, second = (part.select(np.array([p in common for p in part.patients])) for part in (one, other))
        if not first.both_outcomes:
            continue
        found = difference(first.good, first.logits().mean(axis=0), second.logits().mean(axis=0), seed)
        rows.append(
            {
                "a": one.model,
                "b": other.model,
                "n": len(common),
                "auc_difference": found.figure.to_json(),
                "p_delong": found.p_delong,
                "p_permutation": found.p_permutation,
            }
        )
    return rows


def auc_of(scores: Scores, wanted: NDArray[np.bool_]) -> dict[str, Any] | None:
    """Return the AUC among some of the patients; None where either outcome has fewer than ``LEAST``."""
    part = scores.select(wanted)
    if min(part.good.sum(), (~part.good).sum()) < LEAST:
        return None
    return auc_delong(part.good, part.logits().mean(axis=0)).to_json()


def _ranked(scores: Scores, seed: int, n: int) -> dict[str, Any]:
    logits = scores.logits()
    within = [auc(good, x) for good, x in _by_fold(scores, logits)]
    return {
        "auc": auc_delong(scores.good, logits.mean(axis=0)).to_json(),
        "auc_bootstrap": auc_bootstrap(scores.good, logits.mean(axis=0), seed, n).to_json(),
        "auc_within_fold": {"mean": float(np.mean(within)) if within else None, "n_folds": len(within)},
        "auc_per_repeat": [auc(scores.good, row) for row in logits],
    }


def _by_fold(scores: Scores, logits: Floats) -> list[tuple[NDArray[np.bool_], Floats]]:
    """Return outcomes and logits of every fold that has both outcomes."""
    parts = []
    for rows, x in zip(scores.rows, logits, strict=True):
        folds = np.array([row.fold for row in rows])
        parts += [(scores.good[folds == fold], x[folds == fold]) for fold in np.unique(folds)]
    return [(good, x) for good, x in parts if good.any() and not good.all()]


def _called(good: NDArray[np.bool_], calls: NDArray[np.bool_], seed: int, n: int) -> dict[str, Any]:
    share = float(max(good.mean(), 1 - good.mean()))
    bar = Figure(chance_bar(len(good), share), method="exact binomial, 5 %: always saying the more frequent outcome")
    found = {
        "accuracy": bootstrapped(lambda i: accuracy(good[i], calls[i]), good, seed, "mean over repeats", n).to_json(),
        "accuracy_by_chance": bar.to_json(),
    }
    for name, measure in MEASURES.items():
        found[name] = _of_calls(lambda i, m=measure: m(good[i], calls[i]), good, seed, n, "good outcome")
        found[f"{name}_macro"] = _of_calls(lambda i, m=measure: macro(m, good[i], calls[i]), good, seed, n, "macro")
    return found


def _of_calls(statistic: Any, good: NDArray[np.bool_], seed: int, n: int, words: str) -> dict[str, Any]:
    return bootstrapped(statistic, good, seed, words, n).to_json()


def _promised(scores: Scores, n_windows: int | None, seed: int, n: int) -> dict[str, Any]:
    """Return Brier, intercept and slope of single networks (of single fits, for a baseline)."""
    log_odds, good = scores.log_odds(n_windows), scores.good
    squared = np.mean((sigmoid(log_odds) - good) ** 2, axis=0)
    return {
        "brier": bootstrapped(lambda i: squared[i].mean(axis=-1), good, seed, "mean over single networks", n).to_json(),
        "calibration_intercept": calibration_intercept(good, log_odds).to_json(),
        "calibration_slope": calibration_slope(good, log_odds).to_json(),
    }
