"""Aggregator: the process that turns the results of every session into `outcome` events.

One look at every session a few times a second, one look at the registry each second. It keeps nothing that the streams
do not hold, so that it may be killed at any time; after a loss of Redis it begins from the streams again.
"""

from __future__ import annotations

import os
import socket
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import structlog
from redis import Redis

from inference.beacon import Beacon
from inference.bundle import Bundle, FusionBundle
from inference.following import Follower
from inference.library import Library
from inference.patience import RETRY_S, Patience
from streaming.connection import connect
from streaming.errors import RecordError
from streaming.heartbeat import INTERVAL_S, Heartbeat
from streaming.sessions import Registry

#: Seconds between looks at the streams; a result is told at most this late.
POLL_S = 0.1
#: Seconds between looks at the registry.
DISCOVER_S = 1.0

log = structlog.get_logger("aggregator")


class Aggregator:
    """Follow every session that runs, and those that closed until their last window has its fate.

    Parameters
    ----------
    redis : Redis
        Client of this process.
    library : Library
        The bundles at hand.
    heartbeat : Heartbeat
        On a client of its own, since it beats from a thread.
    stop : threading.Event
        Ends the loop.
    clock : callable
        Monotonic seconds.
    retry_s, beat_s : float
        Seconds between attempts while Redis is away, and between heartbeats.
    """

    def __init__(
        self,
        redis: Redis,
        library: Library,
        heartbeat: Heartbeat,
        stop: threading.Event,
        *,
        clock: Callable[[], float] = time.monotonic,
        retry_s: float = RETRY_S,
        beat_s: float = INTERVAL_S,
    ) -> None:
        self._redis = redis
        self._library = library
        self._stop = stop
        self._clock = clock
        self._registry = Registry(redis)
        self._patience = Patience("aggregator", stop, retry_s=retry_s)
        self._beacon = Beacon(heartbeat, self._info, clock=clock, interval_s=beat_s)
        self._followers: dict[str, Follower] = {}
        self._closed: set[str] = set()
        self._done: set[str] = set()
        self._unreadable: set[str] = set()
        self._discover_at = float("-inf")
        self._n_told = 0

    def run(self) -> None:
        """Follow sessions until told to stop."""
        log.info("aggregator_begun")
        with self._beacon:
            self._patience.repeat(self._turn, on_loss=self._forget)
        log.info("aggregator_ended", outcomes=self._n_told)

    def _turn(self) -> None:
        self._beacon.mark()
        if self._clock() >= self._discover_at:
            self._discover()
        for session, follower in list(self._followers.items()):
            self._poll(session, follower)
        self._stop.wait(POLL_S)

    def _discover(self) -> None:
        """Begin to follow what is new; what is closed and has no window left is looked at once more and let go."""
        draining = set(self._registry.to_drain())
        is_open = {entry.session: entry.is_open for entry in self._registry.entries()}
        wanted = (draining | (is_open.keys() - self._done)) - self._unreadable
        self._followers = {session: self._follower(session) for session in sorted(wanted)}
        self._closed = {session for session in wanted if not is_open.get(session, True)}
        # A window leaves its stream in the step that stores its result, so what drained before this look is complete.
        self._done = is_open.keys() - draining
        self._discover_at = self._clock() + DISCOVER_S

    def _follower(self, session: str) -> Follower:
        return self._followers.get(session) or Follower(self._redis, session, self._library)

    def _poll(self, session: str, follower: Follower) -> None:
        told = follower.n_told
        try:
            follower.poll(closed=session in self._closed)
        except RecordError as error:
            log.error("session_unreadable", session=session, cause=str(error))
            self._unreadable.add(session)
            del self._followers[session]
        self._n_told += follower.n_told - told

    def _forget(self) -> None:
        """Begin from the streams again: what was told may or may not be there."""
        self._beacon.mark()
        self._followers.clear()
        self._done = set()
        self._unreadable.clear()
        self._discover_at = float("-inf")

    def _info(self) -> Mapping[str, Any]:
        return {"sessions": len(self._followers), "outcomes": self._n_told, "trouble": self._patience.trouble}


def open_aggregator(
    url: str, bundles: Iterable[Bundle | FusionBundle], stop: threading.Event, *, name: str = ""
) -> Aggregator:
    """Return an aggregator with its own clients.

    Parameters
    ----------
    url : str
        Redis.
    bundles : iterable of Bundle or FusionBundle
        All that sessions may be bound to.
    stop : threading.Event
        Ends its loop.
    name : str
        For its heartbeat; host and process by default.
    """
    name = name or f"{socket.gethostname()}:{os.getpid()}"
    heartbeat = Heartbeat(connect(url, "aggregator-beacon"), "aggregator", name)
    return Aggregator(connect(url, "aggregator"), Library(bundles), heartbeat, stop)
