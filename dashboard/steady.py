"""Time for ages: a clock that nobody sets, and what came late told from what is new (law 7).

Ages must not change with the wall clock of any machine, and must not stand still while the machine sleeps.
"""

from __future__ import annotations

import math
import time
from collections import deque

#: Age in seconds of what nobody can date (the server's clock was set back since): past every limit of the screen.
UNKNOWN_S = 80.0
#: Seconds in which something was sent, among which the least late message is taken for punctual.
SECONDS_KEPT = 60


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
    """How late a sender's messages come, by its own clock: against the least late of the last minute in which it sent.

    What waited (this process stood still, or the way from Redis was slow) is no sign of life of now.
    """

    def __init__(self) -> None:
        #: Seconds of the sender's clock in which something was sent, and the least offset of each.
        self._least: deque[tuple[int, float]] = deque(maxlen=SECONDS_KEPT)

    def of_s(self, sent_s: float, now_monotonic_s: float) -> float:
        """Return how many seconds later than usual a message came; 0 where it does not say when it was sent."""
        if not math.isfinite(sent_s):
            return 0.0
        second, offset = int(sent_s), now_monotonic_s - sent_s
        if self._least and second < self._least[-1][0]:  # its machine was started anew, and its clock with it
            self._least.clear()
        if self._least and self._least[-1][0] == second:
            self._least[-1] = (second, min(offset, self._least[-1][1]))
        else:
            self._least.append((second, offset))
        return offset - min(least for _, least in self._least)
