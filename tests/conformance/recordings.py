"""Recordings that the end-to-end tests play: simulated patients to whom something happens, as any recorder writes."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from acquisition.formats.xdf_header import STRING, StreamHeader
from acquisition.montage import load_montage
from acquisition.paradigm import ParadigmPlan
from acquisition.parts import PartWriter
from acquisition.simulator import Patient, render

MONTAGE = load_montage("amp16")
#: LSL stamps begin somewhere.
FIRST_STAMP_S = 4321.5
#: Samples per chunk, as an amplifier sends them.
CHUNK = 20
#: Of a patient who moves from the third second on.
PLAN = ParadigmPlan(still_s=3.0)
#: Samples first to last (not included) that never arrived: a hole that opens a segment, and one that is bridged.
HOLE, BRIDGED = (5_000, 5_100), (20_000, 20_010)
#: Samples in which one electrode gave no number.
NAN = (25_000, 25_060)


def eventful(path: Path, seconds: float) -> Path:
    """Write a simulated patient's recording with a hole, a short hole and a stretch without numbers."""
    made = render(Patient(recovery=0.5, seed=7), PLAN, seconds, MONTAGE)
    samples = made.samples.copy()
    samples[slice(*NAN), MONTAGE.labels.index("C4")] = np.nan
    stamps = FIRST_STAMP_S + np.arange(len(samples)) / MONTAGE.rate_hz
    arrived = np.ones(len(samples), bool)
    arrived[slice(*HOLE)] = arrived[slice(*BRIDGED)] = False
    units, kinds = ("uV",) * MONTAGE.n_channels, MONTAGE.kinds
    signal = StreamHeader("Amp", "EEG", "float32", MONTAGE.rate_hz, len(units), MONTAGE.labels, units, kinds)
    with PartWriter.create(path, [signal, StreamHeader("Cues", "Markers", STRING, 0.0, 1)]) as writer:
        for first in range(0, len(samples), CHUNK):
            there = np.flatnonzero(arrived[first : first + CHUNK]) + first
            writer.append(0, samples[there], stamps[there])
        for sample, text in made.markers:
            writer.append(1, [text], np.array([FIRST_STAMP_S + sample / MONTAGE.rate_hz]))
    return path
