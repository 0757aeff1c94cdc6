"""Where one stream's grid lies on another's, from stamps and clock offsets: found, followed, its error told (law 3).

Each stream counts on a grid of its own, and its stamps say where that grid lies on its clock; a measured offset takes
them to this machine's. Single stamps jitter, medians do not. Two amplifiers never run at quite the same rate, so the
partner's place moves by a whole sample now and then: not before it is off by more than half a one for certain.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from acquisition.stamps import LARGEST_STAMP_S

#: Seconds of one median.
BLOCK_S = 0.05
#: Medians that a pairing begins with (0.25 s), and that it goes by from then on (the last second). Odd numbers: where a
#: clock takes a step, the median of medians takes it at once.
FIRST, LAST = 5, 21
#: Samples that the partner must lie off its place before it is moved. More than half a sample: once moved it lies off
#: by less than that the other way, so that noise does not move it back.
SLIP = 0.75
#: Where stamps jitter: standard errors of its place by which it must be off, and the medians that these are told from
#: (10 s), by how much neighbours differ, so that drift does not pass for jitter.
SURE, SPREAD = 6.0, 200
#: Standard error of a median of n normal values, times the root of n, by the median difference of two neighbours.
PER_STEP = 1.2533 / 0.9539


@dataclass
class Clock:
    """One stream's clock, from one reset to the next.

    Parameters
    ----------
    first_s, offset_s : float or None
        The first and the newest measured offset to this machine's clock.
    over : bool
        Whether it was reset, so that no offset of it will be measured any more.
    """

    first_s: float | None = None
    offset_s: float | None = None
    over: bool = False

    def measure(self, offset_s: float) -> None:
        """Take a measurement; the first one holds for what came before it too."""
        self.offset_s = offset_s
        self.first_s = offset_s if self.first_s is None else self.first_s


class Track:
    """Where one stream's own grid lies on its clock, in one of its segments.

    Parameters
    ----------
    rate_hz : float
        Of the grid.
    clock : Clock
        The stream's.
    """

    def __init__(self, rate_hz: float, clock: Clock) -> None:
        self.rate_hz = rate_hz
        self.clock = clock
        self.closed = False
        self._block = max(1, round(BLOCK_S * rate_hz))
        self._current: list[NDArray[np.float64]] = []
        self._filled = 0
        self._next = 0
        self._n_forgotten = 0
        #: The place after each block, its median of stamp minus place, and the offset in force then.
        self._ends: list[int] = []
        self._medians: list[float] = []
        self._offsets: list[float | None] = []

    def push(self, stamps: NDArray[np.float64], first: int) -> None:
        """Take the next samples.

        Parameters
        ----------
        stamps : ndarray, shape (n_samples,), float64
            On the stream's clock, in s.
        first : int
            The first one's place on the stream's own grid; the others follow it.
        """
        origins_s = stamps - (first + np.arange(len(stamps))) / self.rate_hz
        start = 0
        while start < len(stamps):
            stop = min(start + self._block - self._filled, len(stamps))
            self._current.append(origins_s[start:stop])
            self._filled += stop - start
            self._next = first + stop
            start = stop
            if self._filled == self._block:
                self._conclude()

    def _conclude(self) -> None:
        origins_s = np.concatenate(self._current)
        self._current, self._filled = [], 0
        known = origins_s[np.abs(origins_s) < LARGEST_STAMP_S]  # neither rubbish nor no number
        if len(known):
            self._ends.append(self._next)
            self._medians.append(float(np.median(known)))
            self._offsets.append(self.clock.offset_s)

    def close(self) -> None:
        """The segment is over: what there is of it must do."""
        self.closed = True
        if self._filled and not self._ends and not self._n_forgotten:
            self._conclude()

    @property
    def ready(self) -> bool:
        """Whether a pairing can begin."""
        n_blocks = self._n_forgotten + len(self._ends)
        return self.clock.first_s is not None and n_blocks >= (1 if self.closed else FIRST)

    @property
    def hopeless(self) -> bool:
        """Whether a pairing never can: nobody knows how far its clock was off, or what it showed."""
        return (self.clock.over and self.clock.first_s is None) or (self.closed and not self._ends)

    def block_end(self, place: int) -> int:
        """Return where the block ends that a place is in; far away where it is not full yet."""
        after = bisect_right(self._ends, place)
        return self._ends[after] if after < len(self._ends) else 1 << 62

    def at(self, place: int) -> tuple[float, float]:
        """Return where place 0 lies on this machine's clock by the second before a place, and its standard error, in s.

        Before the first quarter of a second is over, that quarter holds; before the first second is, nobody knows the
        error. Places are asked for in rising order.
        """
        stop = max(bisect_right(self._ends, place), min(FIRST - self._n_forgotten, len(self._ends)))
        medians = np.array(self._medians[max(stop - SPREAD, 0) : stop])
        first_s = self.clock.first_s
        offsets = [first_s if offset is None else offset for offset in self._offsets[max(stop - LAST, 0) : stop]]
        origin_s = float(np.median(medians[-LAST:] + np.array(offsets)))
        step_s = float(np.median(np.abs(np.diff(medians)))) if len(medians) >= LAST else math.inf
        self._forget(stop - SPREAD)
        return origin_s, PER_STEP * step_s / math.sqrt(len(offsets))

    def _forget(self, n_blocks: int) -> None:
        if n_blocks > 0:
            del self._ends[:n_blocks], self._medians[:n_blocks], self._offsets[:n_blocks]
            self._n_forgotten += n_blocks


class Alignment:
    """Where the partner's own grid lies on the signal's, while neither begins a new segment.

    Parameters
    ----------
    signal, partner : Track
        Both ready.
    place, partner_place : int
        What comes next of each, on its own grid.

    Attributes
    ----------
    shift : int
        What to add to a place on the partner's grid to get the place on the signal's.
    error_s : float
        How far the partner's samples lie after the place that they are put on, by the last second's medians.
    paired : bool
        Whether samples stand on their places by it. Before that it only nears the truth: where one stream begins a
        segment, what waits of the other may be a minute old, and the clocks have drifted apart since.
    """

    def __init__(self, signal: Track, partner: Track, place: int, partner_place: int) -> None:
        self.signal, self.partner = signal, partner
        shift, _ = self._measured(place, partner_place)
        self.shift = round(shift)
        self.error_s = (shift - self.shift) / signal.rate_hz
        self.paired = False

    def follow(self, partner_place: int) -> int:
        """Look again, at the end of one of the partner's blocks; return by how many samples the shift has moved."""
        shift, doubt = self._measured(partner_place + self.shift, partner_place)
        off = shift - self.shift
        moved = round(off) if not self.paired or abs(off) > max(SLIP, SURE * doubt) else 0
        self.shift += moved
        self.error_s = (off - moved) / self.signal.rate_hz
        return moved

    def _measured(self, place: int, partner_place: int) -> tuple[float, float]:
        """Return the shift and its standard error, in samples."""
        one_s, one_doubt_s = self.signal.at(place)
        two_s, two_doubt_s = self.partner.at(partner_place)
        rate_hz = self.signal.rate_hz
        return (two_s - one_s) * rate_hz, math.hypot(one_doubt_s, two_doubt_s) * rate_hz
