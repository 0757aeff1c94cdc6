"""Standby: a scorer that is warm and takes no window while the one that has the GPU is heard.

An error of a GPU ends the scorer that has it, and its next life is seconds away. Meanwhile another carries on that was
opened, warmed and checked on a CPU core before. Which of them takes the windows is decided by heartbeats alone: whoever
waits begins when the other is not heard any more, and stops when it is heard again.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from redis import Redis

from inference.engines.registry import ON_GPU
from streaming import keys
from streaming.errors import RecordError
from streaming.heartbeat import Beat
from streaming.subscription import Subscription

#: Seconds without a heartbeat after which the other counts as gone: three were missed.
SILENT_S = 3.0


class Standby:
    """Listen for scorers that have a GPU.

    Parameters
    ----------
    redis : Redis
        A client of its own.
    clock : callable
        Monotonic seconds.
    silent_s : float
        Seconds of silence after which this scorer is needed; also after its own start.
    """

    def __init__(
        self, redis: Redis, *, clock: Callable[[], float] = time.monotonic, silent_s: float = SILENT_S
    ) -> None:
        self._redis = redis
        self._clock = clock
        self._silent_s = silent_s
        self._subscription: Subscription | None = None
        self._heard_s = clock()

    def needed(self, wait_s: float = 0.0) -> bool:
        """Return whether no scorer with a GPU is heard.

        Parameters
        ----------
        wait_s : float
            Seconds to listen while one is.

        Raises
        ------
        TransportDown
            If Redis cannot be reached; ask again.
        """
        if self._subscription is None:
            self._subscription = Subscription(self._redis, [keys.HEARTBEATS])
        end_s = self._clock() + (0.0 if self._is_silent() else wait_s)
        while (message := self._subscription.get(max(0.0, end_s - self._clock()))) is not None:
            if _has_gpu(message.data):
                self._heard_s = self._clock()
        return self._is_silent()

    def _is_silent(self) -> bool:
        return self._clock() - self._heard_s > self._silent_s


def _has_gpu(message: bytes) -> bool:
    try:
        beat = Beat.decode(message)
    except RecordError:  # of another version, on a Redis that is shared
        return False
    engine = beat.info.get("engine") or {}
    return beat.role == "scorer" and engine.get("backend") in ON_GPU
