"""Aggregation: results to one logit, its weight and its worth."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inference.aggregation import in_order, mean_logit, weigh, worth
from inference.calibration import sigmoid
from streaming.records import ResultRecord
from tests.inference import tiny


def results(logits: list[float | None], weights: list[float] | None = None) -> list[ResultRecord]:
    """Return results in order."""
    made = [tiny.result(None, i, logit) for i, logit in enumerate(logits)]
    return made if weights is None else [replace(r, weight=w) for r, w in zip(made, weights, strict=True)]


def test_logits_are_weighted_by_quality() -> None:
    """A half-good window counts half."""
    assert mean_logit(results([1.0, 4.0], [1.0, 0.5]), "logit_mean_quality") == 2.0


def test_the_papers_way_is_the_plain_mean_of_probabilities() -> None:
    """Weights have no say in prob_mean; its log-odds go on to the calibration."""
    found = mean_logit(results([1.0, 4.0], [1.0, 0.1]), "prob_mean")
    p = (sigmoid(1.0) + sigmoid(4.0)) / 2
    assert found == pytest.approx(math.log(p / (1 - p)))


@pytest.mark.parametrize(("logit", "bound"), [(800.0, 27.6), (-800.0, -27.6)])
def test_certain_windows_keep_finite_log_odds(logit: float, bound: float) -> None:
    """A mean probability of exactly 0 or 1 would be infinite log-odds."""
    assert mean_logit(results([logit]), "prob_mean") == pytest.approx(bound, abs=0.1)


@given(st.permutations(range(6)), st.lists(st.integers(0, 5), max_size=4))
def test_the_order_of_arrival_leaves_no_trace(order: list[int], again: list[int]) -> None:
    """Sums run in index order; repeats change nothing."""
    made = results([0.1, 1e16, -1e16, 0.3, 0.7, 1e-9], [1.0, 0.3, 0.3, 0.9, 1.0, 0.5])
    shuffled = [made[i] for i in [*order, *again]]
    assert weigh(shuffled, 200) == weigh(made, 200)
    assert [r.index for r in in_order(shuffled)] == list(range(6))


def test_two_results_of_one_index_are_chosen_between_without_regard_to_order() -> None:
    """It cannot happen by law 5; if it does, arrival still leaves no trace."""
    one, other = tiny.result(None, 0, 0.25), tiny.result(None, 0, 0.75)
    assert in_order([one, other]) == in_order([other, one])


def test_worth_counts_distinct_signal() -> None:
    """Windows side by side are worth their number; a smaller stride adds what is new."""
    side_by_side = [tiny.result(None, i, 0.1) for i in range(5)]
    assert worth(side_by_side, 200) == 5.0
    overlapping = [replace(tiny.result(None, i, 0.1), first_sample=i * 20) for i in range(11)]
    assert worth(overlapping, 200) == 2.0
    assert worth([], 200) == 0.0


def test_a_window_without_a_known_span_counts_whole() -> None:
    """Windows that could not be read have a fate, but no samples that could be matched."""
    unreadable = [ResultRecord.unreadable("s", i, "torn") for i in range(3)]
    assert worth([*unreadable, tiny.result(None, 9, 0.5)], 200) == 4.0


def test_windows_without_a_score_have_no_weight() -> None:
    """A dead-lettered window keeps its own weight in its result, and has none in the sum."""
    dead = replace(tiny.result(None, 2, None), state="dead_lettered", weight=1.0)
    evidence = weigh([*results([0.5, None]), dead], 200)
    assert (evidence.weight, evidence.worth, evidence.worth_scored) == (1.0, 3.0, 1.0)
    assert evidence.mean_weight == pytest.approx(1 / 3)
    assert evidence.fates() == {"scored": 1, "not_scored": 1, "dead_lettered": 1}
    assert weigh([], 200).mean_weight == 0.0
