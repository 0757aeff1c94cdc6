"""A scorer on a thread of this process."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from inference.scorer import Scorer


@contextmanager
def on_thread(scorer: Scorer, stop: threading.Event) -> Iterator[list[BaseException]]:
    """Run a scorer until the block is left; yield what it died of."""
    died: list[BaseException] = []

    def run() -> None:
        try:
            scorer.run()
        except BaseException as error:
            died.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield died
    finally:
        stop.set()
        thread.join()
