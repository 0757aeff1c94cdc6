"""An excerpt of a recording: what a session that began and ended there would have been (law 1).

The decisions stay the recording's own, by sample count; nothing is decided anew. What changes is where the session
begins: a new segment at its first sample, the grid counted from there, a calibration of its own, and the phase that was
in force. An excerpt from the very beginning keeps the recording's calibration: it is that of its own first samples.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from acquisition.decisions import Decision

#: Why the first segment of an excerpt begins, and why an excerpt ends before its recording does.
BEGUN, ENDED = "excerpt", "end of excerpt"


@dataclass(frozen=True)
class Excerpt:
    """A part of a recording.

    Attributes
    ----------
    first_row, stop_row : int
        Its samples among those of the recording, rejected ones too.
    first_sample, stop_sample : int
        Its places on the recording's grid, lost samples included.
    decisions : tuple of Decision
        On its samples, counted from its first one; the last is ``end``.
    """

    first_row: int
    stop_row: int
    first_sample: int
    stop_sample: int
    decisions: tuple[Decision, ...]


class _Stretch(NamedTuple):
    """Samples that were taken one after the other: the first one's row, its place on the grid, and what ends them."""

    row: int
    place: int
    n: int
    decision: Decision | None

    @property
    def next_place(self) -> int:
        return self.place + self.n


def grid_length(decisions: Sequence[Decision], n_rows: int) -> int:
    """Return how many places there are on the grid of a recording of so many samples, lost ones included."""
    *_, last = _stretches(decisions, n_rows)
    return last.next_place


def excerpt(decisions: Sequence[Decision], n_rows: int, start: int, stop: int) -> Excerpt | None:
    """Cut a recording between two places of its grid.

    Parameters
    ----------
    decisions : sequence of Decision
        The recording's, in the order in which they hold, all in one part; the last is ``end``.
    n_rows : int
        Samples of the recording, rejected ones too.
    start, stop : int
        From the first sample that was taken at ``start`` or later to the last before ``stop``. Where ``start`` lies in
        a hole the excerpt begins behind it; of a hole at ``stop``, what lies before is lost.

    Returns
    -------
    Excerpt or None
        None where no sample lies there.
    """
    length = grid_length(decisions, n_rows)
    behind = stop if stop < length else sys.maxsize
    # From the very beginning, what was decided before the first sample stays too.
    first_row, first_sample = _sample_at(decisions, n_rows, start) if start else (0, 0)
    stop_row, _ = _sample_at(decisions, n_rows, stop)
    if first_row >= stop_row:
        return None
    marks = [d for d in decisions if d.kind == "marker" and d.at <= first_row]
    kept = list(_opening(marks, first_sample)) if start else []
    for stretch in _stretches(decisions, n_rows):
        decision = stretch.decision
        if decision is None or decision.at > stop_row or (start and decision.at <= first_row):
            continue
        data = _inside(decision, stretch.next_place, first_sample, behind)
        if data is not None and not (start and decision.kind == "calibration"):
            kept.append(Decision(decision.kind, 1, decision.stream, decision.at - first_row, data))
    if stop < length:
        kept.append(Decision("end", 1, 0, stop_row - first_row, {"reason": ENDED}))
    return Excerpt(first_row, stop_row, first_sample, min(stop, length), tuple(_numbered(kept)))


def _opening(marks: Sequence[Decision], first_sample: int) -> Iterator[Decision]:
    """Yield what a session that begins at a sample begins with: its segment, the phase in force, the markers there."""
    yield Decision("segment", 1, 0, 0, {"segment": 0, "first_sample": 0, "reason": BEGUN})
    phases = [mark for mark in marks if mark.data.get("phase") and mark.count("sample") < first_sample]
    in_force = sorted(phases, key=lambda mark: mark.count("sample"))[-1:]
    for mark in (*in_force, *(mark for mark in marks if mark.count("sample") >= first_sample)):
        sample = max(0, mark.count("sample") - first_sample)
        yield Decision("marker", 1, mark.stream, 0, {**mark.data, "sample": sample})


def _inside(decision: Decision, place: int, first_sample: int, stop: int) -> dict[str, Any] | None:
    """Return what of a decision lies in the excerpt, counted from its first sample; None where nothing does."""
    data = dict(decision.data)
    if decision.kind in ("bridged", "lost"):
        return {**data, "n": min(data["n"], stop - place)} if place < stop else None
    if decision.kind == "segment":
        return {**data, "first_sample": data["first_sample"] - first_sample} if place < stop else None
    if "sample" in data:
        return {**data, "sample": max(0, data["sample"] - first_sample)} if data["sample"] < stop else None
    kept = place < stop or decision.kind in ("reject", "calibration")
    return data if kept and (decision.kind != "end" or stop == sys.maxsize) else None


def _numbered(decisions: Sequence[Decision]) -> Iterator[Decision]:
    """Yield decisions with the segments numbered from 0."""
    number = 0
    for decision in decisions:
        if decision.kind == "segment":
            decision = replace(decision, data={**decision.data, "segment": number})
            number += 1
        yield decision


def _stretches(decisions: Sequence[Decision], n_rows: int) -> Iterator[_Stretch]:
    """Yield the samples before each decision, and those after the last."""
    row = place = n_rejected = 0
    for decision in (*decisions, None):
        until = n_rows if decision is None else decision.at
        rejected = min(n_rejected, until - row)
        row, n_rejected = row + rejected, n_rejected - rejected
        yield _Stretch(row, place, until - row, decision)
        row, place = until, place + until - row
        if decision is not None and decision.kind == "reject":
            n_rejected += decision.count("n")
        elif decision is not None and decision.kind in ("bridged", "lost"):
            place += decision.count("n")


def _sample_at(decisions: Sequence[Decision], n_rows: int, place: int) -> tuple[int, int]:
    """Return row and place of the first sample that was taken at a place of the grid or later."""
    for stretch in _stretches(decisions, n_rows):
        if stretch.n and stretch.next_place > place:
            skipped = max(0, place - stretch.place)
            return stretch.row + skipped, stretch.place + skipped
    return n_rows, stretch.next_place
