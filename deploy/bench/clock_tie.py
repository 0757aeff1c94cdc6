"""Clock tie: what the LSL clock reads when a page's clock reads something, and how far that may be off.

The page is asked for its clock between two looks at the LSL clock, many times. Each answer says that the page's clock
was read somewhere in between, so that the difference of both lies between two bounds; all answers together leave what
all of them allow. Nothing is assumed of how long the way there takes, by how much it differs from the way back, or that
both clocks count from the same moment.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from acquisition.errors import SequenceError

#: Seconds by which a page's clock may read too little or too much: browsers round it to a tenth of a millisecond.
ROUNDED_S = 1e-4


@dataclass(frozen=True)
class ClockTie:
    """LSL clock minus page clock, in seconds.

    Parameters
    ----------
    lower_s, upper_s : float
        What it lies between.

    Examples
    --------
    >>> tie = ClockTie.of([(100.000, 5000.0, 100.004), (100.103, 5100.0, 100.110)])
    >>> round(tie.offset_s, 4), round(tie.uncertainty_s, 4)
    (95.0035, 0.0006)
    """

    lower_s: float
    upper_s: float

    @classmethod
    def of(cls, readings: Iterable[tuple[float, float, float]]) -> ClockTie:
        """Return what readings allow.

        Parameters
        ----------
        readings : iterable of (float, float, float)
            LSL clock before in s, page clock in ms, LSL clock after in s.

        Raises
        ------
        SequenceError
            If they contradict each other: a clock was set meanwhile.
        """
        bounds = [(before - at_ms / 1000, after - at_ms / 1000) for before, at_ms, after in readings]
        tie = cls(max(low for low, _ in bounds) - ROUNDED_S, min(high for _, high in bounds) + ROUNDED_S)
        if tie.lower_s > tie.upper_s:
            raise SequenceError(
                f"Clocks moved against each other by {1000 * (tie.lower_s - tie.upper_s):.1f} ms while they were tied.",
                subject="clock",
                remedy="Measure again, on a machine that does not sleep.",
            )
        return tie

    def with_drift(self, later: ClockTie) -> ClockTie:
        """Return the bounds that hold from this one up to a later one, whatever the clocks did in between."""
        return ClockTie(min(self.lower_s, later.lower_s), max(self.upper_s, later.upper_s))

    @property
    def offset_s(self) -> float:
        """The middle of what is possible."""
        return (self.lower_s + self.upper_s) / 2

    @property
    def uncertainty_s(self) -> float:
        """How far from it the truth may lie."""
        return (self.upper_s - self.lower_s) / 2
