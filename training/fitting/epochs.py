"""Epochs: what a pass over the training windows counts, and who is told of it."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Protocol

from training.data.batches import Batches


@dataclass(frozen=True)
class EpochReport:
    """One pass over the training windows, or slices.

    Parameters
    ----------
    epoch : int
        From 0.
    loss, stop_loss : float
        Of the logit: mean over the training windows while they were shown, and over the stopping patients afterwards.
    stop_auc : float or None
        Of the stopping patients; None if they have one outcome only.
    learning_rate : float
        Of this pass.
    windows : int
        Shown; or slices.
    seconds, waiting_s : float
        How long it took to show them, and how much of that was waiting for data; judging is not in it.
    warm : bool
        Whether crops were shown.
    """

    epoch: int
    loss: float
    stop_loss: float
    stop_auc: float | None
    learning_rate: float
    windows: int
    seconds: float
    waiting_s: float
    warm: bool


class Watcher(Protocol):
    """Who is told how far a fit is."""

    def shown(self, epoch: int, n_windows: int, n_total: int) -> None:
        """Hear how many windows of an epoch were shown."""

    def epoch(self, report: EpochReport) -> None:
        """Hear of an epoch that is done; a fit that goes on tells all that were done before."""


@dataclass
class Pass:
    """How far a pass over the training windows is, and the state of the generator that gave its order."""

    generator: str
    steps: int = 0
    windows: int = 0
    loss: float = 0.0
    seconds: float = 0.0
    waiting_s: float = 0.0


class Meter:
    """Counts what a pass has shown, and the time since it began or went on."""

    def __init__(self, counted: Pass, batches: Batches) -> None:
        self._pass, self._batches = counted, batches
        self._from = counted.seconds - time.perf_counter(), counted.waiting_s - batches.waiting_s

    def count(self, loss: float, n_windows: int) -> None:
        """Add a step."""
        self._pass.loss += loss
        self._pass.steps += 1
        self._pass.windows += n_windows
        self._pass.seconds = self._from[0] + time.perf_counter()
        self._pass.waiting_s = self._from[1] + self._batches.waiting_s
