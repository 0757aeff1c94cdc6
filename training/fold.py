"""One fold: a network is fitted on some patients, stopped by others, and says what it makes of the rest (law 9)."""

from __future__ import annotations

import zlib
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

import numpy as np
from torch import nn

from inference.calibration import sigmoid
from training.data.batches import Dealt
from training.data.windows import PatientWindows
from training.fitting.checkpoints import BEST, LAST, Keeper
from training.fitting.epochs import Watcher
from training.fitting.fit import fit
from training.fitting.judging import WindowScores, window_scores
from training.fitting.lesson import LoopSpec
from training.fitting.windows import FitSpec
from training.models.networks import NetworkSpec, StackedLstm
from training.runs.config import Config
from training.runs.predictions import STEPS_FMA, Prediction, read_predictions, write_predictions
from training.splitting.splits import Fold
from training.watching import NOBODY

#: What a fold says of its test patients; where it lies, the fold is done.
SAID = "predictions.csv"


@dataclass(frozen=True)
class Task(ABC):
    """A fold that is to be trained.

    Parameters
    ----------
    fold : Fold
        Who; patients with rows alone.
    spec : LoopSpec
        How.
    folder : Path
        Of its checkpoints.
    """

    fold: Fold
    spec: LoopSpec
    folder: Path

    @property
    def name(self) -> str:
        """By which it is told of."""
        return self.fold.name

    @property
    def done(self) -> bool:
        """Whether nothing is left to do."""
        return (self.folder / SAID).exists() and (self.folder / BEST).exists()

    @property
    def keeps_state(self) -> bool:
        """Whether the state of the fit stays when it is done."""
        return True

    @abstractmethod
    def rows(self, net: nn.Module, patient: Any) -> list[Prediction]:
        """Return what a network says of a patient that it never saw."""


@dataclass(frozen=True)
class FoldTask(Task):
    """A fold of windows."""

    spec: FitSpec

    @classmethod
    def of(cls, fold: Fold, config: Config, folder: Path) -> FoldTask:
        """Return a fold's task; each has first weights and an order of its own."""
        return cls(fold, replace(fit_spec(config), seed=seed_of(config.run.seed, fold.name)), folder)

    def rows(self, net: nn.Module, patient: PatientWindows) -> list[Prediction]:
        """Return a row for each window."""
        return _rows(window_scores(cast(StackedLstm, net), patient), patient, self)


def seed_of(run_seed: int, name: str) -> int:
    """Return the seed of a task: of the run's and its name, so that it does not depend on which others there are."""
    return int(np.random.SeedSequence([run_seed, zlib.crc32(name.encode())]).generate_state(1)[0])


def fit_spec(config: Config) -> FitSpec:
    """Return the settings of a configuration as a fit takes them."""
    model, run = config.model, config.run
    network = NetworkSpec(model.kind, model.readout, model.widths, model.dropout, model.heads, model.learn_bank)
    return FitSpec(seed=run.seed, network=network, **config.fit.model_dump())


def run_fold(
    task: Task,
    patients: Mapping[str, Dealt],
    halted: Callable[[], bool] = lambda: False,
    watcher: Watcher = NOBODY,
) -> list[Prediction]:
    """Train a fold to its end, or go on with it, and return what it says of its test patients.

    A fold that is done is read, not done again. Raises as ``fit`` does.

    Parameters
    ----------
    task : Task
    patients : mapping of str to Dealt
        Every patient of the fold.
    halted : callable
        Asked between steps whether to stop and keep everything.
    watcher : Watcher
        Is told how far it is.
    """
    fold, said = task.fold, task.folder / SAID
    if task.done:
        return list(read_predictions(said))
    train, stop, test = ([patients[patient] for patient in part] for part in (fold.train, fold.stop, fold.test))
    keeper = Keeper(task.folder, halted)
    fitted = fit(train, stop, task.spec, held_out=fold.test, keeper=keeper, watcher=watcher)
    rows = [row for patient in test for row in task.rows(fitted.net, patient)]
    write_predictions(said, rows)
    if not task.keeps_state:
        (task.folder / LAST).unlink(missing_ok=True)
    return rows


def model_name(spec: NetworkSpec) -> str:
    """Return what tables call a network."""
    return f"lstm-{spec.kind}"


def _rows(scores: WindowScores, patient: PatientWindows, task: FoldTask) -> list[Prediction]:
    return [
        Prediction(
            model=model_name(task.spec.network),
            repeat=task.fold.repeat,
            fold=task.fold.fold,
            patient=patient.patient,
            unit="window",
            index=int(patient.index[i]),
            weight=float(patient.weights[i]),
            logit=float(scores.logits[i]),
            p=float(sigmoid(scores.logits[i])),
            label=patient.good,
            fma=patient.fma,
            **_beside(scores, i),
        )
        for i in range(len(patient))
    ]


def _beside(scores: WindowScores, i: int) -> dict[str, float]:
    """Return what the other heads say of a window, by the names of the table."""
    said: dict[str, float] = {}
    if "fma" in scores.beside:
        said["fma_predicted"] = float(scores.beside["fma"][i])
    if "ordinal" in scores.beside:
        said |= zip((f"above_{step}" for step in STEPS_FMA), map(float, scores.beside["ordinal"][i]), strict=True)
    return said
