"""A run's folder is judged with its cohort, and refused where the two do not belong together any more."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from training.baselines import baseline_predictions
from training.cohort.cohort import Cohort
from training.cohort.participants import TABLE, read_participants, write_participants
from training.data.windows import PatientWindows, prepare
from training.errors import FingerprintMismatch, RunError
from training.evaluation.evaluation import evaluate
from training.runs.config import load_config
from training.runs.predictions import Prediction, read_predictions, write_predictions
from training.runs.run_folder import RunFolder
from training.splitting.splits import Splits, splits_of


def network(splits: Splits, windows: dict[str, PatientWindows]) -> list[Prediction]:
    """Return what a network of some skill says of everybody's windows."""
    rng = np.random.default_rng(0)
    return [
        Prediction(
            "lstm-bands", fold.repeat, fold.fold, patient, "window", int(index), float(weight),
            float(x := windows[patient].good - 0.5 + rng.standard_normal()), float(1 / (1 + np.exp(-x))),
            windows[patient].good, windows[patient].fma,
        )
        for fold in splits.folds
        for patient in fold.test
        for index, weight in zip(windows[patient].index, windows[patient].weights, strict=True)
    ]  # fmt: skip


@pytest.fixture(scope="module")
def done(small_cohort: Path, tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    """Return a run whose network and baselines have judged everybody."""
    place = tmp_path_factory.mktemp("judged")
    shutil.copytree(small_cohort, place / "cohort")
    cohort = Cohort.open(place / "cohort")
    windows, splits = prepare(cohort), splits_of(cohort, "nested", 0, repeats=2, folds=3)
    run = RunFolder.create(place / "runs", load_config(), cohort, splits, windows.values())
    judged = splits.with_eeg(windows)
    write_predictions(run.predictions_path, [*network(judged, windows), *baseline_predictions(cohort, windows, splits)])
    return run


@pytest.fixture
def changed(done: RunFolder):
    """Return how to change the cohort's table; it is as it was afterwards."""
    path = done.cohort_folder / TABLE
    before = path.read_bytes()

    def change(edit: Callable) -> None:
        write_participants(path, edit(read_participants(path)))

    yield change
    path.write_bytes(before)


def test_a_run_is_judged_with_its_cohort(done: RunFolder):
    """Everything that the plan of a report asks for is there, and in the file."""
    found = evaluate(done, permutations=20)
    assert json.loads(done.evaluation_path.read_text()) == found
    assert (found["run"]["origin"], found["run"]["effect"], found["run"]["profile"]) == ("synthetic", 2, "nested")
    assert (found["run"]["repeats"], found["run"]["folds"]) == (2, 3)
    assert {model["name"]: model["n"] for model in found["models"]}["lstm-bands"] == 14
    assert {"majority", "baseline-fma", "band-power", "epos"} <= {model["name"] for model in found["models"]}
    assert found["permuted"]["n"] <= 20
    assert found["training"] is None


def test_a_patient_who_left_the_cohort_is_named(done: RunFolder, changed):
    """Figures by site could not be told without the table's row."""
    gone = done.splits.folds[0].test[0]
    changed(lambda rows: [row for row in rows if row.id != gone])
    with pytest.raises(RunError, match=f"Patient {gone} of .* is not in the cohort"):
        evaluate(done)


def test_another_outcome_than_was_trained_is_refused(done: RunFolder, changed):
    """The networks learned the old one."""
    other = done.splits.folds[0].test[0]
    changed(lambda rows: [replace(row, fma_3mo=34.0 - 34.0 * row.good) if row.id == other else row for row in rows])
    with pytest.raises(RunError, match=f"Patient {other} has another outcome"):
        evaluate(done)


def test_another_score_of_the_same_outcome_is_refused(done: RunFolder, changed):
    """The figures in points would be against it."""
    [*_, (_, other)] = sorted(
        (row.good or 0, row.id) for row in read_participants(done.cohort_folder / TABLE) if row.has_eeg
    )
    changed(lambda rows: [replace(row, fma_3mo=33.5) if row.id == other else row for row in rows])
    with pytest.raises(RunError, match=f"another recording or score of 1 patients: {other}"):
        evaluate(done)


def test_a_run_of_another_conditioning_is_refused(done: RunFolder):
    """Its control and its groups would be of other signals than its predictions (law 6)."""
    kept = done.record["fingerprint"]
    done.note(fingerprint="0" * 64)
    try:
        with pytest.raises(FingerprintMismatch, match="was trained behind conditioning 000000000000"):
            evaluate(done)
    finally:
        done.note(fingerprint=kept)


def test_a_run_that_is_not_through_is_refused(done: RunFolder):
    """Its folds without predictions are named."""
    rows = read_predictions(done.predictions_path)
    write_predictions(done.predictions_path, [row for row in rows if (row.repeat, row.fold) != (1, 2)])
    try:
        with pytest.raises(RunError, match="predictions for all patients of fold r1f2"):
            evaluate(done)
    finally:
        write_predictions(done.predictions_path, rows)
