"""What is read from the embedding beside the logit: the score itself, and the steps that it passes.

Both are extra: a network is stopped and judged by its logit. They are trained on the patients whose follow-up score is
known.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from training.runs.predictions import STEPS_FMA

#: Scores of the lower limb (FMA-LE, 0 to 34 points) whose passing the ordinal head tells; 17 is the paper's good
#: outcome, 9 and 25 halve what is below and above it.
CUTS_FMA = tuple(map(float, STEPS_FMA))
#: Least deviation of the score in points: patients that are all alike must not make errors infinite.
LEAST_SD_FMA = 1.0
#: What one step of the ordinal head costs at the start, in log-odds.
FIRST_GAP = 1.0


@dataclass(frozen=True)
class FmaScale:
    """Mean and deviation of the follow-up score over the training patients, in points."""

    mean: float
    sd: float

    @classmethod
    def of(cls, scores: Sequence[float]) -> FmaScale:
        """Measure the scores of patients, each once."""
        return cls(float(np.mean(scores)), max(float(np.std(scores)), LEAST_SD_FMA))


@dataclass(frozen=True)
class Heads:
    """Which heads a network has beside the logit: the score's, if it is given a scale, and the ordinal one."""

    fma: FmaScale | None = None
    ordinal: bool = False


class FmaHead(nn.Module):
    """Embedding (batch, n) to the follow-up score (batch,) in points.

    Parameters
    ----------
    n_embedding : int
        Width of the embedding.
    scale : FmaScale
        Standardises the score; part of the network, not trained.
    """

    def __init__(self, n_embedding: int, scale: FmaScale) -> None:
        super().__init__()
        self.linear = nn.Linear(n_embedding, 1)
        self.register_buffer("mean", torch.tensor(scale.mean))
        self.register_buffer("sd", torch.tensor(scale.sd))

    def forward(self, embedding: Tensor) -> Tensor:
        """Return points."""
        return self.get_buffer("mean") + self.get_buffer("sd") * self.linear(embedding).squeeze(-1)

    def losses(self, points: Tensor, fma: Tensor) -> Tensor:
        """Return the squared error of each window in deviations."""
        return ((points - fma) / self.get_buffer("sd")).square()


class OrdinalHead(nn.Module):
    """Embedding (batch, n) to the log-odds (batch, n_cuts) that the score is above each of ``CUTS_FMA``.

    One line is compared with thresholds that rise by construction, so that a higher cut is never the likelier one.

    Parameters
    ----------
    n_embedding : int
        Width of the embedding.
    """

    def __init__(self, n_embedding: int) -> None:
        super().__init__()
        n_gaps = len(CUTS_FMA) - 1
        self.linear = nn.Linear(n_embedding, 1, bias=False)
        self.first = nn.Parameter(torch.tensor([-FIRST_GAP * n_gaps / 2]))
        self.gaps = nn.Parameter(torch.full((n_gaps,), math.log(math.expm1(FIRST_GAP))))
        self.register_buffer("cuts", torch.tensor(CUTS_FMA))

    @property
    def thresholds(self) -> Tensor:
        """Log-odds of each cut, rising, shape (n_cuts,)."""
        return torch.cat([self.first, nn.functional.softplus(self.gaps)]).cumsum(dim=0)

    def forward(self, embedding: Tensor) -> Tensor:
        """Return log-odds, falling from cut to cut."""
        return self.linear(embedding) - self.thresholds

    def losses(self, log_odds: Tensor, fma: Tensor) -> Tensor:
        """Return the mean cross-entropy over the cuts, of each window."""
        above = (fma.unsqueeze(-1) > self.get_buffer("cuts")).to(log_odds.dtype)
        each = nn.functional.binary_cross_entropy_with_logits(log_odds, above, reduction="none")
        return each.mean(dim=-1)
