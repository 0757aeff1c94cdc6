"""How far a stamp may lie off before it means loss: the jitter allowance of the sender's chunk.

A sender that pushes chunks stamps each chunk once; the stamps inside are deduced and regular, those between chunks jump
by its jitter. The length of the regular runs is the sender's chunk. Loss also ends runs, but at random places: only
lengths that come again and again are believed.
"""

from __future__ import annotations

import math
from collections import deque

import numpy as np
from numpy.typing import NDArray

#: Least allowance, in samples (5 ms at 1000 Hz): a callback that comes late, not a loss.
LEAST = 5.0
#: Allowance in chunks of the sender.
CHUNKS = 1.5
#: A step between stamps that ends a run, in samples: later than one and a half, or back in time. Steps of nearly 0
#: belong to a burst, which is how senders look that stamp each sample on arrival.
LATE, BACK = 1.5, -0.5
#: Runs that are remembered, and how many of them must agree.
RUNS, AGREEING = 9, 5
#: Runs agree within this share of their median.
AGREEMENT = 0.2
#: Longest chunk that is believed, in seconds.
LONGEST_S = 0.25
#: Allowance in samples while nothing is known of the sender: the first so many seconds of signal, or longer where
#: they were not regular. All of it lies in the first segment's settling.
UNKNOWN, UNKNOWN_S, UNSURE_S = 45.0, 0.1, 1.0


class SenderChunk:
    """Learn the sender's chunk from the steps between accepted stamps.

    Parameters
    ----------
    rate_hz : float
        Nominal rate.

    Attributes
    ----------
    chunk : int or None
        The sender's chunk in samples; ``None`` until it is known.
    allowance : float
        How many samples a stamp may lie off without meaning loss.
    """

    def __init__(self, rate_hz: float) -> None:
        self._longest = LONGEST_S * rate_hz
        self._unknown, self._unsure = UNKNOWN_S * rate_hz, UNSURE_S * rate_hz
        self._run = 0
        self._runs: deque[int] = deque(maxlen=RUNS)
        self._n = 0
        self._irregular_start = False
        self.chunk: int | None = None
        self.allowance = UNKNOWN

    def push(self, steps: NDArray[np.float64]) -> None:
        """Take the steps before the next accepted samples.

        Parameters
        ----------
        steps : ndarray, shape (n,)
            Stamp minus the stamp before, in samples; 1 is regular.
        """
        self._n += len(steps)
        start = 0
        for end in np.flatnonzero((steps > LATE) | (steps < BACK)):
            self._runs.append(self._run + int(end) - start)
            start, self._run = int(end), 0
            self._irregular_start |= self._n - len(steps) + int(end) < self._unknown
        self._run += len(steps) - start

    def learn(self) -> None:
        """Conclude from the runs so far; called at fixed counts, so that chunking leaves no trace."""
        middle = float(np.median(self._runs)) if len(self._runs) >= AGREEING else math.inf
        near = sum(abs(run - middle) <= max(1.0, AGREEMENT * middle) for run in self._runs)
        if near >= AGREEING and middle <= self._longest:
            self.chunk = round(middle)
        if self.chunk is not None:
            self.allowance = max(LEAST, CHUNKS * self.chunk)
        elif self._n >= (self._unsure if self._irregular_start else self._unknown):
            self.allowance = LEAST
