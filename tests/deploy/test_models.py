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


def test_an_engine_is_made_ready_and_held_against_float64(bundle_variables, capsys):
    """Every window of the proving set with both logits; what was passed over is said."""
    pytest.importorskip("torch")
    folder = bundle_variables["FLEXION_MODELS__EEG_EMG"]
    assert main.run(["models", "prepare", folder, "--backend", "onnxruntime-cpu", "--json"]) == exits.OK
    said = json.loads(capsys.readouterr().out)
    assert (said["name"], said["engine"]["backend"], len(said["windows"])) == ("tiny", "onnxruntime-cpu", 11)
    assert max(window["difference"] for window in said["windows"]) < 1e-5
    assert main.run(["models", "prepare", folder, "--backend", "onnxruntime-cpu"]) == exits.OK
    shown = capsys.readouterr()
    assert "saturated 7" in shown.out and "Ready: onnxruntime-cpu" in shown.err


def test_an_engine_that_is_none_is_refused(bundle_variables, capsys):
    """Exit code 3, with the names of those that there are."""
    pytest.importorskip("torch")
    folder = bundle_variables["FLEXION_MODELS__EEG_EMG"]
    assert main.run(["models", "prepare", folder, "--backend", "cudnn", "--json"]) == exits.BAD_INPUT
    assert json.loads(capsys.readouterr().out)["error"]["message"] == "There is no engine 'cudnn'."


def test_a_full_look_at_a_machine_without_a_gpu_ends_at_its_driver(bundle_variables, capsys, monkeypatch):
    """Exit code 3, with a table of one line and the way out; as an object too."""
    monkeypatch.setattr("inference.engines.tensorrt.driver.LIBRARY", "libcuda-that-is-not-there.so.1")
    folder = bundle_variables["FLEXION_MODELS__EEG_EMG"]
    assert main.run(["models", "verify", folder, "--backend", "tensorrt", "--full"]) == exits.ENVIRONMENT
    shown = " ".join(capsys.readouterr().out.split())
    assert "NOT WELL driver This machine has no NVIDIA driver: libcuda-that-is-not-there.so.1" in shown
    assert main.run(["models", "verify", folder, "--backend", "tensorrt", "--full", "--json"]) == exits.ENVIRONMENT
    [finding] = json.loads(capsys.readouterr().out)["findings"]
    assert (finding["name"], finding["ok"]) == ("driver", False)


def test_a_full_look_is_at_one_backend(bundle_variables, capsys):
    """Exit code 2: it must be said which; a look at the bits alone takes any."""
    folder = bundle_variables["FLEXION_MODELS__EEG_EMG"]
    assert main.run(["models", "verify", folder, "--full"]) == exits.WRONG_USE
    assert "--backend tensorrt is the one it knows" in capsys.readouterr().err
    assert main.run(["models", "verify", folder, "--backend", "onnxruntime-cpu", "--json"]) == exits.OK
    assert json.loads(capsys.readouterr().out)["engine"]["backend"] == "onnxruntime-cpu"
