"""Replaying: what goes with a recording so that it becomes the same session again."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from acquisition.errors import IdentityError, RecordingError
from acquisition.montage import load_montage
from acquisition.session import SessionFolder
from acquisition.source import read_decisions
from deploy.opening import Plan
from deploy.recorded import Between, open_recorded
from deploy.replaying import ENDLESS, UNNAMED, plan_of_folder, plan_replay

MONTAGE = load_montage("amp16")


def test_as_fast_as_can_be_the_bridge_reads_the_file(recording, settings):
    """No stream is needed; the count that must be reached is that of the file."""
    plan = plan_replay(recording, settings, patient=None, bed="replay", through_lsl=False)
    sha256 = hashlib.sha256(recording.read_bytes()).hexdigest()
    assert plan.source == {"kind": "file", "path": str(recording), "sha256": sha256}
    assert (plan.expected_samples, plan.decisions, plan.patient) == (25_000, None, UNNAMED)
    assert (plan.mode, plan.origin, plan.replay_of) == ("replay", "recorded", "patient.xdf")


def test_through_lsl_the_decisions_are_handed_over(recording, settings):
    """By path and hash: they are the recording's, not taken anew (law 1)."""
    plan = plan_replay(recording, settings, patient="P1", bed="replay", through_lsl=True)
    assert plan.source["kind"] == "lsl"
    content = Path(plan.decisions["path"]).read_bytes()
    assert hashlib.sha256(content).hexdigest() == plan.decisions["sha256"]
    kinds = [decision.kind for decision in read_decisions(Path(plan.decisions["path"]))]
    assert (kinds.count("segment"), kinds.count("lost"), kinds[-1]) == (2, 1, "end")


def test_a_part_is_what_must_be_counted(recording, settings):
    """The replay says which part of the recording it is."""
    plan = plan_replay(recording, settings, patient=None, bed="b", through_lsl=False, wanted=Between(10.0, 20.0))
    assert (plan.excerpt, plan.expected_samples) == ({"from_s": 10.0, "to_s": 20.0}, 9_000)
    assert (plan.rounds, plan.repeats) == (1, False)


@pytest.mark.parametrize(("rounds", "expected"), [(3, 75_000), (ENDLESS, None)])
def test_rounds_repeat_windows(recording, settings, models, rounds, expected):
    """What must be counted is all of them; without end it is open, and a session of them is known for ever."""
    plan = plan_replay(recording, settings, patient=None, bed="b", through_lsl=False, rounds=rounds)
    assert (plan.rounds, plan.repeats, plan.expected_samples) == (rounds, True, expected)
    folder = SessionFolder.create(settings.data_dir, plan.to_info(models))
    assert plan_of_folder(folder, None).repeats


def test_every_replay_has_a_stream_of_its_own(recording, settings):
    """Two replays on one machine never hear each other."""
    plans = [plan_replay(recording, settings, patient="P1", bed="replay", through_lsl=True) for _ in range(2)]
    assert plans[0].source["source_id"] != plans[1].source["source_id"]


def test_what_is_not_there_is_refused(settings, tmp_path):
    """A path where nothing is."""
    with pytest.raises(RecordingError, match="There is no .*nowhere"):
        plan_replay(tmp_path / "nowhere", settings, patient=None, bed="replay", through_lsl=False)


def test_a_session_without_samples_is_refused(settings, models):
    """There is nothing to play; and its patient stays its patient."""
    plan = Plan("demo", "simulated", "P1", "B1", MONTAGE, {"kind": "lsl"})
    folder = SessionFolder.create(settings.data_dir, plan.to_info(models))
    with pytest.raises(RecordingError, match="is empty: it has no samples. Choose another one."):
        open_recorded(folder.path, MONTAGE, None)
    with pytest.raises(IdentityError, match="is of patient P1, not of P2"):
        plan_replay(folder.path, settings, patient="P2", bed="replay", through_lsl=False)
