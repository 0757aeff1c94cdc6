"""What the report says first: whether the network beats the baselines, in words and before any figure.

*Beats* means that the interval of the paired difference in AUC lies above 0; a higher AUC alone is not enough.
"""

from __future__ import annotations

from typing import Any

from training.reporting.facts import Facts
from training.reporting.words import interval_of, listed, model, value_of

#: Events per parameter that a plain regression is asked for by the old rule; Riley 2019 has a fuller one.
EVENTS_PER_PARAMETER = 10
#: What the patients of a run of fusions are asked for, by method.
WEIGHTS = {
    "equal": "They have no say in the weights; the networks behind them learned from patients of the same cohort.",
    "logit_stack": "They choose two weights and a bias, drawn to equal weights; the networks behind them learned from "
    "patients of the same cohort, and only figures of patients that had no part in either count.",
    "mean_prob": "They choose one weight; the networks behind it learned from patients of the same cohort, and only "
    "figures of patients that had no part in either count.",
}


def verdict(facts: Facts) -> str:
    """Return the first sentence of the report."""
    if not facts.networks:
        return "This run has no network's predictions: the report is of the baselines alone."
    if not facts.baselines:
        return (
            f"No baseline stands beside {facts.subject.lower()}, so this run cannot say whether it is worth its size."
        )
    name = facts.networks[0]["name"]
    sides = [(other["name"], side_of(facts, name, other["name"])) for other in facts.baselines]
    lower = [model(other) for other, side in sides if side == "lower"]
    unclear = [model(other) for other, side in sides if side == "unclear"]
    unknown = [model(other) for other, side in sides if side == "unknown"]
    clauses = []
    if lower:
        clauses.append(f"does not beat {listed(lower)}")
    if unclear:
        clauses.append(f"is not shown to beat {listed(unclear)}: the difference may be chance")
    if unknown:
        clauses.append(f"was not compared with {listed(unknown)}")
    if clauses:
        return f"{facts.subject} ({name}) {'; it '.join(clauses)}."
    return f"{facts.subject} ({name}) ranks these patients better than {_everything(facts)} beside it."


def _everything(facts: Facts) -> str:
    return "either head alone and every baseline" if facts.modality == "fusion" else "every baseline"


def side_of(facts: Facts, network: str, baseline: str) -> str:
    """Return on which side of a baseline a network lies: higher, unclear, lower, or unknown."""
    difference = difference_of(facts, network, baseline)
    value, bounds = value_of(difference), interval_of(difference)
    if value is None:
        return "unknown"
    if value <= 0:
        return "lower"
    return "higher" if bounds is not None and bounds[0] > 0 else "unclear"


def difference_of(facts: Facts, network: str, baseline: str) -> Any:
    """Return the paired difference in AUC, network minus baseline, whichever way round it was taken."""
    for pair in facts.list_of("paired"):
        if (pair["a"], pair["b"]) == (network, baseline):
            return pair["auc_difference"]
        if (pair["b"], pair["a"]) == (network, baseline):
            return _turned(pair["auc_difference"])
    return None


def _turned(difference: Any) -> dict[str, float | None]:
    value, bounds = value_of(difference), interval_of(difference)
    turned = {"value": None if value is None else -value}
    return turned if bounds is None else {**turned, "low": -bounds[1], "high": -bounds[0]}


def size(facts: Facts) -> str:
    """Return how much the patients can carry: unit, n, events, parameters."""
    events = min(facts.n_good, facts.n - facts.n_good)
    words = (
        f"The unit is the patient: {facts.n} patients, {facts.n_good} with a good outcome and "
        f"{facts.n - facts.n_good} without, so {events} events of the rarer kind."
    )
    if facts.modality == "fusion":
        return f"{words} {WEIGHTS.get(str(facts.run.get('model')), '')}".rstrip()
    if facts.parameters is None:
        return f"{words} The run does not say how many parameters the network has."
    return (
        f"{words} The network has {facts.parameters:,} parameters for them: {events / facts.parameters:.5f} events per "
        f"parameter, where a plain regression is asked for {EVENTS_PER_PARAMETER} or more. It can learn these patients "
        "by heart; only figures of patients that it never saw count, and their intervals are wide."
    )


def probabilities(facts: Facts) -> str:
    """Return what every probability of the report is."""
    words = "Every probability is of a patient whom the model had not seen"
    names = [row["name"] for row in facts.models if row["calibrated"] is False]
    if not names:
        return f"{words}, and is calibrated on the other folds."
    return f"{words}. NOT calibrated, for want of other folds: those of {listed(names)}."


def origin(facts: Facts) -> tuple[str, str]:
    """Return the large words and the sentence of the band above everything (law 9)."""
    if facts.run.get("origin") == "clinical":
        return (
            "CLINICAL COHORT",
            "Figures of this cohort alone: no other hospital, and no patient after these, has been looked at.",
        )
    if facts.run.get("origin") == "synthetic":
        return (
            "SYNTHETIC: SIMULATED PATIENTS",
            "No patient was involved. These figures show that the path works; they say nothing about any real patient.",
        )
    return (
        "ORIGIN UNKNOWN",
        "The run does not say whether its patients are simulated: read these figures as simulated.",
    )
