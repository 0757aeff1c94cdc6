"""Band tokens: log power of four bands in every channel, ten times a second, by a fixed filter bank.

The same coefficients stand in the exported graph (``export``), so training reads cached tokens and the bedside sees the
window itself. The bank is causal: the token at a step knows 400 samples back and none ahead.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

#: Version of ``log_powers``: whoever changes what it computes counts it up, and tokens that were kept are made anew.
ALGORITHM = 1
#: Bands in Hz, from low to high; a bin on an edge belongs to the band above it.
BANDS_HZ = ((4.0, 8.0), (8.0, 13.0), (13.0, 30.0), (30.0, 120.0))
#: Mains frequencies and first harmonics in Hz whose surroundings no band counts: where the notch of one country was.
MAINS_HZ = (50.0, 60.0, 100.0, 120.0)
#: Half width of a Hann bin's main lobe, in bins: a bin so near to mains would see it.
LOBE_BINS = 2.0
#: Share of a channel's variance that is added before the logarithm: below it a band holds rounding, not signal.
FLOOR = 1e-4


@dataclass(frozen=True)
class BankSpec:
    """The filter bank.

    Parameters
    ----------
    rate_hz : float
        Of the windows.
    n_kernel : int
        Samples of a kernel; ``rate_hz / n_kernel`` is the width of a bin.
    stride : int
        Samples from one token to the next; n_kernel is a multiple of it.
    """

    rate_hz: float = 1000.0
    n_kernel: int = 400
    stride: int = 100

    @property
    def n_pad(self) -> int:
        """Zeros before the window, so that its first token comes after one stride."""
        return self.n_kernel - self.stride

    def n_steps(self, n_samples: int) -> int:
        """Return the tokens that a window of `n_samples` gives."""
        return (n_samples + self.n_pad - self.n_kernel) // self.stride + 1

    def bins_hz(self) -> NDArray[np.float64]:
        """Return the bins that any band counts, rising."""
        width_hz = self.rate_hz / self.n_kernel
        bins = width_hz * np.arange(1, self.n_kernel // 2)
        inside = (bins >= BANDS_HZ[0][0]) & (bins <= BANDS_HZ[-1][1])
        clear = np.all([abs(bins - mains) > LOBE_BINS * width_hz for mains in MAINS_HZ], axis=0)
        return np.asarray(bins[inside & clear])

    def kernels(self) -> NDArray[np.float64]:
        """Return the quadrature kernels, shape (2 * n_bins, n_kernel): cosine, sine, cosine, ...

        They are scaled so that the squares of a pair sum to the variance in that bin.
        """
        n = np.arange(self.n_kernel)
        hann = 0.5 - 0.5 * np.cos(2 * np.pi * n / self.n_kernel)
        scale = np.sqrt(2.0 / (self.n_kernel * np.sum(hann**2)))
        turns = 2 * np.pi * np.outer(self.bins_hz(), n) / self.rate_hz
        pairs = np.stack([np.cos(turns), np.sin(turns)], axis=1) * hann * scale
        return np.asarray(pairs.reshape(-1, self.n_kernel))

    def sums(self) -> NDArray[np.float64]:
        """Return which squares each band sums, shape (n_bands, 2 * n_bins), of 0 and 1."""
        bins = np.repeat(self.bins_hz(), 2)
        tops = [high for _, high in BANDS_HZ[:-1]] + [np.inf]
        return np.array([(bins >= low) & (bins < top) for (low, _), top in zip(BANDS_HZ, tops, strict=True)], float)


#: Tokens of one channel and step.
N_BANDS = len(BANDS_HZ)


def log_powers(x: ArrayLike, spec: BankSpec | None = None) -> NDArray[np.float64]:
    """Return the band tokens of z-scored windows in float64: the reference for the graph.

    Parameters
    ----------
    x : array, shape (batch, n_samples, n_channels)
        Z-scored windows.
    spec : BankSpec, optional
        The bank.

    Returns
    -------
    ndarray, shape (batch, n_steps, n_channels * n_bands)
        Natural logarithm of the share of a channel's variance; the bands of the first channel first.
    """
    spec = spec or BankSpec()
    windows = np.asarray(x, np.float64)
    batch, n_samples, n_channels = windows.shape
    padded = np.pad(windows, ((0, 0), (spec.n_pad, 0), (0, 0)))
    views = np.lib.stride_tricks.sliding_window_view(padded, spec.n_kernel, axis=1)[:, :: spec.stride]
    squares = (views @ spec.kernels().T) ** 2
    power = squares @ spec.sums().T + FLOOR
    return np.asarray(np.log(power).reshape(batch, spec.n_steps(n_samples), n_channels * N_BANDS))


def tokens(x: ArrayLike, spec: BankSpec | None = None) -> NDArray[np.float32]:
    """Return ``log_powers`` as the network takes them; the graph's own differ by less than 1e-5."""
    return log_powers(x, spec).astype(np.float32)
