"""Coherence: a coupling that was put in comes back; without one it stays below its limit as often as it says."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import signal as dsp

from acquisition.measures.coherence import _peak, coherence, confidence_limit, spectra_of
from tests.acquisition.measures.conftest import by_phase

N = 20
#: From cortex to muscle, in samples.
DELAY = 25


def pairs(seed, coupling, n_trials=30, n_samples=2_000):
    """White noise, and white noise that holds so much of the first one's power, 25 ms later."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n_trials, n_samples + DELAY))
    own = rng.normal(size=(n_trials, n_samples))
    y = np.sqrt(coupling) * x[:, :n_samples] + np.sqrt(1 - coupling) * own
    return list(zip(x[:, DELAY:], y, strict=True))


@pytest.mark.parametrize("coupling", [0.1, 0.3, 0.6, 0.9])
def test_a_known_coupling_comes_back_through_its_delay(coupling):
    """Shared power c gives a coherence of c at every frequency of the band; 25 ms cost a segment of 500 ms little."""
    frequencies, spectra = spectra_of(pairs(1, coupling, n_trials=200), 1000.0)
    assert frequencies.tolist() == [16, 18, 20, 22, 24, 26, 28, 30]
    assert spectra.n_segments == 800
    assert spectra.coherence() == pytest.approx(np.full(8, coupling), abs=0.06)


def test_without_coupling_one_session_in_twenty_is_above_the_limit():
    """At one frequency by the plain limit, for the highest of the band by its own; 600 sessions of 60 segments."""
    one, band = 0, 0
    for seed in range(600):
        frequencies, spectra = spectra_of(pairs(seed, 0.0, n_trials=15), 1000.0)
        one += spectra.coherence()[3] > confidence_limit(spectra.n_segments)
        value, _, details = _peak(frequencies, spectra)
        band += value > details["limit"]
    assert 0.03 <= one / 600 <= 0.07
    assert 0.03 <= band / 600 <= 0.07


def test_the_interval_holds_the_coupling():
    """Of 100 sessions with a coherence of 0.4 about nine in ten have it between their bounds: the peak was picked."""
    held = 0
    for seed in range(100):
        frequencies, spectra = spectra_of(pairs(seed, 0.4, n_trials=50), 1000.0)
        _, (low, high), _ = _peak(frequencies, spectra)
        held += low <= 0.4 <= high
    assert held >= 80


def motor(seed=0):
    """A 20 Hz rhythm at C1 that drives VM, C2 and RF of their own."""
    rng = np.random.default_rng(seed)
    beta = dsp.sosfiltfilt(dsp.butter(2, [16, 24], "bandpass", fs=1000, output="sos"), rng.normal(size=N * 10_000))
    beta /= beta.std()
    own = rng.normal(size=(3, N * 10_000))
    level = by_phase(N, {"preparation": 1, "flexion": 1, "rest": 1, "extension": 10})
    driven = level * np.maximum(0, 1 + 0.8 * np.roll(beta, DELAY)) * own[1]
    return {"C1": beta + 0.5 * own[0], "C2": rng.normal(size=N * 10_000), "RF": level * own[2], "VM": driven}


def test_a_muscle_that_the_cortex_drives_is_told_from_one_that_it_does_not(session):
    """C1 with VM lies far above the limit, at the rhythm's frequency; every other pair stays at chance."""
    rows = {row.subject.site: row for row in coherence(session(**motor()))}
    driven = rows.pop("C1-VM")
    assert driven.value > 0.3 > 4 * driven.details["limit"]
    assert driven.interval[0] > driven.details["limit"]
    assert 16 <= driven.details["peak_hz"] <= 24
    assert (driven.n_trials, driven.details["n_segments"]) == (N, 80)
    assert sorted(rows) == ["C1-RF", "C2-RF", "C2-VM"]
    assert all(row.value < 1.5 * row.details["limit"] for row in rows.values())
    assert all(row.details["band_mean"] < row.details["limit"] for row in rows.values())


def test_what_is_missing_is_named(session):
    """No electrode, or too few extensions: words, and no value."""
    traces = motor()
    assert coherence(session(C1=traces["C1"], VM=traces["VM"]))[2].missing == "the montage has no channel C2, RF"
    short = coherence(session(**{label: x[:50_000] for label, x in traces.items()}))
    assert {(row.missing, row.value, row.n_trials) for row in short} == {("not enough trials: 5 of 6", None, 5)}
