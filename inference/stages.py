"""Stages: how long a window waits and is worked on in a scorer, and the histograms that a scorer keeps of it.

``queue``, in the scorer's hands until its batch runs; ``input``, the z-score; ``compute``, the engine; ``output``, from
the engine's numbers to the result. A window of a batch has the batch's times: it waited for all of it. The wait in
Redis, before a scorer reads the window, belongs to none; latency, which the bridge measures, has it all.
"""

from __future__ import annotations

import time
from bisect import bisect_left
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

#: In the order of a window's way.
STAGES = ("queue", "input", "compute", "output")
#: Upper bounds of the histograms' bins in s, of which the last is open: from a small model's output to a scorer that
#: is near its end.
BOUNDS_S = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)


class Watch:
    """The time that a batch spends in each stage.

    Parameters
    ----------
    clock : callable
        Monotonic seconds.
    """

    def __init__(self, clock: Callable[[], float] = time.perf_counter) -> None:
        self._clock = clock
        #: Seconds by stage, of those that were timed.
        self.seconds: dict[str, float] = {}

    @contextmanager
    def timing(self, stage: str) -> Iterator[None]:
        """Add the time of the block to a stage; a block that raises is not counted."""
        begun_s = self._clock()
        yield
        self.seconds[stage] = self.seconds.get(stage, 0.0) + self._clock() - begun_s


class Histograms:
    """How often each stage took how long, since this process began."""

    def __init__(self) -> None:
        self._counts = {stage: [0] * (len(BOUNDS_S) + 1) for stage in STAGES}
        self._sums_s = dict.fromkeys(STAGES, 0.0)

    def add(self, stages_s: Mapping[str, float]) -> None:
        """Take the stages of one result."""
        for stage, seconds in stages_s.items():
            self._counts[stage][bisect_left(BOUNDS_S, seconds)] += 1
            self._sums_s[stage] += seconds

    def to_json(self) -> dict[str, Any]:
        """Return the bins, for the heartbeat: whoever listens reads a growing count."""
        stages = {
            stage: {"counts": list(counts), "sum_s": round(self._sums_s[stage], 6)}
            for stage, counts in self._counts.items()
        }
        return {"bounds_s": list(BOUNDS_S), "stages": stages}
