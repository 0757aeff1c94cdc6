"""The pulse: what the heartbeat tells of the signal, and nothing that it does not know."""

from __future__ import annotations

import numpy as np

from acquisition.decisions import Decision
from acquisition.quality import FAULTS, Cell
from acquisition.timing import Pairing, Timing
from streaming.pulse import CELLS, Pulse


def cell(*good: bool, first: int = 0) -> Cell:
    """Return a verdict; a bad channel has the first fault of all."""
    bits = np.array([0 if fine else 1 for fine in good], np.uint8)
    return Cell(first, np.array(good), bits)


def decision(kind: str, **data: object) -> Decision:
    """Return a decision on the signal."""
    return Decision(kind, 1, 0, 0, data)


def test_quality_is_that_of_the_last_second():
    """Old cells are forgotten; faults are named."""
    pulse = Pulse(("C3", "RF"))
    assert pulse.to_json()["quality"] == {} and pulse.to_json()["faults"] == {}
    pulse.cells([cell(False, False)] * 30)
    pulse.cells([cell(True, False)] * (CELLS // 2) + [cell(True, True)] * (CELLS // 2))
    assert pulse.to_json()["quality"] == {"C3": 1.0, "RF": 0.5}
    assert pulse.to_json()["faults"] == {"RF": [FAULTS[0]]}


def test_a_new_segment_begins_without_quality():
    """What was known before a gap is not shown after it (law 7)."""
    pulse = Pulse(("C3", "RF"))
    pulse.cells([cell(True, True)])
    pulse.decision(decision("segment", segment=1))
    assert pulse.to_json()["quality"] == {}


def test_phase_and_trial_follow_the_markers():
    """A trial begins with its preparation; an unknown text ends no phase that the montage knows."""
    pulse = Pulse(("C3",))
    for phase in ("session-start", "preparation", "flexion", "rest", "extension", "preparation", "flexion", None):
        pulse.decision(decision("marker", phase=phase, text=str(phase), sample=0))
    assert (pulse.to_json()["phase"], pulse.to_json()["trial"]) == ("flexion", 2)
    pulse.decision(decision("marker", phase="session-end", text="session-end", sample=0))
    assert pulse.to_json()["phase"] == ""


def test_the_time_of_each_stream_is_told():
    """Effective rate and clock offset as the source knows them; nothing of a file."""
    pulse = Pulse(("C3",))
    assert pulse.to_json()["timing"] == []
    pulse.timing = (Timing(rate_hz=999.98, rate_ppm=-20.0), Timing())
    assert [told["rate_hz"] for told in pulse.to_json()["timing"]] == [999.98, None]


def test_how_two_streams_stand_is_told_and_summed_up():
    """Now for the heartbeat, over the session for its end; slips are those that moved a sample."""
    pulse = Pulse(("C3",))
    pulse.pair(None)
    assert pulse.to_json()["pairing"] is None and pulse.aligned() is None
    for error_s, uncertainty_s in ((None, None), (0.0002, 0.0001), (-0.0006, 0.0003), (0.0003, 0.0001)):
        pulse.pair(Pairing("LIVE", "", error_s, uncertainty_s))
    for n in (0, -1, 1):
        pulse.decision(decision("slip", sample=0, n=n, error_s=0.0))
    assert pulse.to_json()["pairing"] == {"state": "LIVE", "cause": "", "error_s": 0.0003, "uncertainty_s": 0.0001}
    assert pulse.aligned() == {"error_s": 0.0003, "largest_error_s": 0.0006, "uncertainty_s": 0.0003, "slips": 2}


def test_what_was_never_paired_has_no_error():
    """Nothing is made up before both streams were there (law 8)."""
    pulse = Pulse(("C3",))
    pulse.pair(Pairing("SEARCHING", "searching for the stream for 3 s"))
    assert pulse.aligned() == {"error_s": None, "largest_error_s": None, "uncertainty_s": None, "slips": 0}
