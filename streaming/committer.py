"""A result is stored and its window deleted in one step, so that each window has exactly one (law 5)."""

from __future__ import annotations

from redis import Redis

from acquisition.errors import SequenceError
from streaming import keys
from streaming.delivery import Delivery
from streaming.records import ResultRecord
from streaming.script import Script, Value, flat
from streaming.sessions import KEEP_MS

_COMMIT = Script("commit")


class Committer:
    """Commit results; the same one twice is harmless, two for one window leave the first.

    Parameters
    ----------
    redis : Redis
        Client of the scorer; it works at ``maxmemory`` too.
    """

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    def commit(self, delivery: Delivery, result: ResultRecord) -> bool:
        """Store the result of a delivered window and delete the window.

        Returns
        -------
        bool
            Whether this became the window's result; False if it had one.

        Raises
        ------
        SequenceError
            If the result is another window's.
        """
        if (result.session, result.index) != (delivery.session, delivery.index):
            raise SequenceError(
                f"The result of window {result.index} of session {result.session} came with the delivery of window "
                f"{delivery.index} of session {delivery.session}.",
                subject=delivery.session,
            )
        session = delivery.session
        stored = [key(session) for key in (keys.windows, keys.results, keys.done, keys.term)]
        args: list[Value] = [keys.GROUP, delivery.entry_id, KEEP_MS, result.index, result.state, *flat(result.encode())]
        return bool(_COMMIT(self._redis, stored, args) == 1)
