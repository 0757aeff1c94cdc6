"""Several recordings as one table: what was scored, what was refused, and the worst exit code."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from acquisition.errors import RecordingError
from deploy import exits
from deploy.cli import table
from deploy.cli.table import HEAD, Row
from tests.deploy.test_output import RESULT

SCORED = {
    **RESULT,
    "schema": "flexion.result/1",
    "patient": "P1",
    "windows": {**RESULT["windows"], "published": 2},
}
BROKEN = RecordingError("/data/x/a.xdf is torn.", subject="/data/x/a.xdf", remedy="Copy /data/x/a.xdf again.")


def test_a_scored_recording_is_a_row():
    """State before number; what the file left open is told without its name, which is in the first column."""
    row = Row.scored("x/a.xdf", SCORED, 1000.0, ["a.xdf: channels are taken as uV.", "b.xdf: odd."])
    assert dict(zip(HEAD, row.cells(), strict=True)) == {
        "file": "x/a.xdf",
        "patient": "P1",
        "duration": "0:30",
        "windows": "2 of 2",
        "state": "PARTIAL",
        "probability": "0.73 [0.56, 0.85] (provisional)",
        "told, or why refused": "Channels are taken as uV. B.xdf: odd.",
    }
    assert (row.code, list(row.result)[:2], row.result["file"]) == (exits.OK, ["schema", "file"], "x/a.xdf")


def test_why_there_is_no_number_is_told():
    """And that something is not accounted for."""
    outcome = {**SCORED["outcome"], "state": "ABSTAINED", "probability": None, "reasons": ["Too few windows."]}
    row = Row.scored("a", {**SCORED, "outcome": outcome, "ledger": {**SCORED["ledger"], "balanced": False}}, 1000.0, [])
    assert row.cells()[-3:] == ("ABSTAINED", "", "Too few windows. Not everything is accounted for.")
    assert row.code == exits.UNBALANCED


def test_a_refused_recording_is_a_row():
    """Named as the table names it, wherever the folder lies, and in the first column only once."""
    row = Row.refused("x/a.xdf", Path("/data/x/a.xdf"), BROKEN)
    assert row.cells() == ("x/a.xdf", "", "", "", "refused", "", "Is torn. Copy x/a.xdf again.")
    assert row.result["error"] == {
        "kind": "recording", "subject": "x/a.xdf", "message": "x/a.xdf is torn.", "remedy": "Copy x/a.xdf again.",
    }  # fmt: skip


@pytest.mark.parametrize("as_json", [True, False])
def test_all_are_put_and_the_worst_code_counts(capsys, as_json):
    """One object with all of them, or the table and what holds for every score."""
    rows = [Row.scored("b", SCORED, 1000.0, []), Row.refused("a", Path("/data/x/a.xdf"), BROKEN)]
    assert table.put(rows, as_json=as_json) == exits.BAD_INPUT
    out = capsys.readouterr().out
    if as_json:
        sessions = json.loads(out)["sessions"]
        assert ["error" in session for session in sessions] == [False, True]
        return
    assert "2 recordings, 1 refused" in out
    assert "trained on simulated patients: lstm-bands\nResearch software: not a medical device" in out
