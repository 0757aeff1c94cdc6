"""Windows read by the scorers, all sessions in turn; none is forgotten when a scorer dies (law 5).

Every scorer takes back what another has held too long without committing it, and itself gives up a window that was
handed over three times. A read is safe to repeat: what a lost reply had already assigned to this scorer is read first
when the connection is back, without counting that as a delivery.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, cast

from redis import Redis
from redis.exceptions import ResponseError

from streaming import keys
from streaming.connection import MAX_BLOCK_S
from streaming.deadletter import bury, bury_unread
from streaming.delivery import Delivery
from streaming.errors import RecordError, TransportDown

#: Seconds that a window may be in a scorer's hands before another takes it: three times the longest batch. A scorer
#: that needs longer calls `Consumer.hold`.
MIN_IDLE_S = 3.0
#: Deliveries after which a window is given up (contract).
MAX_DELIVERIES = 3
#: Windows read at once from each stream; one flooded bed cannot keep another waiting.
COUNT = 4
#: Seconds between looks at the registry: a new session is read at most this late, long before its first window.
DISCOVER_S = 1.0
#: How Redis begins its answer where a stream or its group went: asked of one that is gone, and while waiting at one.
WIPED = ("NOGROUP", "UNBLOCKED")


class Consumer:
    """Read windows of many sessions on one connection.

    Parameters
    ----------
    redis : Redis
        A client made for blocking, for this thread alone.
    name : str
        Name of this scorer in the group; unique among those that run.
    sessions : callable
        Returns the sessions to read, `Registry.to_drain`.
    count : int
        Windows read at once from each session.
    min_idle_s : float
        Seconds after which a window is taken from another scorer.
    clock : callable
        Monotonic seconds.
    wait : callable
        Sleeps that many seconds; used when there is no session at all.
    """

    def __init__(
        self,
        redis: Redis,
        name: str,
        sessions: Callable[[], Sequence[str]],
        count: int = COUNT,
        *,
        min_idle_s: float = MIN_IDLE_S,
        clock: Callable[[], float] = time.monotonic,
        wait: Callable[[float], object] = time.sleep,
    ) -> None:
        self._redis = redis
        self._name = name
        self._sessions = sessions
        self._count = count
        self._min_idle_ms = round(min_idle_s * 1000)
        self._clock = clock
        self._wait = wait
        self._ready: list[str] = []
        self._own: set[str] = set()
        self._known: set[str] = set()
        self._discover_at = self._reclaim_at = float("-inf")

    def read(self, block_s: float = MAX_BLOCK_S) -> list[Delivery]:
        """Return the next windows, oldest first; none if there is none within the time.

        Own windows that were never committed come first, then those that another scorer held too long, then new ones.

        Parameters
        ----------
        block_s : float
            Seconds to wait for a new window; at most 1, so that a stop is noticed.

        Raises
        ------
        TransportDown
            If Redis cannot be reached; read again.
        """
        try:
            return self._read(min(block_s, MAX_BLOCK_S))
        except TransportDown:
            # A reply may have been lost: what it assigned to us waits among our own.
            self._own = set(self._known)
            self._discover_at = float("-inf")
            raise

    @property
    def n_sessions(self) -> int:
        """How many sessions are read."""
        return len(self._ready)

    def hold(self, deliveries: Iterable[Delivery]) -> None:
        """Say that these are still being worked on, so that no other scorer takes them."""
        for delivery in deliveries:
            key = keys.windows(delivery.session)
            self._redis.xclaim(key, keys.GROUP, self._name, 0, [delivery.entry_id], justid=True)

    def _read(self, block_s: float) -> list[Delivery]:
        self._discover()
        if not self._ready:
            self._wait(block_s)
            return []
        return self._take_own() or self._reclaim() or self._take_new(block_s)

    def _discover(self) -> None:
        """Look which sessions there are; one whose stream is not there yet is looked at again next time."""
        if self._clock() < self._discover_at:
            return
        self._ready = [session for session in self._sessions() if self._join(session)]
        # Under a name that was used before, windows of the former life wait; they count as delivered once more.
        self._own |= set(self._ready) - self._known
        self._discover_at = self._clock() + DISCOVER_S

    def _join(self, session: str) -> bool:
        """Make sure that the group exists; the stream itself is made by the bridge alone.

        It is looked for before it is made: at ``maxmemory`` making one is refused, even one that exists.
        """
        key = keys.windows(session)
        try:
            groups = self._redis.xinfo_groups(key)
            if not any(group["name"] == keys.GROUP.encode() for group in groups):
                self._redis.xgroup_create(key, keys.GROUP, id="0")
        except ResponseError as error:
            if not str(error).startswith(("no such key", "BUSYGROUP")):
                raise
            return str(error).startswith("BUSYGROUP")
        return True

    def _take_own(self) -> list[Delivery]:
        """Return what was assigned to us and not committed: once after a start, and after each broken connection."""
        found = []
        for session in sorted(self._own & set(self._ready)):
            again = session in self._known
            for entry_id, deliveries in self._pending(session, 0, self._name, 1000):
                found += self._claim(session, entry_id, deliveries, 0, counted=not again)
            self._known.add(session)
            self._own.discard(session)
        return found

    def _reclaim(self) -> list[Delivery]:
        """Take windows from scorers that held them too long; looked for four times within that time."""
        if self._clock() < self._reclaim_at:
            return []
        self._reclaim_at = self._clock() + self._min_idle_ms / 4000
        found = []
        for session in self._ready:
            for entry_id, deliveries in self._pending(session, self._min_idle_ms, None, self._count):
                found += self._claim(session, entry_id, deliveries, self._min_idle_ms, counted=True)
        return found

    def _take_new(self, block_s: float) -> list[Delivery]:
        streams = {keys.windows(session): ">" for session in self._ready}
        try:
            reply = self._redis.xreadgroup(
                keys.GROUP,
                self._name,
                cast(Any, streams),
                count=self._count,
                block=max(1, round(block_s * 1000)) if block_s > 0 else None,
            )
        except ResponseError as error:
            if not str(error).startswith(WIPED):
                raise
            # The server was wiped: make the groups again, from 0, as soon as the bridges are back.
            self._discover_at = float("-inf")
            return []
        by_key = {keys.windows(session).encode(): session for session in self._ready}
        return list(self._opened(by_key, cast(Any, reply)))

    def _opened(self, by_key: dict[bytes, str], reply: Any) -> Iterator[Delivery]:
        for key, entries in reply or ():
            for entry_id, fields in entries:
                yield from self._deliver(by_key[key], entry_id.decode(), fields, 1)

    def _pending(self, session: str, idle_ms: int, name: str | None, count: int) -> list[tuple[str, int]]:
        """Return entry IDs that are in a scorer's hands, and how often each was delivered."""
        try:
            rows = self._redis.xpending_range(
                keys.windows(session), keys.GROUP, min="-", max="+", count=count, consumername=name, idle=idle_ms
            )
        except ResponseError as error:
            if not str(error).startswith(WIPED):
                raise
            self._discover_at = float("-inf")
            return []
        return [(row["message_id"].decode(), row["times_delivered"]) for row in cast(Any, rows)]

    def _claim(self, session: str, entry_id: str, deliveries: int, idle_ms: int, *, counted: bool) -> list[Delivery]:
        """Take a window over; one that has been handed over often enough is given up instead."""
        if counted and deliveries >= MAX_DELIVERIES:
            self._give_up(session, entry_id, deliveries)
            return []
        key = keys.windows(session)
        claimed = self._redis.xclaim(
            key, keys.GROUP, self._name, idle_ms, [entry_id], retrycount=None if counted else deliveries
        )
        for _, fields in cast(list[tuple[bytes | None, dict[bytes, bytes] | None]], claimed):
            if fields is not None:
                return list(self._deliver(session, entry_id, fields, deliveries + counted))
            # Redis 6.2 keeps handing over what was deleted behind its back; later ones forget it by themselves.
            self._redis.xack(key, keys.GROUP, entry_id)
        return []

    def _give_up(self, session: str, entry_id: str, deliveries: int) -> None:
        """Make a dead letter of a window that no scorer survived."""
        reason = f"no result after {deliveries} deliveries"
        entries = self._redis.xrange(keys.windows(session), entry_id, entry_id)
        for _, fields in cast(list[tuple[bytes, dict[bytes, bytes]]], entries):
            for delivery in self._deliver(session, entry_id, fields, deliveries):
                bury(self._redis, delivery, reason)
            return
        self._redis.xack(keys.windows(session), keys.GROUP, entry_id)

    def _deliver(self, session: str, entry_id: str, fields: dict[bytes, bytes], deliveries: int) -> Iterator[Delivery]:
        """Decode an entry; one that cannot be decoded is given up at once, since no scorer ever could."""
        try:
            yield Delivery.read(session, entry_id, fields, deliveries)
        except RecordError as error:
            bury_unread(self._redis, session, entry_id, error.message, deliveries)
