"""Epochs: the trials that a measure can read, and why it cannot read the others (law 8).

An epoch lies in one stretch: it never crosses a gap, and nothing in it is of a filter that still settles.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from acquisition.measures.conditioned import Conditioned, Stretch
from acquisition.measures.trials import Trial

#: Least share of good cells that every channel of an epoch must have: a held or bridged tenth of a second is no signal,
#: and more than one or two of them in a trial move its power and its envelope.
MIN_QUALITY = 0.9
#: Why a trial is left out.
INCOMPLETE, SHORT, END, GAP, SETTLING, QUALITY = (
    "phase not marked", "phase too short", "recording ends", "gap", "settling", "quality",
)  # fmt: skip
Array = NDArray[np.float64]


@dataclass(frozen=True)
class Epoch:
    """What a measure reads of one trial.

    Parameters
    ----------
    trial : int
        Its number.
    stretch : int
        The stretch that it lies in.
    spans : mapping of str to range
        Rows of that stretch that each phase has.
    """

    trial: int
    stretch: int
    spans: Mapping[str, range]

    def cut(self, traces: Mapping[int, Array], phase: str, skip: int = 0) -> Array:
        """Return a phase of a trace that there is of each stretch, without its first samples."""
        span = self.spans[phase]
        return traces[self.stretch][span.start + skip : span.stop]


@dataclass(frozen=True)
class Selection:
    """The trials that can be read, and how many cannot, by reason."""

    epochs: tuple[Epoch, ...]
    left_out: Mapping[str, int]

    def traces(self, signal: Conditioned, column: int, make: Callable[[Array], Array]) -> dict[int, Array]:
        """Return what `make` makes of a channel in every stretch that has epochs."""
        return {
            index: make(signal.stretches[index].trace(column)) for index in {epoch.stretch for epoch in self.epochs}
        }


def select(signal: Conditioned, phases: Sequence[str], labels: Sequence[str], least_s: float) -> Selection:
    """Return the epochs of phases that follow each other, for channels that are good in them.

    Parameters
    ----------
    signal : Conditioned
        The session.
    phases : sequence of str
        What is read of a trial, in order, with everything between.
    labels : sequence of str
        Channels that are read; all in the session.
    least_s : float
        Least length of each phase in s.
    """
    columns, least = signal.columns(labels), round(least_s * signal.rate_hz)
    found = [_epoch(signal, trial, phases, columns, least) for trial in signal.trials]
    reasons = Counter(epoch for epoch in found if isinstance(epoch, str))
    return Selection(tuple(epoch for epoch in found if isinstance(epoch, Epoch)), dict(reasons))


def _epoch(signal: Conditioned, trial: Trial, phases: Sequence[str], columns: Sequence[int], least: int) -> Epoch | str:
    """Return the epoch of a trial, or why there is none."""
    spans = {phase: trial.spans[phase] for phase in phases if phase in trial.spans}
    if len(spans) < len(phases):
        return INCOMPLETE
    whole = range(spans[phases[0]].start, spans[phases[-1]].stop)
    if whole.stop > signal.n_samples:
        return END
    if min(map(len, spans.values())) < least:
        return SHORT
    for index, stretch in enumerate(signal.stretches):
        if stretch.begin <= whole.start and whole.stop <= stretch.stop:
            return _within(stretch, index, trial.number, spans, whole, columns)
    return GAP


def _within(
    stretch: Stretch, index: int, trial: int, spans: Mapping[str, range], whole: range, columns: Sequence[int]
) -> Epoch | str:
    if whole.start < stretch.first_sample:
        return SETTLING
    if stretch.quality(whole, columns) < MIN_QUALITY:
        return QUALITY
    first = stretch.first_sample
    return Epoch(trial, index, {phase: range(span.start - first, span.stop - first) for phase, span in spans.items()})
