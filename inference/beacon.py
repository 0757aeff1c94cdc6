"""Beacon: the 1 Hz heartbeat of a role, idle or busy; silent when the role's loop hangs (law 7).

It beats on a thread of its own, so that a long batch delays none, and only while the loop has shown itself: a process
that exists and does nothing must not look alive.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Any

from streaming.errors import TransportDown
from streaming.heartbeat import INTERVAL_S, Heartbeat

#: Seconds without a mark after which the beacon falls silent: many times the longest batch or wait of a loop.
STUCK_S = 15.0


class Beacon:
    """Beat while the body of its ``with`` block marks that it goes on.

    Parameters
    ----------
    heartbeat : Heartbeat
        On a client of its own.
    info : callable
        Returns what the role has to say; called on the beacon's thread.
    clock : callable
        Monotonic seconds.
    interval_s : float
        Seconds between heartbeats.
    """

    def __init__(
        self,
        heartbeat: Heartbeat,
        info: Callable[[], Mapping[str, Any]],
        *,
        clock: Callable[[], float] = time.monotonic,
        interval_s: float = INTERVAL_S,
    ) -> None:
        self._heartbeat = heartbeat
        self._info = info
        self._clock = clock
        self._interval_s = interval_s
        self._marked_s = clock()
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name="beacon", daemon=True)

    def __enter__(self) -> Beacon:
        self.mark()
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._closing.set()
        self._thread.join()

    def mark(self) -> None:
        """Say that the loop goes on."""
        self._marked_s = self._clock()

    def beat(self) -> bool:
        """Send one heartbeat, unless the loop hangs; return whether it was sent."""
        if self._clock() - self._marked_s > STUCK_S:
            return False
        try:
            self._heartbeat.beat(self._info())
        except TransportDown:
            # That nobody hears it is the message; the loop meets the same failure and logs it.
            return False
        return True

    def _run(self) -> None:
        self.beat()
        while not self._closing.wait(self._interval_s):
            self.beat()
