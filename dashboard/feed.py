"""One session's two streams, read once for all viewers: the record so far, and each new entry encoded once (law 7).

The feed keeps the last messages, so that a viewer that comes back hears only what it lacks; where it has been away for
longer, a snapshot says the same.
"""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, cast

import structlog
from redis.exceptions import ResponseError

from acquisition import strict_json
from dashboard.contact import Progress
from dashboard.cursor import START, Cursor, EntryId, Stream, numbers, words
from dashboard.record import PER_WINDOW, SessionRecord
from dashboard.steady import added_s, steady_s
from streaming import keys
from streaming.connection import MAX_BLOCK_S, AsyncClient, translated
from streaming.errors import RecordError
from streaming.events import Event
from streaming.records import ResultRecord

#: Messages kept for viewers that come back: an hour of a session at the default stride.
MESSAGES_KEPT = 4096
#: Most entries of one read of each stream.
READ_COUNT = 256
#: What of a result no screen shows.
UNSHOWN = ("embedding", "stages_s", "fingerprint", "calibration", "phases", "flags", "channel_quality", "model")
#: Which role adds the entries of a type, where it is not the bridge; a notice may be anybody's.
DOES = {"result": "scorer", "outcome": "aggregator", "notice": None}

log = structlog.get_logger("dashboard")


@dataclass(frozen=True)
class Message:
    """One entry, ready to be sent to every viewer.

    Parameters
    ----------
    stream, entry
        Where it stands.
    frame : bytes
        The server-sent event.
    """

    stream: Stream
    entry: EntryId
    frame: bytes


def sse(message: Mapping[str, Any], cursor: Cursor | None = None) -> bytes:
    """Return a message as a server-sent event; with a cursor a reader can come back to it."""
    body = json.dumps(message, separators=(",", ":"), allow_nan=False)
    return f"id: {cursor}\ndata: {body}\n\n".encode() if cursor else f"data: {body}\n\n".encode()


class Feed:
    """Read one session.

    Parameters
    ----------
    redis : AsyncClient
        A client made for blocking, for this feed alone.
    session : str
        Session identifier.
    bed : str
        Its bed.
    clock : callable
        Seconds that never step.
    """

    def __init__(self, redis: AsyncClient, session: str, bed: str, clock: Callable[[], float] = steady_s) -> None:
        self._redis = redis
        self._clock = clock
        #: When a read began that left nothing behind: what comes later was added later.
        self._looked_s: float | None = None
        self.session = session
        self.bed = bed
        self.record = SessionRecord()
        self.progress = Progress()
        self.cursor = Cursor(session)
        self._kept: deque[Message] = deque()
        self._forgotten = Cursor(session)

    async def read(self, block_s: float = MAX_BLOCK_S) -> list[Message]:
        """Return the next messages of both streams; none if there is none within the time.

        Raises
        ------
        TransportDown
            If Redis does not answer.
        """
        names: dict[bytes, Stream] = {
            keys.events(self.session).encode(): "events",
            keys.results(self.session).encode(): "results",
        }
        after = {key: words(self.cursor.of(stream)) for key, stream in names.items()}
        block_ms, begun_s = round(block_s * 1000) or None, self._clock()
        reply = cast(Any, await self._redis.xread(cast(Any, after), count=READ_COUNT, block=block_ms) or [])
        server_ms, now_s = await self._server_ms() if reply else 0.0, self._clock()
        messages = []
        for key, entries in reply:
            for entry_id, fields in entries:
                at_s = added_s(numbers(entry_id.decode())[0], server_ms, self._looked_s, now_s)
                messages.append(self._take(names[key], entry_id.decode(), fields, at_s))
        if all(len(entries) < READ_COUNT for _, entries in reply):
            self._looked_s = begun_s
        if not messages:
            await self._look_for_setback(names)
        return messages

    async def load(self) -> None:
        """Read all that the streams have now."""
        while await self.read(block_s=0.0):
            pass

    async def close(self) -> None:
        """Give the connection back."""
        await self._redis.aclose()

    def snapshot(self) -> dict[str, Any]:
        """Return the message that says all so far."""
        data = {"bed": self.bed, "session": self.session, "entries": self.record.entries()}
        return {"type": "snapshot", "data": data}

    def since(self, cursor: Cursor | None) -> list[bytes] | None:
        """Return what a viewer at this place lacks, or None where only a snapshot will do."""
        if cursor is None or cursor.session != self.session or not self._covers(cursor):
            return None
        return [message.frame for message in self._kept if message.entry > cursor.of(message.stream)]

    def _covers(self, cursor: Cursor) -> bool:
        streams: tuple[Stream, ...] = ("events", "results")
        return all(self._forgotten.of(s) <= cursor.of(s) <= self.cursor.of(s) for s in streams)

    async def _server_ms(self) -> float:
        seconds, microseconds = await self._redis.time()
        return 1000.0 * int(seconds) + int(microseconds) / 1000

    def _take(self, stream: Stream, entry_id: str, fields: Mapping[bytes, bytes], at_s: float) -> Message:
        entry = numbers(entry_id)
        type, data = self._decoded(stream, entry_id, fields)
        self.cursor = self.cursor.moved(stream, entry)
        is_new = self.record.add(type, data)
        self.progress.begun(at_s)
        if is_new and (role := DOES.get(type, "bridge")):
            self.progress.did(role, at_s)
        if type == "result" and is_new:
            self.progress.committed(at_s)
        message = Message(stream, entry, sse({"type": type, "data": data}, self.cursor))
        self._keep(message)
        return message

    def _decoded(self, stream: Stream, entry_id: str, fields: Mapping[bytes, bytes]) -> tuple[str, Mapping[str, Any]]:
        """Return type and data; an entry that cannot be read becomes a notice, so that it is seen."""
        try:
            if stream == "events":
                return _told(Event.decode(self.session, entry_id, fields), fields[b"data"])
            result = ResultRecord.decode(fields).to_json()
            return "result", {name: value for name, value in result.items() if name not in UNSHOWN}
        except RecordError as error:
            log.warning("unreadable_entry", session=self.session, stream=stream, entry=entry_id, cause=str(error))
            return "notice", {"level": "technical", "text": error.message, "remedy": error.remedy}

    def _keep(self, message: Message) -> None:
        self._kept.append(message)
        if len(self._kept) > MESSAGES_KEPT:
            oldest = self._kept.popleft()
            self._forgotten = self._forgotten.moved(oldest.stream, oldest.entry)

    async def _look_for_setback(self, names: Mapping[bytes, Stream]) -> None:
        """Begin a stream anew whose end lies before the cursor: the server was wiped or set back."""
        for stream, end in zip(names.values(), await self._ends(names), strict=True):
            if self.cursor.of(stream) > end:
                self.cursor = self.cursor.moved(stream, START)
                self._kept.clear()
                # Nobody can come back from before the setback: only a snapshot will do.
                self._forgotten = self._forgotten.moved(stream, (1 << 63, 0))

    async def _ends(self, names: Iterable[bytes]) -> list[EntryId]:
        """Return the newest entry that each stream ever had, in one round trip: every bed asks once a second."""
        pipeline = self._redis.pipeline(transaction=False)
        for name in names:
            pipeline.xinfo_stream(name)
        with translated(self._redis.url):
            return [_end(info) for info in await pipeline.execute(raise_on_error=False)]


def _told(event: Event, text: bytes) -> tuple[str, Mapping[str, Any]]:
    """Return type and data of an event, which its text says in JSON.

    Raises
    ------
    RecordError
        If its data is no object, that of a window says not which, or a session has not what the pages read of it.
    """
    if not (_is_readable(event.type, event.data) and _is_strict(text)):
        raise RecordError(
            f"Entry {event.id} tells a {event.type} that is none.",
            subject=keys.events(event.session),
            remedy="Run every role of Flexion in one version.",
        )
    return event.type, event.data


def _is_strict(text: bytes) -> bool:
    """Tell whether a browser can read it too: NaN and what is beyond every float it cannot."""
    try:
        strict_json.loads(text)
    except ValueError:
        return False
    return True


def _is_readable(type: str, data: Any) -> bool:
    """Tell whether an event's data is what the pages read of it."""
    if not isinstance(data, dict):
        return False
    if type == "session":
        labels, kinds, bundles = data.get("labels", []), data.get("kinds", []), data.get("bundles", {})
        lists = isinstance(labels, list) and isinstance(kinds, list) and isinstance(bundles, dict)
        return lists and len(labels) == len(kinds) and all(isinstance(text, str) for text in labels + kinds)
    return type not in PER_WINDOW or isinstance(data.get("index"), int)


def _end(info: Any) -> EntryId:
    """Return where a stream ends by what the server says of it; of one that is not there it says an error."""
    if isinstance(info, ResponseError) and "no such key" in str(info):
        return START
    if isinstance(info, Exception):
        raise info
    return numbers(cast(bytes, info["last-generated-id"]).decode())
