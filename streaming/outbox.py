"""Everything between the bridge and Redis, on a thread of its own: the signal never waits for a server.

The outbox holds the lease, publishes windows in index order under its term, collects their results into the session
folder, and sends events, waves and heartbeats. Redis may die, freeze, be wiped or be taken over: windows stay here (or
are made again from the folder) until their result is on disk (laws 2 and 5).
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

import structlog

from streaming.connection import Client
from streaming.control import Command, Listener
from streaming.errors import Fenced, Full, LeaseHeld, LeaseLost, Refused, TransportDown
from streaming.events import EventLog
from streaming.heartbeat import INTERVAL_S, Heartbeat
from streaming.lease import RENEW_S, Lease
from streaming.publisher import Publisher, highest_index
from streaming.records import ResultRecord, WindowRecord
from streaming.results import ResultReader
from streaming.sessions import Registry, SessionEntry
from streaming.waves import WaveFrame, WavePublisher

#: Seconds between looks at Redis when nothing is to be sent: results are seen at most this late.
POLL_S = 0.01
#: Seconds between heartbeats and between renewals of the lease; between looks for commands; and between
#: questions whether Redis still knows the term while there is nothing to publish.
EVERY_S = {"beat": INTERVAL_S, "renew": RENEW_S, "hear": 0.1, "check": 1.0}
#: Commands that a session's bridge carries out; the others are the supervisor's.
OWN_COMMANDS = frozenset({"stop", "mark", "note"})
#: Seconds to wait after Redis refused or could not be reached.
RETRY_S = 0.25
#: Frames kept for a slow Redis: one second of 20 ms frames, then the oldest is dropped.
FRAMES_KEPT = 50

log = structlog.get_logger("outbox")


class Record(Protocol):
    """What the outbox asks of the session folder; the bridge guards it with a lock."""

    def save_term(self, term: int) -> None:
        """Record a term before it is used."""
        ...

    def save_result(self, result: ResultRecord, latency_s: float | None) -> None:
        """Append a result to ``results.jsonl``."""
        ...

    def results(self) -> list[ResultRecord]:
        """Return the results on disk."""
        ...

    def highest_term(self) -> int:
        """Return the highest term in the folder, 0 without one."""
        ...


@dataclass
class Tally:
    """What has happened to the session's windows so far; read by the heartbeat and the ledger."""

    published: set[int] = field(default_factory=set)
    results: dict[int, str] = field(default_factory=dict)
    latency_s: float | None = None

    def count(self, state: str) -> int:
        """Return how many windows have met this fate."""
        return list(self.results.values()).count(state)  # copied in one step: the outbox's thread may add to it


class Outbox:
    """Send what the bridge makes, and bring back what becomes of it.

    Parameters
    ----------
    redis : Client
        A client for this thread alone.
    entry : SessionEntry
        The session in the registry; entered again whenever Redis has forgotten it.
    lease : Lease
        Of the bed and its sources; acquired by ``take``, renewed until the end.
    record : Record
        The session folder.
    info : callable
        Returns the heartbeat's ``info``; called on the outbox's thread.
    now_s : callable
        This machine's LSL clock, for latencies.
    monotonic_s : callable
        Time for everything else.
    """

    def __init__(
        self,
        redis: Client,
        entry: SessionEntry,
        lease: Lease,
        record: Record,
        *,
        info: Callable[[], Mapping[str, Any]],
        now_s: Callable[[], float],
        monotonic_s: Callable[[], float],
    ) -> None:
        self._redis = redis
        self._entry = entry
        self._session = session = entry.session
        self._lease = lease
        self._record = record
        self._info = info
        self._now_s = now_s
        self._monotonic_s = monotonic_s
        self._events = EventLog(redis, session)
        self._reader = ResultReader(redis, session)
        self._heartbeat = Heartbeat(redis, "bridge", session, session=session)
        self._waves = WavePublisher(redis, session)
        self._listener = Listener(redis, f"bridge {session}")
        self._registry = Registry(redis)
        self._publisher: Publisher | None = None
        self._inbox: deque[WindowRecord] = deque()
        self._windows: dict[int, WindowRecord] = {}
        self._live: set[int] = set()
        self._frames: deque[WaveFrame] = deque(maxlen=FRAMES_KEPT)
        #: Every event of this life; the bridge appends, the thread counts how many of them Redis has.
        self._told: list[tuple[str, Mapping[str, Any]]] = []
        self._n_sent = 0
        self._wake = threading.Event()
        self._closing = threading.Event()
        self._next: dict[str, float] = {}
        self._retry_s = 0.0
        #: The term that the lease granted and that nothing was sent under yet; 0 for none.
        self._granted = 0
        self._started = False
        self._answers: deque[Callable[[], None]] = deque()
        self._trouble = ""
        self._thread = threading.Thread(target=self._run, name="outbox", daemon=True)
        self.tally = Tally()
        #: What people ask of this session; the bridge takes them from here.
        self.commands: deque[Command] = deque()
        #: Why this bridge may not go on, once another one has taken over.
        self.fenced = ""
        #: What the thread died of; the bridge raises it.
        self.failure: Exception | None = None

    # -- called by the bridge -------------------------------------------------------------------

    def take(self) -> None:
        """Take the lease, and keep it on the thread: nobody else writes for this bed and its sources from here on.

        Raises
        ------
        LeaseHeld
            If another bridge that lives holds one of them.
        TransportDown
            If Redis cannot be reached.
        """
        self._granted = self._lease.acquire(self._record.highest_term())
        self._thread.start()

    def highest_index(self) -> int:
        """Return the highest index of a window that Redis has, or has a result of; -1 for none."""
        return highest_index(self._redis, self._session)

    def start(self) -> None:
        """Begin to send, now that the folder is read; reading a long one takes longer than a lease lives."""
        for result in self._record.results():
            self.tally.results[result.index] = result.state
        self.tally.published.update(self.tally.results)
        self._started = True
        self._wake.set()

    def post(self, record: WindowRecord, *, live: bool = True) -> None:
        """Queue a window; it is kept until its result is on disk."""
        index = record.window.index
        if index in self.tally.results:
            return
        if live:
            self._live.add(index)
        self._inbox.append(record)
        self._wake.set()

    def tell(self, kind: str, data: Mapping[str, Any]) -> None:
        """Queue an event; all are told again to a Redis that may have forgotten them, and are true twice."""
        self._told.append((kind, data))
        self._wake.set()

    def show(self, frame: WaveFrame) -> None:
        """Queue a frame for the screen; when Redis is slow the oldest is dropped."""
        self._frames.append(frame)
        self._wake.set()

    @property
    def trouble(self) -> str:
        """What keeps the outbox from Redis, in words; empty when all is well."""
        return self._trouble

    @property
    def waiting(self) -> int:
        """Windows without a result."""
        return len(self._windows) + len(self._inbox)

    @property
    def _untold(self) -> int:
        """Events that Redis does not have yet."""
        return len(self._told) - self._n_sent

    def drain(self, seconds: float) -> bool:
        """Wait until every window has its result and every event is sent; tell whether that came to be."""
        end = self._monotonic_s() + seconds
        while (self.waiting or self._untold) and self._thread.is_alive() and self._monotonic_s() < end:
            self._closing.wait(POLL_S)
        return not self.waiting

    def answer(self, command: Command, data: Mapping[str, Any] | None = None) -> None:
        """Say that a command was carried out."""
        self._answers.append(lambda: self._listener.answer(command, data))

    def close(self, reason: str = "") -> None:
        """Stop the thread, close the session in the registry where it has ended, and give the lease back.

        Parameters
        ----------
        reason : str
            Why the session ended; empty where a later life goes on with it.
        """
        self._closing.set()
        self._wake.set()
        if self._thread.is_alive():
            self._thread.join()
        if not self.fenced:
            self._attempt(lambda: self._leave(reason))

    def _leave(self, reason: str) -> None:
        self._hear()
        self._send_events()
        if reason:
            self._registry.close(self._session, reason)
        self._lease.release()

    # -- the thread -----------------------------------------------------------------------------

    def _run(self) -> None:
        try:
            while not self._closing.is_set() and not self.fenced:
                self._wake.wait(POLL_S)
                self._wake.clear()
                if self._monotonic_s() >= self._retry_s:
                    self._attempt(self._turn)
        except Exception as error:  # the bridge raises it on its own thread: nothing may fail in silence
            self.failure = error

    def _attempt(self, act: Callable[[], object]) -> None:
        """Do something with Redis; when that fails, say so once and try again later."""
        try:
            act()
        except (Fenced, LeaseHeld, LeaseLost) as error:
            self.fenced = str(error)
            log.error("fenced", session=self._session, cause=str(error))
        except (TransportDown, Full) as error:
            self._retry_s = self._monotonic_s() + RETRY_S
            if not self._trouble:
                log.warning("redis_away", session=self._session, cause=str(error))
            self._trouble = str(error)
        else:
            if self._trouble:
                log.info("redis_back", session=self._session, waiting=len(self._windows))
            self._trouble = ""

    def _turn(self) -> None:
        """One look at everything that is due."""
        if self._due("renew") and not self._lease.renew():
            self._granted, self._publisher = 0, None
        if self._due("beat"):
            self._heartbeat.beat(self._info())
        if not self._started:
            self._granted = self._granted or self._acquire()
            return
        if self._publisher is None:
            self._take_term()
        self._send_frames()
        self._send_events()
        self._collect()
        # Before what a full Redis refuses: a bridge whose windows wait does as it is told (law 7).
        if self._due("hear"):
            self._hear()
        self._publish_waiting()

    def _take_term(self) -> None:
        # A change of term that breaks off half-way is begun again: the old term would find the new one in Redis and
        # take it for another bridge's.
        self._publisher = None
        term, self._granted = self._granted or self._acquire(), 0
        self._begin_term(term)
        self._n_sent = 0

    def _acquire(self) -> int:
        return self._lease.acquire(self._record.highest_term())

    def _begin_term(self, term: int) -> None:
        """Begin a term: what Redis has forgotten is put back from the folder before anything new is sent."""
        self._record.save_term(term)
        self._registry.open(self._entry)
        publisher = Publisher(self._redis, self._session, term)
        done = publisher.open(self._record.results())
        self._publisher = publisher
        self.tally.published = set(self.tally.results) | set(done)
        log.info("term", session=self._session, term=term, results=len(done))

    def _send_frames(self) -> None:
        frames = [self._frames.popleft() for _ in range(len(self._frames))]
        if frames:
            self._waves.publish(*frames, sent_s=self._now_s())

    def _send_events(self) -> None:
        while self._untold:
            self._events.append(*self._told[self._n_sent])
            self._n_sent += 1

    def _collect(self) -> None:
        """Bring results home: on disk first, then forgotten here."""
        for result in self._reader.read(block_s=0):
            if result.index in self.tally.results:
                continue
            late = self._now_s() - result.stamp_s if result.index in self._live else None
            self._record.save_result(result, late)
            self.tally.results[result.index] = result.state
            self.tally.published.add(result.index)
            self.tally.latency_s = late if late is not None else self.tally.latency_s
            self._windows.pop(result.index, None)

    def _publish_waiting(self) -> None:
        """Publish in index order; a refusal means that Redis forgot, or that another term rules."""
        assert self._publisher is not None
        while self._inbox:
            record = self._inbox[0]
            # One that an earlier life published may have its result, on disk or brought home just now, before it is
            # even looked at here: nobody will bring that result again.
            if record.window.index not in self.tally.results:
                self._windows[record.window.index] = record
            self._inbox.popleft()
        waiting = sorted(self._windows.keys() - self.tally.published)
        try:
            for index in waiting:
                self._publisher.publish(replace(self._windows[index], term=self._publisher.term))
                self.tally.published.add(index)
            if not waiting and self._due("check"):
                self._publisher.check()
        except Refused as error:
            log.warning("refused", session=self._session, cause=str(error))
            self._take_term()

    def _hear(self) -> None:
        """Take commands for this session or its bed; the bridge answers."""
        for command in self._listener.read():
            if command.name in OWN_COMMANDS and self._is_for_us(command.args):
                self.commands.append(command)
        while self._answers:
            self._answers[0]()
            self._answers.popleft()

    def _is_for_us(self, args: Mapping[str, Any]) -> bool:
        return args.get("session") == self._session or ("session" not in args and args.get("bed") == self._entry.bed)

    def _due(self, what: str) -> bool:
        now = self._monotonic_s()
        if now < self._next.get(what, 0.0):
            return False
        self._next[what] = now + EVERY_S[what]
        return True
