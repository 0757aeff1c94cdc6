"""Rounds: jobs timed in turn, A B C A B C, so that what a machine does meanwhile befalls all of them alike."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

import numpy as np

#: Numbers that are written to memory before each job, 512 MiB, more than any of them needs. A virtual machine gives
#: free memory back to its host; whoever takes it again first would pay for it (0.4 s were seen in a job of 0.1 s).
TOUCHED = 1 << 26


def nothing() -> None:
    """Prepare nothing."""


@dataclass(frozen=True)
class Job:
    """Something that is timed.

    Parameters
    ----------
    run : callable
        Takes what `prepare` returned.
    prepare : callable
        Makes it, anew for each round; not timed.
    """

    run: Callable[[Any], object]
    prepare: Callable[[], Any] = nothing


@dataclass(frozen=True)
class Timing:
    """What one job took in each round.

    Parameters
    ----------
    wall_s : tuple of float
        By the clock.
    cpu_s : tuple of float
        Of the processor, by this process; empty where that is not known.
    """

    wall_s: tuple[float, ...]
    cpu_s: tuple[float, ...] = ()

    @property
    def median_s(self) -> float:
        """The middle of the rounds, by the clock."""
        return median(self.wall_s)

    @property
    def words(self) -> str:
        """Median and spread in seconds."""
        digits = _digits(self.median_s)
        return f"{self.median_s:.{digits}f} s ({min(self.wall_s):.{digits}f} to {max(self.wall_s):.{digits}f})"

    @property
    def cpu_words(self) -> str:
        """Median of the processor's seconds; on a busy machine they say more than the clock."""
        return f"{median(self.cpu_s):.{_digits(median(self.cpu_s))}f} s" if self.cpu_s else ""

    def to_json(self) -> dict[str, Any]:
        """Return every round and the median as JSON values."""
        return {"median_s": self.median_s, "wall_s": list(self.wall_s), "cpu_s": list(self.cpu_s)}


def interleave(jobs: Sequence[Job], rounds: int) -> list[Timing]:
    """Time every job once in each round, in the given order.

    Parameters
    ----------
    jobs : sequence of Job
        Run once before it counts, so that imports and caches are nobody's.
    rounds : int
        Rounds that count; 1 or more.

    Returns
    -------
    list of Timing
        One per job.
    """
    taken = [[_once(job) for job in jobs] for _ in range(rounds + 1)][1:]
    return [Timing(*zip(*of_job, strict=True)) for of_job in zip(*taken, strict=True)]


def _digits(seconds: float) -> int:
    return 3 if seconds < 0.1 else 2


def _once(job: Job) -> tuple[float, float]:
    """Return seconds by the clock and of the processor."""
    given = job.prepare()
    gc.collect()
    np.ones(TOUCHED)
    wall_s, cpu_s = time.perf_counter(), time.process_time()
    job.run(given)
    return time.perf_counter() - wall_s, time.process_time() - cpu_s
