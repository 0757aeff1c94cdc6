"""Output: JSON that any reader takes, and lines that people read."""

from __future__ import annotations

import json
import math

import pytest

from acquisition.errors import UnitError
from deploy.cli import output


def test_what_is_no_number_becomes_null(capsys):
    """JSON knows no NaN: it becomes null, at any depth, and what is one line stays one."""
    output.put_json({"a": math.nan, "b": [1.5, math.inf], "c": {"d": (None, "µV")}})
    out, err = capsys.readouterr()
    assert json.loads(out) == {"a": None, "b": [1.5, None], "c": {"d": [None, "µV"]}}
    assert (out.count("\n"), err) == (1, "")


@pytest.mark.parametrize("as_json", [False, True])
def test_a_refusal_is_one_line_and_an_object(capsys, as_json):
    """People read what is wrong and what to do; machines get the same, on stdout alone."""
    output.put_refusal(UnitError("RF is in 'bar'.", subject="RF", remedy="Give --unit."), as_json=as_json)
    out, err = capsys.readouterr()
    assert err == "flexion: RF is in 'bar'. Give --unit.\n"
    error = {"kind": "unit", "subject": "RF", "message": "RF is in 'bar'.", "remedy": "Give --unit."}
    assert (json.loads(out) if as_json else out) == ({"schema": "flexion.result/1", "error": error} if as_json else "")


def test_the_state_comes_before_the_number():
    """State, number, what is missing, what it rests on (law 8); simulated training is said (law 9)."""
    lines = output.result_lines(RESULT, "session X")
    assert lines[0] == "session X: PARTIAL, probability 0.73 [0.56, 0.85] (provisional)"
    assert "  missing fmri: there is no scan" in lines
    assert "  trained on simulated patients: lstm-bands" in lines
    assert "  from a window's last sample to its result: 0.040 s median, 0.060 s p99" in lines
    assert lines[-1].endswith("not a medical device, not for diagnosis.")


def test_a_number_of_both_modalities_says_what_each_says_alone():
    """With the weights and their interval, where patients had a say in them."""
    parts = {"eeg_emg": {"probability": 0.7}, "fmri": {"probability": 0.6, "scanned_on": "2026-03-31"}}
    weights = {"eeg_emg": {"value": 0.6, "interval": [0.4, 0.8]}, "fmri": {"value": 0.4, "interval": None}}
    fusion = {"method": "logit_stack", "untrained": False, "weights": weights}
    outcome = {**RESULT["outcome"], "state": "PROVISIONAL", "missing": [], "parts": parts, "fusion": fusion}
    lines = output.result_lines({**RESULT, "outcome": outcome}, "X")
    assert "  EEG and EMG alone: 0.70, weight 0.60 [0.40, 0.80]" in lines
    assert "  fMRI of 2026-03-31 alone: 0.60, weight 0.40" in lines
    outcome = {**outcome, "fusion": {**fusion, "untrained": True}}
    assert "  no patient had a say in these weights" in output.result_lines({**RESULT, "outcome": outcome}, "X")


def test_what_went_wrong_is_said_in_capitals():
    """Samples that are not accounted for, or not recorded, are not overlooked."""
    outcome = {**RESULT["outcome"], "state": "ABSTAINED", "probability": None, "reasons": ["No signal."]}
    ledger = {**RESULT["ledger"], "balanced": False}
    lines = output.result_lines(
        {**RESULT, "outcome": outcome, "ledger": ledger, "recorded": False, "latency_s": None}, "X"
    )
    assert lines[:2] == ["X: ABSTAINED", "  No signal."]
    assert any("does NOT balance" in line for line in lines)
    assert "  NOT all of it was recorded" in lines


def test_two_streams_are_said_with_how_far_they_lie_apart():
    """In milliseconds; what is not known is said so."""
    alignment = {"error_s": 0.00029, "largest_error_s": 0.00072, "uncertainty_s": 0.00008, "slips": 9}
    lines = output.result_lines({**RESULT, "alignment": alignment}, "X")
    assert (
        "  two streams: aligned to 0.29 ms (median; 0.72 ms at most), their clocks' offsets known to 0.08 ms, "
        "slips by a sample: 9"
    ) in lines
    assert "offsets unknown" in output.alignment_words({**alignment, "uncertainty_s": None})
    assert output.alignment_words({**alignment, "error_s": None}) == "two streams: never aligned"


def test_the_time_of_each_part_is_told():
    """The amplifier's true rate and its clock; what is not known is left out, or said to be."""
    known = {
        "part": 1,
        "rate_hz": 999.9812,
        "rate_ppm": -18.8,
        "allowance": 30.0,
        "offset_s": 0.0123,
        "drift_ppm": 2.51,
    }
    unknown = dict.fromkeys(known) | {"part": 2, "allowance": 5.0}
    lines = output.result_lines({**RESULT, "timing": [known, unknown]}, "X")
    assert "clock lay 12.30 ms ahead" in output.timing_words({**known, "offset_s": -0.0123})
    assert (
        "  time of part 1: 999.981 Hz (-19 ppm), stamps up to 30 samples off are no loss; "
        "the amplifier's clock lay 12.30 ms behind and ran +2.5 ppm"
    ) in lines
    assert "  time of part 2: too short to tell the true rate, stamps up to 5 samples off are no loss" in lines


def test_a_part_and_a_loop_are_told():
    """Before anything else that the result rests on."""
    part = {**RESULT, "replay_of": "a.xdf", "excerpt": {"from_s": 30.0, "to_s": 90.5}}
    assert output.result_lines(part, "X")[1] == "  excerpt: 0:30 to 1:30.500 of a.xdf"
    assert output.result_lines({**part, "rounds": 3}, "X")[2] == "  a.xdf over and over, 3 times"
    assert output.result_lines({**part, "rounds": 0}, "X")[2] == "  a.xdf over and over, until it was ended"


def test_a_table_in_a_pipe_is_as_wide_as_its_rows(capsys):
    """Nothing is cut or wrapped for a terminal that is not there."""
    output.put_table("Streams", ("name", "id"), [["x" * 100, None]])
    assert "x" * 100 in capsys.readouterr().out


RESULT = {
    "outcome": {
        "state": "PARTIAL",
        "probability": 0.7291,
        "interval": [0.56, 0.851],
        "provisional": True,
        "missing": [{"modality": "fmri", "reason": "there is no scan"}],
        "reasons": [],
    },
    "windows": {"made": 2, "scored": 2, "not_scored": 0, "dead_lettered": 0},
    "ledger": {"received": 30_000, "declared_lost": 0, "in_windows": 20_000, "balanced": True},
    "bundles": {"eeg_emg": {"name": "lstm-bands", "origin": "synthetic"}, "fmri": None},
    "recorded": True,
    "latency_s": {"p50": 0.04, "p99": 0.06, "max": 0.07},
}
