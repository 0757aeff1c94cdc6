"""A recording looked at, not scored: its segments, what is missing, its true rate, and what it leaves open (law 3).

The rules are those of scoring, with one difference: a stream that does not run at the rate it states is decided at the
rate of its stamps, and that is told; to score it would be refused.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from acquisition.counting import check_counts, counters
from acquisition.decisions import Decision
from acquisition.errors import RateError, RecordingError
from acquisition.recording import Recording
from acquisition.stamps import StampDecider

#: Steps beyond this many samples, or a second, are holes or resets and say nothing of the rate.
LONGEST_STEP, LONGEST_STEP_S = 5.0, 1.0


@dataclass(frozen=True)
class Segment:
    """A stretch that windows may lie in.

    Parameters
    ----------
    first_sample : int
        On the recording's grid, lost samples included.
    n_samples : int
        Taken onto the grid.
    begins_s : float
        Stamp of its first sample.
    reason : str
        Why it began: ``start``, ``gap`` or ``clock_reset``.
    """

    first_sample: int
    n_samples: int
    begins_s: float
    reason: str


@dataclass(frozen=True)
class Inspection:
    """What is seen of a recording.

    Parameters
    ----------
    recording : Recording
    rate_hz : float
        At which it was decided: the stated one, or that of its stamps.
    segments : tuple of Segment
    n_lost, n_bridged : int
        Samples that never came: declared lost, and in short holes.
    rejected : mapping of str to int
        Samples that were not taken, by reason.
    clock_resets : int
    notes : tuple of str
        What whoever wants to score it should know, in sentences.
    """

    recording: Recording
    rate_hz: float
    segments: tuple[Segment, ...]
    n_lost: int
    n_bridged: int
    rejected: dict[str, int]
    clock_resets: int
    notes: tuple[str, ...]

    @property
    def duration_s(self) -> float:
        """Seconds of signal that are there."""
        return sum(segment.n_samples for segment in self.segments) / self.rate_hz


def inspect(recording: Recording, counter: tuple[str, int | None] | None = None) -> Inspection:
    """Look at a recording as scoring would, at whatever rate it has.

    Parameters
    ----------
    recording : Recording
        Of any rate and montage.
    counter : (str, int or None), optional
        Label of the column that counts samples, and the count at which it begins again.

    Raises
    ------
    RecordingError
        If it has no such column, or that does not count.
    """
    counts, modulo = _counts(recording, counter)
    rate_hz, notes = recording.rate_hz, []
    try:
        decisions = StampDecider(rate_hz, part=1, counter_modulo=modulo).push(recording.stamps, counts)
    except RateError as error:
        rate_hz = rate_by_stamps(recording.stamps, rate_hz)
        notes.append(f"{error.message} Looked at as {rate_hz:.2f} Hz; score and replay refuse it{_way_out(recording)}.")
        decider = StampDecider(rate_hz, part=1, counter_modulo=modulo, any_rate=True)
        decisions = decider.push(recording.stamps, counts)
    if counter is None:
        notes += [_counting_words(*found) for found in counters(recording.labels, recording.samples)]
    rejected: Counter[str] = Counter()
    for decision in decisions:
        if decision.kind == "reject":
            rejected[decision.word("reason")] += decision.count("n")
    return Inspection(
        recording=recording,
        rate_hz=rate_hz,
        segments=_segments(decisions, recording.stamps),
        n_lost=_sum(decisions, "lost"),
        n_bridged=_sum(decisions, "bridged"),
        rejected=dict(rejected),
        clock_resets=sum(decision.kind == "clock_reset" for decision in decisions),
        notes=tuple(notes),
    )


def rate_by_stamps(stamps: NDArray[np.float64], rate_hz: float) -> float:
    """Return the rate at which samples follow each other, holes and leaps of the clock left out.

    Parameters
    ----------
    stamps : ndarray, shape (n_samples,), float64
    rate_hz : float
        The stated rate; returned where the stamps tell none.
    """
    steps = np.diff(stamps[np.isfinite(stamps)])
    near = steps[np.abs(steps) <= max(LONGEST_STEP / rate_hz, LONGEST_STEP_S)]
    passed_s = float(near.sum())
    return len(near) / passed_s if passed_s > 0 else rate_hz


def _counts(
    recording: Recording, counter: tuple[str, int | None] | None
) -> tuple[NDArray[np.float64] | None, int | None]:
    """Return the counts of each sample, where a column of counts was named, and where they begin again."""
    if counter is None:
        return None, None
    label, modulo = counter
    columns = [n for n, name in enumerate(recording.labels) if name.casefold() == label.casefold()]
    if not columns:
        there = ", ".join(recording.labels)
        message = f"{recording.path} has no column {label!r} that could count samples; there is {there}."
        raise RecordingError(message, subject=str(recording.path), remedy="Name one of these: --counter NAME:N")
    counts = recording.samples[:, columns[0]].astype(np.float64)
    check_counts(recording.path, label, counts, modulo)
    return counts, modulo


def _way_out(recording: Recording) -> str:
    """Return what helps a table whose times are a computer's and not the amplifier's."""
    return "" if recording.format != "text" else " unless its times are left out: --time-column none"


def _counting_words(label: str, modulo: int | None) -> str:
    option = f"{label}:{modulo}" if modulo is not None else label
    return f"column {label!r} seems to count samples: with --counter '{option}' losses are exact."


def _segments(decisions: Sequence[Decision], stamps: NDArray[np.float64]) -> tuple[Segment, ...]:
    begins = [decision for decision in decisions if decision.kind == "segment"]
    ends = [*(decision.at for decision in begins[1:]), len(stamps)][: len(begins)]
    segments = []
    for decision, end in zip(begins, ends, strict=True):
        inside = [d for d in decisions if d.kind == "reject" and decision.at <= d.at < end]
        n_samples = end - decision.at - _sum(inside, "reject")
        begins_s = float(stamps[decision.at])
        segments.append(Segment(decision.count("first_sample"), n_samples, begins_s, decision.word("reason")))
    return tuple(segments)


def _sum(decisions: Sequence[Decision], kind: str) -> int:
    return sum(decision.count("n") for decision in decisions if decision.kind == kind)
