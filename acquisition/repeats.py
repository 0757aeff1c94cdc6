"""Which stamps came already: duplicates, unless equal stamps are the sender's way.

A sender that stamps each of its bursts once gives many samples one stamp and repeats none.
"""

from __future__ import annotations

from collections import deque

import numpy as np
from numpy.typing import NDArray

#: Share of equal neighbouring stamps from which on they are the sender's way and not duplicates.
HABIT = 0.1
#: Steps that must be known before an equal stamp is taken for a duplicate.
KNOWN = 20
#: How far back a duplicate is looked for.
RECENT_S = 1.0


class Repeats:
    """The stamps of the last second, and whether equal ones mean anything.

    Parameters
    ----------
    rate_hz : float
        Nominal rate.
    """

    def __init__(self, rate_hz: float) -> None:
        self._n = round(RECENT_S * rate_hz)
        self._recent: deque[NDArray[np.float64]] = deque()
        self._equal = self._steps = 0
        self._usual = True

    def push(self, stamps: NDArray[np.float64], steps: NDArray[np.float64]) -> None:
        """Take the next accepted stamps, and the steps before them (none before the first of all)."""
        self._recent.append(stamps)
        self._steps += len(steps)
        self._equal += int(np.count_nonzero(steps == 0))

    def learn(self) -> None:
        """Conclude from what came so far; called at fixed counts, so that chunking leaves no trace."""
        self._recent = deque([self._last_second()])
        if self._steps >= KNOWN:
            self._usual = self._equal >= HABIT * self._steps

    def clear(self) -> None:
        """Forget the stamps: the clock was reset."""
        self._recent.clear()

    def has(self, stamp_s: float) -> bool:
        """Tell whether a stamp came already."""
        return not self._usual and stamp_s in self._last_second()

    def among(self, stamps: NDArray[np.float64], steps: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Return which stamps came already, before or among these; only those that do not step forward can have."""
        doubtful = steps <= 0
        if self._usual or not doubtful.any():
            return np.zeros(len(stamps), bool)
        _, first, inverse = np.unique(stamps, return_index=True, return_inverse=True)
        in_chunk = first[inverse] < np.arange(len(stamps))
        return np.asarray(doubtful & (in_chunk | np.isin(stamps, self._last_second())), bool)

    def _last_second(self) -> NDArray[np.float64]:
        return np.concatenate(self._recent)[-self._n :]
