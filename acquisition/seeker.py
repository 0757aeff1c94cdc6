"""Seeker: looks for something on the network and opens it, in a thread of its own, while its owner goes on.

Finding, asking for a description and opening take milliseconds here and seconds where a host does not answer; the
signal, a command to stop and the state that people see wait for none of them.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Generic, TypeVar

from acquisition.errors import BadInput, FlexionError, LostSource

#: Seconds between two looks.
LOOK_S = 0.02

Found = TypeVar("Found")
Opened = TypeVar("Opened")


class Seeker(Generic[Found, Opened]):
    """One search, begun at once.

    Parameters
    ----------
    find : callable
        Looks once: what was found, None for nothing yet, or a refusal of what is there.
    open_ : callable
        Opens what was found, or raises ``LostSource``.
    let_go : callable
        Closes what was opened and is not wanted any more.
    """

    def __init__(
        self,
        find: Callable[[], Found | None],
        open_: Callable[[Found], Opened],
        let_go: Callable[[Opened], None],
    ) -> None:
        self._find, self._open, self._let_go = find, open_, let_go
        self._over = threading.Event()
        #: Why what is there is not taken; None while nothing is in the way.
        self.refusal: FlexionError | None = None
        #: Whether something was found and is being opened, or is open.
        self.opening = False
        self._result: Future[Opened | None] = Future()
        self._thread = threading.Thread(target=self._run, name="seeker", daemon=True)
        self._thread.start()

    def take(self) -> Opened | None:
        """Return what was opened, or None while there is nothing; what the search failed of is raised."""
        return self._result.result() if self._result.done() else None

    def stop(self) -> None:
        """End the search without waiting for it; what it opens, or has opened and nobody has taken, is let go."""
        self._over.set()
        self._result.add_done_callback(self._discard)

    def join(self) -> None:
        """Wait until the search has ended, after `stop`."""
        self._thread.join()

    def _discard(self, result: Future[Opened | None]) -> None:
        opened = None if result.exception() else result.result()
        if opened is not None:
            self._let_go(opened)

    def _run(self) -> None:
        try:
            self._result.set_result(self._search())
        except Exception as error:  # whoever takes the result is told: nothing may fail in silence
            self._result.set_exception(error)

    def _search(self) -> Opened | None:
        while not self._over.is_set():
            opened = self._try()
            if opened is not None:
                return opened
            self._over.wait(LOOK_S)
        return None

    def _try(self) -> Opened | None:
        try:
            found = self._find()
            self.refusal = None
            if found is None:
                return None
            self.opening = True
            return self._open(found)
        except (BadInput, LostSource) as refusal:
            self.refusal, self.opening = refusal, False
            return None
