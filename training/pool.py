"""The pool: folds one after the other, or several at once in processes of their own; which of it changes no bit.

Each process computes with one thread. What a fold tells goes to whoever started the pool, in its process. A pool that
is told to stop lets every fold keep its state; a process ends with the one that began it, whatever happens to that.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import get_context
from typing import Any, NamedTuple, Protocol

import torch

from acquisition.errors import BadEnvironment
from training.data.batches import Dealt
from training.errors import Interrupted
from training.fitting.epochs import EpochReport
from training.fitting.memory import MemoryPeak
from training.fold import Task, run_fold
from training.parent import end_with_parent, undisturbed
from training.runs.predictions import Prediction

#: Seconds between two looks at what the processes tell.
LOOK_S = 0.2


class Watcher(Protocol):
    """Who is told how far the folds are."""

    def shown(self, fold: str, epoch: int, n_windows: int, n_total: int) -> None:
        """Hear how many windows of an epoch were shown."""

    def epoch(self, fold: str, report: EpochReport) -> None:
        """Hear of an epoch that is done; again where a fold goes on."""

    def done(self, fold: str) -> None:
        """Hear that a fold is done."""


class Told(NamedTuple):
    """What a process tells: one call of the watcher."""

    call: str
    values: tuple[Any, ...]


@dataclass(frozen=True)
class Telling:
    """A fit's watcher that passes everything on with the name of its fold."""

    fold: str
    tell: Callable[[Told], None]

    def shown(self, epoch: int, n_windows: int, n_total: int) -> None:
        """Pass it on."""
        self.tell(Told("shown", (self.fold, epoch, n_windows, n_total)))

    def epoch(self, report: EpochReport) -> None:
        """Pass it on."""
        self.tell(Told("epoch", (self.fold, report)))


class FoldResult(NamedTuple):
    """What a fold says of its test patients, and the memory that its process had at most."""

    predictions: list[Prediction]
    peak_mb: float


def run_folds(
    tasks: Sequence[Task], patients: Mapping[str, Dealt], workers: int, watcher: Watcher
) -> dict[str, FoldResult]:
    """Return what every fold says, by its name; SIGINT and SIGTERM stop them all with their state kept.

    A SIGTERM that reaches the workers too ends them where they are: what they had kept last is there.

    Parameters
    ----------
    tasks : sequence of Task
        In the order in which they are begun.
    patients : mapping of str to Dealt
        All of theirs.
    workers : int
        Processes; with one it is this one.
    watcher : Watcher
        Is told of every epoch.

    Raises
    ------
    Interrupted
        If a signal came.
    BadEnvironment
        If a process was killed.
    TrainingError, RunError
        As ``run_fold``; the other folds keep their state.
    """
    n = min(workers, sum(not task.done for task in tasks))
    if n <= 1:
        return _run_here(tasks, patients, watcher)
    context = get_context("spawn")
    # What was put into a simple queue can be read at once: an epoch is told before its fold is done.
    halt, told = context.Event(), context.SimpleQueue()
    with (
        stopping(halt.set),
        ProcessPoolExecutor(n, context, _begin, (dict(patients), halt, told)) as pool,
    ):
        try:
            # The terminal's Ctrl-C reaches every process; this one alone decides, and says so by the event.
            with undisturbed():
                folds = {pool.submit(_run_there, task): task.name for task in tasks}
            return _gather(folds, told, watcher)
        except BrokenProcessPool as error:
            if halt.is_set():
                raise Interrupted("Training was stopped; what was kept last is there.") from error
            raise BadEnvironment(
                "A process that trained a fold was killed, perhaps since memory ran out; what was done is kept.",
                subject="run.workers",
                remedy="Go on with --resume and fewer --workers.",
            ) from error
        finally:
            halt.set()
            pool.shutdown(cancel_futures=True)


@contextmanager
def stopping(stop: Callable[[], None]) -> Iterator[None]:
    """Call `stop` at SIGINT and SIGTERM inside the block; the second of them is as without this.

    In a thread that is not the main one, signals are left as they are.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}

    def first(number: int, frame: object) -> None:
        stop()
        signal.signal(number, before[signal.Signals(number)])

    for number in before:
        signal.signal(number, first)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _run_here(tasks: Sequence[Task], patients: Mapping[str, Dealt], watcher: Watcher) -> dict[str, FoldResult]:
    halt, threads = threading.Event(), torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with stopping(halt.set):
            results = {}
            for task in tasks:
                results[task.name] = _run(task, patients, halt.is_set, lambda told: _pass_on(told, watcher))
                watcher.done(task.name)
            return results
    finally:
        torch.set_num_threads(threads)


def _gather(folds: Mapping[Future[FoldResult], str], told: Any, watcher: Watcher) -> dict[str, FoldResult]:
    """Return the results as they come, and pass on what is told meanwhile."""
    results, pending = {}, set(folds)
    while pending:
        done, pending = wait(pending, LOOK_S, FIRST_COMPLETED)
        for one in _waiting(told):
            _pass_on(one, watcher)
        for future in done:
            results[folds[future]] = future.result()
            watcher.done(folds[future])
    return {name: results[name] for name in folds.values()}


def _waiting(told: Any) -> Iterator[Told]:
    while not told.empty():
        yield told.get()


def _pass_on(told: Told, watcher: Watcher) -> None:
    getattr(watcher, told.call)(*told.values)


def _run(
    task: Task,
    patients: Mapping[str, Dealt],
    halted: Callable[[], bool],
    tell: Callable[[Told], None],
) -> FoldResult:
    with MemoryPeak() as peak:
        predictions = run_fold(task, patients, halted, Telling(task.name, tell))
    return FoldResult(predictions, peak.mb)


class _Process:
    """What a process of the pool was begun with."""

    patients: Mapping[str, Dealt]
    halted: Callable[[], bool]
    tell: Callable[[Told], None]


def _begin(patients: Mapping[str, Dealt], halt: Any, told: Any) -> None:
    end_with_parent()
    torch.set_num_threads(1)
    _Process.patients, _Process.halted, _Process.tell = patients, halt.is_set, told.put


def _run_there(task: Task) -> FoldResult:
    return _run(task, _Process.patients, _Process.halted, _Process.tell)
