"""``evaluation.json``: what a run's models are worth on patients that they had not seen (law 9)."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from acquisition.durable import make_folder, replace_file
from training.baselines import Table
from training.cohort.cohort import Cohort
from training.cohort.participants import Participant
from training.data.windows import PatientWindows, prepare
from training.errors import RunError
from training.evaluation.attention import attention_of
from training.evaluation.beside import paper_table
from training.evaluation.document import SCHEMA, read_evaluation
from training.evaluation.figures import model_figures, paired
from training.evaluation.fusing import fusion_evaluation_of, networks_of, source_path
from training.evaluation.groups import groups
from training.evaluation.imaging import image_evaluation_of
from training.evaluation.listing import patients
from training.evaluation.points import fma, ordinal
from training.evaluation.scores import models_of
from training.evaluation.sureness import Sureness
from training.permuted import permuted_control
from training.runs.fusion_config import FusionConfig
from training.runs.predictions import Prediction, read_predictions
from training.runs.run_folder import RunFolder
from training.splitting.splits import Fold

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


def evaluate(run: RunFolder, *, permutations: int | None = None) -> dict[str, Any]:
    """Judge a run, of signals, of scans or of fusions, and write its ``evaluation.json``.

    Of a run of fusions the two runs that it is made of are judged too, where they have not been yet.

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
    settings, record = run.settings.evaluation, run.record
    sureness = Sureness(permutations or settings.permutations, settings.bootstrap, record["seeds"]["run"])
    if run.modality != "fusion":  # of a fusion, its two runs know what they were trained behind
        run.check_fingerprint()
    cohort, predictions = _cohort_of(run)
    evaluation = {
        "schema": SCHEMA,
        "run": _run_of(run, cohort),
        **JUDGES[run.modality](run, cohort, predictions, sureness),
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


def _cohort_of(run: RunFolder) -> tuple[Cohort, Sequence[Prediction]]:
    """Return everybody of a run who was dealt, and what its models say of them."""
    splits, predictions = run.splits, read_predictions(run.predictions_path)
    whole = Cohort.open(run.cohort_folder)
    dealt = set(splits.patients)
    cohort = replace(whole, participants=tuple(one for one in whole.participants if one.id in dealt))
    _require_same(run, predictions, {one.id: one for one in cohort.participants})
    return cohort, predictions


def _judge_signals(run: RunFolder, cohort: Cohort, predictions: Sequence[Prediction], how: Sureness) -> dict[str, Any]:
    windows = prepare(cohort)
    run.check_unchanged(windows.values())
    folds = run.splits.with_eeg(windows).folds
    _require_whole(run, [row for row in predictions if row.unit == "window"], folds, "eeg")
    material = Material(predictions, {one.id: one for one in cohort.participants}, windows, folds)
    return evaluation_of(material, run.record["origin"], how)


def _judge_scans(run: RunFolder, cohort: Cohort, predictions: Sequence[Prediction], how: Sureness) -> dict[str, Any]:
    of_slices = [row for row in predictions if row.unit == "slice"]
    _require_whole(run, of_slices, run.splits.with_scans(run.record["scans"]).folds, "fmri")
    participants = {one.id: one for one in cohort.participants}
    aggregation = run.image_config.model.aggregation
    found = image_evaluation_of(predictions, participants, run.record["origin"], how, aggregation)
    return {**found, "attention": attention_of(run, cohort, predictions)}


def _judge_fusions(run: RunFolder, cohort: Cohort, predictions: Sequence[Prediction], how: Sureness) -> dict[str, Any]:
    participants, record = {one.id: one for one in cohort.participants}, run.record
    networks = networks_of(run)
    found = fusion_evaluation_of(predictions, participants, record["origin"], how, record["fusion"], networks)
    parts = [_evaluation_of_source(run, record["fusion"]["runs"][name], how) for name in ("fmri", "eeg_emg")]
    beside = [row for part in parts for row in part.get("paper_table") or ()]
    of_scans = RunFolder.open(source_path(run, record["fusion"]["runs"]["fmri"]))
    said = {key: parts[0]["run"].get(key) for key in ("initialised", "chosen")} | {"mirrored": _mirrored(of_scans)}
    seen = _pictures(run, of_scans, parts[0].get("attention"))
    return {**found, "paper_table": [*beside, *found["paper_table"]], "images": said, "attention": seen}


def _evaluation_of_source(run: RunFolder, said: Mapping[str, Any], how: Sureness) -> dict[str, Any]:
    """Return what was found of a run that a fusion is made of; it is judged now where it was not since its training."""
    source = RunFolder.open(source_path(run, said))
    if source.evaluation_path.exists() and _newer(source.evaluation_path, source.predictions_path):
        return read_evaluation(source.path)
    return evaluate(source, permutations=how.permutations)


def _newer(path: Path, than: Path) -> bool:
    return path.stat().st_mtime_ns >= than.stat().st_mtime_ns


def _pictures(run: RunFolder, source: RunFolder, attention: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """Copy the pictures of the run on scans, so that one folder has the whole report."""
    if not attention:
        return None
    make_folder(run.figures_path)
    for panel in attention["panels"]:
        try:
            replace_file(run.path / panel["file"], (source.path / panel["file"]).read_bytes())
        except OSError as error:
            raise RunError(
                f"{source.path / panel['file']} cannot be read: {error.strerror}.",
                subject=str(source.path),
                remedy=f"Make it again: flexion evaluate {source.path}.",
            ) from error
    return dict(attention)


#: How a run of each modality is judged.
JUDGES: Mapping[str, Callable[[RunFolder, Cohort, Sequence[Prediction], Sureness], dict[str, Any]]] = {
    "eeg_emg": _judge_signals,
    "fmri": _judge_scans,
    "fusion": _judge_fusions,
}


def _require_same(run: RunFolder, predictions: Sequence[Prediction], participants: Mapping[str, Participant]) -> None:
    """Refuse a cohort in which a patient of the run is missing or has another outcome."""
    for patient, label in sorted({(row.patient, row.label) for row in predictions}):
        if patient not in participants:
            raise RunError(f"Patient {patient} of {run.path} is not in the cohort.", subject=patient, remedy=RESTORE)
        if participants[patient].good != label:
            message = f"Patient {patient} has another outcome than when {run.path} was trained."
            raise RunError(message, subject=patient, remedy=RESTORE)


def _require_whole(run: RunFolder, judged: Sequence[Prediction], folds: Sequence[Fold], verb: str) -> None:
    """Refuse a run some of whose folds no network has judged yet."""
    done = {(row.repeat, row.fold, row.patient) for row in judged}
    missing = [
        fold.name for fold in folds if any((fold.repeat, fold.fold, patient) not in done for patient in fold.test)
    ]
    if missing:
        raise RunError(
            f"{run.path} has no network's predictions for all patients of fold {', '.join(missing)}.",
            subject=str(run.path),
            remedy=f"Finish it with flexion train {verb} --resume.",
        )


def _run_of(run: RunFolder, cohort: Cohort) -> dict[str, Any]:
    record, splits, modality, settings = run.record, run.splits, run.modality, run.settings
    repeats = {fold.repeat for fold in splits.folds}
    counted = ("name", "sha256", "patients", "with_eeg", "with_scan", "good")
    return {
        "name": run.path.name,
        "modality": modality,
        "made_utc": record["made_utc"],
        "origin": record["origin"],
        "effect": cohort.described.get("effect"),
        "profile": splits.profile,
        "model": record["fusion"]["method"] if isinstance(settings, FusionConfig) else settings.model.kind,
        "parameters": record.get("parameters"),
        "initialised": record.get("initialised"),
        "chosen": _chosen(record),
        "mirrored": _mirrored(run),
        "seed": record["seeds"]["run"],
        "repeats": len(repeats),
        "folds": len(splits.folds) // len(repeats),
        "cohort": {key: record["cohort"][key] for key in counted if key in record["cohort"]},
        "versions": record["versions"],
        "git": record["git"],
        "host": record["host"],
    }


def _mirrored(run: RunFolder) -> str | None:
    """Return what is to be said of a run on scans whose slices were mirrored; None of another."""
    if run.modality != "fmri" or not run.image_config.augmentation.flip:
        return None
    from training.backbones.augmentation import MIRRORED  # loads torch

    return MIRRORED


def _chosen(record: Mapping[str, Any]) -> dict[str, int] | None:
    """Return how many folds of a run on scans chose each backbone; None where there was no choice."""
    choices = [choice["backbone"] for choice in (record.get("choices") or {}).values()]
    return {name: choices.count(name) for name in sorted(set(choices))} or None
