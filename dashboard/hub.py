"""The hub: one reader per session stream, one bounded queue per viewer, everything encoded once (law 7).

Tasks live here: one looks once a second which sessions the beds have; one hears the heartbeats; one says once a second
how old everything is; one per bed reads its session's streams; one per wave that somebody watches relays it. None waits
for a viewer, and none ends when Redis does: they say so, and go on when it is back.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import math
import secrets
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from typing import Any

import structlog
from pydantic import ValidationError

from dashboard.card import BedCard, bare_card, card_of, drawn_of
from dashboard.contact import Bedside, Contacts, contact_message
from dashboard.cursor import Cursor
from dashboard.feed import Feed, sse
from dashboard.metrics import Metrics
from dashboard.steady import Lateness, steady_s
from dashboard.viewers import EventViewer, WaveViewer
from dashboard.ward import ENVELOPE_S, Ward
from streaming import keys
from streaming.connection import connect, connect_async
from streaming.errors import RecordError, TransportDown
from streaming.heartbeat import Beat
from streaming.sessions import Registry, SessionEntry
from streaming.subscription import AsyncSubscription, Message
from streaming.waves import Newest, newest_of

#: Seconds between looks at the beds, and between two contact messages (contract: 1 Hz).
TICK_S = 1.0
#: Seconds to wait after Redis did not answer.
AGAIN_S = 0.5
#: Seconds after which a task that was cancelled and did not end is cancelled again.
CANCEL_AGAIN_S = 0.1

log = structlog.get_logger("dashboard")


class Bed:
    """One bed: its session, its feed, its viewers.

    Parameters
    ----------
    name : str
        As its viewers spell it.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.entry: SessionEntry | None = None
        self.feed: Feed | None = None
        self.since_s = 0.0
        #: The newest sample of its wave that came, and when that frame should have come.
        self.newest: tuple[Newest, float] | None = None
        self.lateness = Lateness()
        #: The session of which it was said that it cannot be read.
        self.unreadable = ""
        #: Names its session in the envelopes of the ward.
        self.wave_key = 0
        self.events: set[EventViewer] = set()
        self.waves: set[WaveViewer] = set()

    @property
    def session(self) -> str | None:
        """Its newest session."""
        return None if self.feed is None else self.feed.session

    def wave(self, now_s: float) -> dict[str, Any] | None:
        """Return how far its wave has come, and how old that is now; None where nobody knows."""
        if self.newest is None or not math.isfinite(self.newest[0].age_s):
            return None
        newest, came_s = self.newest
        return {"end": newest.end, "age_s": round(newest.age_s + now_s - came_s, 3)}

    def came_s(self, frame: bytes, now_s: float, monotonic_s: float) -> float:
        """Take a frame of its wave that comes now, and return when it should have come, on the clock of ``now_s``."""
        newest = newest_of(frame)
        if newest is None:
            return now_s
        at_s = now_s - self.lateness.of_s(newest.sent_s, monotonic_s)
        self.newest = newest, at_s
        return at_s

    @property
    def drawn(self) -> list[int]:
        """Which channels its card draws; none before the session said which it has."""
        said = (self.feed.record.last("session") if self.feed else None) or {}
        return drawn_of(said.get("labels", ()), said.get("kinds", ()))


class Hub:
    """Read Redis for all viewers.

    Parameters
    ----------
    redis_url : str
        The Redis that everybody shares.
    metrics : Metrics
        What is counted.
    clock : callable
        Seconds that never step.
    """

    def __init__(self, redis_url: str, metrics: Metrics, clock: Callable[[], float] = steady_s) -> None:
        self._url = redis_url
        self._metrics = metrics
        self._clock = clock
        self._registry = Registry(connect(redis_url, "dashboard"))
        self._redis = connect_async(redis_url, "dashboard")
        self._name = secrets.token_hex(4)
        self._beds: dict[str, Bed] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._failed = False
        self._readers: dict[str, asyncio.Task[None]] = {}
        self._waves = AsyncSubscription(connect_async(redis_url, "dashboard-waves"))
        self._watched: dict[str, Bed] = {}
        self._waves_life: asyncio.Task[None] | None = None
        self._following = asyncio.Lock()
        self._polled = asyncio.Event()
        self._wave_keys = itertools.count(1)
        self._ward = Ward(clock)
        self._ward_life: asyncio.Task[None] | None = None
        self.contacts = Contacts(clock())
        #: Whether Redis answered the last look.
        self.redis_answers = False

    # -- life -----------------------------------------------------------------------------------

    def start(self) -> None:
        """Begin to read."""
        self.contacts = Contacts(self._clock())
        for life in (self._watch_beds(), self._hear_beats(), self._tell_contact()):
            self._spawn(life)

    def release_viewers(self) -> None:
        """Let every viewer go, so that no open stream holds up the end of the server."""
        for bed in self._beds.values():
            for reader in bed.events:
                reader.close()
            for watcher in bed.waves:
                watcher.close()
        for viewer in self._ward.viewers:
            viewer.close()

    async def stop(self) -> None:
        """End all tasks and give the connections back."""
        self.release_viewers()
        await _end(*self._tasks)
        await self._redis.aclose()

    def _spawn(self, life: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(life)
        self._tasks.add(task)
        task.add_done_callback(self._ended)
        return task

    def _ended(self, task: asyncio.Task[None]) -> None:
        """A task that ends by an error is a fault of ours: it is said, here and by /readyz."""
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            self._failed = True
            log.error("task_failed", exc_info=error)

    @property
    def alive(self) -> bool:
        """Whether the hub runs, and none of its tasks has failed."""
        return bool(self._tasks) and not self._failed

    def now_s(self) -> float:
        """Return the time by this process's clock."""
        return self._clock()

    def clock(self) -> dict[str, Any]:
        """Return this process's clock, and a name that is another after every start."""
        return {"server": self._name, "at_s": round(self._clock(), 4)}

    # -- viewers --------------------------------------------------------------------------------

    async def ready(self) -> None:
        """Wait until the beds were looked up once; a viewer that comes first would be told of none."""
        await self._polled.wait()

    def watch_events(self, bed_name: str, last_event_id: str | None) -> EventViewer:
        """Return a viewer that gets what it lacks, then all that comes."""
        bed = self.bed(bed_name)
        viewer = EventViewer()
        cursor = Cursor.parse(last_event_id) if last_event_id else None
        lacking = None if bed.feed is None else bed.feed.since(cursor)
        if lacking is None and last_event_id:
            viewer.put(sse({"type": "resync", "data": {"after": last_event_id}}))
        viewer.put(self._snapshot(bed) if lacking is None else b"".join(lacking))
        viewer.put(self._contact(bed))
        bed.events.add(viewer)
        self._metrics.viewers("events").inc()
        return viewer

    def leave_events(self, bed_name: str, viewer: EventViewer) -> None:
        """Forget a viewer."""
        self.bed(bed_name).events.discard(viewer)
        self._forget_if_unused(bed_name)
        self._metrics.viewers("events").dec()

    def watch_wave(self, bed_name: str) -> WaveViewer:
        """Return a viewer that is told the session, then gets its frames."""
        bed = self.bed(bed_name)
        viewer = WaveViewer()
        viewer.begin(_hello(bed))
        bed.waves.add(viewer)
        self._want_waves()
        self._metrics.viewers("wave").inc()
        return viewer

    def leave_wave(self, bed_name: str, viewer: WaveViewer) -> None:
        """Forget a viewer."""
        self.bed(bed_name).waves.discard(viewer)
        self._forget_if_unused(bed_name)
        self._want_waves()
        self._metrics.viewers("wave").dec()
        self._metrics.dropped.inc(viewer.dropped)

    def watch_ward(self) -> WaveViewer:
        """Return a viewer that is told of all beds, then gets their traces."""
        viewer = self._ward.watch(self.cards(), self.clock())
        self._want_ward()
        self._metrics.viewers("ward").inc()
        return viewer

    def leave_ward(self, viewer: WaveViewer) -> None:
        """Forget a viewer."""
        self._ward.leave(viewer)
        self._want_ward()
        self._metrics.viewers("ward").dec()
        self._metrics.dropped.inc(viewer.dropped)

    def _want_ward(self) -> None:
        """Tell the ward while somebody looks at it."""
        if self._ward.viewers and self._ward_life is None:
            self._ward_life = self._spawn(self._tell_ward())
        elif not self._ward.viewers and self._ward_life is not None:
            self._spawn(_end(self._ward_life))
            self._ward_life = None
        self._want_waves()

    def _forget_if_unused(self, bed_name: str) -> None:
        """Forget a bed that has no session and that nobody watches any more."""
        bed = self.bed(bed_name)
        if bed.feed is None and not bed.events and not bed.waves:
            del self._beds[bed_name.casefold()]

    def bed(self, name: str) -> Bed:
        """Return a bed; one that has no session yet may be watched too."""
        return self._beds.setdefault(name.casefold(), Bed(name))

    def beds(self) -> list[Bed]:
        """Return the beds that have a session."""
        return sorted((bed for bed in self._beds.values() if bed.feed is not None), key=lambda bed: bed.name)

    def cards(self) -> list[BedCard]:
        """Return the card of every bed that has a session, as it is now."""
        return [self._card(bed, bed.entry, bed.feed) for bed in self.beds() if bed.entry and bed.feed]

    def _card(self, bed: Bed, entry: SessionEntry, feed: Feed) -> BedCard:
        """Return a bed's card; where another version tells what ours cannot read, that bed alone has a bare one."""
        contact = self.contact(bed)
        try:
            return card_of(entry, feed.record, contact, bed.wave_key)
        except (ValidationError, AttributeError, LookupError, TypeError) as error:
            if bed.unreadable != entry.session:  # said once, not once a second
                log.error("unreadable_bed", bed=bed.name, session=entry.session, cause=str(error))
            bed.unreadable = entry.session
            return bare_card(entry, contact, bed.wave_key)

    def contact(self, bed: Bed) -> dict[str, Any]:
        """Return the data of a bed's contact message as it is now."""
        return contact_message(self.contacts, self._bedside(bed), self._clock()) | {"clock": self.clock()}

    def _bedside(self, bed: Bed) -> Bedside:
        if bed.feed is None or bed.entry is None:
            return Bedside(session=None, closed_utc=None, since_s=0.0, progress_age_s=0.0, made=0, done=0)
        return Bedside(
            session=bed.feed.session,
            closed_utc=bed.entry.closed_utc,
            since_s=bed.since_s,
            progress_age_s=bed.feed.progress.age_s(self._clock()),
            seen_s=bed.feed.progress.seen_s,
            wave=bed.wave(self._clock()),
            made=bed.feed.record.count("window"),
            done=bed.feed.record.count("result"),
            source=bed.feed.record.last("source") or {},
        )

    def _snapshot(self, bed: Bed) -> bytes:
        if bed.feed is None:
            return sse({"type": "snapshot", "data": {"bed": bed.name, "session": None, "entries": []}})
        return sse(bed.feed.snapshot(), bed.feed.cursor)

    def _contact(self, bed: Bed) -> bytes:
        return sse({"type": "contact", "data": self.contact(bed)})

    def _put(self, bed: Bed, message: bytes) -> None:
        """Queue a message for every viewer of a bed; one that is too far behind is let go."""
        for viewer in [*bed.events]:
            if not viewer.put(message):
                bed.events.discard(viewer)
                self._metrics.evicted.inc()

    # -- tasks ----------------------------------------------------------------------------------

    async def _watch_beds(self) -> None:
        while True:
            try:
                await self._look_at_beds()
                self.redis_answers, self.contacts.redis_s = True, self._clock()
            except TransportDown as error:
                self._say_down(error)
            self._polled.set()
            await asyncio.sleep(TICK_S)

    def _say_down(self, error: TransportDown) -> None:
        if self.redis_answers:
            log.warning("redis_away", cause=str(error))
        self.redis_answers = False

    async def _look_at_beds(self) -> None:
        """Follow the registry: a bed's new session becomes what its viewers see."""
        entries = await asyncio.to_thread(self._registry.beds)
        for name, entry in entries.items():
            bed = self.bed(name)
            if bed.session != entry.session:
                await self._begin(bed, entry)
            bed.name, bed.entry = name, entry
        for bed in self.beds():
            if bed.name not in entries and bed.entry is not None and not bed.entry.is_open:
                self._forget_session(bed)

    def _forget_session(self, bed: Bed) -> None:
        """Forget a session that ended and that the registry has no more; an open one that it lost comes back."""
        self._spawn(_end(self._readers.pop(str(bed.session))))
        bed.feed = bed.entry = None
        self._put(bed, self._snapshot(bed))
        for viewer in bed.waves:
            viewer.begin(_hello(bed))
        self._want_waves()
        self._forget_if_unused(bed.name)

    async def _begin(self, bed: Bed, entry: SessionEntry) -> None:
        feed = Feed(
            connect_async(self._url, "dashboard-feed", blocking=True), entry.session, str(entry.bed), self._clock
        )
        try:
            await feed.load()
        except TransportDown:
            await feed.close()
            raise
        if bed.session is not None:
            self._spawn(_end(self._readers.pop(bed.session)))
        bed.feed, bed.entry, bed.since_s, bed.wave_key = feed, entry, self._clock(), next(self._wave_keys)
        bed.newest, bed.lateness = None, Lateness()
        self._readers[feed.session] = self._spawn(self._read(bed, feed))
        self._put(bed, self._snapshot(bed))
        for viewer in bed.waves:
            viewer.begin(_hello(bed))
        self._want_waves()

    async def _read(self, bed: Bed, feed: Feed) -> None:
        try:
            while True:
                try:
                    messages = await feed.read()
                except TransportDown:
                    await asyncio.sleep(AGAIN_S)
                    continue
                self._metrics.relayed.inc(len(messages))
                if messages:
                    self._put(bed, b"".join(message.frame for message in messages))
        finally:
            await feed.close()

    async def _hear_beats(self) -> None:
        beats = AsyncSubscription(connect_async(self._url, "dashboard-beats"), [keys.HEARTBEATS])
        async for _, payload in self._published(beats):
            try:
                beat = Beat.decode(payload)
            except RecordError as error:
                log.warning("unreadable_heartbeat", cause=str(error))
                continue
            self.contacts.heard(beat, self._clock(), time.monotonic())
            if beat.role == "scorer":
                self._metrics.scorers.heard(beat, self._clock())

    async def _relay(self) -> None:
        """Hand each bed's wave to whoever watches it, as it comes."""
        async for channel, frame in self._published(self._waves):
            bed = self._watched.get(channel)
            if bed is not None:
                came_s = bed.came_s(frame, self._clock(), time.monotonic())
                for viewer in bed.waves:
                    viewer.put(frame)
                self._ward.take(str(bed.session), frame, came_s)

    async def _published(self, subscription: AsyncSubscription) -> AsyncIterator[Message]:
        """Yield what is published, for ever; while Redis is away nothing comes."""
        try:
            while True:
                try:
                    await subscription.open()
                    while True:
                        yield await subscription.next()
                except TransportDown as error:
                    self._say_down(error)
                    await asyncio.sleep(AGAIN_S)
        finally:
            await subscription.close()

    def _want_waves(self) -> None:
        """Listen to the waves that somebody watches, and to no other."""
        beds = [bed for bed in self._beds.values() if bed.waves or self._ward.viewers]
        watched = {keys.wave(bed.session): bed for bed in beds if bed.session is not None}
        if watched.keys() != self._watched.keys():
            self._spawn(self._follow_waves())
        self._watched = watched

    async def _follow_waves(self) -> None:
        async with self._following:
            if not self._watched and self._waves_life is not None:
                await _end(self._waves_life)
                self._waves_life = None
            with contextlib.suppress(TransportDown):  # the relay hears of it too, and opens it again
                await self._waves.follow(self._watched)
            if self._watched and self._waves_life is None:
                self._waves_life = self._spawn(self._relay())

    async def _tell_contact(self) -> None:
        while True:
            await asyncio.sleep(TICK_S)
            for bed in [*self._beds.values()]:
                if bed.events:
                    self._put(bed, self._contact(bed))

    async def _tell_ward(self) -> None:
        """Send traces ten times a second, cards with every tenth."""
        for n in itertools.count(1):
            await asyncio.sleep(ENVELOPE_S)
            beds = [bed for bed in self._beds.values() if bed.session is not None]
            self._ward.send({str(bed.session): (bed.wave_key, bed.drawn) for bed in beds})
            if n % round(TICK_S / ENVELOPE_S) == 0:
                self._ward.tell(self.cards(), self.clock())


async def _end(*tasks: asyncio.Task[None]) -> None:
    """Cancel tasks until they have ended.

    Once is not enough: redis-py writes through ``asyncio.wait_for``, which may lose a cancellation before Python 3.12
    (python/cpython#86296).
    """
    pending = {*tasks}
    while pending:
        for task in pending:
            task.cancel()
        _, pending = await asyncio.wait(pending, timeout=CANCEL_AGAIN_S)


def _hello(bed: Bed) -> str:
    return json.dumps({"session": bed.session})
