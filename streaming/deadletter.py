"""Windows that no scorer survived: kept with their bytes, named, and given a result, so that none hangs (law 5)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import cast

from redis import Redis

from streaming import keys
from streaming.delivery import Delivery
from streaming.records import ResultRecord
from streaming.script import Script, Value, flat
from streaming.sessions import KEEP_MS

#: Fields of a dead letter beside those of the window.
ENTRY, REASON, DELIVERIES = b"entry", b"reason", b"deliveries"

_BURY = Script("bury")


@dataclass(frozen=True)
class DeadLetter:
    """A window that was given up.

    Parameters
    ----------
    session, entry_id : str
        Where it came from.
    reason : str
        Why it was given up.
    deliveries : int
        How often it had been handed to a scorer.
    fields : mapping of bytes to bytes
        The entry as it was published.
    """

    session: str
    entry_id: str
    reason: str
    deliveries: int
    fields: Mapping[bytes, bytes]


def bury(redis: Redis, delivery: Delivery, reason: str) -> bool:
    """Make a delivered window a dead letter, with the result ``dead_lettered``; it works at ``maxmemory`` too.

    Parameters
    ----------
    redis : Redis
        Client of the scorer.
    delivery : Delivery
        The window; the stream's own bytes of it are kept.
    reason : str
        Why it is given up.

    Returns
    -------
    bool
        False if it is gone, or had a result already.
    """
    result = ResultRecord.unscored(delivery.record, "dead_lettered", reason)
    return _bury(redis, delivery.entry_id, result, reason, delivery.deliveries)


def bury_unread(redis: Redis, session: str, entry_id: str, reason: str, deliveries: int) -> bool:
    """Do the same with an entry that cannot be read; its result knows its index alone."""
    result = ResultRecord.unreadable(session, keys.index_of(entry_id), reason)
    return _bury(redis, entry_id, result, reason, deliveries)


def _bury(redis: Redis, entry_id: str, result: ResultRecord, reason: str, deliveries: int) -> bool:
    stored = [key(result.session) for key in (keys.windows, keys.results, keys.done, keys.term, keys.dead)]
    args: list[Value] = [keys.GROUP, entry_id, KEEP_MS, result.index, reason, deliveries, *flat(result.encode())]
    return bool(_BURY(redis, stored, args) == 1)


def dead_letters(redis: Redis, session: str) -> list[DeadLetter]:
    """Return the dead letters of a session, oldest first."""
    entries = cast(list[tuple[bytes, dict[bytes, bytes]]], redis.xrange(keys.dead(session)))
    return [_letter(session, fields) for _, fields in entries]


def _letter(session: str, fields: dict[bytes, bytes]) -> DeadLetter:
    entry_id, reason, deliveries = (fields.pop(name).decode() for name in (ENTRY, REASON, DELIVERIES))
    return DeadLetter(session, entry_id, reason, int(deliveries), fields)
