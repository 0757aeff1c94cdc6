"""What the filters let through, and by how much they are late: said beside every trace, and apart from its latency."""

from __future__ import annotations

from typing import Any

import numpy as np

from acquisition.conditioning import ConditioningSpec, FilterSpec, design

#: Where the delay is told: in the beta band of EEG and within the band of EMG, far from both edges and every notch.
DELAY_HZ = 20.0
#: Step over which the phase is compared, in Hz.
_STEP_HZ = 0.01


def passbands(spec: ConditioningSpec, rate_hz: float, mains_hz: float) -> dict[str, dict[str, Any]]:
    """Return what is said of the filters of each kind of channel, as JSON values.

    Parameters
    ----------
    spec : ConditioningSpec
        The filters.
    rate_hz, mains_hz : float
        What they run at, and what they notch with its second harmonic.

    Returns
    -------
    dict
        By kind: ``low_hz``, ``high_hz``, ``notch_hz`` (list), ``delay_ms`` at ``delay_at_hz``.
    """
    return {kind: _told(filters, rate_hz, mains_hz) for kind, filters in (("eeg", spec.eeg), ("emg", spec.emg))}


def delay_s(spec: FilterSpec, rate_hz: float, mains_hz: float, at_hz: float = DELAY_HZ) -> float:
    """Return the group delay at a frequency: by how much an oscillation's envelope comes out late, in seconds."""
    angles = 2 * np.pi * np.array([at_hz - _STEP_HZ / 2, at_hz + _STEP_HZ / 2]) / rate_hz
    powers = np.exp(-1j * np.outer(angles, np.arange(3)))
    sos = design(rate_hz, mains_hz, spec)
    response = np.prod((powers @ sos[:, :3].T) / (powers @ sos[:, 3:].T), axis=1)
    return float(-np.angle(response[1] / response[0]) / (2 * np.pi * _STEP_HZ))


def _told(spec: FilterSpec, rate_hz: float, mains_hz: float) -> dict[str, Any]:
    return {
        "low_hz": spec.low_hz,
        "high_hz": spec.high_hz,
        "notch_hz": [mains_hz, 2 * mains_hz],
        "delay_ms": round(1000 * delay_s(spec, rate_hz, mains_hz), 1),
        "delay_at_hz": DELAY_HZ,
    }
