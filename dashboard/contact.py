"""Who was heard when, and how long ago the last window was done (law 7; pure, time is handed in).

Contact and progress are two ages. Contact: every role that a value needs says once a second that it lives. Progress: a
window was committed, scored or not. A number is fresh only while both are.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

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
        #: When Redis last answered.
        self.redis_s = begun_s

    def heard(self, beat: Beat, now_s: float) -> None:
        """Take a heartbeat, heard just now: its age is counted on our clock, the sender's says nothing here."""
        self._beats[beat.role, beat.name] = (now_s, beat)
        self._forget(now_s)

    def _forget(self, now_s: float) -> None:
        old = [key for key, (heard_s, _) in self._beats.items() if now_s - heard_s > FORGET_S]
        for key in old:
            del self._beats[key]

    def newest(self, role: str, session: str | None) -> tuple[float, Beat] | None:
        """Return the newest heartbeat of a role and when it was heard; of a bridge, the one of this session."""
        beats = [
            (heard_s, beat)
            for heard_s, beat in self._beats.values()
            if beat.role == role and (role != "bridge" or (session is not None and beat.session == session))
        ]
        return max(beats, key=lambda pair: pair[0], default=None)

    def age_s(self, role: str, session: str | None, since_s: float, now_s: float) -> float:
        """Return the seconds since a role was heard; where it never was, since it could first have been."""
        newest = self.newest(role, session)
        return now_s - (max(self._begun_s, since_s) if newest is None else newest[0])

    def redis_age_s(self, now_s: float) -> float:
        """Return the seconds since Redis answered."""
        return now_s - self.redis_s


@dataclass
class Progress:
    """When the last window of a session was committed, on the clock of the Redis server.

    Parameters
    ----------
    since_ms : int
        When the session began, or its last new result came.
    """

    since_ms: int = 0
    windows: int = 0

    def begun(self, at_ms: int) -> None:
        """The session's first entry came."""
        self.since_ms = self.since_ms or at_ms

    def committed(self, at_ms: int) -> None:
        """A window that had no result has one."""
        self.since_ms = max(self.since_ms, at_ms)
        self.windows += 1

    def age_s(self, now_ms: float) -> float:
        """Return the seconds since then; never below zero, whatever the clocks say."""
        return max(0.0, (now_ms - self.since_ms) / 1000) if self.since_ms else 0.0


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
    """

    session: str | None
    closed_utc: str | None
    since_s: float
    progress_age_s: float
    made: int
    done: int
    source: Mapping[str, Any] = field(default_factory=dict)


def contact_message(contacts: Contacts, bedside: Bedside, now_s: float) -> dict[str, Any]:
    """Return the data of a ``contact`` message: ages as they are at this moment, and why progress is late."""
    ages = {role: contacts.age_s(role, bedside.session, bedside.since_s, now_s) for role in ROLES}
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
    }
