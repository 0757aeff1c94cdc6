"""``flexion fmri score`` as a command: its words, its object, its refusals."""

from __future__ import annotations

import gzip
import json
import os
import shutil
from pathlib import Path

import pytest

from deploy.cli.fmri import _lines


def test_it_scores_a_scan_and_says_where_the_score_is(flexion, scan_variables, nifti):
    """An object with --json; else lines for people; a second time the same score."""
    arguments = ("fmri", "score", str(nifti), "--patient", "P-01", "--date", "2026-03-31")
    done = flexion(*arguments, "--json", **scan_variables)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["schema"] == "flexion.fmri/1" and found["folder"].endswith(found["scan_sha256"])
    again = flexion(*arguments, **scan_variables)
    assert again.returncode == 0 and f"{found['probability']:.2f} [" in again.stdout
    for words in (
        "scan of 2026-03-31",
        "scored before",
        "where the image model looked",
        "synthetic",
        "not for diagnosis",
    ):
        assert words in again.stdout


@pytest.mark.parametrize(
    ("arguments", "code", "kind", "words"),
    [
        ((), 3, "scan", r"Nothing says on which day"),
        (("--date", "31.3.2026"), 2, "usage", r"--date is '31.3.2026', which is no day"),
        (("--bundle", "nothing"), 3, "bundle", r"There is no bundle 'nothing'"),
        (("--bundle", "lstm-bands"), 3, "bundle_mismatch", r"is of kind eeg_emg and scores no scan"),
        (("--patient", "A B"), 3, "identity", r"patient 'A B' is not allowed"),
    ],
)
def test_every_refusal_has_its_code_and_words(flexion, scan_variables, nifti, arguments, code, kind, words):
    """One line on stderr, one object on stdout."""
    named = () if "--patient" in arguments else ("--patient", "P-01")
    done = flexion("fmri", "score", str(nifti), *named, *arguments, "--json", **scan_variables)
    error = json.loads(done.stdout)["error"]
    assert (done.returncode, error["kind"]) == (code, kind) and words in error["message"] + error["remedy"]
    assert len(done.stderr.strip().splitlines()) == 1


def test_a_scan_that_must_not_be_used_says_so_first():
    """In the place of the number; flags and what was taken for granted follow."""
    quality = {"slices": 20, "problems": ["The brain is cut off", "It moved"], "flags": ["tr 3 s"]}
    attention = {"title": "Where the image model looked", "first_level_mm": 36.0, "in_brain": 0.4}
    scored = {
        "patient": "P-01", "scanned_on": "2026-03-31", "scan_sha256": "a" * 64, "already": False, "origin": "clinical",
        "probability": None, "interval": None, "quality": quality, "scan": {"assumed": ["TR is in ms."]},
        "attention": attention, "folder": "/data",
    }  # fmt: skip
    lines = list(_lines(scored))
    assert lines[1] == "  must not be used: The brain is cut off; It moved."
    assert lines[2:4] == ["  note: TR is in ms.", "  note: tr 3 s"]
    assert not any("synthetic" in line or "alone" in line for line in lines)


def test_without_a_bundle_it_says_how_to_name_one(flexion, bundle_variables, nifti):
    """Wrong use, not a fault."""
    done = flexion("fmri", "score", str(nifti), "--patient", "P-01", **bundle_variables)
    assert done.returncode == 2 and "--bundle DIR, or FLEXION_MODELS__FMRI" in done.stderr


@pytest.mark.parametrize("spoil", ["text", "cut", "missing", "folder"])
def test_what_is_no_scan_is_refused_in_a_line(flexion, scan_variables, nifti, tmp_path, spoil):
    """A text with a scan's name, a file cut in the middle, no file at all; no traceback."""
    path = tmp_path / "bad_bold.nii.gz"
    whole = nifti.read_bytes()
    if spoil == "folder":
        path.mkdir()
    elif spoil != "missing":
        path.write_bytes(gzip.compress(b"hello") if spoil == "text" else whole[: len(whole) // 2])
    done = flexion("fmri", "score", str(path), "--patient", "P-01", "--date", "2026-03-31", "--json", **scan_variables)
    assert done.returncode == 3 and json.loads(done.stdout)["error"]["kind"] == "scan"
    assert len(done.stderr.strip().splitlines()) == 1 and "Traceback" not in done.stderr
    assert not (tmp_path / "data" / "patients").exists()


def test_a_name_that_is_no_text_is_refused_in_a_line(flexion, scan_variables, nifti, tmp_path):
    """The byte that is none is shown by its number."""
    path = shutil.copy(nifti, tmp_path / os.fsdecode(b"sub-\xff_bold.nii.gz"))
    done = flexion("fmri", "score", path, "--patient", "P-01", "--date", "2026-03-31", "--json", **scan_variables)
    error = json.loads(done.stdout)["error"]
    assert (done.returncode, error["kind"]) == (3, "scan") and error["subject"].endswith("sub-\\xff_bold.nii.gz")
    assert len(done.stderr.strip().splitlines()) == 1 and "is no text in UTF-8" in done.stderr
    assert not (tmp_path / "data" / "patients").exists()


def test_a_spoiled_score_is_refused_in_a_line(flexion, scan_variables, nifti, tmp_path):
    """One that was scored before and cannot be shown; the folder to remove is named."""
    arguments = ("fmri", "score", str(nifti), "--patient", "P-01", "--date", "2026-03-31", "--json")
    folder = json.loads(flexion(*arguments, **scan_variables).stdout)["folder"]
    file = Path(folder) / "score.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), "scanned_on": "x"}))
    done = flexion(*arguments, **scan_variables)
    error = json.loads(done.stdout)["error"]
    assert (done.returncode, error["kind"]) == (3, "fmri_refused") and folder in error["remedy"]
    assert len(done.stderr.strip().splitlines()) == 1
