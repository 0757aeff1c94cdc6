"""LinkState: what is known about a live source, as a table. No socket and no clock: events and times are handed in.

::

    SEARCHING ──found──> CONNECTING ──opened──> SETTLING <──> LIVE <──> LATE <──> STALLED      (any to any of the four)
                              ^                     └──────────────┬────────────────┘
                              └──found── LOST <────────died────────┘      (and from CONNECTING)

SEARCHING has never had its source; LOST had it, or could not open it, and searches again. LSL itself reports neither
silence nor age, so both are watched here.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from acquisition.errors import SequenceError

#: Silence in s after which an open source counts as stalled (its process may be frozen with the connection alive): a
#: tenth below the second within which it has to be said, for the pull that notices it takes time too.
STALLED_AFTER_S = 0.9
#: Age in s of the newest sample above which what arrives is old: a burst after a freeze, or a backlog.
LATE_ABOVE_S = 1.0


class State(Enum):
    """Where a source stands."""

    SEARCHING = "SEARCHING"
    CONNECTING = "CONNECTING"
    SETTLING = "SETTLING"
    LIVE = "LIVE"
    LATE = "LATE"
    STALLED = "STALLED"
    LOST = "LOST"


class Event(Enum):
    """What was seen of a source."""

    FOUND = "a stream that fits is on the network"
    OPENED = "its inlet is open"
    WARMING = "fresh samples, filters still settling"
    FRESH = "fresh samples"
    AGED = "samples, the newest of them old"
    SILENT = "no sample for too long"
    DIED = "the connection broke"


_OBSERVED = {
    Event.WARMING: State.SETTLING,
    Event.FRESH: State.LIVE,
    Event.AGED: State.LATE,
    Event.SILENT: State.STALLED,
    Event.DIED: State.LOST,
}
#: Every lawful step; what is not here is refused and changes nothing.
TRANSITIONS: dict[tuple[State, Event], State] = {
    (State.SEARCHING, Event.FOUND): State.CONNECTING,
    (State.CONNECTING, Event.OPENED): State.SETTLING,
    (State.CONNECTING, Event.DIED): State.LOST,
    (State.LOST, Event.FOUND): State.CONNECTING,
} | {
    (state, event): to
    for state in (State.SETTLING, State.LIVE, State.LATE, State.STALLED)
    for event, to in _OBSERVED.items()
}
#: Each state in words; ``{s:.0f}`` is how long it has lasted, in s.
_WORDS = {
    State.SEARCHING: "searching for the stream for {s:.0f} s",
    State.CONNECTING: "connecting",
    State.SETTLING: "filters are settling",
    State.LIVE: "",
    State.LATE: "samples arrive late",
    State.STALLED: "no sample for {s:.0f} s",
    State.LOST: "stream lost, searching for {s:.0f} s",
}


@dataclass(frozen=True)
class LinkState:
    """The state of one source and when it began.

    Parameters
    ----------
    state : State
        Where it stands.
    since_s : float
        Monotonic time of the last change of state.

    Examples
    --------
    >>> link = LinkState(State.SEARCHING, since_s=0.0).step(Event.FOUND, now_s=2.0)
    >>> link.state.name, link.since_s
    ('CONNECTING', 2.0)
    """

    state: State
    since_s: float

    def step(self, event: Event, now_s: float) -> LinkState:
        """Return the state after an event; the same object when nothing changes.

        Raises
        ------
        SequenceError
            If the event cannot happen in this state.
        """
        to = TRANSITIONS.get((self.state, event))
        if to is None:
            message = f"A source that is {self.state.name} cannot see {event.name}: {event.value}."
            raise SequenceError(message, subject=self.state.name, remedy="Find, open, then pull.")
        return self if to is self.state else LinkState(to, now_s)

    def cause(self, now_s: float, why: str = "") -> str:
        """Return the state in words for people, with what is in its way where that is known; empty when all is well."""
        silent_before_s = STALLED_AFTER_S if self.state is State.STALLED else 0.0
        words = _WORDS[self.state].format(s=now_s - self.since_s + silent_before_s)
        return ": ".join(part for part in (words, why) if part)


def observe(now_s: float, heard_s: float, age_s: float, settled: bool) -> Event:
    """Return what the last pull says about an open source.

    Parameters
    ----------
    now_s : float
        Monotonic time.
    heard_s : float
        Monotonic time of the last pull that brought samples, or of the opening.
    age_s : float
        Age of the newest sample when it was pulled: local LSL clock less its stamp mapped to that clock.
    settled : bool
        Whether the filters have settled on the open segment.
    """
    if now_s - heard_s >= STALLED_AFTER_S:
        return Event.SILENT
    if age_s > LATE_ABOVE_S:
        return Event.AGED
    return Event.FRESH if settled else Event.WARMING
