"""Trials: the phases of a session, grouped as the paradigm repeats them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from acquisition.paradigm import PHASES
from acquisition.phases import Span

#: The phase of a pause.
REST = "rest"


@dataclass(frozen=True)
class Trial:
    """One run through the phases, or through those of them that were marked.

    Parameters
    ----------
    number : int
        Counts the trials of the session from 0.
    spans : mapping of str to range
        Samples of the session's grid that each phase has.
    """

    number: int
    spans: Mapping[str, range]


def trials_of(phases: Iterable[Span]) -> tuple[Trial, ...]:
    """Group phases into trials; a phase that is not later in the trial than the one before begins the next trial.

    A rest that no movement goes with, as the marker of a pause makes one, is no trial.

    Parameters
    ----------
    phases : iterable of (str, int, int)
        Phase, first sample, number of samples; in order.

    Examples
    --------
    >>> marked = [("preparation", 0, 20), ("flexion", 20, 30), ("preparation", 50, 20)]
    >>> [(trial.number, sorted(trial.spans)) for trial in trials_of(marked)]
    [(0, ['flexion', 'preparation']), (1, ['preparation'])]
    """
    groups: list[dict[str, range]] = []
    last = len(PHASES)
    for phase, first_sample, n_samples in phases:
        if PHASES.index(phase) <= last:
            groups.append({})
        last = PHASES.index(phase)
        groups[-1][phase] = range(first_sample, first_sample + n_samples)
    trials = [spans for spans in groups if spans.keys() != {REST}]
    return tuple(Trial(number, spans) for number, spans in enumerate(trials))
