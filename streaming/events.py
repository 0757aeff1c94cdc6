"""What the screen must not miss, numbered and replayable: states, markers, windows, outcomes, notices (law 7).

An event is a type and JSON data. Appending is not repeated by itself: after `TransportDown` an event may be there, and
there once more when it is appended again, so each is written to be true twice.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

from redis import Redis

from streaming import keys
from streaming.errors import RecordError
from streaming.script import Script, Value
from streaming.sessions import KEEP_MS
from streaming.tail import START, Tail

#: Every type of event that there is.
TYPES = (
    "session",
    "source",
    "segment",
    "marker",
    "window",
    "outcome",
    "fmri",
    "notice",
    "note",
    "end",
)

_APPEND = Script("append")


@dataclass(frozen=True)
class Event:
    """One event.

    Parameters
    ----------
    id : str
        Its number: the stream's entry ID.
    session : str
        Session identifier.
    type : str
        One of ``TYPES``.
    data : mapping
        JSON values.
    """

    id: str
    session: str
    type: str
    data: Mapping[str, Any]

    @classmethod
    def decode(cls, session: str, entry_id: str, fields: Mapping[bytes, bytes]) -> Event:
        """Return the event that a stream entry holds.

        Raises
        ------
        RecordError
            If it is none.
        """
        try:
            return cls(entry_id, session, fields[b"type"].decode(), json.loads(fields[b"data"]))
        except (KeyError, ValueError, RecursionError) as error:
            raise RecordError(
                f"Entry {entry_id} is no event: {error!r}.",
                subject=keys.events(session),
                remedy="Run every role of Flexion in one version.",
            ) from error


class EventLog:
    """Append and read the events of a session.

    Parameters
    ----------
    redis : Redis
        Client; one made for blocking, where `read` is to block.
    session : str
        Session identifier.
    after : str
        Entry ID to read after; from the first event by default.
    """

    def __init__(self, redis: Redis, session: str, after: str = START) -> None:
        self._redis = redis
        self._session = session
        self._tail = Tail(redis, keys.events(session), after)

    def append(self, type: str, data: Mapping[str, Any]) -> str:
        """Append an event and return its number; it works at ``maxmemory`` too.

        Raises
        ------
        RecordError
            If the type is none of ``TYPES``, or the data is not JSON.
        """
        stored = [keys.events(self._session), keys.term(self._session)]
        args: list[Value] = [KEEP_MS, 0, "type", type, "data", _json(type, data)]
        return cast(bytes, _APPEND(self._redis, stored, args)).decode()

    def read(self, block_s: float = 0.0) -> list[Event]:
        """Return the next events, oldest first; none if there is none within the time.

        After a wipe it starts over with what the stream has now.
        """
        return [Event.decode(self._session, entry_id, fields) for entry_id, fields in self._tail.read(block_s)]


def _json(type: str, data: Mapping[str, Any]) -> str:
    if type not in TYPES:
        raise RecordError(f"There is no event {type!r}; expected one of {', '.join(TYPES)}.", subject=type)
    try:
        return json.dumps(data, separators=(",", ":"), allow_nan=False)
    except (TypeError, ValueError) as error:
        raise RecordError(f"Event {type!r} has data that JSON cannot hold: {error}.", subject=type) from error
