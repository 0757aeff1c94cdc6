"""Excerpts: the session that began and ended there, made from the recording's own decisions (laws 1 and 3)."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from acquisition.chain import Chain, drive
from acquisition.decisions import Decision
from acquisition.errors import RateError
from acquisition.excerpt import excerpt, grid_length
from acquisition.tape import decide, tape_of
from tests.acquisition.test_stamps import rough_streams
from tests.acquisition.test_tape import MONTAGE, SMALL, bound, recording

#: 100 samples, 2 bridged, 100 samples of which one is rejected, 50 lost, a reset clock, 100 samples, 30 lost.
MARKS = [(0, "session-start", 0), (60, "flexion", 60), (60, "S 3", 60), (150, "rest", 152), (230, "extension", 281)]


def decision(kind: str, at: int, **data: object) -> Decision:
    """Return a decision on the signal."""
    return Decision(kind, 1, 0, at, data)


def mark(at: int, text: str, sample: int) -> Decision:
    """Return a marker; one whose text begins with S names no phase."""
    return decision("marker", at, text=text, phase=None if text.startswith("S ") else text, sample=sample)


RECORDED = [
    decision("segment", 0, segment=0, first_sample=0, reason="start"),
    mark(0, "session-start", 0),
    mark(60, "flexion", 60),
    mark(60, "S 3", 60),
    decision("bridged", 100, n=2),
    decision("calibration", 120, hash="x"),
    mark(150, "rest", 152),
    decision("reject", 160, n=1, reason="duplicate"),
    decision("lost", 200, n=50, reason="gap"),
    decision("clock_reset", 200, step_s=-3.0),
    decision("segment", 200, segment=4, first_sample=251, reason="clock_reset"),
    mark(230, "extension", 281),
    decision("lost", 300, n=30, reason="absent"),
    decision("end", 300, reason="planned"),
]
N_ROWS, LENGTH = 300, 381


def kinds(made: object) -> list[tuple[str, int]]:
    """Return what was decided, and where."""
    return [(d.kind, d.at) for d in made.decisions]


def test_the_whole_is_as_it_was():
    """From the beginning to the end nothing is cut: decisions, calibration and the reason of the end stay."""
    assert grid_length(RECORDED, N_ROWS) == LENGTH
    made = excerpt(RECORDED, N_ROWS, 0, LENGTH)
    assert (made.first_row, made.stop_row, made.first_sample, made.stop_sample) == (0, N_ROWS, 0, LENGTH)
    assert [d.data for d in made.decisions if d.kind != "segment"] == [d.data for d in RECORDED if d.kind != "segment"]
    assert [d.at for d in made.decisions] == [d.at for d in RECORDED]
    assert [d.data["segment"] for d in made.decisions if d.kind == "segment"] == [0, 1]


def test_it_begins_with_a_segment_and_the_phase_in_force():
    """The grid counts from its first sample; the calibration is not the recording's any more."""
    made = excerpt(RECORDED, N_ROWS, 90, 160)
    assert (made.first_row, made.stop_row, made.first_sample, made.stop_sample) == (90, 158, 90, 160)
    assert kinds(made) == [("segment", 0), ("marker", 0), ("bridged", 10), ("marker", 60), ("end", 68)]
    segment, phase, _, later, end = (d.data for d in made.decisions)
    assert segment == {"segment": 0, "first_sample": 0, "reason": "excerpt"}
    assert phase == {"text": "flexion", "phase": "flexion", "sample": 0}
    assert (later["sample"], end) == (62, {"reason": "end of excerpt"})


def test_markers_of_its_first_sample_are_its_own():
    """Also those that name no phase; what was in force before is told first, so that theirs holds."""
    made = excerpt(RECORDED, N_ROWS, 60, 90)
    assert [(d.data["text"], d.data["sample"]) for d in made.decisions if d.kind == "marker"] == [
        ("session-start", 0), ("flexion", 0), ("S 3", 0),
    ]  # fmt: skip


def test_a_marker_that_was_told_late_belongs_where_it_belongs():
    """Told within the excerpt, but of a sample before: it is in force from the first sample on."""
    late = [RECORDED[0], mark(70, "flexion", 60), decision("end", 100, reason="planned")]
    (told,) = (d.data for d in excerpt(late, 100, 65, 80).decisions if d.kind == "marker")
    assert told == {"text": "flexion", "phase": "flexion", "sample": 0}
    assert [d.kind for d in excerpt(late, 100, 10, 60).decisions] == ["segment", "end"]


def test_it_begins_behind_a_hole_and_has_its_own_share_of_one_at_the_end():
    """A session hears nothing before its first sample, and lacks what does not come before its end."""
    made = excerpt(RECORDED, N_ROWS, 220, 290)
    assert (made.first_row, made.first_sample, made.stop_row) == (200, 251, 239)
    assert kinds(made) == [("segment", 0), ("marker", 0), ("marker", 30), ("end", 39)]
    made = excerpt(RECORDED, N_ROWS, 190, 220)
    assert (made.stop_row, made.decisions[-2].data) == (200, {"n": 19, "reason": "gap"})
    made = excerpt(RECORDED, N_ROWS, 90, 101)
    assert (made.stop_row, made.decisions[-2].data) == (100, {"n": 1})
    made = excerpt(RECORDED, N_ROWS, 300, 360)
    assert kinds(made) == [("segment", 0), ("marker", 0), ("lost", 51), ("end", 51)]
    assert made.decisions[-2].data == {"n": 9, "reason": "absent"}


def test_from_the_beginning_the_calibration_is_kept():
    """It was made from these very samples; behind the end there is none."""
    assert ("calibration", 120) in kinds(excerpt(RECORDED, N_ROWS, 0, 180))
    assert "calibration" not in [kind for kind, _ in kinds(excerpt(RECORDED, N_ROWS, 0, 90))]
    assert "calibration" not in [kind for kind, _ in kinds(excerpt(RECORDED, N_ROWS, 1, 180))]


@pytest.mark.parametrize(("start", "stop"), [(202, 251), (351, LENGTH), (LENGTH, LENGTH + 5), (50, 50)])
def test_where_no_sample_lies_there_is_no_excerpt(start, stop):
    """Inside a hole, behind the end, or nothing at all."""
    assert excerpt(RECORDED, N_ROWS, start, stop) is None


def test_what_is_not_of_the_grid_goes_along():
    """Decisions that take nothing off the grid keep their place; a place on the grid in their data counts anew."""
    other = [RECORDED[0], decision("slip", 40, sample=50, n=1), decision("end", 100, reason="planned")]
    made = excerpt(other, 100, 30, 80)
    assert made.decisions[1] == decision("slip", 10, sample=20, n=1)


@settings(max_examples=60, deadline=None)
@given(rough_streams(), st.floats(0, 1), st.floats(0, 1))
def test_every_excerpt_of_every_recording_is_a_session(stream, one, other):
    """The chain takes it, and its ledger has each of its samples, and no others (law 3)."""
    stamps, _, _ = stream
    whole = recording(stamps)
    try:
        decisions = decide(whole, MONTAGE, bound(whole))
    except RateError:
        assume(False)
    length = grid_length(decisions, len(stamps))
    start, stop = sorted((round(one * length), round(other * length)))
    places = _places(decisions, len(stamps))
    inside = [row for row, place in enumerate(places) if place is not None and start <= place < stop]
    made = excerpt(decisions, len(stamps), start, stop)
    assert (made is None) == (not inside)
    if made is None:
        return
    assert made.first_row == (inside[0] if start else 0)
    assert inside[-1] < made.stop_row
    rows = slice(made.first_row, made.stop_row)
    cut = replace(whole, samples=whole.samples[rows], stamps=stamps[rows])
    chain = Chain(MONTAGE, spec=SMALL)
    for _ in drive(chain, tape_of(cut, bound(cut), made.decisions)):
        pass
    ledger = chain.ledger
    assert (ledger.balanced, ledger.received, ledger.pending) == (True, len(inside), 0)
    assert ledger.received + sum(ledger.rejected.values()) == made.stop_row - made.first_row
    assert chain.next_sample == made.stop_sample - made.first_sample


def _places(decisions: list[Decision], n_rows: int) -> list[int | None]:
    """Return each sample's place on the grid, one by one; None for a rejected one."""
    places: list[int | None] = []
    place = rejected = 0
    waiting = list(decisions)
    for row in range(n_rows):
        while waiting and waiting[0].at <= row:
            due = waiting.pop(0)
            rejected += due.data["n"] if due.kind == "reject" else 0
            place += due.data["n"] if due.kind in ("bridged", "lost") else 0
        places.append(None if rejected else place)
        rejected, place = (rejected - 1, place) if rejected else (0, place + 1)
    return places


def test_its_windows_are_those_of_a_session_of_its_samples():
    """Nothing of what lay before is left in filters, artifact stage or phases: the very bytes (law 1)."""
    stamps = 100.0 + np.arange(9_000) / 1000.0
    whole = recording(stamps)
    made = excerpt(decide(whole, MONTAGE, bound(whole)), 9_000, 2_345, 8_000)
    rows = slice(made.first_row, made.stop_row)
    cut = replace(whole, samples=whole.samples[rows], stamps=stamps[rows])
    assert _windows(cut, made.decisions) == _windows(cut, decide(cut, MONTAGE, bound(cut))) != []


def _windows(of, decisions) -> list[bytes]:
    steps = drive(Chain(MONTAGE, spec=SMALL), tape_of(of, bound(of), decisions))
    return [window.x_uv.tobytes() for step in steps for window in step.windows]
