"""Onset: how long after its cue a muscle begins to fire.

A double threshold, of height and of length: the rectified envelope (low-pass 50 Hz) stays above the mean + 3 SD of the
second before the cue for 25 ms. Height and envelope are among the settings that Hodges and Bui (1996) compared with an
examiner's eye; the length, after Bonato et al. (1998), keeps a single spike from being an onset.
"""

from __future__ import annotations

from collections import Counter

import numpy as np
from numpy.typing import NDArray

from acquisition.measures.conditioned import Conditioned
from acquisition.measures.desynchronisation import REFERENCE
from acquisition.measures.envelope import envelope
from acquisition.measures.epochs import select
from acquisition.measures.measurement import Measurement, Subject, absent

Array = NDArray[np.float64]

#: The muscles that make each movement.
AGONISTS = {"flexion": ("BF", "ST"), "extension": ("RF", "VM")}
#: Edge of the envelope in Hz.
CUTOFF_HZ = 50.0
#: Time before the cue that says what rest is, in s: late enough for the movement before to be over.
REST_S = 1.0
#: Height of the threshold in standard deviations of rest above its mean.
N_SD = 3.0
#: Time for which the envelope has to stay above it, in s.
HOLD_S = 0.025
#: Why a trial has no latency.
NO_ONSET, ACTIVE = "no onset", "active at the cue"


def onset(signal: Conditioned) -> tuple[Measurement, ...]:
    """Return the latency of each agonist in its movement, in ms after the cue."""
    return tuple(_of_muscle(signal, phase, muscle) for phase, muscles in AGONISTS.items() for muscle in muscles)


def _of_muscle(signal: Conditioned, phase: str, muscle: str) -> Measurement:
    subject = Subject("onset latency", muscle, phase, "ms")
    if signal.lacks([muscle]):
        return Measurement.without(subject, {}, absent([muscle]))
    selection = select(signal, (REFERENCE[phase], phase), [muscle], REST_S)
    (column,) = signal.columns([muscle])
    envelopes = selection.traces(signal, column, lambda x_uv: envelope(x_uv, signal.rate_hz, CUTOFF_HZ))
    rest = round(REST_S * signal.rate_hz)
    found = [
        first_rise(epoch.cut(envelopes, REFERENCE[phase])[-rest:], epoch.cut(envelopes, phase), signal.rate_hz)
        for epoch in selection.epochs
    ]
    latencies_ms = [1000.0 * rise / signal.rate_hz for rise in found if rise]
    reasons = Counter(ACTIVE if rise == 0 else NO_ONSET for rise in found if not rise)
    return Measurement.of_trials(subject, latencies_ms, {**selection.left_out, **reasons})


def first_rise(rest: Array, movement: Array, rate_hz: float) -> int | None:
    """Return the first sample of a movement from which its envelope stays above that of rest.

    Parameters
    ----------
    rest : ndarray, shape (n_samples,)
        Envelope before the cue.
    movement : ndarray, shape (n_samples,)
        Envelope from the cue on.
    rate_hz : float
        Sampling rate.

    Returns
    -------
    int or None
        0 when it is above already at the cue; None when it never stays above.
    """
    above = movement > rest.mean() + N_SD * rest.std(ddof=1)
    hold = round(HOLD_S * rate_hz)
    run = np.convolve(above, np.ones(hold, dtype=np.intp), "valid")
    starts = np.flatnonzero(run == hold)
    return int(starts[0]) if len(starts) else None
