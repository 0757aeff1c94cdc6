"""Envelopes: how strongly a muscle fires, from its conditioned trace.

Zero-phase throughout, so that nothing is moved in time; used on whole stretches, long after they were recorded.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy import signal

Array = NDArray[np.float64]

#: Below 20 Hz a surface electrode picks up the limb's movement, not the muscle (De Luca et al. 2010).
MOVEMENT_HZ = 20.0
#: Half of the poles of every filter here; run forwards and backwards it has twice as many.
_ORDER = 2


def rectified(x_uv: Array, rate_hz: float) -> Array:
    """Return the full-wave rectified muscle without the limb's movement, shape (n_samples,), in microvolts."""
    return np.abs(_zero_phase(x_uv, MOVEMENT_HZ, "highpass", rate_hz))


def envelope(x_uv: Array, rate_hz: float, cutoff_hz: float) -> Array:
    """Return the rectified muscle below a frequency, shape (n_samples,), in microvolts."""
    return _zero_phase(rectified(x_uv, rate_hz), cutoff_hz, "lowpass", rate_hz)


def _zero_phase(x: Array, edge_hz: float, kind: Literal["highpass", "lowpass"], rate_hz: float) -> Array:
    sos = signal.butter(_ORDER, edge_hz, kind, fs=rate_hz, output="sos")
    return np.asarray(signal.sosfiltfilt(sos, x))
