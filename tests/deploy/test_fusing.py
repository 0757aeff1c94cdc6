"""``flexion train fusion`` on two runs of made-up logits: what it makes, what it says, what it refuses."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from deploy.cli.main import run as flexion
from inference.bundle import Bundle, FusionBundle
from inference.fusion import refusal
from tests.inference import tiny
from tests.training.fused_runs import cohort_of, runs_of
from training.evaluation.document import SCHEMA
from training.runs.run_folder import RunFolder


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str]:
    """Return where both runs lie."""
    folder = tmp_path_factory.mktemp("fusing")
    eeg, fmri = runs_of(folder, cohort_of(folder / "cohort"))
    eeg.evaluation_path.write_text(json.dumps({"schema": SCHEMA, "run": {}}))
    return str(eeg.path), str(fmri.path)


def test_two_runs_are_fused_judged_and_their_bundle_shown(
    runs: tuple[str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """By the commands of the documentation, one after the other."""
    assert flexion(["train", "fusion", *runs, "--out", str(tmp_path), "--name", "both"]) == 0
    out = capsys.readouterr().out
    [run] = tmp_path.glob("*_both")
    assert f"{run}: cnn-shufflenet + lstm-bands by logit_stack." in out
    assert "Weights (90 % over resampled patients): EEG and EMG 0." in out and " and fMRI 0." in out
    assert f"flexion evaluate {run}" in out and "not for diagnosis" in out
    assert flexion(["evaluate", str(run), "--permutations", "20"]) == 0
    out = capsys.readouterr().out
    assert out.startswith("SYNTHETIC: SIMULATED PATIENTS\n") and "The fusion (cnn-shufflenet + lstm-bands)" in out
    assert (run / "report.html").is_file()
    assert flexion(["models", "show", str(run / "bundle")]) == 0
    assert "| EEG and EMG | " in capsys.readouterr().out
    assert flexion(["models", "verify", str(run / "bundle")]) == 0


def test_a_bundle_that_was_exported_again_needs_its_fusion_exported_again(
    runs: tuple[str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """It is another bundle: with the old fusion it would be refused, with the new one it is fused."""
    for run in runs:
        shutil.copytree(run, tmp_path / Path(run).name)
    shutil.copytree(Path(runs[0]).parents[1] / "cohort", tmp_path.parent / "cohort", dirs_exist_ok=True)
    copies = [str(tmp_path / Path(run).name) for run in runs]
    assert flexion(["train", "fusion", *copies, "--out", str(tmp_path)]) == 0
    [run] = tmp_path.glob("*_fusion")
    before = FusionBundle.load(run / "bundle")
    eeg = tiny.write(Path(copies[0]) / "bundle", tiny.manifest(version="1.0.1"))
    assert refusal(before, eeg, Bundle.load(Path(copies[1]) / "bundle")) is not None
    assert flexion(["models", "export", str(run), "--name", "again"]) == 0
    after = FusionBundle.load(run / "bundle")
    assert (after.name, after.fusion.weights) == ("again", before.fusion.weights)
    assert refusal(after, eeg, Bundle.load(Path(copies[1]) / "bundle")) is None
    capsys.readouterr()


def test_a_cohort_that_was_moved_is_said_once_for_all_three_runs(
    runs: tuple[str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A fusion rests on two runs, each of which knows where the cohort lies."""
    shutil.copytree(Path(runs[0]).parents[1], tmp_path / "two")
    copies = [str(tmp_path / "two" / "runs" / Path(run).name) for run in runs]
    assert flexion(["train", "fusion", *copies, "--out", str(tmp_path / "two" / "runs")]) == 0
    [run] = (tmp_path / "two" / "runs").glob("*_fusion")
    moved = (tmp_path / "two" / "cohort").rename(tmp_path / "moved")
    assert flexion(["models", "export", str(run)]) == 3
    assert "--cohort COHORT" in capsys.readouterr().err
    assert flexion(["models", "export", str(run), "--cohort", str(moved)]) == 0
    assert [RunFolder(Path(one)).cohort_folder for one in (run, *copies)] == [moved] * 3
    assert flexion(["models", "export", str(run)]) == 0
    capsys.readouterr()


def test_json_is_one_object(runs: tuple[str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Where the run lies, what it is made of, and the weights of its bundle."""
    assert flexion(["train", "fusion", *runs, "--out", str(tmp_path), "--method", "mean_prob", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)["training"]
    fusion = FusionBundle.load(Path(told["bundle"])).fusion
    assert (told["origin"], told["state"], told["fusion"]["method"]) == ("synthetic", "done", "mean_prob")
    assert told["fusion"]["bundle"]["weights"]["fmri"]["value"] == fusion.weights.fmri


def test_runs_the_other_way_round_are_refused(
    runs: tuple[str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Bad input, one line, and nothing is made."""
    assert flexion(["train", "fusion", *runs[::-1], "--out", str(tmp_path / "out")]) == 3
    assert "is no run of EEG and EMG. Name the run of EEG and EMG first" in capsys.readouterr().err
    assert flexion(["train", "fusion", str(tmp_path), runs[1]]) == 3
    assert flexion(["train", "fusion", *runs, "--method", "best"]) == 2
    assert not (tmp_path / "out").exists()


def test_a_run_of_fusions_without_predictions_is_made_anew(
    runs: tuple[str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """It takes seconds, and there is no --resume that could finish it."""
    assert flexion(["train", "fusion", *runs, "--out", str(tmp_path)]) == 0
    [run] = tmp_path.glob("*_fusion")
    (run / "predictions.csv").unlink()
    assert flexion(["evaluate", str(run)]) == 3
    assert "Fuse its two runs anew: flexion train fusion EEG_RUN FMRI_RUN." in capsys.readouterr().err
