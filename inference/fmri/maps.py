"""Maps over the brain, from volumes that come one by one: mean, temporal signal-to-noise, slow fluctuations (ALFF).

Only sums are held. Both the straight line that is taken out of a voxel's course and the transform to frequencies are
sums over time with weights that are known before, so that nothing but the sums has to wait for the last volume.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

#: The band of resting fluctuations in Hz (Biswal 1995; Zang 2007).
RESTING_HZ = (0.01, 0.1)
#: Volumes whose product with the weights is taken at once.
TOGETHER = 16


class Moments:
    """Mean and noise of each voxel over time.

    Sums are of differences to the first volume, so that they keep their digits.

    Parameters
    ----------
    n_volumes : int
        How many will come, at least 3.
    """

    def __init__(self, n_volumes: int) -> None:
        self._n_volumes, self._n = n_volumes, 0
        self._first: Array = np.zeros(0)
        self._sum: Array = np.zeros(0)
        self._squares: Array = np.zeros(0)
        self._slope: Array = np.zeros(0)

    def push(self, volume: NDArray[np.float32]) -> None:
        """Take the next volume, shape (columns, rows, slices), float32."""
        if not self._n:
            self._first = volume.astype(np.float64)
            self._sum, self._squares, self._slope = (np.zeros(volume.shape) for _ in range(3))
        change = volume - self._first
        self._sum += change
        self._squares += change * change
        change *= self._n - (self._n_volumes - 1) / 2
        self._slope += change
        self._n += 1

    def mean(self) -> NDArray[np.float32]:
        """Return the mean over time, of a volume's shape, float32."""
        return (self._first + self._sum / self._n).astype(np.float32)

    def tsnr(self) -> NDArray[np.float32]:
        """Return the mean over the standard deviation about the straight line, float32; 0 where nothing changes."""
        # The squares of the times about their middle, added up.
        times = self._n_volumes * (self._n_volumes**2 - 1) / 12
        centred = self._squares - self._sum**2 / self._n - self._slope**2 / times
        # What rounding leaves of a straight line is no noise.
        still = centred <= 1e-12 * self._squares
        noise = np.sqrt(np.maximum(centred, 0.0) / (self._n - 2))
        return np.where(still, 0.0, self.mean() / np.where(still, 1.0, noise)).astype(np.float32)


class Fluctuations:
    """Strength of slow fluctuations of each voxel of the brain: ALFF, as a share of its mean.

    Parameters
    ----------
    mask : ndarray, shape (columns, rows, slices), bool
    n_volumes : int
        How many will come.
    tr_s : float
        Seconds from one to the next.

    Raises
    ------
    ValueError
        If no frequency of such a course lies in the band.
    """

    def __init__(self, mask: NDArray[np.bool_], n_volumes: int, tr_s: float) -> None:
        self._mask, self._n, self._at = mask, n_volumes, 0
        self._weights = weights(n_volumes, tr_s).astype(np.float32)
        self._sums = np.zeros((len(self._weights), int(mask.sum())), np.float32)
        self._waiting: list[NDArray[np.float32]] = []

    def push(self, volume: NDArray[np.float32]) -> None:
        """Take the next volume, shape (columns, rows, slices), float32."""
        self._waiting.append(volume[self._mask])
        if len(self._waiting) == TOGETHER:
            self._add()

    def alff(self, mean: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the mean amplitude in the band over ``mean``, of its shape, float32; 0 outside the brain."""
        self._add()
        cosines, sines = np.split(self._sums, 2)
        amplitude = 2 / self._n * np.sqrt(cosines**2 + sines**2).mean(axis=0)
        level = mean[self._mask]
        found = np.zeros(mean.shape, np.float32)
        found[self._mask] = np.where(level > 0, amplitude / np.where(level > 0, level, 1), 0)
        return found

    def _add(self) -> None:
        if self._waiting:
            until = self._at + len(self._waiting)
            self._sums += self._weights[:, self._at : until] @ np.stack(self._waiting)
            self._at, self._waiting = until, []


def weights(n_volumes: int, tr_s: float) -> Array:
    """Return the weights in time of the band's cosines, then its sines, shape (2 * n, n_volumes), float64.

    They are those of a discrete Fourier transform of a course whose mean and straight line were taken out before.

    Raises
    ------
    ValueError
        If no frequency of such a course lies in the band.
    """
    hz = np.fft.rfftfreq(n_volumes, tr_s)
    chosen = np.flatnonzero((hz >= RESTING_HZ[0]) & (hz <= RESTING_HZ[1]))
    if not chosen.size:
        low, high = RESTING_HZ
        raise ValueError(f"{n_volumes} volumes of {tr_s:g} s have no frequency between {low:g} and {high:g} Hz")
    turns = 2 * np.pi * np.outer(chosen, np.arange(n_volumes)) / n_volumes
    both = np.concatenate([np.cos(turns), np.sin(turns)])
    times = np.arange(n_volumes) - (n_volumes - 1) / 2
    line = np.stack([np.full(n_volumes, n_volumes**-0.5), times / np.linalg.norm(times)])
    return np.asarray(both - both @ line.T @ line)
