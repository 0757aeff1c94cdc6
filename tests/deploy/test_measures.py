"""``flexion sessions report``: the measures of a recorded session, as a table and as JSON."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from acquisition.decisions import Decision
from acquisition.formats.xdf_header import STRING, StreamHeader
from acquisition.identity import new_session_id
from acquisition.measures.measurement import Measurement, Subject
from acquisition.montage import load_montage
from acquisition.paradigm import ParadigmPlan
from acquisition.session import SessionFolder, SessionInfo
from acquisition.simulator import Patient, render
from deploy.cli import measures

MONTAGE = load_montage("amp16")
PLAN = ParadigmPlan(still_s=4.0, n_trials=6)
SIGNAL = StreamHeader("Amp16", "EEG", "float32", 1000.0, 16, MONTAGE.labels, ("uV",) * 16, MONTAGE.kinds)


@pytest.fixture
def recorded(tmp_path: Path) -> str:
    """Return a simulated session of six trials, in the data folder of the command."""
    session = new_session_id()
    info = SessionInfo(
        session, "P-007", "demo", "simulated", "2026-11-22T10:00:00Z", MONTAGE.to_json(), 50.0, 1000.0, "",
        paretic_side="right",
    )  # fmt: skip
    folder = SessionFolder.create(tmp_path / "data", info)
    made = render(Patient(1.0, seed=3), PLAN, PLAN.total_s, MONTAGE)
    writer = folder.open_part([SIGNAL, StreamHeader("Cues", "Markers", STRING, 0.0, 1)])
    folder.append_decision(Decision("segment", 1, 0, 0, {"segment": 0, "first_sample": 0, "reason": "start"}))
    for at, text in made.markers:
        folder.append_decision(Decision("marker", 1, 0, 0, {"text": text, "phase": text, "sample": at}))
    writer.append(0, made.samples, 50.0 + np.arange(len(made.samples)) / 1000)
    writer.close()
    folder.close()
    return session


def test_a_session_is_described_beside_its_score(flexion, recorded):
    """A table with units, intervals and trials; the same as JSON; both say that the score knows nothing of it."""
    table = flexion("sessions", "report", recorded)
    assert (table.returncode, table.stderr) == (0, "")
    assert "patient P-007 (simulated): 6 trials, moved leg right" in table.stdout
    assert table.stdout.index("\nFlexion") < table.stdout.index("\nExtension")
    assert "descriptive; not part of the score" in table.stdout
    assert "not a medical device" in table.stdout
    answer = json.loads(flexion("sessions", "report", recorded, "--json").stdout)
    assert (answer["session"], answer["patient"], answer["origin"]) == (recorded, "P-007", "simulated")
    rows = answer["measures"]["rows"]
    assert answer["measures"]["statement"] == "descriptive; not part of the score"
    assert {row["unit"] for row in rows} == {"%", "ms", "1"}
    onset = next(row for row in rows if row["measure"] == "onset latency" and row["site"] == "VM")
    assert f"{onset['value']:.0f} ms" in table.stdout


def test_the_leg_that_moves_can_be_said(flexion, recorded):
    """It decides which side of the head is the opposite one."""
    answer = json.loads(flexion("sessions", "report", recorded, "--moved", "left", "--json").stdout)["measures"]
    assert answer["moved_side"] == "left"
    assert {row["site"] for row in answer["rows"] if "laterality" in row["measure"]} == {"C4 over C3"}
    assert flexion("sessions", "report", recorded, "--moved", "both").returncode == 2


def test_how_well_two_streams_were_aligned_is_told_with_the_measures(flexion, recorded, tmp_path):
    """Coherence of EEG with EMG rests on it, where they come from two amplifiers."""
    assert "alignment" not in json.loads(flexion("sessions", "report", recorded, "--json").stdout)
    aligned = {"error_s": 0.0003, "largest_error_s": 0.0007, "uncertainty_s": 0.0001, "slips": 2}
    SessionFolder.find(tmp_path / "data", recorded).write_ledger({"ended": True, "alignment": aligned})
    assert "\nTwo streams: aligned to 0.30 ms" in flexion("sessions", "report", recorded).stdout
    assert json.loads(flexion("sessions", "report", recorded, "--json").stdout)["alignment"] == aligned


def test_a_session_that_is_not_there_is_refused(flexion):
    """The id and the way to the right one, exit code 3."""
    done = flexion("sessions", "report", new_session_id())
    assert done.returncode == 3
    assert "flexion sessions list" in done.stderr


def test_a_row_reads_value_interval_trials_and_what_was_left_out():
    """Units stand with the value; a coherence with what chance stays below."""
    latency = Measurement(Subject("onset latency", "VM", "extension", "ms"), 9, {"gap": 2}, 143.6, (130.2, 151.5))
    limit = {"limit": 0.0246, "peak_hz": 20.0, "band_mean": 0.1, "n_segments": 204.0}
    coupling = Measurement(
        Subject("beta cortico-muscular coherence", "C1-VM", "extension", "1"), 51, {}, 0.1234, (0.08, 0.17), "", limit
    )
    assert measures.rows([latency, coupling]) == [
        ("onset latency", "VM", "144 ms", "130 to 152", "9", "left out: 2 gap"),
        ("beta cortico-muscular coherence", "C1-VM", "0.123", "0.080 to 0.170", "51",
         "chance: below 0.025; peak at 20 Hz"),
    ]  # fmt: skip


def test_a_row_without_a_value_says_why():
    """No number, and the words in its place; a value that rounds to nothing has no sign."""
    absent = Measurement.without(Subject("onset latency", "VM", "extension", "ms"), {}, "not enough trials: 0 of 6")
    nothing = Measurement(Subject("mu desynchronisation", "C3", "flexion", "%"), 8, {}, -0.3, (-4.0, 3.0))
    rows = measures.rows([absent, nothing])
    assert rows[0][2:] == ("none", "", "0", "not enough trials: 0 of 6")
    assert rows[1][2:4] == ("0 %", "-4 to 3")
