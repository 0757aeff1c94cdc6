"""Slices: how an image network is shown them, and what it learns from them.

Each slice counts its share of its patient, so that a patient counts once; training stops on the loss over patients.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray
from torch import Tensor, nn

from training.backbones.augmentation import SliceAugmentation, augmented
from training.backbones.backbone import Backbone, create
from training.backbones.catalogue import ARCHITECTURES
from training.backbones.kept import write_backbone
from training.backbones.weights import Weights, read_weights
from training.data.batches import Batches
from training.data.slices import PatientSlices, slices_of
from training.errors import FingerprintMismatch
from training.fitting.admission import check_parts
from training.fitting.lesson import Lesson, LoopSpec
from training.fitting.objective import RowLosses
from training.imaging.judging import patient_logit, slice_logits


@dataclass(frozen=True)
class SliceSpec(LoopSpec):
    """Settings of a fit on slices, beside those of every fit.

    Parameters
    ----------
    backbone : str
        Which network.
    weights : str
        Its first weights: ``imagenet``, ``none`` or a path.
    aggregation : str
        How a patient's logit comes of those of the slices.
    augmentation : SliceAugmentation
        How slices are changed while they are learned from.
    """

    backbone: str = "shufflenet"
    weights: str = "none"
    aggregation: str = "logit_mean_quality"
    augmentation: SliceAugmentation = field(default_factory=SliceAugmentation)

    def lesson(self) -> SliceLesson:
        """Return what is learned with these settings."""
        return SliceLesson(self)


@dataclass(frozen=True)
class SliceLesson(Lesson[PatientSlices]):
    """Slices of a scan."""

    spec: SliceSpec

    @property
    def untrained_counts(self) -> bool:
        """No: batch normalisation has no statistics yet, and logits in the thousands may be right by luck."""
        return False

    def check(
        self, train: Sequence[PatientSlices], stop: Sequence[PatientSlices], held_out: Collection[str] = ()
    ) -> None:
        """Refuse patients that do not fit together.

        Raises
        ------
        TrainingError
            If a patient is in two sets, one of the first two is empty, or all training patients have one outcome.
        FingerprintMismatch
            If slices were prepared in several ways.
        """
        check_parts(train, stop, held_out, "slices")
        example = {p.fingerprint: p.patient for p in (*train, *stop)}
        if len(example) > 1:
            told = ", ".join(f"{fingerprint[:12]} (patient {name})" for fingerprint, name in sorted(example.items()))
            raise FingerprintMismatch(
                f"Slices come from several preparations: {told}.",
                subject=train[0].patient,
                remedy="Delete the cohort's derivatives folder, so that all slices are made anew.",
            )

    def batches(self, train: Sequence[PatientSlices], generator: np.random.Generator) -> Batches:
        """Return their slices; the batches are even, since statistics are taken over each."""
        return Batches(train, self.spec.batch, generator, slices_of, even=True)

    def network(self, train: Sequence[PatientSlices]) -> Backbone:
        """Return the network before its training."""
        return create(self.spec.backbone, weights=Weights.of(self.spec.weights), seed=self.spec.seed)

    def about(self, train: Sequence[PatientSlices], stop: Sequence[PatientSlices]) -> dict[str, str | list[str]]:
        """Return what a fit is."""
        digest = hashlib.sha256()
        for p in (*train, *stop):
            digest.update(repr((p.patient, p.good, p.fma, p.fingerprint, p.scan_sha256)).encode() + p.index.tobytes())
        about: dict[str, str | list[str]] = {
            "settings": json.dumps(asdict(self.spec), sort_keys=True),
            "training patients": [p.patient for p in train],
            "stopping patients": [p.patient for p in stop],
            "slices": digest.hexdigest(),
        }
        weights = Weights.of(self.spec.weights)
        if weights.choice == "file":  # what was published is known by its digest anyhow
            about["first weights"] = str(read_weights(weights, ARCHITECTURES[self.spec.backbone])[1].sha256)
        return about

    def shown(self, x: Tensor, epoch: int) -> Tensor:
        """Return slices turned, mirrored, brighter or darker."""
        return augmented(x, self.spec.augmentation)

    def losses(self, net: nn.Module, x: Tensor, good: Tensor, fma: Tensor) -> RowLosses:
        """Return the cross-entropy of slices."""
        logit, _ = net(x)
        loss = nn.functional.binary_cross_entropy_with_logits(logit, good, reduction="none")
        return RowLosses(loss, loss)

    def logits(self, net: nn.Module, patients: Sequence[PatientSlices]) -> NDArray[np.float64]:
        """Return the logit of each patient."""
        return np.array([patient_logit(slice_logits(net, p), self.spec.aggregation) for p in patients])

    def write_best(self, path: Path, net: nn.Module, facts: Mapping[str, Any]) -> None:
        """Keep a network so that :func:`training.backbones.kept.read_backbone` finds it."""
        write_backbone(path, cast(Backbone, net), facts)
