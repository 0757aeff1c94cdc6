"""The bridge killed in the middle of its work: the session goes on, and its folder is as if nobody had noticed."""

from __future__ import annotations

import signal
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from acquisition.session import SessionFolder

from .checking import complaints, decided, score_again, unlike_sent
from .running import Running, await_that, demo, kill, n_results

pytestmark = [pytest.mark.faults, pytest.mark.slow, pytest.mark.timeout(400)]


@dataclass(frozen=True)
class Ended:
    """A demonstration with two beds whose bridges were killed."""

    code: int
    log: str
    results: tuple[dict[str, Any], ...]
    folders: tuple[Path, ...]
    rescored: tuple[dict[str, Any], ...]


@pytest.fixture(scope="module")
def ended(tmp_path_factory: pytest.TempPathFactory, models: Mapping[str, str]) -> Ended:
    """Kill bed 1's bridge in its first second and as its first result comes, bed 2's at its calibration."""
    with demo(tmp_path_factory.mktemp("demo"), models, seconds=None, beds=2) as running:
        first, second = running.sessions(2)
        folders = (running.folder(first), running.folder(second))
        _kill_when_live(running, first)
        await_that(lambda: n_results(folders[0]), "a first result")
        kill(running.child(f"bridge {first}", times=2))
        await_that(lambda: _is_calibrated(folders[1]), "a calibration", look_s=0.002)
        kill(running.child(f"bridge {second}"))
        for folder, n in zip(folders, (2, 4), strict=True):
            await_that(lambda folder=folder, n=n: n_results(folder) >= n, f"{n} results in {folder}")
        running.process.send_signal(signal.SIGINT)
        code = running.finish()
        return Ended(
            code, running.tail(), tuple(running.result()["sessions"]), folders, tuple(score_again(models, *folders))
        )


def _kill_when_live(running: Running, session: str) -> None:
    bridge = running.child(f"bridge {session}")
    running.await_said("source", session=session, state="LIVE")
    kill(bridge)


def _is_calibrated(folder: Path) -> bool:
    path = folder / "decisions.jsonl"
    return path.exists() and b'"calibration"' in path.read_bytes()


def test_every_window_has_one_result_and_the_folder_gives_it_again(ended: Ended) -> None:
    """Results, ledger, parts and losses are right, and scoring the folder anew gives the same bits (laws 1 to 5)."""
    for folder, rescored in zip(ended.folders, ended.rescored, strict=True):
        assert complaints(folder, rescored) == []
    assert ended.code == 0, ended.log


def test_nothing_that_was_sent_while_a_bridge_lived_is_missing(ended: Ended) -> None:
    """Each recorded sample is the one that the patient sent for its place on the grid (laws 2 and 3)."""
    for bed, folder in enumerate(ended.folders, start=1):
        assert unlike_sent(folder, bed) == []


def test_each_life_has_a_part_and_each_outage_is_declared(ended: Ended) -> None:
    """Two deaths make three parts and two losses with the reason resume (law 3)."""
    for folder, lives in zip(ended.folders, (3, 2), strict=True):
        assert SessionFolder.open(folder).part_numbers() == list(range(1, lives + 1))
        assert [d.data["reason"] for d in decided(folder, "lost")] == ["resume"] * (lives - 1)


def test_a_calibration_is_taken_once_and_stays(ended: Ended) -> None:
    """A bridge that died right at its calibration goes on with the very same one (law 2)."""
    _, folder = ended.folders
    (calibration,) = decided(folder, "calibration")
    used = [line["calibration"] for line in SessionFolder.open(folder).results()]
    assert used[:3] == ["", "", ""] and set(used[3:]) == {calibration.data["hash"]}


def test_beds_do_not_mix(ended: Ended) -> None:
    """Two sessions of one run have nothing in common: not a patient, a source, a marker or a score (law 6)."""
    one, other = (SessionFolder.open(folder) for folder in ended.folders)
    assert one.info.patient != other.info.patient and one.info.bed != other.info.bed
    assert (one.info.source or {})["source_id"] != (other.info.source or {})["source_id"]
    assert {part.source_id for part in one.parts()} == {(one.info.source or {})["source_id"]}
    assert {part.source_id for part in other.parts()} == {(other.info.source or {})["source_id"]}
    assert not {m.stamp_s for part in one.parts() for m in part.markers} & {
        m.stamp_s for part in other.parts() for m in part.markers
    }
    assert not {line["logit"] for line in one.results()} & {line["logit"] for line in other.results()}
    assert {result["session"] for result in ended.results} == {one.info.session, other.info.session}
