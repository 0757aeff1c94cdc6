"""Jobs: what is made of each patient, once; the rest is taken from where it is kept, in as many processes as wanted."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import closing
from multiprocessing import get_context
from typing import Protocol, TypeVar

from acquisition.errors import BadEnvironment
from training.parent import end_with_parent, undisturbed

T = TypeVar("T")
Made = TypeVar("Made", covariant=True)


class Job(Protocol[Made]):
    """One patient's part; another process may be given it."""

    def kept(self) -> Made | None:
        """Return what was made before; None where it has to be made."""

    def make(self) -> Made:
        """Make it and keep it, unless another process just did."""


def results(jobs: Sequence[Job[T]], workers: int, what: str) -> Iterator[tuple[T, bool]]:
    """Yield what the jobs give, in their order, and whether it had to be made.

    Parameters
    ----------
    jobs : sequence of Job
    workers : int
        Processes; they change no bit.
    what : str
        Which is made, for a refusal.

    Raises
    ------
    BadEnvironment
        If a process was killed.
    """
    kept = [job.kept() for job in jobs]
    missing = [job for job, one in zip(jobs, kept, strict=True) if one is None]
    with closing(_made(missing, workers, what)) as made:
        for one in kept:
            yield (next(made), True) if one is None else (one, False)


def _made(jobs: Sequence[Job[T]], workers: int, what: str) -> Generator[T]:
    if workers == 1 or len(jobs) < 2:
        yield from map(_make, jobs)
        return
    pool = ProcessPoolExecutor(min(workers, len(jobs)), get_context("spawn"), end_with_parent)
    try:
        with undisturbed():
            made = pool.map(_make, jobs)
        yield from made
    except BrokenProcessPool as error:
        raise BadEnvironment(
            f"A process that made {what} was killed, perhaps since memory ran out; what was made is kept.",
            subject="run.workers",
            remedy="Run it again with fewer --workers.",
        ) from error
    finally:
        pool.shutdown(cancel_futures=True)


def _make(job: Job[T]) -> T:
    return job.make()
