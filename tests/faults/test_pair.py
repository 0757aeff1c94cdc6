"""Two amplifiers at one bed, with the real command: its bridge is killed, one of them is killed, nothing is made up."""

from __future__ import annotations

import json
import subprocess
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from acquisition.session import SessionFolder
from deploy.network import pair_words

from .checking import decided, of_outcome, score_again
from .half import Half
from .running import FLEXION, Running, await_that, clean_environment, free_port, kill, n_results

pytestmark = [pytest.mark.faults, pytest.mark.slow, pytest.mark.timeout(400)]

#: Minutes of the session: a window, a death of the bridge, a window, a death of the partner, its return.
MINUTES = 0.75


@dataclass(frozen=True)
class Ended:
    """A live session of two streams."""

    code: int
    log: str
    told: bool
    result: dict[str, Any]
    folder: Path
    rescored: dict[str, Any]
    ids: tuple[str, str]


@pytest.fixture(scope="module")
def ended(tmp_path_factory: pytest.TempPathFactory, models: Mapping[str, str]) -> Ended:
    """Kill the bridge after the first window, and the second amplifier after the second."""
    place, (eeg_id, emg_id) = tmp_path_factory.mktemp("pair"), (uuid.uuid4().hex, uuid.uuid4().hex)
    options = ("--port", free_port(), "--no-browser", "--json", "--minutes", str(MINUTES), "--wait", "15")
    with Half("eeg", eeg_id), Half("emg", emg_id, ppm=200.0) as second:
        criteria = ("--patient", "P1", "--bed", "B1", "--source-id", eeg_id)
        with Running(place, "live", *criteria, *options, **models) as running:
            (session,) = running.sessions()
            folder = running.folder(session)
            await_that(lambda: n_results(folder), "a first result")
            kill(running.child(f"bridge {session}"))
            await_that(lambda: n_results(folder) > 1, "a second result")
            second.kill()
            await_that(lambda: _lost_for_the_partner(folder), "the partner's absence")
            with Half("emg", emg_id, ppm=200.0):
                code = running.finish()
            log, result = running.tail(), running.result()
            told = running.said(pair_words(SessionFolder.open(folder).info.source or {}))
    (rescored,) = score_again(models, folder)
    return Ended(code, log, bool(told), result, folder, rescored, (eeg_id, emg_id))


def _lost_for_the_partner(folder: Path) -> bool:
    return any(decision.data["reason"] == "partner" for decision in decided(folder, "lost"))


def test_the_folder_gives_every_window_again(ended: Ended) -> None:
    """Results, ledger and scores are those of the folder, to the bit, in two parts with two streams (laws 1 to 5)."""
    assert of_outcome(ended.folder, ended.rescored) == []
    assert ended.code == 0, ended.log
    folder = SessionFolder.open(ended.folder)
    assert folder.part_numbers() == [1, 2]
    assert [len(folder.streams(part)) for part in (1, 2)] == [3, 3]


def test_both_streams_are_what_was_found(ended: Ended) -> None:
    """Nobody named the second one: it is said, written down, and found again by the next life (law 6)."""
    source = SessionFolder.open(ended.folder).info.source or {}
    assert (source["source_id"], source["partner"]["source_id"]) == ended.ids
    assert ended.told
    assert ended.result["alignment"]["error_s"] < 1e-3


def test_each_absence_is_declared(ended: Ended) -> None:
    """The bridge's by stamps, the partner's as samples that lacked theirs; each is followed by one segment (law 3)."""
    reasons = {decision.data["reason"] for decision in decided(ended.folder, "lost")}
    assert {"resume", "partner"} <= reasons
    segments = [decision.data["reason"] for decision in decided(ended.folder, "segment")]
    assert (segments[0], "resume" in segments, segments[-1]) == ("start", True, "gap")
    ledger = ended.result["ledger"]
    assert ledger["received"] + ledger["declared_lost"] == round(MINUTES * 60_000)
    assert ledger["rejected"]["partner"] > 0


@pytest.mark.parametrize("speed", ["max", "5"])
def test_a_replay_gives_the_same_bits(ended: Ended, models: Mapping[str, str], tmp_path: Path, speed: str) -> None:
    """Through Redis, and through LSL as one stream, by the recorded decisions (law 1)."""
    options = ("--speed", speed, "--json", "--no-browser", "--port", free_port(), "--data", str(tmp_path))
    environment = {**clean_environment(), **models}
    command = [FLEXION, "replay", str(ended.folder), *options]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    replayed = json.loads(done.stdout)
    assert [score["logit"] for score in replayed["scores"]] == [score["logit"] for score in ended.result["scores"]]
    assert replayed["ledger"] == ended.result["ledger"]
