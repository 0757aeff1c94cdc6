"""Cues: what the patient is asked for now, and the markers that say so in the record.

Pure: a plan, times that are handed in and what a person at the bed wants give what is shown and which marker came due;
``cue_desk`` is the shell around it.

Due times are counted from the start and from the end of each pause, so lateness never adds up: after a stall all that
came due is told at once, each marker exactly once and in order, and each says how late it was (law 3).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from enum import Enum
from typing import Any

from acquisition.paradigm import PHASES, SESSION_END, ParadigmPlan

#: Lateness in s above which a marker counts as late: one picture of a 50 Hz screen, which nobody can see.
LATE_ABOVE_S = 0.02
#: The marker with which every trial begins; a pause comes in its place.
TRIAL = PHASES[0]
#: The marker of a pause: the last phase must not last through it, and the patient does rest.
PAUSE_MARKER = "rest"


class State(Enum):
    """Where a run stands."""

    READY = "ready"
    RUNNING = "running"
    PAUSING = "pausing"
    PAUSED = "paused"
    ENDED = "ended"


class Event(Enum):
    """What can happen to a run; the first four are what a person can ask for."""

    START = "start"
    PAUSE = "pause"
    GO_ON = "go-on"
    STOP = "stop"
    TRIAL_OVER = "trial-over"
    PLAN_OVER = "plan-over"


#: What a person can ask for, by its name.
COMMANDS = {event.value: event for event in (Event.START, Event.PAUSE, Event.GO_ON, Event.STOP)}
#: Every step. What is not here changes nothing: two people may press the same button, or one press it too late.
TRANSITIONS: dict[tuple[State, Event], State] = {
    (State.READY, Event.START): State.RUNNING,
    (State.READY, Event.STOP): State.ENDED,
    (State.RUNNING, Event.PAUSE): State.PAUSING,
    (State.RUNNING, Event.STOP): State.ENDED,
    (State.RUNNING, Event.PLAN_OVER): State.ENDED,
    (State.PAUSING, Event.GO_ON): State.RUNNING,
    (State.PAUSING, Event.TRIAL_OVER): State.PAUSED,
    (State.PAUSING, Event.STOP): State.ENDED,
    (State.PAUSING, Event.PLAN_OVER): State.ENDED,
    (State.PAUSED, Event.GO_ON): State.RUNNING,
    (State.PAUSED, Event.STOP): State.ENDED,
}
#: The states in which the plan's time passes.
PASSING = (State.RUNNING, State.PAUSING)


@dataclass(frozen=True)
class Cue:
    """A marker that came due.

    Parameters
    ----------
    text : str
        The marker, one of ``paradigm.MARKERS``.
    trial : int or None
        Number of the trial, from 0; None where the marker is of none.
    due_s, shown_s : float
        When it was due and when it was shown; monotonic.
    overtaken : bool
        Whether the next one was due too by then, so that nobody saw this one.
    """

    text: str
    trial: int | None
    due_s: float
    shown_s: float
    overtaken: bool = False

    @property
    def late_s(self) -> float:
        """Seconds from when it was due to when it was shown."""
        return self.shown_s - self.due_s

    @property
    def late(self) -> bool:
        """Whether somebody can have seen that it was late."""
        return self.late_s > LATE_ABOVE_S


@dataclass(frozen=True)
class Shown:
    """What the patient is shown at one moment.

    Parameters
    ----------
    number : int
        Another one for each thing that is shown.
    state : str
        Value of the run's ``State``.
    phase : str or None
        The phase that is under way; None where there is none.
    trial : int or None
        Number of the trial, from 0; None before the first.
    n_trials : int or None
        How many the plan has; None for an endless one.
    length_s, left_s : float or None
        How long this lasts in all, and how much of it is left; None where that is not known.
    next : str or None
        The marker that ends this; None where the run waits for a person, or is over.
    plan_s, plan_left_s : float or None
        Seconds of the whole plan, and what is left of them; pauses are not counted. None for an endless one.
    """

    number: int
    state: str
    phase: str | None
    trial: int | None
    n_trials: int | None
    length_s: float | None
    left_s: float | None
    next: str | None
    plan_s: float | None
    plan_left_s: float | None

    def to_json(self) -> dict[str, Any]:
        """Return plain values."""
        return asdict(self)


class CueRunner:
    """A plan under way. No clock, no stream, no screen: times and wishes in, cues out.

    ::

        READY ──start──> RUNNING <──────go on────── PAUSED
                          │   ^                       ^
                        pause go on               trial over
                          v   │                       │
                         PAUSING ─────────────────────┘        any ──stop, or the plan is over──> ENDED

    Parameters
    ----------
    plan : ParadigmPlan
        What is asked of the patient, and when.

    Examples
    --------
    >>> runner = CueRunner(ParadigmPlan(still_s=1.0, n_trials=1))
    >>> [cue.text for cue in runner.step(100.0, Event.START)]
    ['session-start']
    >>> [(cue.text, cue.late_s) for cue in runner.step(103.5)]
    [('preparation', 2.5), ('flexion', 0.5)]
    >>> runner.shown(104.0).left_s
    2.0
    """

    def __init__(self, plan: ParadigmPlan) -> None:
        self.plan = plan
        self.state = State.READY
        #: What ended the run; None before.
        self.ended_by: Event | None = None
        self._timeline = plan.timeline()
        #: Seconds of the plan at which the next marker comes, and its text; None after the last.
        self._next: tuple[float, str] | None = next(self._timeline)
        self._before_s = 0.0
        self._due_s = 0.0
        self._origin_s = 0.0
        self._phase: str | None = None
        self._trial: int | None = None
        self._number = 0

    @property
    def due_s(self) -> float | None:
        """When the next marker comes, monotonic; None while the run waits for a person, and after its end."""
        return self._due_s if self.state in PASSING else None

    def step(self, now_s: float, event: Event | None = None) -> list[Cue]:
        """Return the cues that came due by now, oldest first.

        Parameters
        ----------
        now_s : float
            Monotonic time; never less than the last.
        event : Event, optional
            What a person asks for. It takes effect now, after all that was due before.
        """
        cues = list(self._due(now_s))
        if event is not None:
            cues += self._obey(event, now_s)
            cues += self._due(now_s)
        return [replace(cue, overtaken=cue.text in PHASES) for cue in cues[:-1]] + cues[-1:]

    def shown(self, now_s: float) -> Shown:
        """Return what is shown at a time.

        Parameters
        ----------
        now_s : float
            Monotonic time, of the last ``step`` or later.
        """
        length_s = left_s = None
        if self.state in PASSING and self._next is not None:
            length_s = self._next[0] - self._before_s
            left_s = max(0.0, self._due_s - now_s)
        return Shown(
            number=self._number,
            state=self.state.value,
            phase=self._phase,
            trial=self._trial,
            n_trials=self.plan.n_trials,
            length_s=length_s,
            left_s=left_s,
            next=self._next[1] if self._next and self.state in PASSING else None,
            plan_s=None if self.plan.n_trials is None else self.plan.total_s,
            plan_left_s=self._plan_left_s(left_s or 0.0),
        )

    def _due(self, now_s: float) -> Iterator[Cue]:
        while self.state in PASSING and self._next is not None and self._due_s <= now_s:
            if self.state is State.PAUSING and self._next[1] == TRIAL:
                yield from self._pause(now_s)
            else:
                yield self._advance(now_s)

    def _advance(self, now_s: float) -> Cue:
        assert self._next is not None
        (self._before_s, text), due_s = self._next, self._due_s
        self._next = next(self._timeline, None)
        if self._next is not None:
            self._due_s = self._origin_s + self._next[0]
        if text == TRIAL:
            self._trial = 0 if self._trial is None else self._trial + 1
        if text == SESSION_END:
            self._fire(Event.PLAN_OVER)
        return self._cue(text, due_s, now_s)

    def _pause(self, now_s: float) -> Iterator[Cue]:
        """Hold before the next trial; before the first there is no phase that would have to end."""
        self._fire(Event.TRIAL_OVER)
        self._number += 1
        if self._trial is not None:
            yield self._cue(PAUSE_MARKER, self._due_s, now_s)

    def _obey(self, event: Event, now_s: float) -> Iterator[Cue]:
        before = self.state
        if not self._fire(event):
            return
        if before is State.READY and event is Event.START:
            self._origin_s = self._due_s = now_s
        elif before is State.PAUSED and event is Event.GO_ON:
            assert self._next is not None
            self._due_s, self._origin_s = now_s, now_s - self._next[0]
        elif before is not State.READY and event is Event.STOP:
            self._next = None
            yield self._cue(SESSION_END, now_s, now_s)

    def _cue(self, text: str, due_s: float, now_s: float) -> Cue:
        self._phase = text if text in PHASES else None
        self._number += 1
        return Cue(text, self._trial if text in PHASES else None, due_s, now_s)

    def _fire(self, event: Event) -> bool:
        to = TRANSITIONS.get((self.state, event))
        self.state = to or self.state
        self.ended_by = event if to is State.ENDED else self.ended_by
        return to is not None

    def _plan_left_s(self, left_s: float) -> float | None:
        if self.plan.n_trials is None:
            return None
        return 0.0 if self.state is State.ENDED or self._next is None else self.plan.total_s - self._next[0] + left_s
