"""What a source hands over: raw samples, markers, clock offsets, and the decisions between them, in order (law 2).

A session has one stream of samples or two. Of two, stream 0 is the grid and brings the samples of both side by side;
its partner is stream 2 (stream 1 is the markers). ``pairer`` makes the one order out of the two streams.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from acquisition.decisions import Decision

#: Streams of a part, by what they are.
SIGNAL, MARKERS, PARTNER = 0, 1, 2


@dataclass(frozen=True)
class Raw:
    """Samples as the stream sent them.

    Parameters
    ----------
    samples : ndarray, shape (n_samples, n_stream_channels)
        The stream's own type and units.
    stamps : ndarray, shape (n_samples,), float64
        The stream's own clock, in seconds.
    stream : int
        The stream that they are of: ``SIGNAL``, or ``PARTNER`` for samples of the partner that are not taken.
    joined : ndarray, shape (n_samples, n_joined_channels), optional
        Where there is a partner: the same rows with its columns beside them, as they are to be bound to the montage.
    partner : Raw, optional
        The partner's samples in these rows, one for each; recorded before them. None where the rows are rejected.
    """

    samples: NDArray[np.generic]
    stamps: NDArray[np.float64]
    stream: int = SIGNAL
    joined: NDArray[np.generic] | None = None
    partner: Raw | None = None

    def __len__(self) -> int:
        return len(self.stamps)

    @property
    def rows(self) -> NDArray[np.generic]:
        """The samples that are bound to the montage: those of both streams where there are two."""
        return self.samples if self.joined is None else self.joined

    def part(self, start: int, stop: int) -> Raw:
        """Return samples ``start`` to ``stop``."""
        joined = None if self.joined is None else self.joined[start:stop]
        partner = None if self.partner is None else self.partner.part(start, stop)
        return Raw(self.samples[start:stop], self.stamps[start:stop], self.stream, joined, partner)


@dataclass(frozen=True)
class RawMarker:
    """A marker as its stream sent it; its meaning is a decision of its own."""

    text: str
    stamp_s: float


@dataclass(frozen=True)
class ClockOffset:
    """A measured offset: add ``offset_s`` to the stream's stamps to get this machine's LSL clock."""

    stream: int
    time_s: float
    offset_s: float


Item = Decision | Raw | RawMarker | ClockOffset


def interleave(raw: Raw, first: int, decisions: Sequence[Decision]) -> Iterator[Decision | Raw]:
    """Yield decisions and the samples between them in the order in which they hold.

    Parameters
    ----------
    raw : Raw
        Samples, of which the first is number ``first`` of the stream in its part.
    decisions : sequence of Decision
        Oldest first, each with ``first <= at <= first + len(raw)``.
    """
    start = 0
    for decision in decisions:
        stop = min(max(decision.at - first, start), len(raw))
        if stop > start:
            yield raw.part(start, stop)
            start = stop
        yield decision
    if start < len(raw):
        yield raw.part(start, len(raw))
