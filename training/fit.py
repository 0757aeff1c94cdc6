"""The training loop: windows are shown, patients are judged (law 9).

Each window's loss counts its quality weight over its patient's sum, so that a patient counts once. Training stops on
the loss over patients that it does not train on.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from training.networks import BandLstm, Scale
from training.synthesis import Session
from training.tokens import FLOOR, N_BANDS

#: Token of a channel that was zeroed after the z-score: no power at all in any band.
SILENT = math.log(FLOOR)
#: Windows that are run at once where nothing is learned.
EVALUATION_BATCH = 256


@dataclass(frozen=True)
class FitSpec:
    """Settings of a run.

    Parameters
    ----------
    seed : int
        Of initial weights, order, dropout and dropped channels.
    epochs, patience : int
        At most so many passes; fewer when so many in a row brought no better loss on the stopping patients.
    batch : int
        Windows per step.
    learning_rate, weight_decay, clip : float
        Of AdamW, and the largest norm of a gradient.
    dropout : float
        Share of values dropped between layers.
    channel_dropout : float
        Chance that a channel of a window is shown as a bad one, zeroed.
    """

    seed: int
    epochs: int = 30
    patience: int = 6
    batch: int = 64
    learning_rate: float = 5e-4
    weight_decay: float = 1e-2
    clip: float = 1.0
    dropout: float = 0.3
    channel_dropout: float = 0.05


@dataclass(frozen=True)
class Fitted:
    """A trained network and how it came about: the loss of the stopping patients after each epoch, and the best."""

    net: BandLstm
    losses: tuple[float, ...]
    best_epoch: int


def fit(train: Sequence[Session], stop: Sequence[Session], spec: FitSpec) -> Fitted:
    """Train on the windows of some patients until those of others say enough.

    Parameters
    ----------
    train, stop : sequence of Session
        No patient in both.
    spec : FitSpec
        Settings.

    Raises
    ------
    ValueError
        If a patient is in both.
    """
    shared = {s.patient.seed for s in train} & {s.patient.seed for s in stop}
    if shared:
        raise ValueError(f"patients {sorted(shared)} are in both sets; the patient is the unit of a split")
    torch.manual_seed(spec.seed)
    torch.use_deterministic_algorithms(True)
    x, y, share = _table(train)
    net = BandLstm(Scale.of(x.numpy()), spec.dropout)
    optimiser = torch.optim.AdamW(net.parameters(), lr=spec.learning_rate, weight_decay=spec.weight_decay)
    best, best_epoch, losses = copy.deepcopy(net.state_dict()), -1, [patient_loss(net, stop)]
    for epoch in range(spec.epochs):
        _epoch(net, optimiser, (x, y, share), spec)
        losses.append(patient_loss(net, stop))
        if losses[-1] <= min(losses):
            best, best_epoch = copy.deepcopy(net.state_dict()), epoch
        if epoch - best_epoch >= spec.patience:
            break
    net.load_state_dict(best)
    return Fitted(net.eval(), tuple(losses[1:]), best_epoch)


def window_logits(net: BandLstm, session: Session) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return logits (n_windows,) and embeddings (n_windows, 32) of a session."""
    net.eval()
    with torch.no_grad():
        parts = [net(part) for part in torch.from_numpy(session.tokens).split(EVALUATION_BATCH)]
    logits, embeddings = (torch.cat([part[i] for part in parts]).double().numpy() for i in (0, 1))
    return logits, embeddings


def patient_loss(net: BandLstm, sessions: Sequence[Session]) -> float:
    """Return the mean cross-entropy of the patients' quality-weighted mean logits."""
    z = np.array([np.average(window_logits(net, s)[0], weights=s.weights) for s in sessions])
    y = np.array([s.patient.good for s in sessions], float)
    return float(np.mean(np.logaddexp(0.0, z) - y * z))


def _table(sessions: Sequence[Session]) -> tuple[Tensor, Tensor, Tensor]:
    """Return all windows, their labels, and the share that each has in its patient, mean 1."""
    x = np.concatenate([s.tokens for s in sessions])
    y = np.concatenate([np.full(len(s.weights), float(s.patient.good)) for s in sessions])
    share = np.concatenate([s.weights / s.weights.sum() for s in sessions])
    return torch.from_numpy(x), torch.from_numpy(y).float(), torch.from_numpy(share / share.mean()).float()


def _epoch(
    net: BandLstm, optimiser: torch.optim.Optimizer, table: tuple[Tensor, Tensor, Tensor], spec: FitSpec
) -> None:
    net.train()
    for chosen in torch.randperm(len(table[0])).split(spec.batch):
        x, y, share = (column[chosen] for column in table)
        logit, _ = net(_with_bad_channels(x, spec.channel_dropout))
        loss = nn.functional.binary_cross_entropy_with_logits(logit, y, weight=share)
        optimiser.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(net.parameters(), spec.clip)
        optimiser.step()


def _with_bad_channels(x: Tensor, chance: float) -> Tensor:
    """Return windows with some channels as they are when their quality is below the limit."""
    n_windows, _, n_tokens = x.shape
    bad = torch.rand(n_windows, 1, n_tokens // N_BANDS) < chance
    return torch.where(bad.repeat_interleave(N_BANDS, dim=2), torch.tensor(SILENT), x)
