"""``flexion models``: what is not there is refused in one line; a machine without training says what to install."""

from __future__ import annotations

import json

import pytest

from deploy import exits
from deploy.cli import extra, main


@pytest.mark.parametrize("command", ["export run", "build"])
def test_a_bedside_without_training_says_what_to_install(command, monkeypatch, capsys):
    """Exit code 4, before anything is imported or written."""
    monkeypatch.setattr(extra, "LIBRARIES", ("no_such_library",))
    assert main.run(["models", *command.split(), "--json"]) == exits.ENVIRONMENT
    said = capsys.readouterr()
    assert json.loads(said.out)["error"]["subject"] == "no_such_library"
    assert "pip install 'flexion[training]'" in said.err


@pytest.mark.parametrize(("arguments", "kind", "words"), [
    (["export", "nowhere"], "run", "nowhere is no run: it holds no run.json."),
    (["build", "--only", "lstm"], "bad_input", "No bundle that ships is called 'lstm'."),
    (["build", "--seed", "5000000000"], "training_config", "The command sets run.seed to 5000000000"),
    (["build", "--patients", "0"], "synth", "A simulated cohort with patients 0 cannot be made"),
])  # fmt: skip
def test_what_cannot_be_made_is_refused_by_name(arguments, kind, words, tmp_path, capsys):
    """Exit code 3, and nothing is left behind."""
    work = ["--work", str(tmp_path / "work")] if arguments[0] == "build" else []
    assert main.run(["models", *arguments, *work, "--json"]) == exits.BAD_INPUT
    error = json.loads(capsys.readouterr().out)["error"]
    assert (error["kind"], error["message"][: len(words)]) == (kind, words)
    assert not (tmp_path / "work").exists()
