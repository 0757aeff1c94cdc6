"""Calibration: the mean logit of n windows becomes a probability, by a curve fitted for that n (law 8).

One window says little and fifty say much, so a slope ``a`` and an offset ``b`` are fitted per number of scored
windows. Between the fitted numbers they run straight in 1/n, as the variance of a mean does; below the first and
beyond the last they are held. The draws are the same curve fitted on resampled patients: their spread is the interval.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

#: Percent; the interval that is shown covers nine draws in ten.
INTERVAL_PERCENT = (5.0, 95.0)


@dataclass(frozen=True)
class Line:
    """The calibrated log-odds at one number of windows: ``a * logit + b``.

    Attributes
    ----------
    a, b : float
        Slope and offset.
    draws_a, draws_b : ndarray, shape (n_draws,), float64
        The same, per draw.
    """

    a: float
    b: float
    draws_a: NDArray[np.float64]
    draws_b: NDArray[np.float64]

    def log_odds(self, logit: float) -> float:
        """Return the calibrated log-odds of ``logit``."""
        return self.a * logit + self.b

    def drawn(self, logit: float) -> NDArray[np.float64]:
        """Return the calibrated log-odds of ``logit`` per draw, shape (n_draws,)."""
        return self.draws_a * logit + self.draws_b


@dataclass(frozen=True)
class Calibration:
    """Slopes and offsets per number of windows.

    Attributes
    ----------
    n : tuple of float
        Numbers of windows that were fitted, rising.
    a, b : tuple of float
        One per number.
    draws_a, draws_b : tuple of tuple of float
        One row of draws per number, all of one length, at least one draw.
    """

    n: tuple[float, ...]
    a: tuple[float, ...]
    b: tuple[float, ...]
    draws_a: tuple[tuple[float, ...], ...]
    draws_b: tuple[tuple[float, ...], ...]

    def at(self, n: float) -> Line:
        """Return the line for ``n`` windows (a broken number when windows overlap), straight in 1/n."""
        below, share = self._place(n)
        above = min(below + 1, len(self.n) - 1)
        between = [
            (1.0 - share) * np.asarray(values[below], np.float64) + share * np.asarray(values[above], np.float64)
            for values in (self.a, self.b, self.draws_a, self.draws_b)
        ]
        return Line(float(between[0]), float(between[1]), between[2], between[3])

    def _place(self, n: float) -> tuple[int, float]:
        """Return the fitted number at or below ``n`` and how far, in 1/n, the next one is approached."""
        if n <= self.n[0]:
            return 0, 0.0
        if n >= self.n[-1]:
            return len(self.n) - 1, 0.0
        below = max(i for i, fitted in enumerate(self.n) if fitted <= n)
        start, stop = 1.0 / self.n[below], 1.0 / self.n[below + 1]
        return below, (start - 1.0 / n) / (start - stop)


def sigmoid(log_odds: float) -> float:
    """Return the probability of ``log_odds``, without overflow at either end."""
    if log_odds >= 0.0:
        return 1.0 / (1.0 + math.exp(-log_odds))
    grown = math.exp(log_odds)
    return grown / (1.0 + grown)


def interval_of(log_odds: NDArray[np.float64]) -> tuple[float, float]:
    """Return the 5th and 95th percentile of the probability over draws of its log-odds."""
    low, high = np.percentile(log_odds, INTERVAL_PERCENT)
    return sigmoid(float(low)), sigmoid(float(high))
