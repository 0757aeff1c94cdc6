"""What an amplifier sends: every sample with its stamp and its time, and what goes wrong with some of them.

Two columns beside the signal say where a sample comes from: ``INDEX`` counts the samples that the device took, sent or
not, and ``AMP`` tells two amplifiers apart. So a recording shows by itself what is missing and where it belongs.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from acquisition.montage import Channel, Montage

#: Hz.
RATE_HZ = 1000.0
#: Few channels, so that many rows run beside each other; five of EEG, the least for an artifact stage and one spare.
CHANNELS = (
    *(Channel(label, "eeg") for label in ("C3", "C1", "C2", "C4", "P3")),
    Channel("RF", "emg"),
    Channel("BF", "emg"),
)
MONTAGE = Montage("seven", RATE_HZ, CHANNELS)
#: The same with the device's own count as its sample counter.
COUNTED = replace(MONTAGE, name="seven-counted", counter="INDEX")
#: The same on an amplifier that cannot send more than 1 mV.
RAILED = replace(MONTAGE, name="seven-railed", full_scale_uv=1_000.0)
#: Columns beside the signal, and every column of the stream.
INDEX, AMP = len(CHANNELS), len(CHANNELS) + 1
LABELS = (*MONTAGE.labels, "INDEX", "AMP")
#: Samples of one push: 20 ms.
CHUNK = 20


@dataclass(frozen=True)
class Script:
    """Samples in the order in which they are sent.

    Parameters
    ----------
    samples : ndarray, shape (n_samples, 9), float32
        The signal in microvolts, ``INDEX``, ``AMP``.
    stamps_s, due_s : ndarray, shape (n_samples,)
        The stamp of each, and when it is sent, in s since the device began; ``due_s`` never falls.
    """

    samples: NDArray[np.float32]
    stamps_s: NDArray[np.float64]
    due_s: NDArray[np.float64]

    @property
    def index(self) -> NDArray[np.int64]:
        """The device's own number of each sample."""
        return self.samples[:, INDEX].astype(np.int64)

    def without(self, first: int, stop: int) -> Script:
        """Leave samples ``first`` to ``stop`` out: the device took them, nobody gets them."""
        return self._rows((self.index < first) | (self.index >= stop))

    def since(self, seconds: float) -> Script:
        """Leave out what was due before a moment: the device was off."""
        return self._rows(self.due_s >= seconds)

    def twice(self, first: int, stop: int) -> Script:
        """Send samples ``first`` to ``stop`` again right after the last of them."""
        order = np.arange(len(self.samples))
        again = np.concatenate([order[:stop], order[first:stop], order[stop:]])
        return Script(self.samples[again], self.stamps_s[again], np.maximum.accumulate(self.due_s[again]))

    def stamped(self, first: int, by_s: float) -> Script:
        """Move every stamp from sample ``first`` on."""
        return replace(self, stamps_s=np.where(self.index >= first, self.stamps_s + by_s, self.stamps_s))

    def paced(self, rate_hz: float) -> Script:
        """Take the samples at another rate."""
        return Script(self.samples, self.index / rate_hz, self.index / rate_hz)

    def holding(self, first: int, stop: int, columns: slice, values: float | NDArray[np.float64]) -> Script:
        """Put values into some columns of samples ``first`` to ``stop``."""
        samples = self.samples.copy()
        samples[(self.index >= first) & (self.index < stop), columns] = values
        return replace(self, samples=samples)

    def _rows(self, kept: NDArray[np.bool_]) -> Script:
        return Script(self.samples[kept], self.stamps_s[kept], self.due_s[kept])


def steady(n_samples: int, amp: int = 0) -> Script:
    """Return a signal without a fault: noise and a 10 Hz rhythm, stamps exact to the sample."""
    index = np.arange(n_samples)
    noise = np.random.default_rng(amp).normal(0.0, 20.0, (n_samples, len(CHANNELS)))
    rhythm = 15.0 * np.sin(2 * np.pi * 10.0 * index / RATE_HZ)[:, None]
    samples = np.column_stack([noise + rhythm, index, np.full(n_samples, amp)]).astype(np.float32)
    return Script(samples, index / RATE_HZ, index / RATE_HZ)


def mains(first: int, stop: int, amplitude_uv: float) -> NDArray[np.float64]:
    """Return 50 Hz alone, for all channels of samples ``first`` to ``stop``."""
    wave = amplitude_uv * np.sin(2 * np.pi * 50.0 * np.arange(first, stop) / RATE_HZ)
    return np.repeat(wave[:, None], len(CHANNELS), axis=1)
