"""Simulated patients as training sees them: their windows come out of the bedside's own chain (law 1).

What the chain does live it does here: the start is uncalibrated, the artifact stage is calibrated after 30 s, a window
has quality and weight. Only the tokens of a window are kept, 25 kB instead of 640.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from itertools import islice
from multiprocessing import get_context

import numpy as np
from numpy.typing import NDArray

from acquisition.chain import Chain, drive
from acquisition.decisions import Decision
from acquisition.montage import Montage, load_montage
from acquisition.paradigm import ParadigmPlan
from acquisition.simulator import BLOCK_S, Patient, stream
from acquisition.tape import Block
from acquisition.windowing import Window
from inference.normalisation import zscore
from training.tokens import tokens

#: Seconds of a session that give no window: the filters settle.
SETTLING_S = 4.0


@dataclass(frozen=True)
class Task:
    """One session to be made.

    Parameters
    ----------
    patient : Patient
        Who.
    seconds : float
        How long; ``SETTLING_S`` and 10 s for each window.
    still_s : float
        When the first trial begins; the bedside's default is 30 s.
    """

    patient: Patient
    seconds: float
    still_s: float = 30.0


@dataclass(frozen=True)
class Session:
    """What is kept of one simulated session.

    Parameters
    ----------
    patient : Patient
        Who, and with which outcome.
    tokens : ndarray, shape (n_windows, n_steps, n_tokens), float32
        Of the windows with a weight above 0, in order.
    weights : ndarray, shape (n_windows,)
        Of each, from its quality.
    n_uncalibrated : int
        How many of them the artifact stage had not been calibrated for.
    """

    patient: Patient
    tokens: NDArray[np.float32]
    weights: NDArray[np.float64]
    n_uncalibrated: int


def windows_of(task: Task, montage: Montage) -> Iterator[Window]:
    """Yield the windows of a session, as the bedside would have made them."""
    chain = Chain(montage, task.patient.mains_hz)
    for step in drive(chain, _tape(task, montage)):
        yield from step.windows


def make_session(task: Task, montage_name: str = "amp16") -> Session:
    """Return a session's tokens: z-score and weight as before the engine, windows without weight left out."""
    kept = [window for window in windows_of(task, load_montage(montage_name)) if window.weight > 0.0]
    found = [tokens(zscore(window.x_uv, window.channel_quality)[np.newaxis]) for window in kept]
    return Session(
        task.patient,
        np.concatenate(found),
        np.array([window.weight for window in kept]),
        sum("uncalibrated" in window.flags for window in kept),
    )


def make_sessions(tasks: Sequence[Task], workers: int = 1) -> list[Session]:
    """Return the sessions of `tasks`, in their order; the number of processes changes no bit."""
    if workers == 1:
        return [make_session(task) for task in tasks]
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        return list(pool.map(make_session, tasks))


def _tape(task: Task, montage: Montage) -> Iterator[Decision | Block]:
    """Yield the recording with the one decision that a gapless one needs."""
    yield Decision("segment", 1, 0, 0, {"segment": 0, "first_sample": 0, "reason": "start"})
    plan = ParadigmPlan(still_s=task.still_s, n_trials=None)
    for block in islice(stream(task.patient, plan, montage), round(task.seconds / BLOCK_S)):
        yield Block(1, block.first_sample, block.samples.astype(np.float64))
