"""Replays by the real command: parts, rounds, a folder of recordings, and an end before the end."""

from __future__ import annotations

import json
import shutil

import pytest

from acquisition.reading import AS_IT_IS
from deploy import exits
from deploy.cli.replay import row_of
from deploy.cli.turns import NONE, Manner, Ran, prepare
from deploy.gathering import Meant
from deploy.recorded import WHOLE

pytestmark = pytest.mark.slow

#: A window of the recording, with the settling before it and a calibration that is never reached.
PART = ("--from", "0:01", "--to", "0:15")
#: What score and replay must agree on.
SAME = ("outcome", "windows", "ledger", "scores", "excerpt")


def test_a_part_is_the_same_in_process_and_through_redis(flexion, bundle_variables, recording):
    """The same windows bit for bit, from the same samples and decisions (law 1)."""
    scored, replayed = (
        json.loads(flexion(*verb, str(recording), *PART, "--json", **bundle_variables).stdout)
        for verb in (("score",), ("replay", "--speed", "max"))
    )
    assert {key: scored[key] for key in SAME} == {key: replayed[key] for key in SAME}
    assert scored["windows"]["scored"] == 1
    assert replayed["replay_of"] == scored["replay_of"] == "patient.xdf"


def test_rounds_are_one_session_that_says_so(flexion, bundle_variables, recording):
    """Every round's samples are counted; windows repeat, and the outcome is nobody's."""
    done = flexion("replay", str(recording), *PART, "--rounds", "3", "--speed", "max", "--json", **bundle_variables)
    result = json.loads(done.stdout)
    assert done.returncode == 0, done.stderr
    assert (result["rounds"], result["ledger"]["received"], result["ledger"]["declared_lost"]) == (3, 42_000, 0)
    logits = [score["logit"] for score in result["scores"]]
    assert len(logits) == 3 and len(set(logits)) == 1
    assert [score["first_sample"] for score in result["scores"]] == [4_000, 18_000, 32_000]
    assert "nobody's outcome" in result["outcome"]["reasons"][-1]


def test_a_folder_is_replayed_one_after_the_other(flexion, bundle_variables, recording, tmp_path):
    """Each a session of its own; one that is refused stops none of the others."""
    folder = tmp_path / "some"
    folder.mkdir()
    for name in ("c.xdf", "a.xdf"):
        shutil.copy(recording, folder / name)
    (folder / "b.xdf").write_bytes(b"XDF:")
    done = flexion("replay", str(folder), "--speed", "max", "--json", **bundle_variables)
    assert done.returncode == 3, done.stderr
    first, refused, last = json.loads(done.stdout)["sessions"]
    assert (first["file"], refused["error"]["subject"], last["file"]) == ("a.xdf", "b.xdf", "c.xdf")
    assert first["scores"] == last["scores"] and first["session"] < last["session"]
    sessions = tmp_path / "data" / "sessions"
    assert {path.name for path in sessions.iterdir()} == {first["session"], last["session"]}


def test_a_folder_is_not_looped(flexion, bundle_variables, recording):
    """Which of them would be?"""
    done = flexion("replay", str(recording.parent), "--loop", **bundle_variables)
    assert done.returncode == 2
    assert "A folder is not looped. Name the one recording that is to be." in done.stderr


def test_what_became_of_each_is_told(recording, settings, models):
    """A bridge may refuse what looked well, and an end may come before the last turn."""
    manner = Manner(None, 1, "b", None, WHOLE, AS_IT_IS)
    take = prepare(Meant("x.xdf", recording), settings, models, manner)
    refusal = {"schema": "s", "error": {"kind": "recording", "subject": "0", "message": "Gone.", "remedy": "Look."}}
    refused = row_of(take, Ran({}, {take.info.session: refusal}, exits.BAD_INPUT))
    assert (refused.cells()[-1], refused.result["error"]["subject"], refused.code) == ("Gone. Look.", "x.xdf", 3)
    missed = row_of(take, NONE)
    assert (missed.cells()[-1], missed.code) == ("It had no turn before the run was ended. Play it.", 1)


def test_a_folder_of_refusals_starts_nothing(flexion, bundle_variables, tmp_path):
    """There is nothing to run Redis for."""
    folder = tmp_path / "some"
    folder.mkdir()
    (folder / "b.xdf").write_bytes(b"XDF:")
    done = flexion("replay", str(folder), "--speed", "max", **bundle_variables)
    assert (done.returncode, done.stderr) == (3, "")
    assert "1 recording, 1 refused" in done.stdout
