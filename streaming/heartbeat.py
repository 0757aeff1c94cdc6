"""One sign of life a second from every role: the contact that ages every number on the screen (law 7).

Heartbeats are published, not stored: an old one is worth nothing. Who listens ages them by its own clock from the
moment they come; the sender's clock only tells two of them apart.
"""

from __future__ import annotations

import json
import os
import socket
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from redis import Redis

from acquisition import strict_json
from streaming import keys
from streaming.errors import RecordError

#: Seconds between heartbeats (contract).
INTERVAL_S = 1.0


@dataclass(frozen=True)
class Beat:
    """One heartbeat.

    Parameters
    ----------
    role : str
        ``bridge``, ``scorer``, ``aggregator``, ``supervisor``...
    name : str
        Which one of them.
    session : str or None
        The session that it serves, if only one.
    host : str
        Its machine.
    pid : int
        Its process.
    at_monotonic : float
        Monotonic seconds of its machine.
    n : int
        Counts its heartbeats from 0: a lower number means that it was started anew.
    info : mapping
        What the role has to say; JSON values.
    """

    role: str
    name: str
    session: str | None
    host: str
    pid: int
    at_monotonic: float
    n: int
    info: Mapping[str, Any]

    def encode(self) -> bytes:
        """Return the message."""
        return json.dumps(asdict(self), separators=(",", ":"), allow_nan=False).encode()

    @classmethod
    def decode(cls, message: bytes) -> Beat:
        """Return the heartbeat that a message is.

        Raises
        ------
        RecordError
            If it is none.
        """
        try:
            return cls(**strict_json.loads(message))._checked()
        except (TypeError, ValueError, RecursionError) as error:
            raise RecordError(
                f"A message on {keys.HEARTBEATS} is no heartbeat: {error}.",
                subject=keys.HEARTBEATS,
                remedy="Run every role of Flexion in one version.",
            ) from error

    def _checked(self) -> Beat:
        texts = (self.role, self.name, self.host, self.session or "")
        numbers = (self.pid, self.at_monotonic, self.n)
        if not (all(isinstance(text, str) for text in texts) and isinstance(self.info, dict)):
            raise TypeError("role, name, session and host are texts, info is an object")
        if not all(isinstance(number, (int, float)) for number in numbers):
            raise TypeError("pid, at_monotonic and n are numbers")
        return self


class Heartbeat:
    """Send the heartbeats of a role.

    Parameters
    ----------
    redis : Redis
        Client of the role.
    role, name : str
        What it is, and which one.
    session : str or None
        The session that it serves, if only one.
    clock : callable
        Monotonic seconds.
    """

    def __init__(
        self,
        redis: Redis,
        role: str,
        name: str,
        *,
        session: str | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._redis = redis
        self._who = (role, name, session, socket.gethostname(), os.getpid())
        self._clock = clock
        self._n = 0

    def beat(self, info: Mapping[str, Any] | None = None) -> None:
        """Send one now."""
        beat = Beat(*self._who, self._clock(), self._n, info or {})
        self._redis.publish(keys.HEARTBEATS, beat.encode())
        self._n += 1
