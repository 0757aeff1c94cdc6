"""``evaluation.json``: what a run's models are worth on patients that they had not seen (law 9)."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from acquisition.durable import replace_file
from training.baselines import Table
from training.cohort.cohort import Cohort
from training.cohort.participants import Participant
from training.data.windows import PatientWindows, prepare
from training.errors import RunError
from training.evaluation.beside import paper_table
from training.evaluation.document import SCHEMA
from training.evaluation.figures import model_figures, paired
from training.evaluation.groups import groups
from training.evaluation.listing import patients
from training.evaluation.points import fma, ordinal
from training.evaluation.scores import models_of
from training.permuted import N_PERMUTED, permuted_control
from training.runs.predictions import Prediction, read_predictions
from training.runs.run_folder import RunFolder
from training.splitting.splits import Fold
from training.statistics.metrics import N_BOOTSTRAP

#: What to do about a run that does not fit its cohort any more.
RESTORE = "Restore participants.tsv and the recordings as they were, or train a new run."


@dataclass(frozen=True)
class Material:
    """What an evaluation is made from.

    Parameters
    ----------
    predictions : sequence of Prediction
        Of every model.
    participants : mapping of str to Participant
        By pseudonym: everybody who was dealt.
    windows : mapping of str to PatientWindows
        By pseudonym, of those with EEG.
    folds : sequence of Fold
        With patients of `windows` alone.
    """

    predictions: Sequence[Prediction]
    participants: Mapping[str, Participant]
    windows: Mapping[str, PatientWindows]
    folds: Sequence[Fold]


@dataclass(frozen=True)
class Sureness:
    """How sure the figures are made: permuted deals of the control, draws of a bootstrap, and their seed."""

    permutations: int = N_PERMUTED
    bootstrap: int = N_BOOTSTRAP
    seed: int = 0


def evaluate(run: RunFolder, *, permutations: int | None = None) -> dict[str, Any]:
    """Judge a run and write its ``evaluation.json``.

    Parameters
    ----------
    run : RunFolder
        Whose networks are trained; its cohort lies where it lay.
    permutations : int, optional
        Deals of the control on permuted outcomes; by default the run's own setting.

    Returns
    -------
    dict
        What was written.

    Raises
    ------
    RunError
        If the run is not done, or its cohort or recordings have changed.
    FingerprintMismatch
        If it was trained behind another conditioning than today's.
    """
    run.check_fingerprint()
    settings, record = run.config.evaluation, run.record
    sureness = Sureness(permutations or settings.permutations, settings.bootstrap, record["seeds"]["run"])
    cohort, material = _gathered(run)
    evaluation = {
        "schema": SCHEMA,
        "run": _run_of(run, cohort),
        **evaluation_of(material, record["origin"], sureness),
        "training": record.get("training"),
    }
    replace_file(run.evaluation_path, (json.dumps(evaluation, indent=1, allow_nan=False) + "\n").encode())
    return evaluation


def evaluation_of(material: Material, origin: str, sureness: Sureness | None = None) -> dict[str, Any]:
    """Return the figures of an evaluation: everything but what is said of the run.

    Neither the order of the predictions nor that of the patients changes anything.

    Parameters
    ----------
    material : Material
        Predictions, and whose.
    origin : str
        Of the cohort, ``synthetic`` or ``clinical``.
    sureness : Sureness, optional
        Draws.

    Raises
    ------
    RunError
        If no model has judged patients of both outcomes.
    """
    how, models = sureness or Sureness(), models_of(material.predictions)
    if not models:
        raise RunError(
            "No model of the run has judged patients of both outcomes, so there is nothing to evaluate.",
            subject="predictions.csv",
            remedy="Let the training finish, or add patients.",
        )
    table = Table.of(material.participants.values(), material.windows)
    figures = [model_figures(model, how.seed, how.bootstrap) for model in models]
    return {
        "models": figures,
        "paired": paired(models, how.seed),
        "permuted": _permuted(table, material.folds, how),
        "groups": groups(models, material.participants, table),
        "paper_table": paper_table(figures, origin),
        "fma": fma(material.predictions, how.seed, how.bootstrap),
        "ordinal": ordinal(material.predictions),
        "patients": patients(models, material.participants, material.windows),
    }


def _permuted(table: Table, folds: Sequence[Fold], how: Sureness) -> dict[str, Any]:
    control = permuted_control(
        table.powers, table.good, [table.parts(fold) for fold in folds], how.permutations, how.seed
    )
    z = control.z if math.isfinite(control.z) else None
    return {"model": "band-power", **vars(control), "z": z, "values": list(control.values)}


def _gathered(run: RunFolder) -> tuple[Cohort, Material]:
    """Return a run's cohort, and what its evaluation is made from."""
    splits, predictions = run.splits, read_predictions(run.predictions_path)
    whole = Cohort.open(run.cohort_folder)
    dealt = set(splits.patients)
    cohort = replace(whole, participants=tuple(one for one in whole.participants if one.id in dealt))
    participants = {one.id: one for one in cohort.participants}
    _require_same(run, predictions, participants)
    windows = prepare(cohort)
    run.check_windows(windows.values())
    folds = splits.with_eeg(windows).folds
    _require_whole(run, predictions, folds)
    return cohort, Material(predictions, participants, windows, folds)


def _require_same(run: RunFolder, predictions: Sequence[Prediction], participants: Mapping[str, Participant]) -> None:
    """Refuse a cohort in which a patient of the run is missing or has another outcome."""
    for patient, label in sorted({(row.patient, row.label) for row in predictions}):
        if patient not in participants:
            raise RunError(f"Patient {patient} of {run.path} is not in the cohort.", subject=patient, remedy=RESTORE)
        if participants[patient].good != label:
            message = f"Patient {patient} has another outcome than when {run.path} was trained."
            raise RunError(message, subject=patient, remedy=RESTORE)


def _require_whole(run: RunFolder, predictions: Sequence[Prediction], folds: Sequence[Fold]) -> None:
    """Refuse a run some of whose folds no network has judged yet."""
    judged = {(row.repeat, row.fold, row.patient) for row in predictions if row.unit == "window"}
    missing = [
        fold.name for fold in folds if any((fold.repeat, fold.fold, patient) not in judged for patient in fold.test)
    ]
    if missing:
        raise RunError(
            f"{run.path} has no network's predictions for all patients of fold {', '.join(missing)}.",
            subject=str(run.path),
            remedy="Finish it with flexion train eeg --resume.",
        )


def _run_of(run: RunFolder, cohort: Cohort) -> dict[str, Any]:
    record, config, splits = run.record, run.config, run.splits
    repeats = {fold.repeat for fold in splits.folds}
    return {
        "name": run.path.name,
        "made_utc": record["made_utc"],
        "origin": record["origin"],
        "effect": cohort.described.get("effect"),
        "profile": splits.profile,
        "model": config.model.kind,
        "parameters": record.get("parameters"),
        "seed": record["seeds"]["run"],
        "repeats": len(repeats),
        "folds": len(splits.folds) // len(repeats),
        "cohort": {key: record["cohort"][key] for key in ("name", "sha256", "patients", "with_eeg", "good")},
        "versions": record["versions"],
        "git": record["git"],
        "host": record["host"],
    }
