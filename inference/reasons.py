"""Reasons: why the windows give no number, in plain words that name the electrode and the remedy (law 8)."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence

from inference.aggregation import Evidence
from inference.normalisation import MIN_CHANNEL_QUALITY

#: Channels that are named; more than these are a loose cap or a loose cable, not electrodes.
MOST_NAMED = 4


def too_few(evidence: Evidence, labels: Sequence[str], n_min: int, *, ended: bool) -> str:
    """Return the reason of a session that has not enough scored windows, yet or for ever; names what spoilt others."""
    # Rounded down: 1.96 of 2 windows must not read as 2 of 2.
    n = f"{math.floor(evidence.worth_scored * 10) / 10:g}"
    spoilt = [*_worst(evidence, labels), *_dead(evidence)] if len(evidence.results) > len(evidence.scored) else []
    if ended:
        advice = "Then record this patient again" if spoilt else "Record this patient again, for longer"
        return " ".join([f"Too few windows: {n} of {n_min} were scored.", *spoilt, f"{advice}."])
    return " ".join([f"{n} of {n_min} windows are scored.", *(spoilt or ["Go on with the movements."])])


def unusable(evidence: Evidence, labels: Sequence[str], *, ended: bool) -> str:
    """Return the reason of a session whose windows carry too little weight; names the worst channels."""
    share = f"The signal of {len(evidence.results)} windows has {evidence.mean_weight:.0%} of full weight"
    sentences = [f"{share}, a third is needed.", *_worst(evidence, labels), *_dead(evidence)]
    if ended:
        sentences.append("Then record this patient again.")
    return " ".join(sentences)


def _worst(evidence: Evidence, labels: Sequence[str]) -> list[str]:
    bad = Counter(
        label
        for result in evidence.results
        for label, quality in zip(labels, result.channel_quality, strict=False)
        if quality < MIN_CHANNEL_QUALITY
    )
    if not bad:
        return ["Check the electrodes and the cable."]
    if len(bad) > MOST_NAMED:
        return [f"{len(bad)} channels are bad: check the cap, the reference and the cable."]
    # The commonest first; among equals the montage's order, which the counter keeps.
    named = ", ".join(f"{label} ({n} {_windows(n)})" for label, n in bad.most_common())
    return [f"Bad: {named}. Press or re-gel these electrodes."]


def _dead(evidence: Evidence) -> list[str]:
    n = evidence.fates()["dead_lettered"]
    set_aside = "was set aside" if n == 1 else "were set aside"
    return [f"{n} {_windows(n)} {set_aside} after failed attempts: look at the scorer's log."] if n else []


def _windows(n: int) -> str:
    return "window" if n == 1 else "windows"
