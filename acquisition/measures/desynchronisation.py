"""Event-related desynchronisation: how far the rhythms of the motor cortex fall in a movement.

``ERD% = 100 (A - R) / R`` (Pfurtscheller and Lopes da Silva 1999), A the band's power in the movement, R in the phase
right before it: negative when the rhythm falls. Per trial, then the median over trials.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray
from scipy import signal as dsp

from acquisition.measures.conditioned import Conditioned
from acquisition.measures.epochs import Epoch, Selection, select
from acquisition.measures.intervals import MIN_TRIALS, interval, resamples
from acquisition.measures.measurement import ONE, Measurement, Subject, absent, too_few
from acquisition.paradigm import MOVEMENTS

Array = NDArray[np.float64]

#: Bands in Hz.
BANDS: Mapping[str, tuple[float, float]] = {"mu": (8.0, 13.0), "beta": (13.0, 30.0)}
#: Sites over the left and the right motor cortex.
LEFT, RIGHT = "C3", "C4"
#: The phase that each movement is held against: the one right before it.
REFERENCE = {"flexion": "preparation", "extension": "rest"}
#: Start of both phases that is not used, in s: reaction, and the rhythm's own way to its new level.
SKIP_S = 0.5
#: Least length of what is left of a phase, in s: eight turns of the slowest rhythm.
LEAST_S = 1.0
#: Half of the poles of the band-pass; run forwards and backwards.
_ORDER = 4


def desynchronisation(signal: Conditioned, moved_side: str | None = None) -> tuple[Measurement, ...]:
    """Return the fall of each band at each site in each movement, and its laterality.

    Parameters
    ----------
    signal : Conditioned
        The session.
    moved_side : {"left", "right"}, optional
        The leg that moves; its hemisphere is the other one. Unknown: laterality is of the left over the right.
    """
    return tuple(row for phase in MOVEMENTS for band in BANDS for row in _rows(signal, phase, band, moved_side))


def _rows(signal: Conditioned, phase: str, band: str, moved_side: str | None) -> list[Measurement]:
    rows = [_at_site(signal, phase, band, site) for site in (LEFT, RIGHT)]
    pair = (RIGHT, LEFT) if moved_side == "left" else (LEFT, RIGHT)
    return [*rows, _laterality(signal, phase, band, pair)]


def _at_site(signal: Conditioned, phase: str, band: str, site: str) -> Measurement:
    subject = Subject(f"{band} desynchronisation", site, phase, "%")
    if signal.lacks([site]):
        return Measurement.without(subject, {}, absent([site]))
    selection = _select(signal, phase, [site])
    return Measurement.of_trials(subject, _changes(signal, selection, phase, band, site), selection.left_out)


def _laterality(signal: Conditioned, phase: str, band: str, pair: tuple[str, str]) -> Measurement:
    subject = Subject(f"{band} laterality", f"{pair[0]} over {pair[1]}", phase, ONE)
    lacking = signal.lacks(pair)
    if lacking:
        return Measurement.without(subject, {}, absent(lacking))
    selection = _select(signal, phase, pair)
    left_out, n_trials = selection.left_out, len(selection.epochs)
    if n_trials < MIN_TRIALS:
        return Measurement.without(subject, left_out, too_few(n_trials), n_trials)
    falls = np.stack([-_changes(signal, selection, phase, band, site) for site in pair])
    draws = np.median(falls[:, resamples(n_trials)], axis=2)
    if not any(_excludes_zero(own) for own in draws):
        return Measurement.without(subject, left_out, "neither side changes beyond its interval", n_trials)
    value = float(_index(np.median(falls, axis=1)))
    return Measurement(subject, n_trials, dict(left_out), value, interval(_index(draws)))


def _select(signal: Conditioned, phase: str, sites: Sequence[str]) -> Selection:
    return select(signal, (REFERENCE[phase], phase), sites, SKIP_S + LEAST_S)


def _changes(signal: Conditioned, selection: Selection, phase: str, band: str, site: str) -> Array:
    """Return the change of each trial in per cent, shape (n_epochs,)."""
    (column,) = signal.columns([site])
    power = selection.traces(signal, column, lambda x_uv: band_power(x_uv, BANDS[band], signal.rate_hz))
    skip = round(SKIP_S * signal.rate_hz)
    return np.array([_change(epoch, power, phase, skip) for epoch in selection.epochs])


def _change(epoch: Epoch, power: Mapping[int, Array], phase: str, skip: int) -> float:
    reference = epoch.cut(power, REFERENCE[phase], skip).mean()
    return float(100.0 * (epoch.cut(power, phase, skip).mean() - reference) / reference)


def band_power(x_uv: Array, band_hz: tuple[float, float], rate_hz: float) -> Array:
    """Return the power in a band at each sample, shape (n_samples,), in square microvolts.

    Zero-phase, so that a phase's power stays in it.
    """
    sos = dsp.butter(_ORDER, band_hz, "bandpass", fs=rate_hz, output="sos")
    return np.asarray(dsp.sosfiltfilt(sos, x_uv) ** 2)


def _index(falls: Array) -> Array:
    """Return (first - second) / (|first| + |second|): 1 when the first side alone falls, 0 when both do alike."""
    return np.asarray((falls[0] - falls[1]) / np.maximum(np.abs(falls[0]) + np.abs(falls[1]), np.finfo(float).tiny))


def _excludes_zero(draws: Array) -> bool:
    low, high = interval(draws)
    return low > 0 or high < 0
