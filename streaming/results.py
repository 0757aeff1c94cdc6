"""What was committed, in order: read by the bridge, which keeps it, and by the aggregator (laws 2 and 5)."""

from __future__ import annotations

from redis import Redis

from streaming import keys
from streaming.records import ResultRecord
from streaming.tail import START, Tail


class ResultReader:
    """Read the results of a session.

    After a wipe it starts over: the same result may come again, and is the same result.

    Parameters
    ----------
    redis : Redis
        Client; one made for blocking, where `read` is to block.
    session : str
        Session identifier.
    after : str
        Entry ID to read after; from the first result by default.
    """

    def __init__(self, redis: Redis, session: str, after: str = START) -> None:
        self._tail = Tail(redis, keys.results(session), after)

    @property
    def after(self) -> str:
        """Entry ID of the last result that was read."""
        return self._tail.after

    def read(self, block_s: float = 0.0) -> list[ResultRecord]:
        """Return the next results, in the order of their commits; none if there is none within the time.

        Raises
        ------
        RecordError
            If an entry is not a result of this version.
        """
        return [ResultRecord.decode(fields) for _, fields in self._tail.read(block_s)]
