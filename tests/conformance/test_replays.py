"""Parts of a recording and loops by the real commands, at every speed: the same bits as scoring gives (law 1).

The recording is composed of real ones; where there are none, of a simulated patient.
"""

from __future__ import annotations

import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from acquisition.session import SessionFolder
from tests.conformance.commanding import Running, await_that
from tests.conformance.compose import compose
from tests.conformance.recordings import PLAN, eventful
from tests.conformance.result_schema import check_result
from tests.conftest import SHARED_DATA
from tests.deploy.recordings import write_xdf

pytestmark = [pytest.mark.conformance, pytest.mark.slow, pytest.mark.timeout(400)]

#: Of the recording, and the part of it that is played: over the simulated one's holes, with a calibrated window.
SECONDS, PART = 52.0, ("--from", "0:03.5", "--to", "0:49.9995")
#: What every way must agree on.
SAME = ("patient", "replay_of", "excerpt", "origin", "engines", "outcome", "windows", "ledger", "scores")
#: Speeds of either recording, through Redis alone or through LSL too; the real signals come as slowly as they came.
SPEEDS = {"simulated": ("max", "5"), "composed": ("1", "20")}
#: Speed at which either recording goes round.
ROUND_SPEED = {"simulated": "max", "composed": "20"}


@pytest.fixture(scope="module", params=["simulated", pytest.param("composed", marks=pytest.mark.thorough)])
def recording(request, tmp_path_factory) -> Path:
    """Return a recording with events, and one of real signals."""
    folder = tmp_path_factory.mktemp(request.param)
    if request.param == "simulated":
        return eventful(folder / "simulated.xdf", SECONDS)
    if not SHARED_DATA.is_dir():
        pytest.skip(f"no shared recordings at {SHARED_DATA}")
    return compose(folder / "composed.xdf", SECONDS, SHARED_DATA, PLAN)


@pytest.fixture(scope="module")
def replay(start, free_ports) -> Callable[..., Running]:
    """Return a function that starts a replay in a folder, with pages that nobody opens."""

    def replay(folder: Path, *arguments: str) -> Running:
        return start(folder, "replay", *arguments, "--json", "--no-browser", "--port", str(free_ports()))

    return replay


@pytest.fixture(scope="module")
def once(recording, replay, tmp_path_factory) -> tuple[Path, dict[str, Any]]:
    """Play the part once; return the folder of the replay, and its result."""
    folder = tmp_path_factory.mktemp("once")
    speed = ROUND_SPEED[recording.stem]
    return folder, replay(folder, str(recording), *PART, "--speed", speed, "--rounds", "1").finish().result


def test_a_part_is_the_same_at_every_speed(recording, start, replay, once, tmp_path):
    """Scored in process, replayed through Redis, and through LSL at three speeds; and again from a session's folder."""
    scored = start(tmp_path / "score", "score", str(recording), *PART, "--json").finish().result
    check_result(scored)
    assert scored["excerpt"] == {"from_s": 3.5, "to_s": 50.0}
    assert [score["state"] for score in scored["scores"]] == ["scored"] * 4
    for speed in SPEEDS[recording.stem]:
        if speed == ROUND_SPEED[recording.stem]:
            folder, result = once
        else:
            folder = tmp_path / speed
            result = replay(folder, str(recording), *PART, "--speed", speed).finish().result
        check_result(result)
        assert {key: result[key] for key in SAME} == {key: scored[key] for key in SAME}, speed
    session = SessionFolder.find(folder / "data", result["session"])
    again = start(tmp_path / "again", "score", str(session.path), "--json").finish().result
    assert again["scores"] == scored["scores"]


def test_rounds_are_counted_to_the_sample(recording, replay, once, tmp_path):
    """Two rounds have each window of one twice, but for the artifact stage; no window spans the seam (law 4)."""
    _, one = once
    speed = ROUND_SPEED[recording.stem]
    twice = replay(tmp_path, str(recording), *PART, "--speed", speed, "--rounds", "2").finish().result
    check_result(twice)
    n = one["windows"]["made"]
    assert (twice["rounds"], twice["windows"]["made"]) == (2, 2 * n)
    length = round(1000 * (one["excerpt"]["to_s"] - one["excerpt"]["from_s"]))
    first, second = twice["scores"][:n], twice["scores"][n:]
    assert [_plain(score) for score in first] == [_plain(score) for score in one["scores"]]
    assert [score["first_sample"] - length for score in second] == [score["first_sample"] for score in first]
    counted = ("received", "declared_lost", "in_windows", "bridged")
    assert [twice["ledger"][key] for key in counted] == [2 * one["ledger"][key] for key in counted]
    assert not twice["outcome"]["provisional"] or "nobody's outcome" in twice["outcome"]["reasons"][-1]


def _plain(score: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in score.items() if key != "index"}


def test_a_loop_goes_on_until_it_is_ended(recording, replay, tmp_path):
    """Ctrl-C ends it as a session ends: all is counted, and the exit code is 0."""
    command = replay(tmp_path, str(recording), "--from", "20", "--to", "0:35", "--loop", "--speed", "20")
    sessions = tmp_path / "data" / "sessions"

    def in_the_third_round() -> bool:
        begun = [path.read_bytes() for path in sessions.glob("*/decisions.jsonl")]
        return bool(begun) and b'"text":"round 3"' in begun[0]

    await_that(in_the_third_round, command)
    command.process.send_signal(signal.SIGINT)
    result = command.finish().result
    check_result(result)
    assert result["rounds"] == 0 and result["windows"]["made"] >= 2
    assert result["ledger"]["received"] > 2 * 15_000 - 110


def test_a_hole_passes_in_time_and_ends_nothing(start, replay, tmp_path):
    """20 s in which nothing is sent, as at the bedside: the replay goes on behind it."""
    holed = write_xdf(tmp_path / "holed.xdf", 70.0, skip=(15_000, 55_000))
    scored = start(tmp_path / "score", "score", str(holed), "--json").finish().result
    replayed = replay(tmp_path / "replay", str(holed), "--speed", "2").finish().result
    assert {key: replayed[key] for key in ("outcome", "windows", "ledger", "scores")} == {
        key: scored[key] for key in ("outcome", "windows", "ledger", "scores")
    }
    assert scored["ledger"]["declared_lost"] == 40_000 and scored["windows"]["made"] == 2
