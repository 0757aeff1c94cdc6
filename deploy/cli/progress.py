"""Progress: how far sessions are, on stderr: a bar each on a terminal, else a line now and then."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from deploy.cli.bars import Bars
from deploy.times import words_of

if TYPE_CHECKING:
    from rich.progress import TaskID

#: Speeds below this are told with their tenths.
TENTHS_BELOW = 10


@dataclass
class Track:
    """One session on its way; hears how far it is (``scoring.Watcher``).

    Parameters
    ----------
    name : str
        What people know it by.
    show : callable
        Is given the track after each change.
    clock : callable
        Monotonic seconds.
    """

    name: str
    show: Callable[[Track], None]
    clock: Callable[[], float]
    n_total: int | None = None
    rate_hz: float = 1.0
    n_samples: int = 0
    n_windows: int = 0
    _first: tuple[float, int] | None = field(default=None, repr=False)

    def begins(self, n_samples: int | None, rate_hz: float) -> None:
        """Hear how many samples there are, if they have an end, and how many are a second."""
        self.n_total, self.rate_hz = n_samples, rate_hz
        self.show(self)

    def reaches(self, n_samples: int, n_windows: int) -> None:
        """Hear how many samples were taken, and how many windows they made."""
        self.n_samples, self.n_windows = n_samples, n_windows
        if self._first is None:
            self._first = self.clock(), n_samples
        self.show(self)

    @property
    def speed(self) -> float:
        """How much faster than the patient, since it was first heard of; 0 until that is known."""
        if self._first is None:
            return 0.0
        passed_s, n_passed = self.clock() - self._first[0], self.n_samples - self._first[1]
        return n_passed / self.rate_hz / passed_s if passed_s > 0 else 0.0

    @property
    def left_s(self) -> float | None:
        """Seconds until its end at that speed; None where there is none, or it does not move."""
        if self.n_total is None or not self.speed:
            return None
        return max(0, self.n_total - self.n_samples) / self.rate_hz / self.speed

    @property
    def words(self) -> str:
        """Samples, speed, time left, windows."""
        words = [f"{self.n_samples:,}{'' if self.n_total is None else f'/{self.n_total:,}'} samples"]
        words += [f"{self.speed:.{0 if self.speed >= TENTHS_BELOW else 1}f}x real time"] if self.speed else []
        words += [f"ETA {words_of(round(self.left_s))}"] if self.left_s is not None else []
        return ", ".join([*words, f"windows scored: {self.n_windows}"])


class Progress(Bars):
    """Shows tracks while it is open; parameters as of ``Bars``."""

    def __init__(self, *, as_json: bool, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__(as_json=as_json, clock=clock)
        self._tasks: dict[int, TaskID] = {}

    def track(self, name: str) -> Track:
        """Return a new track; it is shown from when it begins."""
        return Track(name, self._show, self.clock)

    def over(self, track: Track) -> None:
        """Show a track no longer."""
        task = self._tasks.pop(id(track), None)
        if self.drawn is not None and task is not None:
            self.drawn.remove_task(task)

    def _show(self, track: Track) -> None:
        if self.drawn is None:
            if track.speed:
                self.line(f"{track.name}: {track.words}")
            return
        if id(track) not in self._tasks:
            self._tasks[id(track)] = self.drawn.add_task(track.name, total=track.n_total, words="")
        self.drawn.update(self._tasks[id(track)], completed=track.n_samples, words=track.words)
