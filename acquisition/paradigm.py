"""The hip and knee paradigm: which phase the patient is asked for, and when.

A plan is arithmetic on seconds since the session's start; it knows no clock, no stream and no screen, so the cues, the
simulated patient and a test read the same times from it.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count, takewhile

#: The four phases of a trial, in order. A phase lasts until the next marker.
PHASES = ("preparation", "flexion", "rest", "extension")
#: The phases in which the patient moves.
MOVEMENTS = ("flexion", "extension")
#: Marker of the first sample of a session; no phase is known until the first trial.
SESSION_START = "session-start"
#: Marker of the end of the last trial.
SESSION_END = "session-end"
#: Every text that a marker of ours can carry.
MARKERS = (*PHASES, SESSION_START, SESSION_END)


@dataclass(frozen=True)
class Moment:
    """Where the plan stands at one time.

    Parameters
    ----------
    phase : str or None
        The phase that is under way; None before the first trial and after the last.
    trial : int or None
        Number of the trial, from 0; None where there is no phase.
    remaining_s : float
        Seconds until the next marker; infinite after the last.
    """

    phase: str | None
    trial: int | None
    remaining_s: float


@dataclass(frozen=True)
class ParadigmPlan:
    """A still start, then trials of the same four phases.

    Parameters
    ----------
    still_s : float
        Seconds of sitting still before the first trial.
    preparation_s, flexion_s, rest_s, extension_s : float
        Seconds of each phase; more than 0.
    n_trials : int or None
        Trials until ``session-end``; None never ends, for a demonstration.

    Examples
    --------
    >>> plan = ParadigmPlan()
    >>> plan.total_s
    540.0
    >>> plan.events(33.0)
    [(0.0, 'session-start'), (30.0, 'preparation'), (32.0, 'flexion')]
    >>> plan.at(36.0)
    Moment(phase='rest', trial=0, remaining_s=1.0)
    """

    still_s: float = 30.0
    preparation_s: float = 2.0
    flexion_s: float = 3.0
    rest_s: float = 2.0
    extension_s: float = 3.0
    n_trials: int | None = 51

    def __post_init__(self) -> None:
        if min(self.durations_s) <= 0 or self.still_s < 0:
            raise ValueError(f"a phase must last more than 0 s, got {self.durations_s} after {self.still_s} s still")

    @property
    def durations_s(self) -> tuple[float, float, float, float]:
        """Seconds of each of ``PHASES``."""
        return (self.preparation_s, self.flexion_s, self.rest_s, self.extension_s)

    @property
    def trial_s(self) -> float:
        """Seconds of one trial."""
        return sum(self.durations_s)

    @property
    def total_s(self) -> float:
        """Seconds from ``session-start`` to ``session-end``; infinite for an endless plan."""
        return math.inf if self.n_trials is None else self.still_s + self.n_trials * self.trial_s

    def timeline(self) -> Iterator[tuple[float, str]]:
        """Yield every marker as (seconds since the start, text), in order; endless for an endless plan."""
        yield 0.0, SESSION_START
        for trial in count() if self.n_trials is None else range(self.n_trials):
            start_s = self.still_s + trial * self.trial_s
            for phase, duration_s in zip(PHASES, self.durations_s, strict=True):
                yield start_s, phase
                start_s += duration_s
        yield self.total_s, SESSION_END

    def events(self, seconds: float | None = None) -> list[tuple[float, str]]:
        """Return the markers of the first `seconds`, that last moment included.

        Parameters
        ----------
        seconds : float, optional
            How much of the plan; all of it by default, which an endless plan cannot give.

        Returns
        -------
        list of (float, str)
            Seconds since the session's start, and the marker's text.
        """
        until_s = self.total_s if seconds is None else seconds
        if math.isinf(until_s):
            raise ValueError("an endless plan has no last event: say how many seconds of it")
        return list(takewhile(lambda event: event[0] <= until_s, self.timeline()))

    def at(self, t_s: float) -> Moment:
        """Return the phase and trial at a time.

        Parameters
        ----------
        t_s : float
            Seconds since the session's start.
        """
        if t_s >= self.total_s:
            return Moment(None, None, math.inf)
        if t_s < self.still_s:
            return Moment(None, None, self.still_s - t_s)
        trial, into_s = divmod(t_s - self.still_s, self.trial_s)
        for phase, duration_s in zip(PHASES[:-1], self.durations_s[:-1], strict=True):
            if into_s < duration_s:
                return Moment(phase, int(trial), duration_s - into_s)
            into_s -= duration_s
        return Moment(PHASES[-1], int(trial), self.extension_s - into_s)
