"""Parent: what a process of a pool owes the one that began it: to end when it ends.

A process of ``ProcessPoolExecutor`` whose parent was killed waits for work for ever: it holds the writing end of its
own queue, and never sees it close.
"""

from __future__ import annotations

import os
from multiprocessing import parent_process
from threading import Thread


def end_with_parent() -> None:
    """End this process as soon as its parent has ended; a pool's ``initializer``."""
    Thread(target=_follow, daemon=True).start()


def _follow() -> None:
    parent = parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
