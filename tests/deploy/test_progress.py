"""Progress: bars on a terminal, a line now and then elsewhere, and what they say."""

from __future__ import annotations

import os
import pty
import re
import subprocess

import pytest

from deploy.cli.bars import LINE_S
from deploy.cli.progress import Progress
from tests.deploy.conftest import FLEXION


@pytest.fixture
def progress(clock):
    """Return one without a terminal, on a clock that the test turns."""
    return Progress(as_json=False, clock=clock.monotonic_s)


def test_speed_and_time_left_are_counted_from_the_first_samples(progress, clock):
    """What passed before (a bridge that starts) says nothing of the speed."""
    track = progress.track("a.xdf")
    clock.sleep(20.0)
    track.begins(60_000, 1000.0)
    assert track.words == "0/60,000 samples, windows scored: 0"
    clock.sleep(20.0)
    track.reaches(10_000, 0)
    assert (track.speed, track.left_s) == (0.0, None)
    clock.sleep(0.5)
    track.reaches(15_000, 1)
    assert (track.speed, track.left_s) == (10.0, 4.5)
    assert track.words == "15,000/60,000 samples, 10x real time, ETA 0:04, windows scored: 1"


def test_without_an_end_there_is_no_time_left(progress, clock):
    """A loop goes on until somebody ends it."""
    track = progress.track("a.xdf")
    track.begins(None, 1000.0)
    track.reaches(0, 0)
    clock.sleep(2.0)
    track.reaches(2_000, 1)
    assert track.words == "2,000 samples, 1.0x real time, windows scored: 1"


def test_a_pipe_gets_a_line_now_and_then(progress, clock, capsys):
    """An hour is a page of them, a short one none."""
    with progress:
        track = progress.track("a.xdf")
        track.begins(10**6, 1000.0)
        for second in range(100):
            track.reaches(second * 1000, 0)
            clock.sleep(1.0)
        progress.over(track)
    out, err = capsys.readouterr()
    assert out == ""
    assert err.splitlines()[0] == "a.xdf: 30,000/1,000,000 samples, 1.0x real time, ETA 16:10, windows scored: 0"
    assert err.count("\n") == 99 // LINE_S


@pytest.mark.parametrize("as_json", [False, True])
def test_a_terminal_gets_a_bar_unless_a_program_reads(recording, bundle_variables, tmp_path, as_json):
    """Drawn on stderr while it runs, gone when the result is there; with --json nothing of it."""
    drawn = on_terminal(["score", str(recording), *(["--json"] if as_json else [])], bundle_variables, tmp_path)
    bar = re.search(r"patient\.xdf .*━.* 25,000/25,000 samples, [\d.]+x real time, ETA 0:00", drawn)
    assert (bar is None) == as_json
    assert ("\x1b" in drawn) != as_json


def on_terminal(arguments, variables, folder) -> str:
    """Run the command with its stderr on a terminal, and return what it drew there."""
    ours, theirs = pty.openpty()
    environment = {
        **os.environ,
        **variables,
        "TERM": "xterm",
        "COLUMNS": "200",
        "FLEXION_DATA_DIR": str(folder / "data"),
    }
    command = [str(FLEXION), *arguments]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=theirs, cwd=folder, env=environment) as process:
        os.close(theirs)
        drawn = b""
        while piece := _read(ours):
            drawn += piece
    os.close(ours)
    assert process.returncode == 0, drawn
    return drawn.decode()


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 65_536)
    except OSError:  # Linux says so that nobody holds the other end any more
        return b""
