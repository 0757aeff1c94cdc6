"""The first step of a fit: one batch is learned and one judged, so that the rest can be told beforehand."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from training.data.batches import Dealt
from training.fitting.arithmetic import arithmetic
from training.fitting.fit import Fitting
from training.fitting.lesson import LoopSpec


class Step(NamedTuple):
    """What one step was like."""

    loss: float
    stop_loss: float
    seconds: float
    n_parameters: int


def first_step(train: Sequence[Dealt], stop: Sequence[Dealt], spec: LoopSpec) -> Step:
    """Learn from one batch and judge; raises as ``fit``.

    Parameters
    ----------
    train, stop : sequence of Dealt
        As for ``fit``; with few rows.
    spec : LoopSpec
        Settings.
    """
    lesson = spec.lesson()
    lesson.check(train, stop)
    with arithmetic(spec.device, tf32=spec.tf32) as device:
        fitting = Fitting(train, stop, lesson, device)
        batch = next(iter(lesson.batches(train, np.random.default_rng(spec.seed))))
        fitting.net.train()
        begun_s = time.perf_counter()
        loss = fitting.step(batch) / len(batch.y)
        seconds = time.perf_counter() - begun_s
        weights = sum(value.numel() for value in fitting.net.parameters())
        return Step(loss, fitting.judge()[0], seconds, weights)
