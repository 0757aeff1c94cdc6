"""Aggregation: the results of a session become one logit, its weight, and the worth of signal behind it (pure).

Sums run in index order whatever the order of arrival, so that the same results give the same bits. Counts are windows'
worth of *distinct* signal: windows that overlap are not independent evidence, and a smaller stride must not make an
outcome ready sooner.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from inference.calibration import sigmoid
from streaming.records import UNKNOWN, ResultRecord

#: A mean probability is kept this far from 0 and 1, so that its log-odds stay finite; 1e-12 is 27.6 in log-odds.
P_MARGIN = 1e-12


@dataclass(frozen=True)
class Evidence:
    """What the results of a session add up to.

    Attributes
    ----------
    results : tuple of ResultRecord
        Each index once, in order.
    scored : tuple of ResultRecord
        Those with a logit and a weight above 0.
    worth : float
        Windows' worth of distinct signal that has a fate.
    worth_scored : float
        The same of the scored windows.
    weight : float
        Sum of the weights of the scored windows.
    """

    results: tuple[ResultRecord, ...]
    scored: tuple[ResultRecord, ...]
    worth: float
    worth_scored: float
    weight: float

    @property
    def mean_weight(self) -> float:
        """Mean weight of all windows with a fate; those without a score count as 0."""
        return self.weight / len(self.results) if self.results else 0.0

    def fates(self) -> dict[str, int]:
        """Return how many windows had which fate."""
        states = [result.state for result in self.results]
        return {state: states.count(state) for state in ("scored", "not_scored", "dead_lettered")}


def weigh(results: Iterable[ResultRecord], n_samples: int) -> Evidence:
    """Return what ``results`` add up to.

    Parameters
    ----------
    results : iterable of ResultRecord
        Of one session, in any order, repeats allowed.
    n_samples : int
        Length of a window.
    """
    ordered = in_order(results)
    scored = tuple(result for result in ordered if result.state == "scored" and result.weight > 0.0)
    weight = 0.0
    for result in scored:
        weight += result.weight
    return Evidence(ordered, scored, worth(ordered, n_samples), worth(scored, n_samples), weight)


def in_order(results: Iterable[ResultRecord]) -> tuple[ResultRecord, ...]:
    """Return each index once, rising.

    Two different results of one index cannot come out of the commit script; should they come from elsewhere, the
    choice between them does not depend on their order.
    """
    unique: dict[int, ResultRecord] = {}
    for result in results:
        rival = unique.setdefault(result.index, result)
        if rival is not result and _text(result) < _text(rival):
            unique[result.index] = result
    return tuple(unique[index] for index in sorted(unique))


def worth(results: Sequence[ResultRecord], n_samples: int) -> float:
    """Return how many windows the distinct samples of ``results`` would fill: a whole number without overlap.

    A window that could not be read has no known span, and counts whole.
    """
    known = sorted(result.first_sample for result in results if result.first_sample != UNKNOWN)
    covered, end = (len(results) - len(known)) * n_samples, 0
    for first in known:
        covered += first + n_samples - max(first, end)
        end = first + n_samples
    return covered / n_samples


def mean_logit(scored: Sequence[ResultRecord], aggregation: str) -> float:
    """Return the session's logit from its scored windows, in index order.

    Parameters
    ----------
    scored : sequence of ResultRecord
        At least one, each with a logit and a weight above 0.
    aggregation : str
        ``logit_mean_quality``: the mean of the logits weighted by quality. ``prob_mean``: the log-odds of the plain
        mean of the windows' probabilities, as in the paper.
    """
    by_quality = aggregation == "logit_mean_quality"
    return pool([_logit(result) for result in scored], [r.weight if by_quality else 1.0 for r in scored], aggregation)


def pool(logits: Sequence[float], weights: Sequence[float], aggregation: str) -> float:
    """Return one logit of several, summed in their order.

    Parameters
    ----------
    logits, weights : sequence of float
        At least one; the weights sum to more than 0.
    aggregation : str
        ``logit_mean_quality``: the weighted mean of the logits. ``prob_mean``: the log-odds of that of the
        probabilities.
    """
    total = whole = 0.0
    for logit, weight in zip(logits, weights, strict=True):
        total += weight * (logit if aggregation == "logit_mean_quality" else sigmoid(logit))
        whole += weight
    if aggregation == "logit_mean_quality":
        return total / whole
    p = min(max(total / whole, P_MARGIN), 1.0 - P_MARGIN)
    return math.log(p / (1.0 - p))


def _logit(result: ResultRecord) -> float:
    assert result.logit is not None, "a scored window has a logit"
    return result.logit


def _text(result: ResultRecord) -> str:
    return json.dumps(result.to_json(), sort_keys=True)
