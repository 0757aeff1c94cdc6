"""The sample counter of a stream that has one: what it says is missing, exactly, also where it turns over."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray


class SampleCounter:
    """The count of the last sample that was taken.

    Parameters
    ----------
    modulo : int or None
        The count at which it begins again at 0; ``None`` never does.
    last : int or None
        The count of the sample before the first one; ``None`` if it is not known.
    """

    def __init__(self, modulo: int | None, last: int | None = None) -> None:
        self._modulo = modulo
        self.last = last

    def push(self, counts: NDArray[np.float64]) -> None:
        """Take the counts of the next samples; one that is no number is the next."""
        newest = float(counts[-1])
        self.last = round(newest) if math.isfinite(newest) else (self.last or 0) + 1

    def steps(self, counts: NDArray[np.float64], late: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the steps between counts, 1 where nothing is missing; NaN where whole turns may be.

        Parameters
        ----------
        counts : ndarray, shape (n,)
            Of the next samples.
        late : ndarray, shape (n,)
            How many samples each lies behind its place by its stamp.
        """
        assert self.last is not None
        steps = np.diff(counts, prepend=self.last)
        if self._modulo is None:
            return steps
        return np.where(np.abs(late) < self._modulo / 2, np.mod(steps, self._modulo), np.nan)

    def missing(self, count: float | None, late: float) -> int | None:
        """Return how many samples are missing, below 0 for one that was there; None where no count tells.

        A counter that turns over leaves whole turns open; the stamp says how many.

        Parameters
        ----------
        count : float or None
            Of the next sample.
        late : float
            How many samples it lies behind its place by its stamp.
        """
        if count is None or self.last is None or not math.isfinite(count):
            return None
        n = round(count) - self.last - 1
        return n if self._modulo is None else n + self._modulo * round((late - n) / self._modulo)
