"""Time for ages: a clock that nobody sets, and what came late told from what is new (law 7).

Ages must not change with the wall clock of any machine, and must not stand still while the machine sleeps.
"""

from __future__ import annotations

import time
from collections import deque

from streaming.heartbeat import Beat

#: Age in seconds of what nobody can date (the server's clock was set back since): past every limit of the screen.
UNKNOWN_S = 80.0
#: Heartbeats of a process among which the least late is taken for punctual: a minute of them.
BEATS_KEPT = 60


def steady_s() -> float:
    """Return seconds that never step and that run on while the machine sleeps, where the system has such a clock."""
    return time.clock_gettime(time.CLOCK_BOOTTIME) if hasattr(time, "CLOCK_BOOTTIME") else time.monotonic()


def added_s(at_ms: float, server_ms: float, looked_s: float | None, now_s: float) -> float:
    """Return when an entry was added to a stream, on our own clock (pure).

    Its own stamp and the server's clock tell, but that clock may have been set. So it is no later than now, and no
    earlier than the last look that did not find it.

    Parameters
    ----------
    at_ms : float
        The entry's stamp, by the server's clock.
    server_ms : float
        The server's clock now.
    looked_s : float or None
        When we last looked and it was not there; None before the first look.
    now_s : float
        Our clock now.

    Examples
    --------
    >>> added_s(at_ms=1_000, server_ms=1_400, looked_s=9.0, now_s=10.0)
    9.6
    >>> added_s(at_ms=1_000, server_ms=3_601_400, looked_s=9.0, now_s=10.0)  # the server's clock was set ahead
    9.0
    """
    if server_ms < at_ms:
        return now_s - UNKNOWN_S if looked_s is None else looked_s
    told_s = now_s - (server_ms - at_ms) / 1000
    return told_s if looked_s is None else max(told_s, looked_s)


class Lateness:
    """How late heartbeats come, by the clock of whoever sends them: against the least late of the last minute.

    A heartbeat that waited (this process stood still, or the way from Redis was slow) is no sign of life of now.
    """

    def __init__(self) -> None:
        self._offsets: dict[tuple[str, str, str, int], deque[float]] = {}

    def of_s(self, beat: Beat, now_monotonic_s: float) -> float:
        """Return how many seconds later than usual this heartbeat came."""
        sender = (beat.host, beat.role, beat.name, beat.pid)
        offsets = self._offsets.setdefault(sender, deque(maxlen=BEATS_KEPT))
        offsets.append(now_monotonic_s - beat.at_monotonic)
        return offsets[-1] - min(offsets)

    def forget(self, known: set[tuple[str, str]]) -> None:
        """Keep the senders of these roles and names alone."""
        self._offsets = {sender: offsets for sender, offsets in self._offsets.items() if sender[1:3] in known}
