"""Ear: what the supervisor hears through Redis: heartbeats of its children, and commands; and its own sign of life.

By that whoever asks knows that somebody is there who answers, before a long wait. Redis may be away: then nothing is
heard, which `deaf` says, and listening begins again by itself.
"""

from __future__ import annotations

import math
import os
import socket
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass

from redis import Redis

from streaming import keys
from streaming.control import Command, Listener
from streaming.errors import RecordError, TransportDown
from streaming.heartbeat import INTERVAL_S, Beat, Heartbeat
from streaming.subscription import Subscription

#: The role in its own heartbeats, and under what they tell which commands are answered.
SUPERVISOR, ANSWERS = "supervisor", "answers"
#: Seconds between tries to listen again.
RETRY_S = 0.5
#: Most messages taken in one look: a flood must not keep the supervisor from its children.
MOST = 200


@dataclass(frozen=True)
class Heard:
    """What came since the last look.

    Attributes
    ----------
    beats : tuple of Beat
        Heartbeats of this machine's processes.
    commands : tuple of Command
        Those that are still valid, for anybody.
    deaf : bool
        Whether Redis was away.
    """

    beats: tuple[Beat, ...] = ()
    commands: tuple[Command, ...] = ()
    deaf: bool = False


class Ear:
    """Listen for one supervisor.

    Parameters
    ----------
    redis : Redis
        Client of its own.
    monotonic_s : callable
        Time.
    answers : sequence of str
        The commands that are answered here, which its heartbeat tells.
    """

    def __init__(self, redis: Redis, monotonic_s: Callable[[], float], answers: Sequence[str] = ()) -> None:
        self._redis = redis
        self._answers = list(answers)
        self._heartbeat = Heartbeat(redis, SUPERVISOR, f"{socket.gethostname()}:{os.getpid()}", clock=monotonic_s)
        self._beat_s = -math.inf
        self._monotonic_s = monotonic_s
        self._beats: Subscription | None = None
        self._listener: Listener | None = None
        self._retry_s = 0.0

    def listen(self) -> Heard:
        """Return what came since the last call, without waiting."""
        if self._monotonic_s() < self._retry_s:
            return Heard(deaf=True)
        try:
            heard = Heard(tuple(self._heartbeats()), tuple(self._commands()))
        except TransportDown:
            self.close()
            self._retry_s = self._monotonic_s() + RETRY_S
            return Heard(deaf=True)
        with suppress(TransportDown):  # what was heard is heard; the next look finds Redis away
            self._beat()  # after the first look: it is heard from when commands are
        return heard

    def answer(self, command: Command, data: dict[str, object]) -> None:
        """Answer a command; an answer that Redis does not take is missed by its sender, who is told so by its time."""
        if self._listener is not None:
            with suppress(TransportDown):
                self._listener.answer(command, data)

    def refuse(self, command: Command, error: dict[str, str]) -> None:
        """Refuse a command."""
        if self._listener is not None:
            with suppress(TransportDown):
                self._listener.refuse(command, error)

    def close(self) -> None:
        """Stop listening."""
        if self._beats is not None:
            self._beats.close()
        self._beats = self._listener = None

    def _beat(self) -> None:
        """Send the supervisor's own heartbeat, when it is due."""
        if self._monotonic_s() >= self._beat_s + INTERVAL_S:
            self._heartbeat.beat({ANSWERS: self._answers})
            self._beat_s = self._monotonic_s()

    def _heartbeats(self) -> Iterable[Beat]:
        if self._beats is None:
            self._beats = Subscription(self._redis, [keys.HEARTBEATS])
        here = socket.gethostname()
        for _ in range(MOST):
            message = self._beats.get(0.0)
            if message is None:
                return
            beat = beat_of(message.data)
            if beat is not None and beat.host == here and beat.role != SUPERVISOR:
                yield beat

    def _commands(self) -> list[Command]:
        if self._listener is None:
            self._listener = Listener(self._redis, "supervisor")
        return self._listener.read()


def beat_of(message: bytes) -> Beat | None:
    """Return a heartbeat; None for what is none that this version knows."""
    try:
        return Beat.decode(message)
    except RecordError:  # another version's, on a Redis that is shared: not one of our children
        return None
