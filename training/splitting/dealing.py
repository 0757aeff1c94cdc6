"""Dealing patients to parts by given shares, each stratum of outcome and modality spread as evenly as it goes (law 9).

Pure: identifiers and a seed in, identifiers out. The order in which patients are listed leaves no trace.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Literal

import numpy as np

from training.errors import SplitError

if TYPE_CHECKING:
    from training.cohort.participants import Participant

#: The four strata, by (outcome is good, has EEG), as they are called in files and messages.
STRATA = {
    (True, True): "good outcome, with EEG",
    (False, True): "poor outcome, with EEG",
    (True, False): "good outcome, without EEG",
    (False, False): "poor outcome, without EEG",
}

#: Patients by the name of their stratum, each list sorted.
Strata = Mapping[str, tuple[str, ...]]
#: What is spread evenly over the parts: the four strata, or the outcome alone where too few patients have EEG.
By = Literal["outcome and EEG", "outcome"]


def strata_of(participants: Iterable[Participant]) -> dict[str, tuple[str, ...]]:
    """Sort the patients that have a label into the four strata; those without one are left out.

    Raises
    ------
    SplitError
        If an identifier comes twice.
    """
    members: dict[str, list[str]] = {name: [] for name in STRATA.values()}
    for participant in participants:
        if participant.good is not None:
            members[STRATA[participant.good, participant.has_eeg]].append(participant.id)
    _refuse_twins([patient for stratum in members.values() for patient in stratum])
    return {name: tuple(sorted(stratum)) for name, stratum in members.items()}


def limited_to(strata: Strata, patients: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """Return the strata with some patients alone."""
    kept = set(patients)
    return {name: tuple(patient for patient in members if patient in kept) for name, members in strata.items()}


def merged(strata: Strata, by: By) -> Strata:
    """Return the strata as patients are dealt by them: by outcome alone, everybody of one counts as one with EEG."""
    if by == "outcome and EEG":
        return strata
    found: dict[str, tuple[str, ...]] = {name: () for name in STRATA.values()}
    for outcome in (True, False):
        both = (*strata[STRATA[outcome, True]], *strata[STRATA[outcome, False]])
        found[STRATA[outcome, True]] = tuple(sorted(both))
    return found


def deal(
    strata: Strata,
    with_eeg: Sequence[float],
    without_eeg: Sequence[float],
    seed: Sequence[int],
    by: By = "outcome and EEG",
) -> list[tuple[str, ...]]:
    """Deal all patients to parts.

    The number of patients of a part is rounded by largest remainder, with EEG and without EEG apart; so is the number
    of good outcomes among them, so that both outcomes are within one of their share. By outcome alone a part's weight
    is the sum of its two.

    Parameters
    ----------
    strata : mapping of str to tuple of str
        Patients by stratum.
    with_eeg, without_eeg : sequence of float
        Weight of each part among the patients with EEG and among those without.
    seed : sequence of int
        Of the order in which a stratum's patients are dealt.
    by : {"outcome and EEG", "outcome"}
        What is spread evenly.

    Returns
    -------
    list of tuple of str
        Sorted identifiers of each part.

    Raises
    ------
    SplitError
        If some part would lack an outcome: among its patients with EEG, or by outcome alone among all.
    """
    require_outcomes(strata, len(with_eeg), f"{len(with_eeg)} parts", by)
    if by == "outcome":
        strata, with_eeg = merged(strata, by), [sum(both) for both in zip(with_eeg, without_eeg, strict=True)]
    rng = np.random.default_rng(list(seed))
    parts: list[list[str]] = [[] for _ in with_eeg]
    for has_eeg, weights in ((True, with_eeg), (False, without_eeg)):
        good, poor = (rng.permutation(strata[STRATA[outcome, has_eeg]]).tolist() for outcome in (True, False))
        least = int(has_eeg)
        sizes = apportion(len(good) + len(poor), weights, low=[2 * least] * len(parts))
        goods = apportion(len(good), sizes, low=[least] * len(parts), high=[size - least for size in sizes])
        for part, size, n_good in zip(parts, sizes, goods, strict=True):
            part += good[:n_good] + poor[: size - n_good]
            del good[:n_good], poor[: size - n_good]
    return [tuple(sorted(part)) for part in parts]


def apportion(
    total: int, weights: Sequence[float], low: Sequence[int] | None = None, high: Sequence[int] | None = None
) -> list[int]:
    """Share a number out by largest remainder, each share between its bounds; the first part wins a tie.

    Examples
    --------
    >>> apportion(86, (60, 13, 13))
    [60, 13, 13]
    >>> apportion(10, (60, 13, 13), low=(2, 2, 2))
    [6, 2, 2]
    """
    counts = list(low or [0] * len(weights))
    room = [(total if high is None else high[i]) for i in range(len(weights))]
    whole = sum(weights) or 1
    while sum(counts) < total:
        open_parts = [i for i in range(len(weights)) if counts[i] < room[i]]
        # Products, not quotients: whole numbers stay exact, so that ties are ties on every machine.
        counts[max(open_parts, key=lambda i: total * weights[i] - counts[i] * whole)] += 1
    return counts


def require_outcomes(strata: Strata, least: int, what: str, by: By = "outcome and EEG") -> None:
    """Refuse patients of whom too few have one of the outcomes: of those with EEG, or by outcome alone of all.

    Raises
    ------
    SplitError
        If fewer than `least` have a good, or a poor, outcome.
    """
    who = "Patients with EEG and" if by == "outcome and EEG" else "Patients with"
    for outcome in (True, False):
        n = len(merged(strata, by)[STRATA[outcome, True]])
        if n < least:
            word = "good" if outcome else "poor"
            raise SplitError(
                f"{who} a {word} outcome: {n}, too few for {what}; each needs both outcomes.",
                subject=word,
                remedy=f"Add {who[:1].lower()}{who[1:]} a {word} outcome, or ask for fewer parts (split.folds).",
            )


def _refuse_twins(patients: Sequence[str]) -> None:
    twins = sorted(patient for patient, n in Counter(patients).items() if n > 1)
    if twins:
        raise SplitError(
            f"Patients {', '.join(twins)} are listed twice.",
            subject=twins[0],
            remedy="Give every patient one row in participants.tsv.",
        )
