"""Summary: the result object, to the letter, from a folder's files alone."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date

import pytest

from acquisition.montage import load_montage
from acquisition.session import SessionFolder
from deploy.opening import Plan
from deploy.summary import latencies, summarise_folder, together
from streaming.records import ResultRecord
from tests.inference import tiny

LEDGER = {
    "received": 24_000,
    "declared_lost": 0,
    "bridged": 0,
    "in_windows": 20_000,
    "discarded": {"settling": 4_000, "gap": 0, "partial": 0, "end": 0},
    "pending": 0,
    "rejected": {"duplicate": 0, "backward": 0},
    "clock_resets": 0,
    "balanced": True,
}
WINDOWS = {"made": 3, "published": 3, "scored": 2, "not_scored": 1, "dead_lettered": 0, "unrecorded": 0}


@pytest.fixture
def folder(settings, models) -> SessionFolder:
    """Return a session that has ended with two scored windows and one that was not."""
    plan = Plan("live", "live", "P1", "B1", load_montage("amp16"), {"kind": "lsl"})
    folder = SessionFolder.create(settings.data_dir, plan.to_info(models))
    engine = {"backend": "onnxruntime-cpu", "device": "cpu", "precision": "fp32", "degraded": False, "version": "1"}
    for index, latency_s in ((1, 0.2), (0, 0.1)):
        result = tiny.result(models.eeg_emg, index, 1.0, engine=engine, phases=(("flexion", 0, 200),))
        folder.append_result({**result.to_json(), "latency_s": latency_s})
    folder.append_result({**tiny.result(models.eeg_emg, 2, None).to_json(), "latency_s": None})
    folder.write_ledger({"ended": True, "reason": "planned", "ledger": LEDGER, "windows": WINDOWS})
    return folder


def test_the_object_is_the_contract_s(folder, models):
    """Every key of the contract and no other, in its order."""
    result = summarise_folder(folder, models.eeg_emg, models.fusion)
    assert list(result) == [
        "schema", "mode", "patient", "bed", "session", "replay_of", "origin", "recorded", "bundles", "engines",
        "outcome", "windows", "ledger", "latency_s", "scores",
    ]  # fmt: skip
    assert result["schema"] == "flexion.result/1"
    assert list(result["outcome"]) == [
        "state", "probability", "interval", "provisional", "modalities", "missing", "reasons", "parts", "fma", "fusion",
        "similarity",
    ]  # fmt: skip
    assert result["windows"] == WINDOWS
    assert result["ledger"] == LEDGER
    assert list(result["bundles"]) == ["eeg_emg", "fmri", "fusion"]
    assert list(result["scores"][0]) == [
        "index", "segment", "first_sample", "sqi", "weight", "state", "reason", "phases", "logit", "p",
    ]  # fmt: skip


def test_two_streams_say_how_well_they_were_aligned(folder, models):
    """As the bridge wrote it at the end; of one stream there is no such key."""
    aligned = {"error_s": 0.0003, "largest_error_s": 0.0007, "uncertainty_s": 0.0001, "slips": 2}
    folder.write_ledger({"ended": True, "ledger": LEDGER, "windows": WINDOWS, "alignment": aligned})
    assert summarise_folder(folder, models.eeg_emg, models.fusion)["alignment"] == aligned


def test_scores_are_in_order_whatever_came_first(folder, models):
    """Results are listed by window; what has no score has no probability."""
    scores = summarise_folder(folder, models.eeg_emg, models.fusion)["scores"]
    assert [(s["index"], s["state"], s["logit"]) for s in scores] == [
        (0, "scored", 1.0), (1, "scored", 1.0), (2, "not_scored", None),
    ]  # fmt: skip
    assert scores[0]["p"] == pytest.approx(0.731, abs=1e-3)
    assert scores[2]["p"] is None
    assert scores[0]["phases"] == [["flexion", 0, 200]]


def test_engines_are_counted(folder, models):
    """What scored how many windows is told once for each engine; windows that none saw are in no count."""
    engines = summarise_folder(folder, models.eeg_emg, models.fusion)["engines"]
    engine = {"backend": "onnxruntime-cpu", "device": "cpu", "precision": "fp32", "degraded": False, "windows": 2}
    assert engines == [engine]


def test_a_session_that_was_cut_off_does_not_balance(folder, models):
    """Without a ledger nobody has counted: that is said, and the outcome is that of a session that still runs."""
    (folder.path / "ledger.json").unlink()
    result = summarise_folder(folder, models.eeg_emg, models.fusion)
    assert result["ledger"]["balanced"] is False
    assert result["windows"]["made"] == 3


def test_windows_without_a_recording_are_told(folder, models):
    """What was not recorded is not called recorded (law 2)."""
    folder.write_ledger({"ended": True, "ledger": LEDGER, "windows": {**WINDOWS, "unrecorded": 1}})
    result = summarise_folder(folder, models.eeg_emg, models.fusion)
    assert (result["recorded"], result["windows"]["unrecorded"]) == (False, 1)


def test_an_fmri_event_among_the_results_is_no_window(folder, models):
    """The results' file holds fMRI events too."""
    folder.append_result({"scan_sha256": "a" * 64, "patient": "P1"})
    assert len(summarise_folder(folder, models.eeg_emg, models.fusion)["scores"]) == 3


def test_a_scan_among_the_results_is_part_of_the_outcome(folder, scan_models):
    """With the bundles that the session is bound to; another patient's changes nothing."""
    bound = (scan_models.eeg_emg, scan_models.fusion, scan_models.fmri)
    (folder.path / "results.jsonl").unlink()
    folder = SessionFolder.open(folder.path)
    for index in range(3):
        result = tiny.result(scan_models.eeg_emg, index, 1.0, first_sample=4_000 + 10_000 * index)
        folder.append_result({**result.to_json(), "latency_s": None})
    alone = summarise_folder(folder, *bound)["outcome"]
    assert alone["state"] == "PARTIAL"
    scan = {"scan_sha256": "a" * 64, "scanned_on": "2026-03-31", "bundle_sha256": scan_models.fmri.sha256, "logit": 0.9}
    folder.append_result({**scan, "patient": "P2", "quality": {"slices": 20, "problems": []}})
    other = summarise_folder(folder, *bound)["outcome"]
    assert other["probability"] == alone["probability"] and other["parts"]["fmri"]["status"] == "refused"
    folder.append_result({**scan, "scan_sha256": "b" * 64, "patient": "P1", "quality": {"slices": 20, "problems": []}})
    outcome = summarise_folder(folder, *bound)["outcome"]
    assert (outcome["state"], outcome["modalities"]) == ("PROVISIONAL", ["eeg_emg", "fmri"])
    assert outcome["parts"]["fmri"]["scan_sha256"] == "b" * 64
    assert outcome["fusion"]["weights"]["fmri"] == {"value": 0.5, "interval": None}
    days = (date.fromisoformat(folder.info.created_utc[:10]) - date(2026, 3, 31)).days
    assert f"The fMRI scan of 2026-03-31 is {days} days away" in outcome["reasons"][-1]
    folder.update(created_utc="2026-04-01T10:00:00.000+00:00")
    assert summarise_folder(folder, *bound)["outcome"]["reasons"] == outcome["reasons"][:-1]


def test_a_session_without_models_has_an_outcome(folder):
    """A recording that nobody scored says so."""
    folder.update(bundles=dict.fromkeys(("eeg_emg", "fmri", "fusion")))
    result = summarise_folder(SessionFolder.open(folder.path), None, None)
    assert result["outcome"]["state"] == "ABSTAINED"
    assert result["bundles"] == {"eeg_emg": None, "fmri": None, "fusion": None}


def test_a_part_says_of_what(folder, models):
    """Where it lies in what it replays; a plain session says nothing of the kind."""
    assert {"excerpt", "rounds"} & summarise_folder(folder, models.eeg_emg, models.fusion).keys() == set()
    folder.update(replay_of="a.xdf", excerpt={"from_s": 1.0, "to_s": 2.5})
    result = summarise_folder(SessionFolder.open(folder.path), models.eeg_emg, models.fusion)
    assert (result["replay_of"], result["excerpt"]) == ("a.xdf", {"from_s": 1.0, "to_s": 2.5})
    assert "rounds" not in result


def test_windows_that_repeat_are_nobody_s_outcome(folder, models):
    """Never final, and with the reason in words, also when what was looped is played once (laws 8 and 9)."""
    folder.update(replay_of="a.xdf", rounds=3, repeats=True)
    result = summarise_folder(SessionFolder.open(folder.path), models.eeg_emg, models.fusion)
    assert result["rounds"] == 3
    assert result["outcome"]["provisional"] is (result["outcome"]["probability"] is not None)
    assert "this is nobody's outcome" in result["outcome"]["reasons"][-1]
    folder.update(rounds=1)
    again = summarise_folder(SessionFolder.open(folder.path), models.eeg_emg, models.fusion)
    assert "rounds" not in again and again["outcome"] == result["outcome"]


def test_several_sessions_are_one_object():
    """One session is its own object, several are a list in one."""
    assert together([{"a": 1}]) == {"a": 1}
    assert together([{"a": 1}, {"a": 2}]) == {"schema": "flexion.result/1", "sessions": [{"a": 1}, {"a": 2}]}


def test_latencies_leave_out_what_was_not_live():
    """The 99th percentile is a latency that was measured."""
    assert latencies([None, None]) is None
    assert latencies([0.3, None, 0.1, 0.2]) == {"p50": 0.2, "p99": 0.3, "max": 0.3}
    assert latencies([float(n) for n in range(1, 201)]) == {"p50": 100.5, "p99": 198.0, "max": 200.0}


def test_a_repeated_result_counts_once(folder, models):
    """Exactly one result per window (law 5), also where a line is there twice."""
    first = ResultRecord.from_json(folder.results()[0])
    other = replace(first, logit=9.0)
    with (folder.path / "results.jsonl").open("ab") as file:
        file.write(json.dumps({**other.to_json(), "latency_s": None}).encode() + b"\n")
    scores = summarise_folder(folder, models.eeg_emg, models.fusion)["scores"]
    assert [score["logit"] for score in scores] == [1.0, 1.0, None]
