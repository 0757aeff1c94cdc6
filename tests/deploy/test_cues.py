"""``flexion cues`` in a process of its own: a plan, its markers, its end, and what it says of them."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from acquisition.clock import FakeClock, LiveClock
from acquisition.cue_desk import CueDesk
from acquisition.cues import Event
from acquisition.discovery import find_streams
from acquisition.paradigm import ParadigmPlan
from dashboard.server import listen
from deploy.cli import cues as verb
from tests.deploy.conftest import FLEXION

#: A plan that is over in a second.
QUICK = [f"--{name}=0.1" for name in ("still", "preparation", "flexion", "rest", "extension")] + ["--trials=2"]
TEXTS = ["session-start", *["preparation", "flexion", "rest", "extension"] * 2, "session-end"]
SOON_S = 40.0


@dataclass
class Running:
    """A command whose page answers."""

    process: subprocess.Popen[str]
    url: str
    said: list[str]

    def ask(self, command: str) -> dict[str, object]:
        """Press a button."""
        answer: dict[str, object] = httpx.post(f"{self.url}api/v1/cues/{command}", timeout=SOON_S).json()
        return answer

    def end(self) -> tuple[int, str, str]:
        """Wait for its end; return the exit code, stdout and all of stderr."""
        out, err = self.process.communicate(timeout=SOON_S)
        return self.process.returncode, out, "".join(self.said) + err


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Running]]:
    """Return a function that starts the command and waits for its page."""
    processes: list[subprocess.Popen[str]] = []

    def begin(*arguments: str) -> Running:
        command = [str(FLEXION), "cues", "--port", "0", "--no-browser", *arguments]
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
        process = subprocess.Popen(command, cwd=tmp_path, env={**os.environ}, **pipes)  # type: ignore[call-overload]
        processes.append(process)
        said: list[str] = []
        for line in process.stderr:
            said.append(line)
            if found := re.match(r"Page: (\S+)", line):
                return Running(process, found[1], said)
        raise AssertionError(f"no page: {said}")

    yield begin
    for process in processes:
        process.kill()
        process.communicate()


def test_a_plan_runs_and_the_command_ends_by_itself(start: Callable[..., Running]) -> None:
    """Every marker once and in order, the end by itself, one object on stdout; the stream is named for its signal."""
    running = start(*QUICK, "--source-id", "amp-7", "--json")
    stream = next(s for s in find_streams(SOON_S) if s.source_id == "amp-7-markers")
    assert (stream.name, stream.type, stream.is_text) == ("Flexion cues", "Markers", True)
    assert running.ask("start")["state"] == "running"
    code, out, said = running.end()
    told = json.loads(out)
    assert (code, told["schema"]) == (0, "flexion.result/1")
    cues = told["cues"]
    assert cues["completed"] is True
    assert cues["stream"] == {"name": "Flexion cues", "type": "Markers", "source_id": "amp-7-markers"}
    assert [sent["text"] for sent in cues["sent"]] == TEXTS
    assert cues["plan"]["n_trials"] == 2 and cues["plan"]["still_s"] == 0.1
    assert all(sent["late_s"] >= 0 for sent in cues["sent"])
    assert "Research software: not a medical device, not for diagnosis." in said


@pytest.mark.parametrize(("begun", "texts"), [(True, ["session-start", "session-end"]), (False, [])])
def test_an_interruption_ends_what_began(start: Callable[..., Running], begun: bool, texts: list[str]) -> None:
    """Ctrl-C sends the end of a session that began, tells the pages, and is no failure."""
    running = start("--json")
    if begun:
        running.ask("start")
    running.process.send_signal(signal.SIGINT)
    code, out, _ = running.end()
    cues = json.loads(out)["cues"]
    assert (code, cues["completed"]) == (0, False)
    assert [sent["text"] for sent in cues["sent"]] == texts
    assert cues["stream"]["source_id"].startswith(f"flexion-cues-{socket.gethostname()}-")


def test_people_read_it_in_lines(start: Callable[..., Running]) -> None:
    """Without --json the same is said in words; a button of the page ends it too."""
    running = start("--language", "zh")
    assert '<html lang="zh"' in httpx.get(running.url).text
    running.ask("start")
    running.ask("stop")
    code, out, said = running.end()
    assert code == 0
    assert out.startswith("cues: ended before the plan was over; 0 of 51 trials, 2 markers sent\n")
    assert "30 s still, then 51 x 10 s: 9.0 min" in said


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        ("--flexion 0", 2, r"Invalid value for '--flexion': 0\.0 s is no length of a phase: give more than 0\."),
        ("--rest nan", 2, r"Invalid value for '--rest': nan s is no length of a phase"),
        ("--still inf", 2, r"Invalid value for '--still': inf s cannot be waited for: give 0 or more\."),
        ("--still -1", 2, r"Invalid value for '--still': -1\.0 s cannot be waited for"),
        ("--trials 0", 2, r"Invalid value for '--trials': "),
        ("--language fr", 2, r"Invalid value for '--language': .*'fr' is not one of 'en', 'zh'"),
    ],
)
def test_what_makes_no_sense_is_refused(flexion, arguments: str, code: int, words: str) -> None:
    """One line with the option and what it takes."""
    done = flexion("cues", *arguments.split(), "--json")
    assert done.returncode == code
    assert re.search(words, done.stderr), done.stderr
    assert json.loads(done.stdout)["error"]["kind"] == "usage"


def test_a_taken_port_is_named_before_anything_is_offered(flexion) -> None:
    """Two of them cannot share a page; the way out is said."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        done = flexion("cues", "--port", str(taken.getsockname()[1]), "--json")
    assert done.returncode == 4
    assert "choose another port with --port" in done.stderr


def test_what_came_late_is_said_at_once_and_in_the_end(capsys: pytest.CaptureFixture[str]) -> None:
    """After a stall each marker is told with its lateness; what nobody saw is named so."""
    clock = FakeClock()
    desk = CueDesk(ParadigmPlan(still_s=1.0, n_trials=1), lambda text, stamp_s: None, clock, verb._tell_lateness)
    desk.command(Event.START)
    clock.sleep(7.5)
    desk.turn()
    said = capsys.readouterr().err.splitlines()
    assert said[1:] == [
        "flexion: flexion came 4.50 s late and is stamped so; the next was due by then, it was not seen.",
        "flexion: rest came 1.50 s late and is stamped so.",
    ]
    verb._tell(desk, "amp-7", as_json=False)
    assert "  3 came late, by 6.50 s at most; 2 of them nobody saw\n" in capsys.readouterr().out


def test_a_fault_in_the_cues_ends_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    """A page without cues would be worse than none: the fault is raised, after the end was sent."""
    sent = []

    def send(text: str, stamp_s: float) -> None:
        sent.append(text)
        if text == "preparation":
            raise RuntimeError("the outlet broke")

    class Markers:
        heard = True

    monkeypatch.setattr("deploy.child.stop_event", threading.Event)
    desk = CueDesk(ParadigmPlan(still_s=0.05), send, LiveClock())
    desk.command(Event.START)
    with listen("127.0.0.1", 0) as listening, pytest.raises(RuntimeError, match="the outlet broke"):
        verb._run(desk, Markers(), listening, "en", browser=False)  # type: ignore[arg-type]
    assert sent[-1] == "session-end"
