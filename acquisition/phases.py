"""Phases: which part of the exercise each grid sample belongs to, from the markers.

A phase lasts until the next marker that names one. A marker is known from its decision on and never changes a window
that was already made; it may well be known after the sample that it belongs to.
"""

from __future__ import annotations

from bisect import bisect_right, insort

from acquisition.paradigm import PHASES

#: A phase within a window: name, first offset in the window, number of samples.
Span = tuple[str, int, int]


class PhaseTimeline:
    """The markers of a session on its grid, and the phases of any range of it."""

    def __init__(self) -> None:
        self._marks: list[tuple[int, int, str]] = []

    def mark(self, sample: int, phase: str) -> None:
        """Add a marker at a grid sample; at the same sample the one that was told last holds.

        Parameters
        ----------
        sample : int
            Grid sample from which the phase runs.
        phase : str
            One of ``paradigm.MARKERS``; only those of ``paradigm.PHASES`` name a phase, the others end the one before.
        """
        insort(self._marks, (sample, len(self._marks), phase))

    def spans(self, first_sample: int, n_samples: int) -> tuple[Span, ...]:
        """Return the phases of a range in order; samples without a phase are in none of them."""
        end = first_sample + n_samples
        position = max(bisect_right(self._marks, (first_sample, len(self._marks), "")) - 1, 0)
        spans = []
        for index in range(position, len(self._marks)):
            start, _, phase = self._marks[index]
            stop = self._marks[index + 1][0] if index + 1 < len(self._marks) else end
            start, stop = max(start, first_sample), min(stop, end)
            if phase in PHASES and start < stop:
                spans.append((phase, start - first_sample, stop - start))
            if stop >= end:
                break
        return tuple(spans)
