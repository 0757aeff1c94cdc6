"""Which sessions there are, and which bed has which: the registry that every role finds its work in.

An entry stays for 24 h after its session was closed, and all that the session stores in Redis expires with it; the
session folder is the record (law 2).
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime

from redis import Redis

from streaming import keys
from streaming.errors import BedBusy
from streaming.script import Script

#: Milliseconds that a session is kept once it is closed: 24 h (contract).
KEEP_MS = 24 * 3600 * 1000

_REGISTER, _CLOSE = Script("register"), Script("close")


@dataclass(frozen=True)
class SessionEntry:
    """What the registry knows of a session.

    Parameters
    ----------
    session : str
        Session identifier.
    bed : str or None
        Its bed.
    patient : str
        Pseudonym.
    mode : str
        ``demo``, ``live`` or ``replay``.
    opened_utc, closed_utc : str or None
        When it was opened and closed, ISO 8601.
    closed_ms : int or None
        When it was closed on the server's clock, which alone decides how long it is kept.
    reason : str or None
        Why it was closed.
    replay_of : str or None
        The recording or session that is replayed.
    """

    session: str
    bed: str | None
    patient: str
    mode: str
    opened_utc: str
    closed_utc: str | None = None
    closed_ms: int | None = None
    reason: str | None = None
    replay_of: str | None = None

    @property
    def is_open(self) -> bool:
        """Whether it is still running."""
        return self.closed_ms is None

    def encode(self) -> bytes:
        """Return the value that the registry stores."""
        return json.dumps(asdict(self), separators=(",", ":")).encode()

    @classmethod
    def decode(cls, value: bytes) -> SessionEntry:
        """Return the entry that the registry stores."""
        return cls(**json.loads(value))


class Registry:
    """Enter, close and list sessions.

    Parameters
    ----------
    redis : Redis
        Any client.
    """

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._drained: set[str] = set()

    def open(self, entry: SessionEntry) -> None:
        """Enter a session; again is harmless, and needed after Redis was wiped.

        Raises
        ------
        BedBusy
            If another session of the bed is open.
        """
        self._forget_old()
        bed = (entry.bed or "").lower()
        holder = _REGISTER(self._redis, [keys.SESSIONS, keys.BEDS], [entry.session, bed, entry.encode()]).decode()
        if holder != entry.session:
            raise BedBusy(
                f"Bed {entry.bed} has the open session {holder}; session {entry.session} cannot have it too.",
                subject=str(entry.bed),
                remedy=f"Stop session {holder} first.",
            )

    def close(self, session: str, reason: str) -> None:
        """Close a session: its keys expire 24 h from now. One that is closed or unknown is left as it is."""
        entry = self.find(session)
        if entry is None or not entry.is_open:
            return
        closed = replace(entry, closed_utc=_utc_now(), closed_ms=self._now_ms(), reason=reason)
        _CLOSE(self._redis, [keys.SESSIONS, *keys.stored(session)], [session, closed.encode(), KEEP_MS])

    def find(self, session: str) -> SessionEntry | None:
        """Return the entry of a session."""
        value = self._redis.hget(keys.SESSIONS, session)
        return None if value is None else SessionEntry.decode(_bytes(value))

    def on_bed(self, bed: str) -> SessionEntry | None:
        """Return the newest session of a bed, open or closed."""
        session = self._redis.hget(keys.BEDS, bed.lower())
        return None if session is None else self.find(_bytes(session).decode())

    def entries(self) -> list[SessionEntry]:
        """Return every session, oldest first."""
        found = [SessionEntry.decode(_bytes(value)) for value in self._redis.hgetall(keys.SESSIONS).values()]
        return sorted(found, key=lambda entry: entry.session)

    def beds(self) -> dict[str, SessionEntry]:
        """Return the newest session of every bed, by the bed's name."""
        by_session = {entry.session: entry for entry in self.entries()}
        newest = (by_session.get(_bytes(session).decode()) for session in self._redis.hgetall(keys.BEDS).values())
        return {str(entry.bed): entry for entry in newest if entry is not None}

    def to_drain(self) -> list[str]:
        """Return the sessions whose windows a scorer should read: those that run, and closed ones with windows left."""
        sessions = []
        for entry in self.entries():
            if entry.is_open:
                self._drained.discard(entry.session)
            elif entry.session in self._drained:
                continue
            elif not self._redis.xlen(keys.windows(entry.session)):
                self._drained.add(entry.session)
                continue
            sessions.append(entry.session)
        return sessions

    def _forget_old(self) -> None:
        """Drop the entries whose keys have expired, and the beds that point to them."""
        limit = self._now_ms() - KEEP_MS
        old = [e for e in self.entries() if e.closed_ms is not None and e.closed_ms < limit]
        for entry in old:
            self._redis.hdel(keys.SESSIONS, entry.session)
            if entry.bed and self.on_bed(entry.bed) is None:
                self._redis.hdel(keys.BEDS, entry.bed.lower())

    def _now_ms(self) -> int:
        seconds, microseconds = self._redis.time()
        return int(seconds) * 1000 + int(microseconds) // 1000


def _utc_now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _bytes(value: bytes | str) -> bytes:
    """Narrow what redis-py's types leave open: our clients never decode."""
    return value if isinstance(value, bytes) else value.encode()
