"""Augmentation: windows as they are shown while a network learns: with bad channels, and in a warm start cropped."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from training.data.tokens import FLOOR

#: Token of a channel that was zeroed after the z-score: no power at all in any band.
SILENT = float(np.log(FLOOR))
#: Samples of the crops that a warm start shows: a second.
CROP = 1000


def cropped(x: Tensor) -> Tensor:
    """Return the same second, drawn at random, of windows (batch, n_samples, n_channels); all of a shorter one."""
    first = int(torch.randint(max(1, x.shape[1] - CROP + 1), ()))
    return x[:, first : first + CROP]


def with_bad_channels(x: Tensor, chance: float, *, n_values: int, silent: float) -> Tensor:
    """Return windows with some channels as they are when their quality is below the limit.

    Parameters
    ----------
    x : Tensor, shape (batch, n_steps, n_channels * n_values)
        Tokens, or samples.
    chance : float
        Of each channel of each window.
    n_values : int
        Values of a channel in a step.
    silent : float
        What a zeroed channel has.
    """
    if not chance:
        return x
    bad = torch.rand(len(x), 1, x.shape[2] // n_values, device=x.device) < chance
    return torch.where(bad.repeat_interleave(n_values, dim=2), torch.tensor(silent, device=x.device), x)
