"""Quality: which tenths of a second of which channel can be believed.

Judged on the raw microvolts, before any filter hides what was wrong, in cells of 100 samples on the segment's grid. The
share of good cells is a channel's quality; the least of the kinds' means is a window's SQI; the SQI gives its weight.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

#: The grid of everything that works in blocks: 100 samples, 100 ms at 1000 Hz, ten bins of mains at 50 or 60 Hz apart.
CELL_SAMPLES = 100

#: Everything that can be wrong with a cell; fault i is bit i of ``Cell.fault_bits``.
FAULTS = ("flat", "saturated", "out_of_range", "repaired", "bridged", "mains")
FLAT, SATURATED, OUT_OF_RANGE, REPAIRED, BRIDGED, MAINS = (np.uint8(1 << bit) for bit in range(len(FAULTS)))

#: A sample within this share of the amplifier's full scale is at the rail.
RAIL_SHARE = 1e-3


@dataclass(frozen=True)
class QualitySpec:
    """Limits of good signal.

    Parameters
    ----------
    flat_uv : float
        A cell whose range is below this, in microvolts, is flat.
    saturated_run : int
        So many equal samples at a cell's extreme, at the rail, make it saturated.
    mains_share : float
        A cell is dominated by mains when more than this share of its variance is.
    unusable_below, full_from : float
        SQI below which a window weighs nothing, and from which it weighs 1.
    """

    flat_uv: float = 0.1
    saturated_run: int = 5
    mains_share: float = 0.9
    unusable_below: float = 0.15
    full_from: float = 0.5


@dataclass(frozen=True, eq=False)
class Cell:
    """The verdict on 100 samples of every channel.

    Parameters
    ----------
    first_sample : int
        Its first sample on the session's grid.
    good : ndarray of bool, shape (n_channels,)
        Whether nothing was found wrong.
    fault_bits : ndarray of uint8, shape (n_channels,)
        What was found wrong, a bit for each of ``FAULTS``.
    """

    first_sample: int
    good: NDArray[np.bool_]
    fault_bits: NDArray[np.uint8]

    @property
    def faults(self) -> tuple[tuple[str, ...], ...]:
        """Names of what was found wrong with each channel."""
        return tuple(faults_of(int(bits)) for bits in self.fault_bits)


def faults_of(bits: int) -> tuple[str, ...]:
    """Return the names of the faults whose bits are set."""
    return tuple(name for bit, name in enumerate(FAULTS) if bits >> bit & 1)


class CellJudge:
    """Judge cells, one at a time, with no memory of those before.

    Parameters
    ----------
    rate_hz, mains_hz : float
        Sampling rate and mains frequency.
    spec : QualitySpec
        The limits.
    """

    def __init__(self, rate_hz: float, mains_hz: float, spec: QualitySpec) -> None:
        self._spec = spec
        angle = 2 * np.pi * mains_hz / rate_hz * np.arange(CELL_SAMPLES)
        # The bin of a discrete Fourier transform at mains, scaled so that its sum of squares is that bin's variance.
        self._mains_bin = np.sqrt(2.0) / CELL_SAMPLES * np.stack([np.cos(angle), np.sin(angle)])

    def judge(
        self, first_sample: int, raw_uv: NDArray[np.float64], held_uv: NDArray[np.float64], causes: NDArray[np.uint8],
        at_rail: NDArray[np.bool_],
    ) -> Cell:  # fmt: skip
        """Return the verdict on one cell.

        Parameters
        ----------
        first_sample : int
            Its first sample on the session's grid.
        raw_uv, held_uv : ndarray, shape (100, n_channels)
            As received, and with every bad sample held (always finite).
        causes : ndarray of uint8, shape (100, n_channels)
            Why each sample was held or bridged; 0 for those that were not.
        at_rail : ndarray of bool, shape (100, n_channels)
            Which samples are at the rail.
        """
        bits = np.bitwise_or.reduce(causes, axis=0)
        if at_rail.any():
            bits |= self._saturation(raw_uv, at_rail)
        bits[np.ptp(held_uv, axis=0) < self._spec.flat_uv] |= FLAT
        bits[self._mains_share(held_uv) > self._spec.mains_share] |= MAINS
        return Cell(first_sample, bits == 0, bits)

    def _saturation(self, raw_uv: NDArray[np.float64], at_rail: NDArray[np.bool_]) -> NDArray[np.uint8]:
        bits = np.zeros(raw_uv.shape[1], dtype=np.uint8)
        for channel in np.flatnonzero(at_rail.any(axis=0)):
            railed = raw_uv[at_rail[:, channel], channel]
            most = max(np.count_nonzero(railed == railed.max()), np.count_nonzero(railed == railed.min()))
            bits[channel] = SATURATED if most >= self._spec.saturated_run else REPAIRED
        return bits

    def _mains_share(self, held_uv: NDArray[np.float64]) -> NDArray[np.float64]:
        centred = held_uv - held_uv.mean(axis=0)
        variance = np.einsum("ij,ij->j", centred, centred) / CELL_SAMPLES
        bins = self._mains_bin @ centred
        # A flat cell has no variance to dominate; the floor is far below any amplifier's noise.
        return np.asarray(np.einsum("ij,ij->j", bins, bins) / np.maximum(variance, 1e-12))


def sqi_of(channel_quality: Sequence[float], kinds: Sequence[str]) -> float:
    """Return the signal quality index of a window: the least, over the kinds present, of the mean channel quality.

    Examples
    --------
    >>> sqi_of([1.0, 0.5, 0.5], ["eeg", "eeg", "emg"])
    0.5
    """
    means = []
    for kind in dict.fromkeys(kinds):
        own = [quality for quality, its in zip(channel_quality, kinds, strict=True) if its == kind]
        means.append(sum(own) / len(own))
    return min(means)


def weight_of(sqi: float, spec: QualitySpec | None = None) -> float:
    """Return the weight of a window in the outcome.

    Examples
    --------
    >>> weight_of(0.1), weight_of(0.25), weight_of(0.9)
    (0.0, 0.5, 1.0)
    """
    spec = spec or QualitySpec()
    if sqi < spec.unusable_below:
        return 0.0
    return sqi / spec.full_from if sqi < spec.full_from else 1.0
