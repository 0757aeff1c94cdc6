"""``flexion train eeg`` as its user types it, and the progress that is shown meanwhile."""

from __future__ import annotations

import json
import shutil
import sys
from importlib import util
from pathlib import Path

import pytest

from deploy.cli.main import run as flexion
from deploy.cli.training_progress import FoldTrack, TrainingProgress
from tests.training.cohorts import small_cohort  # noqa: F401 (a fixture)
from training.fitting.epochs import EpochReport
from training.runs.run_folder import RunFolder

SMALL = """
[split]
repeats = 1
folds = 2
[model]
widths = [8, 4]
heads = []
[fit]
epochs = 2
"""
REPORT = EpochReport(2, 0.61, 0.58, 0.7, learning_rate=5e-4, windows=10, seconds=1.0, waiting_s=0.0, warm=False)


@pytest.fixture(scope="module")
def place(small_cohort: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:  # noqa: F811
    """Return a folder with a cohort and settings."""
    place = tmp_path_factory.mktemp("train")
    shutil.copytree(small_cohort, place / "cohort")
    (place / "small.toml").write_text(SMALL)
    return place


@pytest.fixture
def train(place: Path, monkeypatch: pytest.MonkeyPatch):
    """Return the command, in that folder."""
    monkeypatch.chdir(place)
    return lambda *words: flexion(["train", "eeg", "cohort", *words])


def test_a_dry_run_says_what_would_be_done_and_leaves_no_run(train, place, capsys):
    """In words, and as one object."""
    assert train("--config", "small.toml", "--dry-run") == 0
    out = capsys.readouterr().out
    assert "16 patients, 14 with EEG" in out
    assert "3 networks (that of the bundle among them), 2 epochs each at most" in out
    assert train("--config", "small.toml", "--dry-run", "--limit-patients", "12", "--json") == 0
    told = json.loads(capsys.readouterr().out)["training"]
    assert (told["patients"], told["folds"]) == (12, 3)
    assert not (place / "runs").exists()


def test_a_run_says_where_it_is_and_can_be_gone_on_with(train, place, capsys):
    """A run that is done goes on to what it is."""
    assert train("--config", "small.toml", "--json") == 0
    out, err = capsys.readouterr()
    told = json.loads(out)["training"]
    run = RunFolder.open(place / told["run"])
    assert told["state"] == "done" and told["origin"] == "synthetic"
    assert "Folds: 3" in err
    run.metrics_path.unlink()
    run.note(training=None)
    assert train("--resume", str(run.path)) == 0
    out = capsys.readouterr().out
    assert "14 simulated patients with EEG, 3 networks" in out and "not for diagnosis" in out
    assert f"flexion evaluate {run.path}" in out


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["--resume", "runs/none", "--model", "raw", "--dry-run"], 2, "--model, --dry-run cannot change them"),
        (["--resume", "nothing"], 3, "is no run"),
        (["--config", "missing.toml"], 3, "missing.toml"),
        (["--limit-patients", "1"], 2, "--limit-patients"),
        (["--workers", "0"], 2, "--workers"),
        (["--model", "cnn"], 2, "--model"),
        (["--config", "small.toml", "--model", "raw", "--limit-patients", "3"], 3, "patients"),
    ],
)
def test_rubbish_is_refused(train, capsys, words, code, said):
    """With its exit code, and the word that was wrong."""
    assert train(*words) == code
    assert said in capsys.readouterr().err


def test_no_cohort_is_refused(tmp_path, capsys):
    """The folder is named."""
    assert flexion(["train", "eeg", str(tmp_path / "nobody")]) == 3
    assert "nobody" in capsys.readouterr().err


def test_a_machine_without_the_extra_is_told_what_to_install(train, monkeypatch, capsys):
    """Before anything of training is imported: exit code 4 and the pip line."""
    find = util.find_spec
    monkeypatch.setattr("deploy.cli.extra.find_spec", lambda name: None if name == "torch" else find(name))
    assert train() == 4
    assert "need torch" in (err := capsys.readouterr().err) and "pip install 'flexion[training]'" in err


def test_a_fold_says_its_losses_rate_and_the_time_that_is_left():
    """Once its speed is known; before that it says where it is."""
    now = [0.0]
    track = FoldTrack("r0f3", 10, lambda: now[0])
    track.reaches(2, 0.0)
    assert track.words == "epoch 3/10"
    now[0], track.report = 30.0, REPORT
    track.reaches(2, 0.5)
    assert track.words == "epoch 3/10, loss 0.610, stop 0.580, AUC 0.70, lr 5.0e-04, at most 7:30 left"


def test_a_network_that_may_make_fewer_passes_is_told_so(capsys):
    """What is left is counted to its own last pass, not to the longest of all."""
    now = [0.0]
    epochs = {"regnet": 8, "fbnet": 15}.__getitem__
    with TrainingProgress(epochs=epochs, as_json=False, clock=lambda: now[0]) as progress:
        progress.stage("Folds", 2)
        for now[0] in (1.0, 65.0):
            progress.shown("paper/regnet", 1, 50, 100)
    assert "paper/regnet: epoch 2/8" in capsys.readouterr().err


def test_without_a_terminal_there_is_a_line_now_and_then(capsys):
    """A log of an hour has a page of them, not one for each step."""
    now = [0.0]
    with TrainingProgress(epochs=10, as_json=False, clock=lambda: now[0]) as progress:
        progress.stage("Folds", 2)
        for second in range(65):
            now[0] = float(second)
            progress.shown("r0f0", 1, second, 100)
        progress.epoch("r0f0", REPORT)
        progress.done("r0f0")
        progress.notice("Patient 7 is left out")
    lines = capsys.readouterr().err.splitlines()
    assert lines[0] == "Folds: 2"
    assert [line.split(",")[0] for line in lines[1:-1]] == ["r0f0: epoch 2/10"] * 2
    assert lines[-1] == "Patient 7 is left out"


def test_on_a_terminal_there_is_a_bar_for_the_stage_and_each_fold(monkeypatch, capsys):
    """A fold that is done has none any more."""
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    with TrainingProgress(epochs=10, as_json=False) as progress:
        assert progress.drawn is not None
        progress.stage("Audit", 3)
        progress.stage("Folds", 2)
        progress.notice("[left] out")
        for fold in ("r0f0", "r0f1"):
            progress.shown(fold, 1, 50, 100)
            progress.epoch(fold, REPORT)
        shown = {task.description: (task.completed, task.total) for task in progress.drawn.tasks}
        assert shown == {"Folds": (0, 2), "r0f0": (1.5, 10), "r0f1": (1.5, 10)}
        progress.done("r0f0")
        shown = {task.description: (task.completed, task.total) for task in progress.drawn.tasks}
        assert shown == {"Folds": (1, 2), "r0f1": (1.5, 10)}
    assert "[left] out" in capsys.readouterr().err
