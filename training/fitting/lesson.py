"""What a fit asks of whatever it learns from: how patients are dealt and shown, what a network says of them.

The loop (:mod:`.fit`) is one; a lesson is what differs between windows of a signal and slices of a scan.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, Literal, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from training.data.batches import Batches, Dealt
from training.fitting.objective import RowLosses

P = TypeVar("P", bound=Dealt)


@dataclass(frozen=True)
class LoopSpec(ABC):
    """Settings that every fit has.

    Parameters
    ----------
    seed : int
        Of initial weights, order, and whatever else is drawn.
    epochs, patience : int
        At most so many passes; fewer when so many in a row brought no better loss on the stopping patients.
    batch : int
        Rows per step.
    learning_rate, weight_decay, clip : float
        Of AdamW, which without decay is Adam, and the largest norm of a gradient.
    schedule : {"none", "plateau"}
        Whether the rate is halved when the loss of the stopping patients gets no better.
    device : str
        ``auto`` takes a GPU if there is one.
    tf32, amp : bool
        Whether a GPU may round products to 10 bits, and compute in bfloat16.
    """

    seed: int
    epochs: int = 30
    patience: int = 6
    batch: int = 64
    learning_rate: float = 5e-4
    weight_decay: float = 1e-2
    clip: float = 1.0
    schedule: Literal["none", "plateau"] = "none"
    device: str = "auto"
    tf32: bool = False
    amp: bool = False

    @abstractmethod
    def lesson(self) -> Lesson:
        """Return what is learned with these settings."""


class Lesson(ABC, Generic[P]):
    """What is learned, from patients of type ``P``; holds its settings and nothing that changes."""

    spec: LoopSpec

    @property
    def warm_epochs(self) -> int:
        """First passes that are no trial: patience and schedule begin after them."""
        return 0

    @property
    def untrained_counts(self) -> bool:
        """Whether the network before its first pass may turn out to be the best; else no stopping loss is worse."""
        return True

    @abstractmethod
    def check(self, train: Sequence[P], stop: Sequence[P], held_out: Collection[str] = ()) -> None:
        """Refuse patients that a network cannot be trained, stopped and tested on.

        Raises
        ------
        TrainingError, FingerprintMismatch
            Names the patients.
        """

    @abstractmethod
    def batches(self, train: Sequence[P], generator: np.random.Generator) -> Batches:
        """Return the rows of these patients, in an order that the generator decides."""

    @abstractmethod
    def network(self, train: Sequence[P]) -> nn.Module:
        """Return the untrained network; raises TrainingError where these patients cannot teach it."""

    @abstractmethod
    def about(self, train: Sequence[P], stop: Sequence[P]) -> dict[str, str | list[str]]:
        """Return what a fit is, for its checkpoint: no other fit may go on with that."""

    @abstractmethod
    def shown(self, x: Tensor, epoch: int) -> Tensor:
        """Return rows as they are shown in that pass: augmented."""

    def at_once(self, device: torch.device) -> int | None:
        """Return how many rows a step learns from at once, summing gradients; None for all of its batch."""
        return None

    @abstractmethod
    def losses(self, net: nn.Module, x: Tensor, good: Tensor, fma: Tensor) -> RowLosses:
        """Return the losses of rows.

        Parameters
        ----------
        net : Module
        x : Tensor, shape (batch, ...)
            As they are shown.
        good : Tensor, shape (batch,)
            1 where the outcome is good, else 0.
        fma : Tensor, shape (batch,)
            Score at follow-up in points; NaN where it is not known.
        """

    @abstractmethod
    def logits(self, net: nn.Module, patients: Sequence[P]) -> NDArray[np.float64]:
        """Return the logit of each patient, shape (n,)."""

    @abstractmethod
    def write_best(self, path: Path, net: nn.Module, facts: Mapping[str, Any]) -> None:
        """Keep a network; `facts` are plain values that whoever exports it wants to know."""
