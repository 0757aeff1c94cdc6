"""From nothing to a score by the commands that a user types: a cohort, its audit, a run, its report, its bundle."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from deploy.cli.main import run as flexion
from inference.bundle import Bundle

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]

#: Few enough to train in seconds; every patient still has windows after the calibration of the artifact stage.
SETTINGS = """
[split]
repeats = 1
folds = 3
[fit]
epochs = 2
"""


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    """Return a command's JSON object, in an empty folder."""
    monkeypatch.chdir(tmp_path)
    Path("small.toml").write_text(SETTINGS)

    def told(*words: str) -> dict[str, object]:
        code = flexion([*words, "--json"])
        out, err = capsys.readouterr()
        assert code == 0, err
        return json.loads(out)

    return told


def test_from_a_cohort_to_a_score(told):
    """Each step takes what the one before it left; what simulated patients taught says so to the end (law 9)."""
    told(
        "cohort", "synth", "study", "--patients", "16", "--with-eeg", "14", "--minutes", "1", "--seed", "3", "--no-bold"
    )
    assert not [found for found in told("cohort", "check", "study")["findings"] if found["level"] == "error"]
    run = Path(told("train", "eeg", "study", "--config", "small.toml")["training"]["run"])
    assert told("evaluate", str(run), "--permutations", "20")["models"][0]["unit"] == "patient"
    page = (run / "report.html").read_text("utf-8")
    assert "SYNTHETIC" in page and Bundle.load(run / "bundle").model.head.origin == "synthetic"
    recording = next(Path("study").glob("sub-*/eeg/*.xdf"))
    scored = told("score", str(recording), "--bundle", str(run / "bundle"))
    bundle = scored["bundles"]["eeg_emg"]
    assert (bundle["sha256"], bundle["origin"]) == (Bundle.load(run / "bundle").sha256, "synthetic")
    assert scored["windows"]["scored"] == 5 and scored["ledger"]["balanced"]
    assert scored["outcome"]["state"] == "PARTIAL" and 0 < scored["outcome"]["probability"] < 1
