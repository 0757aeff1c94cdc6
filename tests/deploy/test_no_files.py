"""A pipe, socket, device or folder where a file is expected: refused in one line, and never waited for (law 10)."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import pytest

from tests import no_files
from tests.dashboard.recorded import record

#: What would be waited for is not: every command is over long before.
SOON_S = 30.0


def refused(done, kind, *words):
    """Fail unless a command refused bad input in one line with these words."""
    assert (done.returncode, json.loads(done.stdout)["error"]["kind"]) == (3, kind), done
    assert len(done.stderr.strip().splitlines()) == 1 and "Traceback" not in done.stderr, done.stderr
    for word in words:
        assert word in done.stderr, done.stderr


@pytest.mark.parametrize("kind", no_files.KINDS)
def test_no_scan(flexion, scan_variables, tmp_path, kind):
    """What it is, and what to give."""
    path = no_files.put(kind, tmp_path / "bold.nii.gz")
    ask = ("fmri", "score", str(path), "--patient", "P-01", "--date", "2026-03-31", "--json")
    words = (f"bold.nii.gz is {kind}, expected one NIfTI file.", "NIfTI" if kind != "a folder" else "dcm2niix")
    refused(flexion(*ask, timeout=SOON_S, **scan_variables), "scan", *words)


@pytest.mark.parametrize("verb", ["score", "replay"])
@pytest.mark.parametrize("kind", no_files.KINDS[1:])
def test_no_recording(flexion, bundle_variables, tmp_path, verb, kind):
    """Whatever its name ends in; a folder has recordings in it, or is told to have none."""
    path = no_files.put(kind, tmp_path / "patient.xdf")
    done = flexion(verb, str(path), "--json", timeout=SOON_S, **bundle_variables)
    refused(done, "recording", f"is {kind}, expected a file.")


def test_no_recording_among_others(flexion, tmp_path):
    """``flexion recordings`` answers each."""
    paths = [str(no_files.put(kind, tmp_path / f"{n}.xdf")) for n, kind in enumerate(no_files.KINDS[1:])]
    done = flexion("recordings", *paths, "--json", timeout=SOON_S)
    words = [entry["error"]["message"] for entry in json.loads(done.stdout)["recordings"]]
    assert done.returncode == 3 and [kind in said for kind, said in zip(no_files.KINDS[1:], words, strict=True)]
    refused(flexion("recordings", paths[0], "--repair", "copy.xdf", "--json", timeout=SOON_S), "recording", "a pipe")


def test_what_a_shell_hands_over_as_a_pipe(flexion, bundle_variables, recording):
    """``flexion score <(unpack FILE)`` names a pipe that has no path of its own."""
    read, write = os.pipe()
    try:
        done = flexion("score", f"/proc/{os.getpid()}/fd/{read}", "--json", timeout=SOON_S, **bundle_variables)
    finally:
        os.close(read)
        os.close(write)
    refused(done, "recording", "is a pipe, expected a file. Write what comes out of it into a file first")


def test_no_file_in_a_session_folder(flexion, bundle_variables, tmp_path):
    """Each file of the folder is named, whoever put something else there."""
    folder = record(tmp_path / "data", seconds=16.0).path
    for name in ("decisions.jsonl", "recording-1.xdf", "results.jsonl", "session.json"):
        (folder / name).unlink()
        no_files.put("a pipe", folder / name)
        done = flexion("score", str(folder), timeout=SOON_S, **bundle_variables)
        assert done.returncode == 3 and f"{name} cannot be read: it is a pipe" in done.stdout + done.stderr, done


def test_no_file_in_a_bundle(flexion, bundle_variables, recording, tmp_path):
    """A bundle is trusted by the hashes of its files: what is none has none."""
    copy = Path(shutil.copytree(bundle_variables["FLEXION_MODELS__EEG_EMG"], tmp_path / "copy"))
    (copy / "model.onnx").unlink()
    no_files.put("a pipe", copy / "model.onnx")
    named = {**bundle_variables, "FLEXION_MODELS__EEG_EMG": str(copy)}
    done = flexion("score", str(recording), "--json", timeout=SOON_S, **named)
    refused(done, "bundle", "model.onnx is a pipe, expected a file.")
