"""Parent: what a process of a pool owes the one that began it: to end when it ends, and to leave Ctrl-C to it.

A process of ``ProcessPoolExecutor`` whose parent was killed waits for work for ever: it holds the writing end of its
own queue, and never sees it close.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing import parent_process
from threading import Thread


def end_with_parent() -> None:
    """End this process as soon as its parent has ended; a pool's ``initializer``."""
    Thread(target=_follow, daemon=True).start()


@contextmanager
def undisturbed() -> Iterator[None]:
    """Keep Ctrl-C from the processes that begin meanwhile: they finish their work, and their parent tells of it.

    A terminal sends it to all of them. A process that has to ignore it by itself hears it while it is still importing.
    """
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _follow() -> None:
    parent = parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
