"""One fold of one backbone: a network is fitted on some patients, stopped by others, and judges the rest (law 9)."""

from __future__ import annotations

from dataclasses import dataclass

from torch import nn

from inference.calibration import sigmoid
from training.backbones.augmentation import SliceAugmentation
from training.data.slices import PatientSlices
from training.fold import Task, seed_of
from training.imaging.judging import patient_logit, slice_logits
from training.imaging.lesson import SliceSpec
from training.runs.image_config import ImageConfig
from training.runs.predictions import Prediction, Unit
from training.runs.run_folder import RunFolder
from training.splitting.splits import Fold


@dataclass(frozen=True)
class SliceTask(Task):
    """A fold of slices, for one backbone."""

    spec: SliceSpec

    @classmethod
    def of(cls, fold: Fold, backbone: str, config: ImageConfig, run: RunFolder) -> SliceTask:
        """Return the task of a fold and a backbone; each has first weights and an order of its own."""
        name = task_name(fold, backbone)
        return cls(fold, slice_spec(config, backbone, seed_of(config.run.seed, name)), run.checkpoints_path(name))

    @property
    def name(self) -> str:
        """By which it is told of."""
        return task_name(self.fold, self.spec.backbone)

    @property
    def keeps_state(self) -> bool:
        """No: of all folds of a wide network it is tens of gigabytes."""
        return False

    def rows(self, net: nn.Module, patient: PatientSlices) -> list[Prediction]:
        """Return a row for each slice, and one for the patient."""
        logits = slice_logits(net, patient)
        slices = [
            self._row(patient, "slice", int(index), float(z)) for index, z in zip(patient.index, logits, strict=True)
        ]
        return [*slices, self._row(patient, "patient", None, patient_logit(logits, self.spec.aggregation))]

    def _row(self, patient: PatientSlices, unit: Unit, index: int | None, logit: float) -> Prediction:
        return Prediction(
            model=model_name(self.spec.backbone),
            repeat=self.fold.repeat,
            fold=self.fold.fold,
            patient=patient.patient,
            unit=unit,
            index=index,
            weight=1.0,
            logit=logit,
            p=float(sigmoid(logit)),
            label=patient.good,
            fma=patient.fma,
        )


def task_name(fold: Fold, backbone: str) -> str:
    """Return what a fold of a backbone is called; its checkpoints lie in a folder of that name."""
    return f"{fold.name}/{backbone}"


def model_name(backbone: str) -> str:
    """Return what tables call a network."""
    return f"cnn-{backbone}"


def slice_spec(config: ImageConfig, backbone: str, seed: int) -> SliceSpec:
    """Return the settings of a configuration as a backbone's fit takes them."""
    values = config.fit.model_dump(exclude={"at_most"})
    return SliceSpec(
        seed=seed,
        backbone=backbone,
        weights=config.model.weights,
        aggregation=config.model.aggregation,
        augmentation=SliceAugmentation(**config.augmentation.model_dump()),
        **values | {"epochs": config.fit.epochs_of(backbone)},
    )
