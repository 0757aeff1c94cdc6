"""Memory: how much of it a process had for itself at most; mapped files are not counted, they can be read again."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

#: Where Linux tells it.
STATUS = Path("/proc/self/status")
#: Seconds between two looks; a step of raw samples takes longer.
LOOK_S = 0.5


def anonymous_mb(status: Path = STATUS) -> float:
    """Return the megabytes that this process has for itself now; 0 where the system does not tell."""
    try:
        lines = status.read_text().splitlines()
    except OSError:
        return 0.0
    return next((float(line.split()[1]) / 1024 for line in lines if line.startswith("RssAnon:")), 0.0)


def together_mb(peaks_mb: Sequence[float], workers: int) -> float | None:
    """Return the most that folds had at once, from the peak of each; None where there was none, or it is not told.

    Parameters
    ----------
    peaks_mb : sequence of float
        Of the folds that were trained.
    workers : int
        Processes that there were at most; more than one stand beside this one, which is then counted too.
    """
    n = min(workers, len(peaks_mb))
    if not any(peaks_mb):
        return None
    return sum(sorted(peaks_mb, reverse=True)[:n]) + (anonymous_mb() if n > 1 else 0.0)


class MemoryPeak:
    """Looks now and then while it is open; ``mb`` is the most that it saw."""

    def __init__(self) -> None:
        self.mb = 0.0
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._look, name="memory", daemon=True)

    def _look(self) -> None:
        while True:
            self.mb = max(self.mb, anonymous_mb())
            if self._over.wait(LOOK_S):
                return

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        self._thread.join()
