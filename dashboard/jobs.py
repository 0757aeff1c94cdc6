"""Jobs: work of seconds that a page asks for, one at a time, in a thread behind everything else.

A page asks again until the work is done. What the bedside needs goes first: the thread is the last that the machine
gives time to, and no more than a few jobs wait.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from dashboard.errors import TooBusy

#: Jobs that are being done or wait.
MAX_JOBS = 4
#: Niceness of the thread: a core that is wanted elsewhere is given there.
NICE = 15

#: Told the share that is done, 0 to 1.
Tell = Callable[[float], None]


class Stopped(Exception):
    """The process ends: nobody waits for the rest."""


@dataclass
class _Job:
    done: Future[Any]
    share: float = 0.0


class Jobs:
    """One thing at a time."""

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(1, "jobs", initializer=_step_back)
        self._jobs: dict[str, _Job] = {}
        self._lock = threading.Lock()
        self._stopped = False

    def ask(self, name: str, work: Callable[[Tell], None]) -> float | None:
        """Begin a piece of work, unless it was begun, and return how far it is.

        Parameters
        ----------
        name : str
            What it is called; two pieces of one name are the same.
        work : callable
            Does it; told how to say how far it is.

        Returns
        -------
        float or None
            The share that is done, 0 to 1; None when all is, once: who asks again begins it again.

        Raises
        ------
        TooBusy
            If too many wait already.
        FlexionError
            What the work raised, once.
        """
        with self._lock:
            job = self._jobs.get(name) or self._begin(name, work)
            if not job.done.done():
                return job.share
            del self._jobs[name]
        job.done.result()
        return None

    def _begin(self, name: str, work: Callable[[Tell], None]) -> _Job:
        # What is done and nobody asked for any more (the page was left) waits for nobody.
        self._jobs = {known: job for known, job in self._jobs.items() if not job.done.done()}
        if len(self._jobs) >= MAX_JOBS:
            raise TooBusy(
                f"{MAX_JOBS} recordings are being read already.",
                subject=name,
                remedy="Wait a minute, and open the page again.",
            )
        job = self._jobs[name] = _Job(Future())

        def tell(share: float) -> None:
            if self._stopped:
                raise Stopped
            job.share = share

        job.done = self._thread.submit(work, tell)
        return job

    def close(self) -> None:
        """Let go of what is being done."""
        self._stopped = True
        self._thread.shutdown(wait=False, cancel_futures=True)


def _step_back() -> None:
    with suppress(OSError, AttributeError):  # a system that knows no niceness of threads has none
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICE)
