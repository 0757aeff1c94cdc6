"""What the report says first: a network that does not beat a baseline is said not to, before any figure."""

from __future__ import annotations

from typing import Any

import pytest

from tests.training import reports
from tests.training.reporting.conftest import facts_of
from training.reporting.facts import Facts
from training.reporting.verdict import difference_of, probabilities, size, verdict


def pair(name: str, value: float | None, half: float = 0.05, *, turned: bool = False) -> dict[str, Any]:
    """Return a paired difference of the network and a baseline, the other way round if asked."""
    a, b = (name, "lstm-bands") if turned else ("lstm-bands", name)
    bounds = {} if value is None else {"low": value - half, "high": value + half}
    return {"a": a, "b": b, "auc_difference": {"value": value, **bounds}}


def against(*pairs: dict[str, Any]) -> str:
    """Return the verdict on a network and one baseline for each pair."""
    network, baseline, *_ = reports.sample()["models"]
    names = sorted({name for pair in pairs for name in (pair["a"], pair["b"])} - {network["name"]})
    models = [network, *({**baseline, "name": name} for name in names)]
    return verdict(facts_of(models=models, paired=list(pairs)))


@pytest.mark.parametrize("turned", [False, True], ids=["network first", "baseline first"])
def test_a_lower_network_does_not_beat_the_baseline(turned: bool) -> None:
    """Whichever way round the difference was taken, the sentence is the same."""
    value = 0.04 if turned else -0.04
    words = "The network (lstm-bands) does not beat band-power (a logistic regression)."
    assert against(pair("band-power", value, turned=turned)) == words


def test_an_equal_network_does_not_beat_the_baseline() -> None:
    """A difference of 0 is none."""
    assert "does not beat band-power" in against(pair("band-power", 0.0))


def test_a_higher_auc_alone_is_not_enough() -> None:
    """An interval that holds 0 says that chance may have done it."""
    words = against(pair("band-power", 0.04, half=0.05))
    beaten = "is not shown to beat band-power (a logistic regression): the difference may be chance."
    assert words == f"The network (lstm-bands) {beaten}"


def test_a_network_above_every_baseline_is_said_to_be() -> None:
    """Only an interval above 0, against each of them."""
    words = against(pair("band-power", 0.2), pair("majority", 0.3, turned=False))
    assert words == "The network (lstm-bands) ranks these patients better than every baseline beside it."


def test_every_baseline_has_its_clause() -> None:
    """Beaten, unclear, lower and never compared stand apart."""
    words = against(pair("band-power", -0.1), pair("baseline-fma", 0.02), pair("majority", None))
    assert words == (
        "The network (lstm-bands) does not beat band-power (a logistic regression); it is not shown to beat "
        "baseline-fma (the score at baseline alone): the difference may be chance; it was not compared with majority "
        "(always the more frequent outcome)."
    )


def test_a_pair_that_was_not_taken_has_no_difference() -> None:
    """Nothing is made up where the evaluation has no such pair."""
    assert difference_of(facts_of(paired=[]), "lstm-bands", "band-power") is None


def test_without_a_network_or_a_baseline_the_verdict_says_which() -> None:
    """A report of one kind alone is not silent about it."""
    networks = [model for model in reports.sample()["models"] if model["kind"] == "network"]
    others = [model for model in reports.sample()["models"] if model["kind"] != "network"]
    assert verdict(facts_of(models=networks)).startswith("No baseline stands beside the network")
    assert verdict(facts_of(models=others)).startswith("This run has no network's predictions")


def test_size_counts_the_rarer_outcome_for_each_parameter() -> None:
    """Events, not patients, carry a model; a run that does not know its parameters says so."""
    words = size(facts_of())
    assert "11 events of the rarer kind" in words
    assert "161,569 parameters for them: 0.00007 events per parameter" in words
    run = {key: value for key, value in reports.sample()["run"].items() if key != "parameters"}
    assert "does not say how many parameters" in size(facts_of(run=run))


def test_probabilities_that_nobody_calibrated_are_said_to_be_so() -> None:
    """A profile of one split has no other folds; the majority's one number lacks nothing in either."""
    assert probabilities(facts_of()).endswith("and is calibrated on the other folds.")
    assert probabilities(Facts(reports.sample(profile="paper"))).endswith(
        "NOT calibrated, for want of other folds: those of lstm-bands and band-power."
    )
