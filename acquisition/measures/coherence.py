"""Cortico-muscular coherence: how much of a muscle's beta follows the cortex's while the leg extends.

Magnitude-squared coherence ``|Sxy|^2 / (Sxx Syy)`` of a site and a rectified muscle, summed over segments that do not
overlap and lie in one phase each (Halliday et al. 1995). The value is the highest in the band. What chance alone stays
below with probability a at one frequency is ``1 - (1 - a)^(1 / (L - 1))`` with L segments (Rosenberg et al. 1989); as
the highest of m frequencies is taken, a = 0.95^(1/m).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import signal as dsp

from acquisition.measures.conditioned import Conditioned
from acquisition.measures.envelope import rectified
from acquisition.measures.epochs import select
from acquisition.measures.intervals import LEVEL, MIN_TRIALS, jackknife, mapped
from acquisition.measures.measurement import ONE, Measurement, Subject, absent, too_few

Array = NDArray[np.float64]
ComplexArray = NDArray[np.complex128]

#: Sites over the leg's area, and the muscles that extend the knee.
SITES, MUSCLES = ("C1", "C2"), ("RF", "VM")
PHASE = "extension"
#: The band in Hz, both ends included.
BAND_HZ = (15.0, 30.0)
#: Length of a segment in s: a frequency every 2 Hz, far longer than the way from cortex to muscle (25 ms).
SEGMENT_S = 0.5
#: Start of the phase that is not used, in s: coherence is of the steady contraction.
SKIP_S = 1.0


@dataclass(frozen=True, eq=False)
class Spectra:
    """Sums over the segments of each trial, shape (n_trials, n_frequencies), and how many segments there are."""

    xx: Array
    yy: Array
    xy: ComplexArray
    n_segments: int

    def coherence(self) -> Array:
        """Return the coherence of all trials, shape (n_frequencies,)."""
        return _coherence(self.xx.sum(axis=0), self.yy.sum(axis=0), self.xy.sum(axis=0))

    def without_each(self) -> Array:
        """Return the coherence without each trial in turn, shape (n_trials, n_frequencies)."""
        xx, yy = self.xx.sum(axis=0) - self.xx, self.yy.sum(axis=0) - self.yy
        return _coherence(xx, yy, self.xy.sum(axis=0) - self.xy)


def coherence(signal: Conditioned) -> tuple[Measurement, ...]:
    """Return the beta coherence of each site with each muscle in extension.

    Its ``details``: ``limit`` (what chance stays below in 95 % of sessions), ``peak_hz``, ``band_mean`` and
    ``n_segments``.
    """
    return tuple(_of_pair(signal, site, muscle) for site in SITES for muscle in MUSCLES)


def _of_pair(signal: Conditioned, site: str, muscle: str) -> Measurement:
    subject = Subject("beta cortico-muscular coherence", f"{site}-{muscle}", PHASE, ONE)
    lacking = signal.lacks([site, muscle])
    if lacking:
        return Measurement.without(subject, {}, absent(lacking))
    selection = select(signal, (PHASE,), [site, muscle], SKIP_S + SEGMENT_S)
    if len(selection.epochs) < MIN_TRIALS:
        n_trials = len(selection.epochs)
        return Measurement.without(subject, selection.left_out, too_few(n_trials), n_trials)
    at_site, at_muscle = signal.columns([site, muscle])
    brain = selection.traces(signal, at_site, lambda x_uv: x_uv)
    force = selection.traces(signal, at_muscle, lambda x_uv: rectified(x_uv, signal.rate_hz))
    skip = round(SKIP_S * signal.rate_hz)
    pairs = [(epoch.cut(brain, PHASE, skip), epoch.cut(force, PHASE, skip)) for epoch in selection.epochs]
    frequencies, spectra = spectra_of(pairs, signal.rate_hz)
    value, bounds, details = _peak(frequencies, spectra)
    return Measurement(subject, len(pairs), dict(selection.left_out), value, bounds, details=details)


def spectra_of(pairs: list[tuple[Array, Array]], rate_hz: float) -> tuple[Array, Spectra]:
    """Return the frequencies of the band and the spectra of two signals in it.

    Parameters
    ----------
    pairs : list of (ndarray, ndarray)
        Both signals of each trial; whole segments are used, the rest of a trial is not.
    rate_hz : float
        Sampling rate.
    """
    length = round(SEGMENT_S * rate_hz)
    frequencies = np.asarray(np.fft.rfftfreq(length, 1.0 / rate_hz), dtype=np.float64)
    band = (frequencies >= BAND_HZ[0]) & (frequencies <= BAND_HZ[1])
    pieces = [(_transform(x, length)[:, band], _transform(y, length)[:, band]) for x, y in pairs]
    spectra = Spectra(
        xx=np.array([(np.abs(x) ** 2).sum(axis=0) for x, _ in pieces]),
        yy=np.array([(np.abs(y) ** 2).sum(axis=0) for _, y in pieces]),
        xy=np.array([(x.conj() * y).sum(axis=0) for x, y in pieces]),
        n_segments=sum(len(x) for x, _ in pieces),
    )
    return frequencies[band], spectra


def confidence_limit(n_segments: int, level: float = LEVEL) -> float:
    """Return the coherence that two signals without any stay below, with a probability, at one frequency.

    Examples
    --------
    >>> round(confidence_limit(100), 4)
    0.0298
    """
    return float(1.0 - (1.0 - level) ** (1.0 / (n_segments - 1)))


def _transform(x: Array, length: int) -> ComplexArray:
    """Return the Fourier transform of each whole segment, shape (n_segments, n_frequencies)."""
    segments = x[: len(x) // length * length].reshape(-1, length)
    centred = segments - segments.mean(axis=1, keepdims=True)
    return np.asarray(np.fft.rfft(centred * dsp.windows.hann(length, sym=False), axis=1))


def _coherence(xx: Array, yy: Array, xy: ComplexArray) -> Array:
    return np.asarray(np.abs(xy) ** 2 / (xx * yy))


def _peak(frequencies: Array, spectra: Spectra) -> tuple[float, tuple[float, float], dict[str, float]]:
    """Return the highest coherence, its interval, and what it is to be read with."""
    whole = spectra.coherence()
    peak = int(np.argmax(whole))
    z = np.arctanh(np.sqrt(spectra.without_each()[:, peak]))  # on this scale it is about normal
    bounds = jackknife(float(np.arctanh(np.sqrt(whole[peak]))), z)
    details = {
        "limit": confidence_limit(spectra.n_segments, LEVEL ** (1.0 / len(whole))),
        "peak_hz": float(frequencies[peak]),
        "band_mean": float(whole.mean()),
        "n_segments": float(spectra.n_segments),
    }
    return float(whole[peak]), mapped(bounds, lambda z: float(np.tanh(max(z, 0.0)) ** 2)), details
