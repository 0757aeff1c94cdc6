"""Windows: how a network of EEG and EMG is shown them, and what it learns from them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from training.data.batches import Batches, samples_of, tokens_of
from training.data.tokens import N_BANDS
from training.data.windows import PatientWindows
from training.errors import TrainingError
from training.fitting.admission import check_patients
from training.fitting.augmentation import SILENT, cropped, with_bad_channels
from training.fitting.checkpoints import write_network
from training.fitting.judging import patient_logits
from training.fitting.lesson import Lesson, LoopSpec
from training.fitting.objective import RowLosses, window_losses
from training.models.heads import FmaScale, Heads
from training.models.networks import NetworkSpec, Scale, StackedLstm, build

#: Windows of samples that a CPU learns from at once: the states of 10,000 steps are kept until the gradient is known,
#: 90 MB for each window. A step of more windows sums its gradient over such parts.
SAMPLES_AT_ONCE = 8


@dataclass(frozen=True)
class FitSpec(LoopSpec):
    """Settings of a fit on windows, beside those of every fit.

    Parameters
    ----------
    channel_dropout : float
        Chance that a channel of a window is shown as a bad one, zeroed.
    warm_start : int
        First passes that show crops of a second; patience and schedule begin after them. For ``raw`` alone.
    network : NetworkSpec
        What is trained.
    """

    channel_dropout: float = 0.05
    warm_start: int = 0
    network: NetworkSpec = field(default_factory=NetworkSpec)

    def lesson(self) -> WindowLesson:
        """Return what is learned with these settings."""
        return WindowLesson(self)


@dataclass(frozen=True)
class WindowLesson(Lesson[PatientWindows]):
    """Windows of EEG and EMG, as tokens or as samples."""

    spec: FitSpec

    @property
    def warm_epochs(self) -> int:
        """First passes, which show crops: they are no trial."""
        return self.spec.warm_start

    def check(
        self, train: Sequence[PatientWindows], stop: Sequence[PatientWindows], held_out: Collection[str] = ()
    ) -> None:
        """See :func:`.admission.check_patients`."""
        check_patients(train, stop, held_out)

    def batches(self, train: Sequence[PatientWindows], generator: np.random.Generator) -> Batches:
        """Return their tokens, or samples."""
        return Batches(train, self.spec.batch, generator, samples_of if self.spec.network.reads_samples else tokens_of)

    def network(self, train: Sequence[PatientWindows]) -> StackedLstm:
        """Return the untrained network."""
        return network_for(train, self.spec.network)

    def about(self, train: Sequence[PatientWindows], stop: Sequence[PatientWindows]) -> dict[str, str | list[str]]:
        """Return what a fit is."""
        return about_of(train, stop, self.spec)

    def shown(self, x: Tensor, epoch: int) -> Tensor:
        """Return windows as they are shown: cropped in a warm start, with some channels as bad ones are."""
        if epoch < self.spec.warm_start:
            x = cropped(x)
        if self.spec.network.reads_samples:
            return with_bad_channels(x, self.spec.channel_dropout, n_values=1, silent=0.0)
        return with_bad_channels(x, self.spec.channel_dropout, n_values=N_BANDS, silent=SILENT)

    def at_once(self, device: torch.device) -> int | None:
        """Return how many windows a step learns from at once."""
        return SAMPLES_AT_ONCE if self.spec.network.reads_samples and device.type == "cpu" else None

    def losses(self, net: nn.Module, x: Tensor, good: Tensor, fma: Tensor) -> RowLosses:
        """Return the losses of windows, the other heads' in them."""
        return window_losses(cast(StackedLstm, net), x, good, fma)

    def logits(self, net: nn.Module, patients: Sequence[PatientWindows]) -> NDArray[np.float64]:
        """Return the quality-weighted mean logit of each patient."""
        return patient_logits(cast(StackedLstm, net), patients)

    def write_best(self, path: Path, net: nn.Module, facts: Mapping[str, Any]) -> None:
        """Keep a network so that :func:`.checkpoints.read_network` finds it."""
        facts = {**facts, "warm_start": self.spec.warm_start}
        write_network(path, cast(StackedLstm, net), self.spec.network, facts)


def network_for(train: Sequence[PatientWindows], spec: NetworkSpec) -> StackedLstm:
    """Return the untrained network of `spec`, with the scales of these patients' tokens and scores.

    Raises
    ------
    TrainingError
        If a head needs scores and no patient has one.
    """
    scores = [p.fma for p in train if p.fma is not None]
    if spec.heads and not scores:
        raise TrainingError(
            f"Heads {', '.join(spec.heads)} learn from FMA scores, and no training patient has one.",
            subject="model.heads",
            remedy="Leave model.heads empty, or give fma_le_3mo in participants.tsv.",
        )
    heads = Heads(FmaScale.of(scores) if "fma" in spec.heads else None, "ordinal" in spec.heads)
    n_channels = train[0].tokens.shape[2] // N_BANDS
    scale = None if spec.kind == "raw" else Scale.of(np.concatenate([p.tokens for p in train]))
    return build(spec, n_channels, scale, heads)


def about_of(
    train: Sequence[PatientWindows], stop: Sequence[PatientWindows], spec: FitSpec
) -> dict[str, str | list[str]]:
    """Return what a fit is, for its checkpoint: no other fit may go on with that."""
    digest = hashlib.sha256()
    for p in (*train, *stop):
        digest.update(repr((p.patient, p.good, p.fma, p.fingerprint, p.recording_sha256)).encode())
        digest.update(p.weights.tobytes() + p.index.tobytes())
    return {
        "settings": json.dumps(asdict(spec), sort_keys=True),
        "training patients": [p.patient for p in train],
        "stopping patients": [p.patient for p in stop],
        "windows": digest.hexdigest(),
    }
