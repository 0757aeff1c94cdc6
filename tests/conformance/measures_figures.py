"""The figures of docs/measures.md: how far the measures can be trusted, on signals whose truth is known.

``python -m tests.conformance.measures_figures`` prints them; it takes minutes.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise

import numpy as np
from scipy import signal as dsp

from acquisition.chain import Chain, ChainSpec, drive
from acquisition.conditioning import FilterSpec, design
from acquisition.decisions import Decision
from acquisition.measures.coherence import _peak, confidence_limit, spectra_of
from acquisition.measures.conditioned import Conditioned, condition
from acquisition.measures.desynchronisation import desynchronisation
from acquisition.measures.envelope import envelope
from acquisition.measures.onset import CUTOFF_HZ, first_rise
from acquisition.montage import load_montage
from acquisition.paradigm import ParadigmPlan
from acquisition.simulator import Patient, render
from acquisition.tape import Block
from acquisition.windowing import WindowSpec
from tests.acquisition.measures.test_coherence import pairs

AMP16 = load_montage("amp16")
RATE_HZ = 1000.0


def onset_errors(level: float, n_trials: int = 600) -> tuple[float, float]:
    """Return the share of trials with an onset, and its median error in ms, for a muscle at a multiple of rest."""
    rng = np.random.default_rng(0)
    muscle = dsp.butter(2, [25, 300], "bandpass", fs=RATE_HZ, output="sos")
    conditioning = design(RATE_HZ, 50.0, FilterSpec())
    steps = np.where(np.arange(9_000) < 5_200, 1.0, level)
    found = []
    for _ in range(n_trials):
        x_uv = dsp.sosfilt(conditioning, steps * dsp.sosfilt(muscle, rng.normal(size=9_000)))
        trace = envelope(x_uv, RATE_HZ, CUTOFF_HZ)
        found.append(first_rise(trace[4_000:5_000], trace[5_000:8_000], RATE_HZ))
    errors = [rise - 200 for rise in found if rise]
    return len(errors) / n_trials, float(np.median(errors))


def chance(n_sessions: int = 2_000) -> tuple[float, float]:
    """Return the share of frequencies, and of sessions, above their limit where there is no coupling."""
    one, band = 0.0, 0
    for seed in range(n_sessions):
        frequencies, spectra = spectra_of(pairs(seed, 0.0, n_trials=15), RATE_HZ)
        one += float(np.mean(spectra.coherence() > confidence_limit(spectra.n_segments)))
        value, _, details = _peak(frequencies, spectra)
        band += value > details["limit"]
    return one / n_sessions, band / n_sessions


def coverage(n_sessions: int = 300) -> float:
    """Return how often the interval of a peak holds a coherence of 0.4."""
    bounds = [_peak(*spectra_of(pairs(seed, 0.4, n_trials=50), RATE_HZ))[1] for seed in range(n_sessions)]
    return sum(low <= 0.4 <= high for low, high in bounds) / n_sessions


def stage_error(patient: Patient) -> tuple[float, float]:
    """Return the largest error of a desynchronisation in points: with blinks, and with the artifact stage on them."""
    truth = _changes(_conditioned(replace(patient, blinks_per_min=0.0)))
    before = _conditioned(patient)
    return tuple(float(np.abs(_changes(own) - truth).max()) for own in (before, _after_the_stage(patient, before)))


def _tape(patient: Patient) -> Iterator[Decision | Block]:
    plan = ParadigmPlan()
    made = render(patient, plan, plan.total_s, AMP16)
    yield Decision("segment", 1, 0, 0, {"segment": 0, "first_sample": 0, "reason": "start"})
    for at, text in made.markers:
        yield Decision("marker", 1, 0, 0, {"text": text, "phase": text, "sample": at})
    for first, stop in pairwise(range(0, len(made.samples) + 1, 1_000)):
        yield Block(1, first, made.samples[first:stop].astype(np.float64))


def _conditioned(patient: Patient) -> Conditioned:
    return condition(_tape(patient), AMP16, patient.mains_hz)


def _after_the_stage(patient: Patient, before: Conditioned) -> Conditioned:
    """Return the same session as windows hold it: windows of one cell each, one after the other."""
    chain = Chain(AMP16, patient.mains_hz, ChainSpec(window=WindowSpec(n_samples=100, stride=100)))
    windows = [window.x_uv for step in drive(chain, _tape(patient)) for window in step.windows]
    (stretch,) = before.stretches
    return replace(before, stretches=(replace(stretch, x_uv=np.concatenate(windows)),))


def _changes(session: Conditioned) -> np.ndarray:
    return np.array([row.value for row in desynchronisation(session) if row.subject.unit == "%"])


if __name__ == "__main__":
    for level in (1, 2, 3, 5, 10):
        share, error_ms = onset_errors(level)
        print(f"muscle at {level} times rest: an onset in {share:.1%}, median error {error_ms:.0f} ms")
    print("no coupling, above the limit: {:.1%} of frequencies, {:.1%} of sessions".format(*chance()))
    print(f"a coherence of 0.4 is in its interval in {coverage():.0%}")
    for patient in (
        Patient(-1.0, 5, effect=1.0, blinks_per_min=24.0),
        Patient(1.0, 6, effect=1.0, blinks_per_min=24.0),
    ):
        print(
            "desynchronisation off by {:.1f} points with blinks, {:.1f} after the stage".format(*stage_error(patient))
        )
