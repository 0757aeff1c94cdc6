"""Recordings of simulated patients, written as any recorder would."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from acquisition.formats.xdf_header import STRING, StreamHeader
from acquisition.montage import load_montage
from acquisition.paradigm import ParadigmPlan
from acquisition.parts import PartWriter
from acquisition.simulator import Patient, render

#: LSL stamps begin somewhere.
FIRST_STAMP_S = 1234.5
#: A bad cable hums louder than any muscle works.
HUM_UV = 500.0


def write_xdf(
    path: Path, seconds: float, *, skip: tuple[int, int] = (0, 0), seed: int = 1, hum_hz: float | None = None
) -> Path:
    """Write a simulated patient as XDF; samples `skip` (first, behind the last) never arrived, and a cable may hum."""
    montage = load_montage("amp16")
    made = render(Patient(recovery=0.5, seed=seed), ParadigmPlan(), seconds, montage)
    times_s = np.arange(len(made.samples)) / montage.rate_hz
    stamps = FIRST_STAMP_S + times_s
    if hum_hz is not None:
        made.samples[:] += HUM_UV * np.sin(2 * np.pi * hum_hz * times_s)[:, None].astype(made.samples.dtype)
    signal = StreamHeader(
        "Amp", "EEG", "float32", montage.rate_hz, montage.n_channels, montage.labels, ("uV",) * montage.n_channels
    )
    kept = np.r_[0 : skip[0], skip[1] : len(stamps)]
    writer = PartWriter.create(path, [signal, StreamHeader("Cues", "Markers", STRING, 0.0, 1)])
    for block in np.array_split(kept, max(1, len(kept) // 500)):
        writer.append(0, made.samples[block], stamps[block])
    for sample, text in made.markers:
        writer.append(1, [text], np.array([FIRST_STAMP_S + sample / montage.rate_hz]))
    writer.close()
    return path
