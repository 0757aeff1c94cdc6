"""Who was heard when, and how long ago the last window was done (law 7; pure, time is handed in).

Contact and progress are two ages. Contact: every role that a value needs says once a second that it lives. Progress: a
window was committed, scored or not. A number is fresh only while both are.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from dashboard.steady import Lateness
from dashboard.wording import Standing, cause_words
from streaming.heartbeat import Beat

#: Roles that the outcome needs.
ROLES = ("bridge", "scorer", "aggregator")
#: Seconds after which a role's silent instance is forgotten: past every limit of the screen.
FORGET_S = 120.0


class Contacts:
    """The newest heartbeat of every instance of every role.

    Parameters
    ----------
    begun_s : float
        When listening began: before, nobody could be heard.
    """

    def __init__(self, begun_s: float) -> None:
        self._begun_s = begun_s
        self._beats: dict[tuple[str, str], tuple[float, Beat]] = {}
        #: By process: one that was started anew may have another clock.
        self._lateness: dict[tuple[str, str, str, int], Lateness] = {}
        #: When Redis last answered.
        self.redis_s = begun_s

    def heard(self, beat: Beat, now_s: float, monotonic_s: float | None = None) -> None:
        """Take a heartbeat that came just now: its age is counted on our clock, from when it should have come.

        Parameters
        ----------
        beat : Beat
            What came.
        now_s : float
            Our clock.
        monotonic_s : float, optional
            The clock of our machine that senders stamp by; it tells what is late. Without it nothing is.
        """
        sender = (beat.role, beat.name, beat.host, beat.pid)
        lateness = self._lateness.setdefault(sender, Lateness())
        late_s = 0.0 if monotonic_s is None else lateness.of_s(beat.at_monotonic, monotonic_s)
        self._beats[beat.role, beat.name] = (now_s - late_s, beat)
        self._forget(now_s)

    def _forget(self, now_s: float) -> None:
        old = [key for key, (heard_s, _) in self._beats.items() if now_s - heard_s > FORGET_S]
        for key in old:
            del self._beats[key]
        if old:
            known = self._beats.keys()
            self._lateness = {sender: one for sender, one in self._lateness.items() if sender[:2] in known}

    def newest(self, role: str, session: str | None) -> tuple[float, Beat] | None:
        """Return the newest heartbeat of a role and when it was heard; of a bridge, the one of this session."""
        beats = [
            (heard_s, beat)
            for heard_s, beat in self._beats.values()
            if beat.role == role and (role != "bridge" or (session is not None and beat.session == session))
        ]
        return max(beats, key=lambda pair: pair[0], default=None)

    def age_s(self, role: str, session: str | None, since_s: float, now_s: float, seen_s: float | None = None) -> float:
        """Return the seconds since a role was heard; where it never was, since its last deed, or since it could be.

        Parameters
        ----------
        role, session
            Who.
        since_s : float
            When this process first knew of the session.
        now_s : float
            Our clock.
        seen_s : float, optional
            When its last entry was added to the session's streams: a server that was started again has heard nobody,
            and must not take for fresh what has been silent for an hour.
        """
        newest = self.newest(role, session)
        if newest is not None:
            return now_s - newest[0]
        return now_s - (max(self._begun_s, since_s) if seen_s is None else seen_s)

    def redis_age_s(self, now_s: float) -> float:
        """Return the seconds since Redis answered."""
        return now_s - self.redis_s


@dataclass
class Progress:
    """When the last window of a session was committed, and who did something for it when, on our own clock.

    Parameters
    ----------
    since_s : float or None
        When the session began, or its last new result came.
    """

    since_s: float | None = None
    #: When each role last added an entry.
    seen_s: dict[str, float] = field(default_factory=dict)

    def begun(self, at_s: float) -> None:
        """An entry came: the session had begun by then."""
        self.since_s = at_s if self.since_s is None else self.since_s

    def committed(self, at_s: float) -> None:
        """A window that had no result has one."""
        self.since_s = at_s if self.since_s is None else max(self.since_s, at_s)

    def did(self, role: str, at_s: float) -> None:
        """A role has added an entry that said something new."""
        self.seen_s[role] = max(at_s, self.seen_s.get(role, at_s))

    def age_s(self, now_s: float) -> float:
        """Return the seconds since then; 0 before anything was said."""
        return 0.0 if self.since_s is None else max(0.0, now_s - self.since_s)


@dataclass(frozen=True)
class Bedside:
    """What a contact message is about.

    Parameters
    ----------
    session : str or None
        Session identifier; None for a bed without one.
    closed_utc : str or None
        When it was closed.
    since_s : float
        When this process first knew of it, on its own clock.
    progress_age_s : float
        Seconds since its last window was committed.
    made, done : int
        Windows that were made, and that have a result.
    source : mapping
        The last event of its source.
    seen_s : mapping
        When each role last added to its streams, on the same clock as ``since_s``.
    wave : mapping or None
        ``end``, one past the newest sample of the wave that came here, and ``age_s``, how old that sample is now.
    """

    session: str | None
    closed_utc: str | None
    since_s: float
    progress_age_s: float
    made: int
    done: int
    source: Mapping[str, Any] = field(default_factory=dict)
    seen_s: Mapping[str, float] = field(default_factory=dict)
    wave: Mapping[str, Any] | None = None


def contact_message(contacts: Contacts, bedside: Bedside, now_s: float) -> dict[str, Any]:
    """Return the data of a ``contact`` message: ages as they are at this moment, and why progress is late."""
    seen_s = bedside.seen_s
    ages = {role: contacts.age_s(role, bedside.session, bedside.since_s, now_s, seen_s.get(role)) for role in ROLES}
    beats = {role: contacts.newest(role, bedside.session) for role in ROLES}
    bridge = beats["bridge"]
    info = dict(bridge[1].info) if bridge is not None else None
    standing = Standing(
        redis_age_s=contacts.redis_age_s(now_s),
        bridge_age_s=ages["bridge"],
        scorer_age_s=ages["scorer"],
        state=str((info or bedside.source).get("state", "SEARCHING")),
        cause=str((info or bedside.source).get("cause") or ""),
        waiting=max(0, bedside.made - bedside.done),
    )
    return {
        "session": bedside.session,
        "closed_utc": bedside.closed_utc,
        "roles": {role: {"age_s": round(ages[role], 3), "heard": beats[role] is not None} for role in ROLES},
        "redis": {"age_s": round(standing.redis_age_s, 3)},
        "progress": {"age_s": round(bedside.progress_age_s, 3), "cause": cause_words(standing)},
        "bridge": info,
        "wave": bedside.wave,
    }
