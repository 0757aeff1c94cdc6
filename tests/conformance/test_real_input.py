"""Real signals by the real commands: through LSL at the patient's pace, from an amplifier, and what is refused.

The recording is composed (real EEG and real EMG that were never recorded together); the bundle that scores it was
trained on simulated patients, so that its numbers mean nothing here: that they are there, and the same, is tested.
"""

from __future__ import annotations

import subprocess
import sys
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from acquisition.paradigm import PHASES, ParadigmPlan
from acquisition.recording import read_recording
from acquisition.session import SessionFolder
from tests.conformance.commanding import Running, clean_environment
from tests.conformance.compose import compose
from tests.conformance.result_schema import check_refusal, check_result

pytestmark = [pytest.mark.conformance, pytest.mark.slow, pytest.mark.timeout(300)]

#: Of the composed recording, and of the live session that a part of it is.
SECONDS, MINUTES = 48.0, "0.75"
#: Markers early enough to be in every window.
PLAN = ParadigmPlan(still_s=4.0)
REPOSITORY = Path(__file__).parents[2]


@dataclass(frozen=True)
class Played:
    """A composed recording and the sessions that it was played to."""

    recording: Path
    scored: dict[str, Any]
    replayed: dict[str, Any]
    live: dict[str, Any]
    folder: SessionFolder
    folder_scored: dict[str, Any]


@pytest.fixture(scope="module")
def amplifier(composed) -> Iterator[str]:
    """Offer the composed recording as an amplifier does; return its source_id."""
    source_id = f"amplifier-{uuid.uuid4()}"
    command = [sys.executable, "-m", "tests.conformance.amplifier", str(composed), "Amplifier", source_id]
    with subprocess.Popen(command, stdin=subprocess.PIPE, cwd=REPOSITORY, env=clean_environment()) as process:
        yield source_id
        process.stdin.close()


@pytest.fixture(scope="module")
def composed(shared_data, tmp_path_factory) -> Path:
    """Return a recording of 16 channels at 1000 Hz, composed from real ones."""
    return compose(tmp_path_factory.mktemp("composed") / "composed.xdf", SECONDS, shared_data, PLAN)


@pytest.fixture(scope="module")
def played(composed, amplifier, start, free_ports, tmp_path_factory) -> Played:
    """Play it at the patient's pace in two ways at once: replayed, and to a live session from an amplifier."""
    folder = tmp_path_factory.mktemp("played")

    def run(name: str, *arguments: str) -> Running:
        return start(folder / name, *arguments, "--json", "--no-browser", "--port", str(free_ports()))

    bedside = ("--patient", "P1", "--bed", "B1", "--source-id", amplifier, "--minutes", MINUTES, "--wait", "30")
    live = run("live", "live", *bedside)
    replayed = run("replay", "replay", str(composed), "--speed", "1")
    live_result = live.finish().result
    session = SessionFolder.find(folder / "live" / "data", live_result["session"])
    scored, again = (
        start(folder / "score", "score", str(what), "--json").finish().result for what in (composed, session.path)
    )
    return Played(composed, scored, replayed.finish().result, live_result, session, again)


def test_every_result_keeps_the_contract(played):
    """Key by key, and everything adds up."""
    for result in (played.scored, played.replayed, played.live, played.folder_scored):
        check_result(result)


def test_a_replay_of_real_signals_gives_the_scores_of_the_file(played):
    """Through LSL at the patient's pace: the same bits, phases and ledger as in process (law 1)."""
    keys = ("outcome", "windows", "ledger", "scores")
    assert {key: played.replayed[key] for key in keys} == {key: played.scored[key] for key in keys}
    assert played.replayed["origin"] == "recorded"


def test_a_live_session_of_real_signals_is_whole(played):
    """The planned minutes of it: windows, scores, phases, a ledger without loss, and how late results were."""
    live = played.live
    assert (live["mode"], live["origin"], live["bed"], live["replay_of"]) == ("live", "live", "B1", None)
    assert live["windows"]["made"] == 4
    assert {phase for score in live["scores"] for phase, _, _ in score["phases"]} == set(PHASES)
    assert (live["ledger"]["received"], live["ledger"]["declared_lost"]) == (45_000, 0)
    assert live["latency_s"]["p50"] > 0


def test_a_live_session_scores_the_same_again(played):
    """From its folder alone come the very numbers of the bedside (law 2)."""
    keys = ("outcome", "windows", "ledger", "scores")
    assert {key: played.folder_scored[key] for key in keys} == {key: played.live[key] for key in keys}


def test_what_the_amplifier_sent_is_recorded_to_the_bit(played):
    """The part holds the composed samples, in the stream's own type, none left out."""
    (part,) = played.folder.parts()
    sent = read_recording(played.recording).samples
    first = int(np.flatnonzero((sent == part.samples[0]).all(axis=1))[0])
    assert part.samples.tobytes() == sent[first : first + 45_000].tobytes()


@pytest.mark.parametrize("verb", ["score", "replay"])
@pytest.mark.parametrize(
    ("recording", "words"),
    [
        ("xdf-bciess-gusbamp16/switch_example.xdf", ("256 Hz", "1000 Hz", "FC1", "--resample", "--montage")),
        ("emg-uci-lowerlimb/5Nsen.txt", ("C3", "GMAX", "the stream has RF, BF, VM, ST", "--montage")),
        ("xdf-muse/sub-P001_ses-S001_task-Default_run-001_eeg.xdf", ("'Muse'", "256 Hz", "TP9", "--montage")),
        ("xdf-malformed/chunk_length_lie.xdf", ("no stream", "It is damaged", "torn at byte 71", "copy")),
        ("xdf-malformed/out_of_order_sample_chunk.xdf", ("no stream", "It is damaged", "byte 660", "copy")),
        ("xdf-malformed/str_test.xdf", ("no stream", "It is damaged", "torn at byte 435", "copy")),
    ],
)
def test_what_does_not_fit_is_refused_with_words(shared_data, start, tmp_path, verb, recording, words):
    """One line names the file, its rate or channels, and the way out; nothing was started, nothing hangs (law 10)."""
    done = start(tmp_path, verb, str(shared_data / recording), "--json").finish()
    assert done.code == 3, done.stderr
    assert done.stderr.count("\n") == 1
    check_refusal(done.object)
    assert Path(recording).name in done.stderr
    for word in words:
        assert word in done.stderr, word
