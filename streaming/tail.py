"""Reading a stream after a cursor, in order, also when the server was wiped or set back in between (law 7)."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import cast

from redis import Redis

from streaming.connection import MAX_BLOCK_S

#: Before the first entry of any stream.
START = "0-0"
#: Seconds between looks whether the stream was set back; only while nothing new comes.
LOOK_S = 1.0

Entry = tuple[str, dict[bytes, bytes]]


class Tail:
    """Read what a stream has after a cursor.

    When the stream's own end lies before the cursor, the server has lost what was read: reading starts over at the
    beginning, and the reader must pass over what it knows.

    Parameters
    ----------
    redis : Redis
        Client; one made for blocking, where `read` is to block.
    key : str
        The stream.
    after : str
        Entry ID to read after.
    count : int
        Most entries of one read.
    clock : callable
        Monotonic seconds.
    """

    def __init__(
        self,
        redis: Redis,
        key: str,
        after: str = START,
        *,
        count: int = 256,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._redis = redis
        self._key = key
        self._count = count
        self._clock = clock
        self._look_at = float("-inf")
        self.after = after

    def read(self, block_s: float = 0.0) -> list[Entry]:
        """Return the next entries, oldest first; none if there is none within the time (at most 1 s)."""
        block_ms = round(min(block_s, MAX_BLOCK_S) * 1000)
        reply = self._redis.xread({self._key: self.after}, count=self._count, block=block_ms or None)
        for _, entries in cast(list[tuple[bytes, list[tuple[bytes, dict[bytes, bytes]]]]], reply or []):
            self.after = entries[-1][0].decode()
            return [(entry_id.decode(), fields) for entry_id, fields in entries]
        self._look()
        return []

    def seek_end(self) -> None:
        """Pass over all that the stream has now."""
        self.after = self._end()

    def _look(self) -> None:
        """Start over if the stream ends before the cursor."""
        if self._clock() < self._look_at:
            return
        self._look_at = self._clock() + LOOK_S
        if parts(self._end()) < parts(self.after):
            self.after = START

    def _end(self) -> str:
        """Return the highest ID that the stream ever had; one that does not exist has had none."""
        if not self._redis.exists(self._key):
            return START
        info = self._redis.xinfo_stream(self._key)
        return cast(bytes, info["last-generated-id"]).decode()


def parts(entry_id: str) -> tuple[int, int]:
    """Return an entry ID as numbers, to be compared."""
    high, _, low = entry_id.partition("-")
    return int(high), int(low or 0)
