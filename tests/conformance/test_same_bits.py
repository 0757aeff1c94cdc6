"""One recording through every way there is: scored in process, replayed through Redis, replayed through LSL (law 1).

The real commands run in processes of their own; a second consumer listens to the stream. Logits are compared as the
float32 bits that the engine gave: JSON carries each number exactly.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from acquisition.chain import Chain, drive
from acquisition.recording import read_recording
from acquisition.session import SessionFolder
from acquisition.tape import decide, tape_of, tape_of_folder
from dashboard.archive import Archive
from tests.conformance.commanding import LIMIT_S, Running
from tests.conformance.listening import Listener
from tests.conformance.recordings import HOLE, MONTAGE, eventful
from tests.conformance.result_schema import check_result

pytestmark = [pytest.mark.conformance, pytest.mark.slow, pytest.mark.timeout(400)]

#: 4 s of settling after the hole, 30 s of calibration, and a window that is calibrated.
SECONDS = 50.0
#: What every way must agree on.
SAME = ("patient", "origin", "recorded", "bundles", "engines", "outcome", "windows", "ledger", "scores")
#: How much faster than the patient the session's folder is played through LSL.
FASTER = "10"


@dataclass(frozen=True)
class Way:
    """One way of scoring the recording: its result, and the session's folder where it made one."""

    result: dict[str, Any]
    folder: SessionFolder | None


@dataclass(frozen=True)
class Ways:
    """Every way, and what the second consumer heard."""

    recording: Path
    by_name: dict[str, Way]
    heard: NDArray[np.generic]

    @property
    def scored(self) -> dict[str, Any]:
        """The result of ``flexion score FILE``, with which all others are compared."""
        return self.by_name["score"].result


@pytest.fixture(scope="module")
def ways(start, free_ports, tmp_path_factory) -> Ways:
    """Score the recording in every way; each command ends by itself, with exit code 0."""
    folder = tmp_path_factory.mktemp("ways")
    recording = eventful(folder / "eventful.xdf", SECONDS)

    def replay(source: Path, name: str, speed: str) -> Running:
        port = str(free_ports())
        options = ("--speed", speed, "--json", "--no-browser", "--port", port)
        return start(folder / name, "replay", str(source), *options)

    def score(source: Path, name: str) -> Running:
        return start(folder / name, "score", str(source), "--json")

    with Listener("Flexion replay") as listener:
        running = {"replay 1": replay(recording, "replay 1", "1")}
        assert listener.began.wait(LIMIT_S)
        running["score"] = score(recording, "score")
        by_name = {"score": _way(running["score"], folder / "score")}
        running["replay max"] = replay(recording, "replay max", "max")
        by_name |= {name: _way(running[name], folder / name) for name in ("replay max", "replay 1")}
    session = by_name["replay 1"].folder.path
    again = {
        "score folder": score(session, "score folder"),
        "replay folder max": replay(session, "replay folder max", "max"),
        "replay folder faster": replay(session, "replay folder faster", FASTER),
    }
    by_name |= {name: _way(command, folder / name) for name, command in again.items()}
    return Ways(recording, by_name, listener.heard())


def _way(command: Running, folder: Path) -> Way:
    """Wait for a command's result, and find the session's folder that it made, if any."""
    result = command.finish().result
    made = result["mode"] == "replay"
    return Way(result, SessionFolder.find(folder / "data", result["session"]) if made else None)


def test_every_way_gives_the_same_result(ways):
    """Logits to the bit, phases, weights, windows, ledger, outcome: all that is the recording's own."""
    expected = {key: ways.scored[key] for key in SAME}
    assert [score["state"] for score in expected["scores"]] == ["scored"] * 4
    for name, way in ways.by_name.items():
        assert {key: way.result[key] for key in SAME} == expected, name


def test_every_result_keeps_the_contract(ways):
    """Key by key, and everything adds up."""
    for way in ways.by_name.values():
        check_result(way.result)


def test_a_replay_says_of_what(ways):
    """A file is named by its name, a session by its id; a folder keeps what its session was."""
    session = ways.by_name["replay 1"].result["session"]
    of_file = dict.fromkeys(("replay max", "replay 1", "score folder"), ways.recording.name)
    of_folder = dict.fromkeys(("replay folder max", "replay folder faster"), session)
    expected = {"score": None, **of_file, **of_folder}
    assert {name: way.result["replay_of"] for name, way in ways.by_name.items()} == expected


def test_latency_belongs_to_streams(ways):
    """Only where samples came as a stream is there a time at which a result can be late."""
    timed = {name for name, way in ways.by_name.items() if way.result["latency_s"] is not None}
    assert timed == {"replay 1", "replay folder faster"}


def test_what_happened_is_in_the_ledger(ways):
    """The hole is lost, the short one bridged, the electrode's silence neither; phases follow the markers (law 3)."""
    ledger = ways.scored["ledger"]
    assert (ledger["received"], ledger["declared_lost"], ledger["bridged"]) == (49_890, 110, 10)
    assert [score["first_sample"] for score in ways.scored["scores"]] == [9_100, 19_100, 29_100, 39_100]
    assert {phase for score in ways.scored["scores"] for phase, _, _ in score["phases"]} == {
        "preparation",
        "flexion",
        "rest",
        "extension",
    }


def test_the_page_of_each_session_shows_the_same_course(ways):
    """Windows, scores and the state after each, in one hash: as live over LSL, so in the replay of its folder."""
    folders = {name: way.folder for name, way in ways.by_name.items() if way.folder is not None}
    courses = {
        name: Archive(folder.path.parent.parent).told(folder.info.session).course for name, folder in folders.items()
    }
    states = [str(step.outcome.state) for step in courses["replay 1"].steps]
    assert states == ["COLLECTING", "PARTIAL", "PARTIAL", "PARTIAL"]
    assert {name: course.digest for name, course in courses.items()} == dict.fromkeys(
        folders, courses["replay 1"].digest
    )


def test_results_carry_the_same_embedding_quality_and_calibration(ways):
    """Beyond the JSON: every field of a result that a window's bits make, in every folder."""
    own = ("session", "stamp_s", "stages_s", "latency_s")
    lines = {
        name: [{key: value for key, value in line.items() if key not in own} for line in way.folder.results()]
        for name, way in ways.by_name.items()
        if way.folder is not None
    }
    first = lines["replay max"]
    assert [line["flags"] for line in first] == [
        ["uncalibrated"],
        ["bridged", "uncalibrated"],
        ["uncalibrated"],
        [],
    ]
    assert len({line["calibration"] for line in first}) == 2
    for name, of_way in lines.items():
        assert sorted(of_way, key=lambda line: line["index"]) == first, name


def test_every_folder_makes_the_windows_of_the_recording(ways):
    """The session folder is the record: from it alone come the very bytes that were scored (law 2)."""
    expected = list(_of_recording(ways.recording))
    assert len(expected) == 4
    for name, way in ways.by_name.items():
        if way.folder is not None:
            assert list(_of_folder(way.folder)) == expected, name


def test_the_second_consumer_heard_the_recording(ways):
    """Whoever listens beside the bridge gets the same samples, in order, from when it came to the end."""
    samples = read_recording(ways.recording).samples
    heard = ways.heard
    assert len(heard) > HOLE[1]
    assert heard.tobytes() == samples[len(samples) - len(heard) :].tobytes()


def _of_recording(path: Path) -> Iterator[bytes]:
    recording = read_recording(path)
    binding = MONTAGE.bind(recording.labels, recording.units)
    for step in drive(Chain(MONTAGE), tape_of(recording, binding, decide(recording, MONTAGE, binding))):
        yield from (window.x_uv.tobytes() for window in step.windows)


def _of_folder(folder: SessionFolder) -> Iterator[bytes]:
    for step in drive(Chain(MONTAGE), tape_of_folder(folder)):
        yield from (window.x_uv.tobytes() for window in step.windows)
