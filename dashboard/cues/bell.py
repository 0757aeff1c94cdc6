"""Bell: wakes every page when something else is shown. Each asks then what that is: a slow page skips, none queues."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager


class Bell:
    """Lives in the loop of the application; another thread rings it by ``loop.call_soon_threadsafe``."""

    def __init__(self) -> None:
        self._ears: set[asyncio.Event] = set()
        #: Whether the pages are let go.
        self.closed = False

    def ring(self) -> None:
        """Wake everybody who listens."""
        for ear in self._ears:
            ear.set()

    def close(self) -> None:
        """Let everybody go."""
        self.closed = True
        self.ring()

    @contextmanager
    def ear(self) -> Iterator[asyncio.Event]:
        """Listen while the block runs; yields what is set by a ring."""
        ear = asyncio.Event()
        self._ears.add(ear)
        try:
            yield ear
        finally:
            self._ears.discard(ear)


async def rung(ear: asyncio.Event, within_s: float) -> None:
    """Wait for the next ring, or for so many seconds."""
    try:
        await asyncio.wait_for(ear.wait(), within_s)
    except TimeoutError:
        return  # nobody rang
    ear.clear()
