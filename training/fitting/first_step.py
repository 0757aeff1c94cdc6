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
    """What one step was like, and the seconds of a row that is learned from and of one that is judged."""

    loss: float
    stop_loss: float
    seconds: float
    learned_s: float
    judged_s: float
    n_parameters: int

    def fit_s(self, epochs: int, n_train: float, n_stop: float, n_test: float) -> float:
        """Return the seconds of a fit of so many passes and rows; the untrained network is judged too."""
        return epochs * n_train * self.learned_s + ((epochs + 1) * n_stop + n_test) * self.judged_s


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
        begun_s = time.perf_counter()
        stop_loss = fitting.judge()[0]
        judged_s = (time.perf_counter() - begun_s) / sum(map(len, stop))
        weights = sum(value.numel() for value in fitting.net.parameters())
        return Step(loss, stop_loss, seconds, seconds / len(batch.y), judged_s, weights)
