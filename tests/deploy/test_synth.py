"""``flexion cohort synth`` as its user runs it: what it says, what it refuses, and what Ctrl-C leaves behind."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import typer

from acquisition.errors import FlexionError
from deploy.cli.bars import LINE_S
from deploy.cli.synth import Shown, synth

#: Two recordings of one trial; no scans.
SHORT = ["--patients", "2", "--with-eeg", "2", "--minutes", "0.7", "--no-bold", "--seed", "3"]
#: Seconds in which a command that is asked to stop must have finished its patient.
STOPS_S = 45.0


def command(*arguments: str) -> int:
    """Run the verb alone, and return its exit code."""
    app = typer.Typer()
    app.command()(synth)
    return typer.main.get_command(app).main(list(arguments), "synth", standalone_mode=False) or 0


def test_a_cohort_is_written_and_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    """One object on stdout, words on stderr, and both say that nobody was a patient."""
    assert command(str(tmp_path / "cohort"), *SHORT, "--json") == 0
    out, err = capsys.readouterr()
    told = json.loads(out)["cohort"]
    assert (told["origin"], told["patients"], told["with_eeg"], told["written"]) == ("synthetic", 2, 2, 2)
    assert told["settings"]["effect"] == 2
    assert "2 patients, " in err
    assert "2 with EEG, no BOLD. Simulated: nothing here is of a patient." in err
    assert len([*(tmp_path / "cohort").rglob("*_eeg.xdf")]) == 2


def test_a_finished_cohort_is_left_as_it_is(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    """The same command again writes nothing, and says that all is there."""
    command(str(tmp_path), *SHORT)
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.xdf")}
    capsys.readouterr()
    assert command(str(tmp_path), *SHORT) == 0
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.xdf")} == before
    assert "2 of 2 patients are there already." in capsys.readouterr().err


def test_with_eeg_follows_the_number_of_patients(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    """Whoever asks for fewer patients need not count those with EEG."""
    command(str(tmp_path), "--patients", "1", "--minutes", "0.7", "--no-bold", "--json")
    assert json.loads(capsys.readouterr().out)["cohort"]["with_eeg"] == 1


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--effect", "5"], "effect 5 cannot be made; expected 0, 1, 2"),
        (["--minutes", "0.1"], "minutes 0.1 cannot be made; expected 0.666667"),
        (["--patients", "5", "--with-eeg", "6"], "with_eeg 6 cannot be made; expected 0 to 5. Choose --with-eeg"),
    ],
)
def test_settings_that_make_no_sense_are_bad_input(tmp_path: Path, arguments: list[str], words: str):
    """Exit code 3, and nothing is begun."""
    with pytest.raises(FlexionError, match=words) as refused:
        command(str(tmp_path / "cohort"), *arguments)
    assert refused.value.exit_code == 3
    assert not (tmp_path / "cohort").exists()


def test_a_folder_that_is_a_file_is_refused(tmp_path: Path):
    """By its name."""
    (tmp_path / "cohort").write_text("a file")
    with pytest.raises(FlexionError, match=r"cohort cannot be made: File exists\. Name another folder\."):
        command(str(tmp_path / "cohort"), *SHORT)


@pytest.mark.parametrize("workers", ["1", "2"])
def test_ctrl_c_says_how_far_it_is_and_leaves_whole_files_alone(tmp_path: Path, workers: str):
    """A real process, interrupted while it writes."""
    cohort = tmp_path / "cohort"
    code = (
        "import signal, sys; from tests.deploy.test_synth import command; "
        # Whoever runs the tests in the background has them ignore Ctrl-C.
        "signal.signal(signal.SIGINT, signal.default_int_handler); sys.exit(command(*sys.argv[1:]))"
    )
    arguments = [str(cohort), "--patients", "40", "--minutes", "2", "--no-bold", "--workers", workers]
    process = subprocess.Popen(
        [sys.executable, "-c", code, *arguments], stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    deadline = time.monotonic() + STOPS_S
    while not [*cohort.rglob("*_eeg.xdf")] and time.monotonic() < deadline:
        time.sleep(0.05)
    os.killpg(process.pid, signal.SIGINT)  # as a terminal does: to the processes of the workers too
    said = process.communicate(timeout=STOPS_S)[1]
    told = re.search(r"(\d+) of 34 patients are there; the same command goes on from here\.", said)
    assert told is not None, said
    assert "Traceback" not in said
    assert process.returncode != 0
    written = [*cohort.rglob("*.xdf*")]
    assert 0 < len(written) < 34
    # Whoever got his name in the very moment of Ctrl-C is there and not counted.
    assert 0 <= len(written) - int(told[1]) <= int(workers) + 1
    assert {path.suffix for path in written} == {".xdf"}


def test_without_a_terminal_there_is_a_line_now_and_then(capsys: pytest.CaptureFixture[str]):
    """How many of how many, and how long the rest takes at that speed."""
    now = [100.0]
    with Shown(as_json=True, clock=lambda: now[0]) as shown:
        shown.begins(10, 4)
        shown.finished("005")
        now[0] += 2 * LINE_S
        shown.finished("006")
    assert capsys.readouterr().err.splitlines() == [
        "4 of 10 patients are there already.",
        "6 of 10 patients, ETA 2:00",
    ]


def test_on_a_terminal_there_is_a_bar(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch):
    """It counts patients and goes away at the end."""
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    with Shown(as_json=False) as shown:
        shown.begins(10, 4)
        shown.finished("005")
    assert "5 of 10 patients" in capsys.readouterr().err
