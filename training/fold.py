"""One fold: a network is fitted on some patients, stopped by others, and says what it makes of the rest (law 9)."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from inference.calibration import sigmoid
from training.data.windows import PatientWindows
from training.fitting.checkpoints import BEST, Keeper
from training.fitting.epochs import Watcher
from training.fitting.fit import FitSpec, fit
from training.fitting.judging import WindowScores, window_scores
from training.models.networks import NetworkSpec, StackedLstm
from training.runs.config import Config
from training.runs.predictions import STEPS_FMA, Prediction, read_predictions, write_predictions
from training.splitting.splits import Fold
from training.watching import NOBODY

#: What a fold says of its test patients; where it lies, the fold is done.
SAID = "predictions.csv"


@dataclass(frozen=True)
class FoldTask:
    """A fold that is to be trained.

    Parameters
    ----------
    fold : Fold
        Who; patients with windows alone.
    spec : FitSpec
        How.
    folder : Path
        Of its checkpoints.
    """

    fold: Fold
    spec: FitSpec
    folder: Path

    @classmethod
    def of(cls, fold: Fold, config: Config, folder: Path) -> FoldTask:
        """Return a fold's task; each has first weights and an order of its own."""
        key = np.random.SeedSequence([config.run.seed, zlib.crc32(fold.name.encode())])
        return cls(fold, replace(fit_spec(config), seed=int(key.generate_state(1)[0])), folder)

    @property
    def done(self) -> bool:
        """Whether nothing is left to do."""
        return (self.folder / SAID).exists() and (self.folder / BEST).exists()


def fit_spec(config: Config) -> FitSpec:
    """Return the settings of a configuration as a fit takes them."""
    model, run = config.model, config.run
    network = NetworkSpec(model.kind, model.readout, model.widths, model.dropout, model.heads, model.learn_bank)
    return FitSpec(seed=run.seed, network=network, **config.fit.model_dump())


def run_fold(
    task: FoldTask,
    windows: Mapping[str, PatientWindows],
    halted: Callable[[], bool] = lambda: False,
    watcher: Watcher = NOBODY,
) -> list[Prediction]:
    """Train a fold to its end, or go on with it, and return a row for each window of its test patients.

    A fold that is done is read, not done again. Raises as ``fit`` does.

    Parameters
    ----------
    task : FoldTask
    windows : mapping of str to PatientWindows
        Of every patient of the fold.
    halted : callable
        Asked between steps whether to stop and keep everything.
    watcher : Watcher
        Is told how far it is.
    """
    fold, said = task.fold, task.folder / SAID
    if task.done:
        return list(read_predictions(said))
    train, stop, test = ([windows[patient] for patient in part] for part in (fold.train, fold.stop, fold.test))
    keeper = Keeper(task.folder, halted)
    fitted = fit(train, stop, task.spec, held_out=fold.test, keeper=keeper, watcher=watcher)
    rows = _predictions(fitted.net, task, test)
    write_predictions(said, rows)
    return rows


def model_name(spec: NetworkSpec) -> str:
    """Return what tables call a network."""
    return f"lstm-{spec.kind}"


def _predictions(net: StackedLstm, task: FoldTask, patients: Sequence[PatientWindows]) -> list[Prediction]:
    return [row for patient in patients for row in _rows(window_scores(net, patient), patient, task)]


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
