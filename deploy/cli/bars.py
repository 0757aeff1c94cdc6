"""Bars on stderr that say how far something is; where no terminal reads, a line now and then instead."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from types import TracebackType
from typing import TYPE_CHECKING, Self

from deploy.cli import output
from deploy.times import words_of

if TYPE_CHECKING:
    from rich.progress import Progress as RichProgress
    from rich.progress import TaskID

#: Seconds between two lines where there is no terminal: a log of an hour has a page of them.
LINE_S = 30.0
#: How often bars are drawn; what they show changes about once a second.
REDRAWN_HZ = 4


class Bars:
    """What every progress display has; its bars are drawn while it is open, and gone afterwards.

    Parameters
    ----------
    as_json : bool
        Whether a program reads us: then there are lines, also on a terminal.
    clock : callable
        Monotonic seconds.
    eta : bool
        Whether a bar ends with the time that its speed leaves.

    Attributes
    ----------
    drawn : rich.progress.Progress or None
        Where there is a terminal. A task's field ``words`` stands beside its bar.
    """

    def __init__(self, *, as_json: bool, clock: Callable[[], float] = time.monotonic, eta: bool = False) -> None:
        self.clock = clock
        self.drawn: RichProgress | None = None if as_json or not sys.stderr.isatty() else _drawn(eta)
        self._due_s = clock() + LINE_S

    def line(self, words: str) -> None:
        """Say something, unless a line was said a moment ago."""
        if self.clock() >= self._due_s:
            self._due_s = self.clock() + LINE_S
            output.say(words)

    def __enter__(self) -> Self:
        if self.drawn is not None:
            self.drawn.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.drawn is not None:
            self.drawn.stop()


class PatientBar(Bars):
    """Shows how many patients are done; parameters as of ``Bars``."""

    def __init__(self, *, as_json: bool, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__(as_json=as_json, clock=clock)
        self._task: TaskID | None = None
        self._n_patients = self._n_kept = self.n_done = 0
        self._began_s = clock()

    def begins(self, n_patients: int, n_kept: int = 0) -> None:
        """Hear how many patients there are, and how many of them were done before."""
        self._n_patients, self._n_kept, self._began_s = n_patients, n_kept, self.clock()
        if n_kept:
            output.say(f"{n_kept} of {n_patients} patients are there already.")
        if self.drawn is not None:
            self._task = self.drawn.add_task("patients", total=n_patients, completed=n_kept, words="")

    def finished(self, patient: str) -> None:
        """Hear that one more is done."""
        self.n_done += 1
        words = f"{self.words}, ETA {words_of(round(self.left_s))}"
        if self.drawn is not None and self._task is not None:
            self.drawn.update(self._task, advance=1, words=words)
        else:
            self.line(words)

    @property
    def words(self) -> str:
        """How many of how many."""
        return f"{self._n_kept + self.n_done} of {self._n_patients} patients"

    @property
    def left_s(self) -> float:
        """Seconds until the last one at the speed so far."""
        n_left = self._n_patients - self._n_kept - self.n_done
        return n_left * (self.clock() - self._began_s) / max(1, self.n_done)


def _drawn(eta: bool) -> RichProgress:
    from rich.console import Console
    from rich.progress import BarColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as RichProgress

    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        TextColumn("{task.fields[words]}", markup=False),
        *((TextColumn("ETA"), TimeRemainingColumn()) if eta else ()),
    )
    return RichProgress(*columns, console=Console(file=sys.stderr), transient=True, refresh_per_second=REDRAWN_HZ)
