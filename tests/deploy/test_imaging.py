"""``flexion train fmri`` as its user types it."""

from __future__ import annotations

import json
import shutil
from importlib import util
from pathlib import Path

import pytest

from deploy.cli.imaging import _named
from deploy.cli.main import run as flexion
from tests.training.cohorts import small_cohort  # noqa: F401 (a fixture)
from tests.training.scans import scanned_cohort  # noqa: F401 (a fixture)
from training.backbones.catalogue import NAMES
from training.backbones.weights import VARIABLE
from training.runs.run_folder import RunFolder

SMALL = """
[split]
profile = "paper"
[scan]
screen_share = 0.85
[model]
weights = "none"
[fit]
epochs = 1
"""


@pytest.fixture(scope="module")
def place(scanned_cohort: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:  # noqa: F811
    """Return a folder with a cohort and settings."""
    place = tmp_path_factory.mktemp("train")
    shutil.copytree(scanned_cohort, place / "cohort")
    (place / "small.toml").write_text(SMALL)
    return place


@pytest.fixture
def train(place: Path, monkeypatch: pytest.MonkeyPatch):
    """Return the command, in that folder."""
    monkeypatch.chdir(place)
    return lambda *words: flexion(["train", "fmri", "cohort", *words])


def test_a_dry_run_says_what_would_be_done_and_leaves_no_run(train, place, capsys):
    """In words and as one object; which first weights it were is said."""
    assert train("--config", "small.toml", "--dry-run") == 0
    out, err = capsys.readouterr()
    assert "16 patients, 16 with a scan" in out and "1 networks of each backbone" in out and "No run was made" in out
    assert "initialised: random (ShuffleNetV2 x1.0)" in err and "cannot tell the left half" in err
    assert train("--config", "small.toml", "--dry-run", "--limit-patients", "12", "--json") == 0
    told = json.loads(capsys.readouterr().out)["training"]
    assert (told["patients"], told["epochs"]) == (12, {"shufflenet": 1})
    assert not (place / "runs").exists()


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_a_run_says_where_it_is_and_can_be_gone_on_with(train, place, capsys):
    """A run that is done goes on to what it is; people are told first weights and choice."""
    assert train("--config", "small.toml", "--json") == 0
    out, err = capsys.readouterr()
    told = json.loads(out)["training"]
    run = RunFolder.open(place / told["run"])
    assert (told["state"], told["origin"], told["final"]["backbone"]) == ("done", "synthetic", "shufflenet")
    assert told["initialised"]["shufflenet"]["how"] == "random" and "Folds" in err
    assert train("--resume", str(run.path)) == 0
    out = capsys.readouterr().out
    assert "16 simulated patients with a scan" in out and "shufflenet (initialised: random)" in out
    assert "not for diagnosis" in out and f"flexion evaluate {run.path}" in out


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["--resume", "runs/none", "--backbone", "fbnet", "--dry-run"], 2, "--backbone, --dry-run cannot change them"),
        (["--resume", "nothing"], 3, "is no run"),
        (["--config", "missing.toml"], 3, "missing.toml"),
        (["--backbone", "vgg"], 3, "'vgg' is no backbone"),
        (["--backbone", "fbnet", "--backbone", "regnet", "--weights", "x.pth"], 3, "names one file"),
        (["--weights", "nowhere.pth"], 3, "nowhere.pth"),
        (["--recipe", "sum"], 2, "--recipe"),
        (["--limit-patients", "1"], 2, "--limit-patients"),
        (["--weights", "none", "--profile", "paper", "--limit-patients", "3"], 3, "patients"),
    ],
)
def test_rubbish_is_refused(train, capsys, words, code, said):
    """With its exit code, and the word that was wrong."""
    assert train(*words) == code
    assert said in capsys.readouterr().err


def test_published_weights_that_are_not_there_are_asked_for(train, monkeypatch, tmp_path, capsys):
    """Which file, from where, into which folder; exit code 3."""
    monkeypatch.setenv(VARIABLE, str(tmp_path))
    assert train() == 3
    err = capsys.readouterr().err
    assert "shufflenetv2_x1-5666bf0f80.pth" in err and "https://download.pytorch.org" in err and str(tmp_path) in err


def test_all_is_every_backbone():
    """By name, or all; none is left to the file."""
    assert _named(None) is None
    assert _named(["all", "fbnet"]) == NAMES
    assert _named(["fbnet", "regnet"]) == ("fbnet", "regnet")


def test_a_machine_without_the_extra_is_told_what_to_install(train, monkeypatch, capsys):
    """Before anything of training is imported: exit code 4 and the pip line."""
    find = util.find_spec
    monkeypatch.setattr("deploy.cli.extra.find_spec", lambda name: None if name == "torch" else find(name))
    assert train() == 4
    assert "need torch" in (err := capsys.readouterr().err) and "pip install 'flexion[training]'" in err
