"""Scorers under a supervisor on a real Redis, which get a window each time the one before it has its result."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import structlog

from deploy.supervisor import Child, ChildSpec, Supervisor
from inference.bundle import Bundle
from streaming.connection import Client, connect
from streaming.publisher import Publisher
from streaming.records import ResultRecord
from streaming.results import ResultReader
from tests.inference import tiny

#: Seconds within which what must come has come, on a machine with much to do.
SOON_S = 90.0


class WallClock:
    """Time as it passes."""

    monotonic_s = staticmethod(time.monotonic)
    sleep = staticmethod(time.sleep)


class Supervised:
    """A session whose windows are published one by one, and the scorers' processes.

    Parameters
    ----------
    client : Client
        Of a Redis in which the session is open.
    bundle : Bundle
        What the session is bound to.
    supervisor : Supervisor
        Of the scorers.
    children : sequence of Child
        Them.
    """

    def __init__(self, client: Client, bundle: Bundle, supervisor: Supervisor, children: Sequence[Child]) -> None:
        self.children = children
        self.results: list[ResultRecord] = []
        self._bundle = bundle
        self._supervisor = supervisor
        self._publisher = Publisher(client, tiny.SESSION, 1)
        self._publisher.open()
        self._reader = ResultReader(connect(client.url, "reader", blocking=True), tiny.SESSION)

    @property
    def engine(self) -> Mapping[str, Any]:
        """What scored the last window."""
        return self.results[-1].engine or {}

    def publish_until(self, true: Callable[[], bool]) -> None:
        """Publish a window every tenth of a second until something is true after its result; none may be missing."""
        deadline_s = time.monotonic() + SOON_S
        while time.monotonic() < deadline_s:
            time.sleep(0.1)
            n = len(self.results) + 1
            self._publisher.publish(tiny.record(self._bundle, n - 1))
            while len(self.results) < n and time.monotonic() < deadline_s:
                self.results += self._reader.read(block_s=0.1)
                self._supervisor.look()
            assert [result.index for result in self.results] == list(range(n))
            if true():
                return
        raise AssertionError("it did not come to that")


@contextmanager
def supervised(client: Client, bundle: Bundle, specs: Sequence[ChildSpec]) -> Iterator[Supervised]:
    """Keep scorers running inside the block."""
    supervisor = Supervisor(WallClock(), structlog.get_logger())
    children = [supervisor.add(spec) for spec in specs]
    try:
        yield Supervised(client, bundle, supervisor, children)
    finally:
        supervisor.stop()
