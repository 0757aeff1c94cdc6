"""SenderClock: where a sender's stamps lie on this machine's LSL clock, and so how old a sample is (law 7).

LSL measures the offset between two machines' clocks; the first measurement takes 0.64 s, and a sender may stamp by some
other clock than its machine's. Until there is an offset that can be true, the first samples of an inlet are taken for
just sent: LSL keeps none for an inlet that is not open yet. Pure: measurements, stamps and times are handed in.
"""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass

import numpy as np

#: A first sample that the measured offset makes older than this, or younger by more than `FUTURE_S`, was not stamped by
#: its machine's LSL clock.
FOREIGN_S = 60.0
FUTURE_S = 1.0
#: Clocks of two machines drift apart by no more, in s per s: a crystal is off by less than half of it.
APART = 100e-6
#: Measurements that drift is judged by, and the least time that they must span: 10 minutes of one in 5 s.
KEPT = 120
DRIFT_S = 60.0


@dataclass(frozen=True)
class Offset:
    """One measurement.

    Parameters
    ----------
    time_s : float
        When, on this machine's LSL clock.
    offset_s : float
        Add it to a stamp to get this machine's LSL clock.
    uncertainty_s : float
        How far it may be off: half the time that the answer took.
    """

    time_s: float
    offset_s: float
    uncertainty_s: float

    @property
    def sent_s(self) -> float:
        """When it was measured on the sender's clock, which is what XDF keeps."""
        return self.time_s - self.offset_s

    def tells_more_than(self, last: Offset | None) -> bool:
        """Tell whether it is surer than the last one is by now: the clocks have drifted, but its answer may be late.

        A sender that was frozen answers then what it was asked meanwhile; such an answer was off by 51 ms.
        """
        if last is None:
            return True
        return self.uncertainty_s <= last.uncertainty_s + APART * (self.time_s - last.time_s)


class SenderClock:
    """The clock of one open inlet's sender."""

    def __init__(self) -> None:
        self._measured: deque[Offset] = deque(maxlen=KEPT)
        self._assumed_s: float | None = None
        #: Whether the stamps are of another clock than the one that is measured; None until that was seen.
        self._foreign: bool | None = None
        #: How fast the sender's clock runs against ours, in parts per million; None until a minute was measured.
        self.drift_ppm: float | None = None

    @property
    def newest(self) -> Offset | None:
        """The newest measurement."""
        return self._measured[-1] if self._measured else None

    @property
    def offset_s(self) -> float | None:
        """What to add to a stamp to get this machine's LSL clock: measured, or else assumed; None before a sample."""
        if self._foreign is False and self._measured:
            return self._measured[-1].offset_s
        return self._assumed_s

    def measured(self, offset: Offset) -> None:
        """Take a measurement."""
        self._measured.append(offset)
        if offset.time_s - self._measured[0].time_s >= DRIFT_S:
            times = np.array([one.time_s for one in self._measured]) - self._measured[0].time_s
            self.drift_ppm = float(-1e6 * np.polyfit(times, [one.offset_s for one in self._measured], 1)[0])

    def heard(self, stamp_s: float, now_s: float) -> float:
        """Take the newest stamp of a pull, and return its age in s; 0 for a stamp that is no number.

        Parameters
        ----------
        stamp_s : float
            On the sender's clock.
        now_s : float
            This machine's LSL clock.
        """
        if not math.isfinite(stamp_s):
            return 0.0
        if self._assumed_s is None:
            self._assumed_s = now_s - stamp_s
        if self._foreign is None and self._measured:
            age_s = now_s - stamp_s - self._measured[-1].offset_s
            self._foreign = not -FUTURE_S <= age_s <= FOREIGN_S
        offset_s = self.offset_s
        assert offset_s is not None
        return now_s - (stamp_s + offset_s)

    def reset(self) -> None:
        """Forget what the stamps were counted from: they have leapt, and tell no more when they were taken."""
        self._assumed_s, self._foreign = None, True
