"""A simulated patient's windows, through the bedside's own chain and without a file."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

import numpy as np

from acquisition.chain import Chain, drive
from acquisition.decisions import Decision
from acquisition.montage import load_montage
from acquisition.paradigm import ParadigmPlan
from acquisition.simulator import BLOCK_S, Patient, stream
from acquisition.tape import Block
from acquisition.windowing import Window


def windows_of(patient: Patient, seconds: float, still_s: float) -> Iterator[Window]:
    """Yield the windows of a session of so many seconds whose first trial begins after `still_s`."""
    montage = load_montage("amp16")
    blocks = islice(stream(patient, ParadigmPlan(still_s=still_s, n_trials=None), montage), round(seconds / BLOCK_S))
    begin = Decision("segment", 1, 0, 0, {"segment": 0, "first_sample": 0, "reason": "start"})
    tape = (begin, *(Block(1, block.first_sample, block.samples.astype(np.float64)) for block in blocks))
    for step in drive(Chain(montage, patient.mains_hz), tape):
        yield from step.windows
