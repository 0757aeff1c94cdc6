"""``flexion cohort``: one table for people, one object for programs, an exit code; the ward's own sessions."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
import typer

from deploy.cli import cohort
from tests.training.cohort.wards import eeg_path, noise, plain, session_of, write_cohort, write_xdf
from training.audit.audit import check
from training.audit.findings import Finding

pytest.importorskip("nibabel")


@pytest.fixture
def folder(tmp_path):
    """Return a cohort of four patients, one of whom has a recording in V that says µV."""
    folder = write_cohort(tmp_path / "cohort", plain(2))
    write_xdf(eeg_path(folder, "01"), (noise(1) * 1e-6).astype(np.float32))
    return folder


def test_check_is_one_object_with_an_exit_code(flexion, folder):
    """An error makes it 3, as training would refuse it; mended, it is 0."""
    done = flexion("cohort", "check", str(folder), "--json")
    assert (done.returncode, done.stderr) == (3, "")
    told = json.loads(done.stdout)
    assert set(told) == {"schema", "cohort", "patients", "findings"}
    errors = [finding for finding in told["findings"] if finding["level"] == "error"]
    assert {(error["patient"], error["check"]) for error in errors} == {("01", "unit")}
    write_xdf(eeg_path(folder, "01"), noise(1))
    assert flexion("cohort", "check", str(folder), "--json").returncode == 0


def test_check_stays_json_whatever_a_sidecar_says(flexion, folder):
    """Python takes NaN for a number, and would write one; no other program reads it."""
    eeg_path(folder, "01", ".json").write_text('{"PowerLineFrequency": NaN}')
    done = flexion("cohort", "check", str(folder), "--json")
    told = json.loads(done.stdout, parse_constant=pytest.fail)
    (error,) = [finding for finding in told["findings"] if finding["level"] == "error"]
    assert done.returncode == 3 and (error["patient"], error["check"]) == ("01", "sidecar")
    assert "has PowerLineFrequency = nan; expected a number." in error["what"]


def test_check_tells_people(folder, capsys, monkeypatch):
    """How far it is, then a row for each patient, then what is wrong and what to do, then what training says to it."""
    monkeypatch.setattr("deploy.cli.bars.LINE_S", 0.0)
    with pytest.raises(typer.Exit) as done:
        cohort.check(folder)
    told, heard = capsys.readouterr()
    assert done.value.exit_code == 3
    assert [line.split(", ETA")[0] for line in heard.splitlines()] == [f"{n} of 4 patients" for n in (1, 2, 3, 4)]
    assert "Ward 3: 4 patients, clinical, montage amp16" in told
    row = next(line for line in told.splitlines() if line.strip().startswith("01 "))
    assert "good" in row and "0.3 min" in row and "2 errors, 1 warning" in row
    assert "It would fit if the numbers were V where they are read as µV." in told
    assert "2 errors, 5 warnings, 0 notes: training refuses this cohort." in told


def test_a_folder_that_is_no_cohort_is_refused(flexion, tmp_path):
    """One line, and the same as an object."""
    done = flexion("cohort", "check", str(tmp_path / "nowhere"), "--json")
    assert done.returncode == 3 and done.stderr.count("\n") == 1
    assert json.loads(done.stdout)["error"]["kind"] == "cohort"


def test_a_session_is_added_by_its_id(flexion, tmp_path):
    """Into the cohort of the data folder, unless another is named; what contradicts it is refused."""
    session = session_of(tmp_path / "data").info.session
    done = flexion("cohort", "add", session, "--fma-3mo", "25", "--site", "A", "--age", "63", "--json")
    assert done.returncode == 0, done.stderr
    assert "New clinical cohort. " in done.stderr and "patient P-017, outcome good; 1 patient." in done.stderr
    told = json.loads(done.stdout)
    assert told["cohort"] == {"folder": str(tmp_path / "data" / "cohort"), "origin": "clinical", "patients": 1}
    assert told["added"]["good"] is True
    again = flexion("cohort", "add", session, "--fma-3mo", "9", "--json")
    assert again.returncode == 3
    assert "Patient P-017 has fma_le_3mo 25; now it is 9." in again.stderr
    other = flexion("cohort", "add", session, "--fma-3mo", "9", "--cohort", str(tmp_path / "other"))
    assert other.returncode == 0 and (tmp_path / "other" / "sub-P-017").is_dir()


def test_many_findings_of_one_kind_are_told_together(folder, capsys):
    """A warning that all patients have is one line; errors are told one by one."""
    done = check(folder)
    many = [Finding("warning", "length", f"{n}", f"{n}.xdf", f"It is {n} s long.") for n in range(9)]
    errors = [Finding("error", "nan", f"{n}", f"{n}.xdf", f"{n} are none.", "Leave it out.") for n in range(9)]
    cohort.put(replace(done, findings=(*errors, *many)))
    told = capsys.readouterr().out
    assert "warning: 0, 0.xdf: It is 0 s long. Likewise 1, 2, 3, 4, 5, 6 and 2 more (all: --json).\n" in told
    assert all(f"error: {n}, {n}.xdf: {n} are none. Leave it out.\n" in told for n in range(9))
    assert "9 errors, 9 warnings, 0 notes: training refuses this cohort." in told


def test_a_machine_without_the_training_extra_says_so(monkeypatch):
    """The bedside has none of it; the line installs it."""
    from acquisition.errors import BadEnvironment
    from deploy.cli import extra

    monkeypatch.setattr(extra, "find_spec", lambda name: None)
    with pytest.raises(BadEnvironment, match=r"pip install 'flexion\[training\]'"):
        cohort.check(folder=None)
