"""Patience: a loop that outlives Redis; one line in the log per change, however often it fails in between."""

from __future__ import annotations

import threading
from collections.abc import Callable

import structlog

from streaming.errors import TransportDown

#: Seconds between attempts while Redis is away; a ward's Redis is back in 2.5 s.
RETRY_S = 0.5

log = structlog.get_logger("inference")


class Patience:
    """Repeat a turn until told to stop, waiting while Redis is away.

    Parameters
    ----------
    role : str
        For the log.
    stop : threading.Event
        Ends the loop after the turn in progress.
    retry_s : float
        Seconds between attempts while Redis is away.
    """

    def __init__(self, role: str, stop: threading.Event, *, retry_s: float = RETRY_S) -> None:
        self._role = role
        self._stop = stop
        self._retry_s = retry_s
        #: What is wrong with Redis, in words; empty when all is well.
        self.trouble = ""

    def repeat(self, turn: Callable[[], None], on_loss: Callable[[], None]) -> None:
        """Call ``turn`` until the stop event is set; after each loss of Redis call ``on_loss`` before the next."""
        while not self._stop.is_set():
            try:
                turn()
            except TransportDown as error:
                self._lost(error)
                on_loss()
                self._stop.wait(self._retry_s)
            else:
                self._found()

    def _lost(self, error: TransportDown) -> None:
        if not self.trouble:
            log.warning("redis_away", role=self._role, cause=str(error))
        self.trouble = str(error)

    def _found(self) -> None:
        if self.trouble:
            log.info("redis_back", role=self._role)
        self.trouble = ""
