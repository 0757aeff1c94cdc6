"""Stamp minus count: where the grid lies on the stream's clock, how it drifts, and when it has taken a step (law 4).

The stamps of single samples jitter; medians over a second do not. Slow drift is the device's true rate and never a
loss; a step that no single stamp showed is the loss that the jitter allowance hid.
"""

from __future__ import annotations

import math
from collections import deque

import numpy as np
from numpy.typing import NDArray

from acquisition.errors import RateError

#: Blocks per second: how often the medians are taken anew.
BLOCKS_PER_S = 10
#: Counts at which the first medians are taken, as shares of a block, before there is a whole one.
FIRST_BLOCK = (0.01, 0.1, 0.3, 1.0)
#: A step of so many samples between medians two seconds apart is a loss.
STEP = 20.0
STEP_S = 2
#: A device whose rate is off by more is refused: crystals are 100 times better.
MAX_PPM = 1000.0
#: Shortest time over which drift is judged.
DRIFT_S = 10.0
#: From quarter to quarter of the first two seconds off by more than 1 %, steadily: not the rate that is stated.
GROSS_S, GROSS = 2.0, 0.01
QUARTERS = 4
#: Steady: the quarters differ by at most this share of what they are off. Holes and jitter come unevenly.
STEADY = 0.5


class Offsets:
    """The median of stamp minus count over the last second, taken anew every 0.1 s of samples.

    Parameters
    ----------
    rate_hz : float
        Nominal rate.
    """

    def __init__(self, rate_hz: float) -> None:
        self.rate_hz = rate_hz
        self._block = max(1, round(rate_hz / BLOCKS_PER_S))
        self._firsts = sorted({max(1, round(share * self._block)) for share in FIRST_BLOCK})
        self.rate_ppm: float | None = None
        self.anchor(None)

    def anchor(self, offset_s: float | None) -> None:
        """Forget everything; begin at an offset that is known from elsewhere, or at the next sample."""
        self.offset_s = offset_s
        self._blocks: deque[NDArray[np.float64]] = deque(maxlen=BLOCKS_PER_S)
        self._current: list[NDArray[np.float64]] = []
        self._filled = 0
        self._medians: deque[float] = deque(maxlen=STEP_S * BLOCKS_PER_S + 1)
        self.begin_drift()

    def begin_drift(self) -> None:
        """Measure drift from here on: a declared loss is rounded, and must not pass for drift."""
        self._drift_from: float | None = None
        self._drift_blocks = 0

    @property
    def room(self) -> int:
        """Samples until the medians are taken anew."""
        if self._blocks:
            return self._block - self._filled
        return next(first for first in self._firsts if first > self._filled) - self._filled

    def push(self, offsets_s: NDArray[np.float64]) -> bool:
        """Take stamp minus count of the next samples, at most ``room`` of them; True when the medians were renewed."""
        if self.offset_s is None:
            self.offset_s = float(offsets_s[0])
        self._current.append(offsets_s)
        self._filled += len(offsets_s)
        if self._filled == self._block:
            self._blocks.append(np.concatenate(self._current))
            self._current, self._filled = [], 0
            self._renew()
            return True
        if not self._blocks and self._filled in self._firsts:
            self.offset_s = float(np.median(np.concatenate(self._current)))
            return True
        return False

    def _renew(self) -> None:
        self.offset_s = float(np.median(np.concatenate(self._blocks)))
        if len(self._blocks) < BLOCKS_PER_S:
            return
        self._medians.append(self.offset_s)
        if self._drift_from is None:
            self._drift_from, self._drift_blocks = self.offset_s, 0
        else:
            self._drift_blocks += 1

    def step(self, chunk: int) -> int:
        """Return how many samples were lost unseen: the step of the medians over two seconds, 0 where there is none.

        Parameters
        ----------
        chunk : int
            The sender's chunk: where chunks jitter by half their length, the medians of 15 of them differ by 20
            samples in one case of twenty, so that a long chunk raises the threshold.
        """
        if len(self._medians) <= STEP_S * BLOCKS_PER_S:
            return 0
        rise = (self._medians[-1] - self._medians[0]) * self.rate_hz
        return round(rise) if rise > max(STEP, chunk) else 0

    def leapt(self, chunk: int) -> bool:
        """Tell whether the clock was set within the last two seconds: one step of the medians, where drift is a slope.

        Parameters
        ----------
        chunk : int
            As for ``step``.
        """
        if len(self._medians) <= STEP_S * BLOCKS_PER_S:
            return False
        rises = np.diff(self._medians) * self.rate_hz
        total = abs(float(rises.sum()))
        # The median that is taken half-way splits a step into two.
        return total > max(STEP, chunk) and 2 * float(np.abs(rises).max()) >= total

    def check_drift(self, allowance: float) -> None:
        """Refuse a stream whose true rate lies beyond ``MAX_PPM`` of the nominal one.

        Parameters
        ----------
        allowance : float
            Samples by which the sender's jitter may move the medians.

        Raises
        ------
        RateError
            If it does, whatever the jitter.
        """
        elapsed = self._drift_blocks * self._block
        if self._drift_from is None or self.offset_s is None or elapsed < DRIFT_S * self.rate_hz:
            return
        late = (self.offset_s - self._drift_from) * self.rate_hz
        passed = elapsed + late
        self.rate_ppm = -late / passed * 1e6 if passed > 0 else math.inf
        if abs(late) - allowance > MAX_PPM * 1e-6 * elapsed:
            raise wrong_rate(self.rate_hz, self.rate_hz * (1 + self.rate_ppm * 1e-6))


class FirstSeconds:
    """Refuse a grossly wrong rate from the first two seconds of stamps.

    Parameters
    ----------
    rate_hz : float
        Nominal rate.
    """

    def __init__(self, rate_hz: float) -> None:
        self._rate_hz = rate_hz
        self._quarter = max(1, round(GROSS_S * rate_hz / QUARTERS))
        self._stamps: list[NDArray[np.float64]] = []
        self._missing = QUARTERS * self._quarter

    def push(self, stamps: NDArray[np.float64]) -> None:
        """Take the next stamps, taken onto the grid or not.

        Raises
        ------
        RateError
            When two seconds are full and every quarter of them runs off the nominal rate the same way.
        """
        if self._missing == 0:
            return
        taken = stamps[: self._missing]
        self._stamps.append(taken)
        self._missing -= len(taken)
        if self._missing == 0:
            self._judge(np.concatenate(self._stamps))
            self._stamps = []

    def _judge(self, stamps: NDArray[np.float64]) -> None:
        late = (stamps - stamps[0]) * self._rate_hz - np.arange(len(stamps))
        steps = np.diff(np.median(late.reshape(QUARTERS, self._quarter), axis=1)) / self._quarter
        off = float(np.min(np.abs(steps)))
        if off > GROSS and np.ptp(steps) <= STEADY * off:
            step = 1 + float(np.median(steps))
            raise wrong_rate(self._rate_hz, self._rate_hz / step if step > 0 else math.inf)


def wrong_rate(rate_hz: float, found_hz: float) -> RateError:
    """Return the refusal of a stream that does not run at the rate it states; infinite where its time stands still."""
    found = f"it runs at {found_hz:.2f} Hz" if math.isfinite(found_hz) else "no time passes"
    message = f"the stream states {rate_hz:g} Hz, but by its own stamps {found}"
    allowed = f"(at most {MAX_PPM:.0f} ppm off are taken for a crystal's error)."
    remedy = "Set the amplifier to the montage's rate; if it is, look for lost packets or a wrong clock."
    return RateError(f"{message} {allowed}", subject="rate", remedy=remedy)
