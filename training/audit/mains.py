"""Where the mains line of a recording stands: 50 Hz, 60 Hz, or nowhere that can be told.

A site's mains decides which notch conditions its recordings; a wrong one leaves the line in all that training sees.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

#: The two lines that there are, in Hz.
LINES_HZ = (50.0, 60.0)
#: Distance in Hz of the bins that a line is compared with: beyond the width of a Hann window of 1 s and any wander.
BESIDE_HZ = (-5.0, -4.0, 4.0, 5.0)
#: Percentile of the channels that is looked at: some electrodes hang on to mains less than others.
AMONG_CHANNELS = 75.0
#: A line has so many times the power of what lies beside it (noise: 1.0 +- 0.1 over a minute), and so many times the
#: other line's share.
STANDS_OUT, CLEARER = 2.0, 1.5


class MainsMeter:
    """Measure the mains line over a recording, stretch by stretch.

    Parameters
    ----------
    n_samples : int
        Of a stretch.
    rate_hz : float
    """

    def __init__(self, n_samples: int, rate_hz: float) -> None:
        lines = [line for line in LINES_HZ if line + max(BESIDE_HZ) < rate_hz / 2]
        self._bins_hz = np.array([line + step for line in lines for step in (0.0, *BESIDE_HZ)])
        angles = 2 * np.pi * np.outer(self._bins_hz, np.arange(n_samples) / rate_hz)
        window = np.hanning(n_samples)
        self._waves = np.vstack([np.cos(angles), np.sin(angles)]) * window
        self._power: Array | None = None

    def add(self, x_uv: Array, size_uv: Array) -> None:
        """Add a stretch; each channel counts alike, however large it is, and one without numbers does not count.

        Parameters
        ----------
        x_uv : ndarray, shape (n_samples, n_channels), float64
        size_uv : ndarray, shape (n_channels,), float64
            Its standard deviation.
        """
        usable = np.isfinite(size_uv) & (size_uv > 0)
        if not usable.any() or not len(self._bins_hz):
            return
        centred = (x_uv[:, usable] - x_uv[:, usable].mean(axis=0)) / size_uv[usable]
        cos, sin = np.split(self._waves @ centred, 2)
        if self._power is None:
            self._power = np.zeros((len(self._bins_hz), x_uv.shape[1]))
        self._power[:, usable] += cos**2 + sin**2

    def line_hz(self) -> float | None:
        """Return the line that stands out in a quarter of the channels; None where none does, or not clearly."""
        if self._power is None:
            return None
        bins = self._power.reshape(-1, 1 + len(BESIDE_HZ), self._power.shape[1])
        beside = bins[:, 1:].mean(axis=1)
        used = beside.min(axis=0) > 0
        if not used.any():
            return None
        shares = np.percentile(bins[:, 0, used] / beside[:, used], AMONG_CHANNELS, axis=1)
        order = np.argsort(shares)[::-1]
        best = float(shares[order[0]])
        second = float(shares[order[1]]) if len(order) > 1 else 1.0
        clear = best >= STANDS_OUT and best >= CLEARER * second
        return float(self._bins_hz[order[0] * (1 + len(BESIDE_HZ))]) if clear else None
