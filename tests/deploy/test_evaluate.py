"""``flexion evaluate`` on a run of a small simulated cohort: what it writes, what it says, and what it refuses."""

from __future__ import annotations

import json
import re
import shutil
from importlib import util
from pathlib import Path

import numpy as np
import pytest

from deploy.cli.main import run as flexion
from tests.training.cohorts import small_cohort  # noqa: F401 (a fixture)
from tests.training.reporting.reading import Reader
from training.cohort.cohort import Cohort
from training.data.windows import prepare
from training.runs.config import load_config
from training.runs.predictions import Prediction, write_predictions
from training.runs.run_folder import RunFolder
from training.splitting.splits import splits_of

#: Windows of a patient that the made-up network scores.
N_WINDOWS = 4


@pytest.fixture(scope="module")
def done(small_cohort: Path, tmp_path_factory: pytest.TempPathFactory) -> RunFolder:  # noqa: F811
    """Return a run whose network and one baseline have judged everybody."""
    place = tmp_path_factory.mktemp("evaluated")
    shutil.copytree(small_cohort, place / "cohort")
    cohort = Cohort.open(place / "cohort")
    splits = splits_of(cohort, "nested", 0, repeats=2, folds=3)
    run = RunFolder.create(place / "runs", load_config(), cohort, splits, prepare(cohort).values())
    for epoch in range(3):
        run.append_metrics({"fold": "r0f0", "epoch": epoch, "loss": 0.7 - 0.1 * epoch, "stop_loss": 0.7})
    run.note(parameters=161_569, state="done")
    write_predictions(run.predictions_path, predictions(run, cohort))
    return run


def predictions(run: RunFolder, cohort: Cohort) -> list[Prediction]:
    """Return what a network of some skill and the majority say of everybody with EEG, in every fold."""
    rng = np.random.default_rng(5)
    with_eeg = {one.id for one in cohort.participants if one.has_eeg}
    rows = []
    for fold in run.splits.with_eeg(with_eeg).folds:
        for patient in fold.test:
            good, fma = bool(cohort.participant(patient).good), cohort.participant(patient).outcome_fma
            for index, x in enumerate(0.5 * (2 * good - 1) + rng.standard_normal(N_WINDOWS)):
                p = float(1 / (1 + np.exp(-x)))
                rows.append(Prediction("lstm-bands", fold.repeat, fold.fold, patient, "window", index, 1.0, float(x), p,
                                       good, fma))  # fmt: skip
            rows.append(Prediction("majority", fold.repeat, fold.fold, patient, "patient", None, 1.0, 0.0, 0.5, good,
                                   fma))  # fmt: skip
    return rows


def test_a_run_is_judged_and_reported(done: RunFolder, capsys: pytest.CaptureFixture[str]):
    """What must not be missed comes first, also in a terminal; the report lies in the run's folder."""
    assert flexion(["evaluate", str(done.path), "--permutations", "20"]) == 0
    out, err = capsys.readouterr()
    assert out.startswith("SYNTHETIC: SIMULATED PATIENTS\n")
    assert out.index("The network (lstm-bands)") < out.index("161,569 parameters") < out.index("chance bar")
    assert "and is calibrated on the other folds." in out
    assert "not for diagnosis" in out
    assert str(done.report_path) in err
    html = done.report_path.read_text("utf-8")
    assert "Histogram of 20 AUCs of band-power" in html
    assert (done.figures_path / "roc.svg").is_file()
    assert not re.search(r"\bnan\b", Reader(html).text.lower()) and ">None<" not in html


def test_json_is_the_evaluation_itself(done: RunFolder, capsys: pytest.CaptureFixture[str]):
    """One object, as it lies in the run's folder, and where the report is."""
    assert flexion(["evaluate", str(done.path), "--permutations", "20", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told.pop("report") == str(done.report_path)
    assert told == json.loads(done.evaluation_path.read_text("utf-8"))


def test_a_run_that_was_stopped_is_refused(done: RunFolder, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    """With its state and the command that finishes it."""
    shutil.copytree(done.path, tmp_path / "run")
    (tmp_path / "run" / "predictions.csv").unlink()
    RunFolder(tmp_path / "run").note(state="stopped")
    assert flexion(["evaluate", str(tmp_path / "run")]) == 3
    err = capsys.readouterr().err
    assert "has no predictions.csv: its state is stopped, not done. Finish it with flexion train eeg" in err


def test_a_cohort_that_was_moved_is_named_and_noted(
    done: RunFolder, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    """The refusal says how; it is noted, so that it is said once; another cohort is refused, and nothing is noted."""
    shutil.copytree(done.path.parents[1], tmp_path / "place")
    path, moved = tmp_path / "place" / "runs" / done.path.name, tmp_path / "elsewhere"
    (tmp_path / "place" / "cohort").rename(moved)
    ask = ["evaluate", str(path), "--permutations", "20", "--json"]
    assert flexion(ask) == 3
    error = json.loads(capsys.readouterr().out)["error"]
    assert "which is not there" in error["message"] and f"flexion evaluate {path} --cohort COHORT" in error["remedy"]
    other = tmp_path / "other"
    shutil.copytree(moved, other)
    table = (other / "participants.tsv").read_text().splitlines()
    (other / "participants.tsv").write_text("\n".join(table[:-1]) + "\n")
    assert flexion([*ask, "--cohort", str(other)]) == 3
    assert f"and {other} differs" in capsys.readouterr().err
    assert RunFolder(path).record["cohort"]["path"] == done.record["cohort"]["path"]
    assert flexion([*ask, "--cohort", str(tmp_path / "none")]) == 3
    assert flexion([*ask, "--cohort", str(moved)]) == 0
    assert flexion(ask) == 0 and RunFolder(path).cohort_folder == moved


def test_what_is_no_run_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    """Bad input, in words and as an object."""
    assert flexion(["evaluate", str(tmp_path), "--json"]) == 3
    out, err = capsys.readouterr()
    assert json.loads(out)["error"]["kind"] == "run"
    assert f"{tmp_path} is no run" in err


@pytest.mark.parametrize("permutations", ["0", "19", "many"])
def test_too_few_permutations_are_wrong_use(permutations: str, tmp_path: Path):
    """Fewer than 20 have no standard deviation worth its name."""
    assert flexion(["evaluate", str(tmp_path), "--permutations", permutations]) == 2


def test_a_bedside_without_training_is_told_what_to_install(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    """Before anything heavy is imported, each missing library by name."""
    found = util.find_spec
    monkeypatch.setattr("deploy.cli.extra.find_spec", lambda name: None if name in ("torch", "jinja2") else found(name))
    assert flexion(["evaluate", str(tmp_path)]) == 4
    err = capsys.readouterr().err
    assert "need jinja2, torch, which this machine lacks. Install it: pip install 'flexion[training]'" in err
