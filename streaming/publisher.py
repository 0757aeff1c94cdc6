"""A window is published once, in order, by the bridge that owns the term, to a server that remembers (laws 2 and 5).

The life of a term, which the bridge repeats whenever it is refused::

    term = lease.acquire(folder.highest_term)     # save it as a decision
    publisher = Publisher(redis, session, term)
    done = publisher.open(folder.results)         # puts back what Redis lacks
    publisher.publish(record)                     # from the first index that is not in done, in order
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, cast

from redis import Redis

from acquisition.errors import SequenceError
from streaming import keys
from streaming.errors import Fenced, Full, Refused
from streaming.records import ResultRecord, WindowRecord
from streaming.script import Script, Value, flat
from streaming.tail import parts

#: Windows of one session that may wait for a scorer: 41 MB and over ten minutes of signal.
MAX_WAITING = 64

_OPEN, _PUBLISH = Script("open"), Script("publish")


class Publisher:
    """Publish the windows of one session under one term.

    Parameters
    ----------
    redis : Redis
        Client of the bridge.
    session : str
        Session identifier.
    term : int
        Term that the lease granted; 1 or more.
    max_waiting : int
        Windows that may wait for a scorer before `publish` says `Full`.
    """

    def __init__(self, redis: Redis, session: str, term: int, *, max_waiting: int = MAX_WAITING) -> None:
        if term < 1:
            raise SequenceError(f"The term of session {session} is {term}; expected 1 or more.", subject=session)
        self._redis = redis
        self._session = session
        self.term = term
        self._max_waiting = max_waiting
        self._run_id = b""

    def open(self, results: Iterable[ResultRecord] = ()) -> dict[int, str]:
        """Begin the term: results that Redis lacks are put back and the term is written, in one act.

        Parameters
        ----------
        results : iterable of ResultRecord
            Every result in the session folder.

        Returns
        -------
        dict of int to str
            The state of each window that has its result; all others are to be published.

        Raises
        ------
        Fenced
            If a higher term rules.
        """
        stored = [keys.windows, keys.results, keys.done, keys.term, keys.dead, keys.events]
        entries = [(r.index, r.state, flat(r.encode())) for r in results]
        width = len(entries[0][2]) if entries else 0
        args: list[Value] = [self.term, keys.GROUP, width]
        for index, state, fields in entries:
            args += [index, state, *fields]
        word, detail, *done = _OPEN(self._redis, [key(self._session) for key in stored], args)
        if word == b"fenced":
            raise self._fenced(detail)
        self._run_id = detail
        return {int(index): state.decode() for index, state in zip(done[::2], done[1::2], strict=True)}

    def publish(self, record: WindowRecord) -> bool:
        """Add a window to the stream; harmless when repeated.

        Parameters
        ----------
        record : WindowRecord
            Of this session and term; indices rise.

        Returns
        -------
        bool
            False if it was there already, or has its result.

        Raises
        ------
        Refused
            If Redis was wiped, restarted or set back, or an index came out of order: take a new term, open again.
        Fenced
            If a higher term rules: stop.
        Full
            If there is no room: publish the same window again later.
        """
        if (record.session, record.term) != (self._session, self.term):
            raise SequenceError(
                f"A window of session {record.session}, term {record.term}, came to the publisher of session "
                f"{self._session}, term {self.term}.",
                subject=self._session,
            )
        word = self._ask([record.window.index, *flat(record.encode())])
        return word == b"added"

    def check(self) -> None:
        """Ask whether this bridge may still publish here; for the time in which it has nothing to publish.

        Raises
        ------
        Refused, Fenced
            As `publish` would.
        """
        self._ask([])

    def _ask(self, window: list[Value]) -> bytes:
        if not self._run_id:
            raise SequenceError(f"Term {self.term} of session {self._session} is not open.", subject=self._session)
        stored = [key(self._session) for key in (keys.windows, keys.done, keys.term)]
        word, detail = _PUBLISH(self._redis, stored, [self.term, self._run_id, self._max_waiting, *window])
        if word == b"fenced":
            raise self._fenced(detail)
        if word == b"refused":
            raise Refused(
                f"Redis no longer has what term {self.term} of session {self._session} published: {detail.decode()}.",
                subject=self._session,
                remedy="Take a new term and publish what has no result again.",
            )
        if word == b"full":
            raise self._full(int(detail))
        return bytes(word)

    def _fenced(self, ruling: Any) -> Fenced:
        return Fenced(
            f"Term {self.term} of session {self._session} is over: another bridge has term {int(ruling)}.",
            term=int(ruling),
            subject=self._session,
            remedy="Stop this bridge; the other one goes on from the session folder.",
        )

    def _full(self, waiting: int) -> Full:
        if waiting < 0:
            what, room = "Redis is out of memory", None
        else:
            what, room = f"{waiting} windows of session {self._session} wait for a scorer", waiting
        return Full(
            f"{what}; at most {self._max_waiting} of a session may wait.",
            waiting=room,
            subject=self._session,
            remedy="See that a scorer runs: flexion doctor.",
        )


def highest_index(redis: Redis, session: str) -> int:
    """Return the highest index among a session's windows and fates in Redis; -1 for none."""
    done = [int(field) for field in cast(list[bytes], redis.hkeys(keys.done(session)))]
    entries = cast(list[tuple[bytes, Any]], redis.xrevrange(keys.windows(session), count=1) or [])
    last = [parts(entry_id.decode())[1] for entry_id, _ in entries]
    return max(done + last, default=-1)
