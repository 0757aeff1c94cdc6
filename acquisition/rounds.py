"""Rounds: a recording played again and again as one session, by decisions alone.

Each round after the first begins with a segment of its own, so that no window spans the seam; nothing is lost between
two rounds, and no phase goes on across it. The first round's calibration holds for all, as it does over any gap.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import count
from typing import Any

from acquisition.decisions import Decision
from acquisition.excerpt import grid_length
from acquisition.paradigm import SESSION_START

#: Why the segment begins that a round begins with.
AGAIN = "again"


def again(decisions: Sequence[Decision], n_rows: int, rounds: int) -> Iterator[Decision]:
    """Yield the decisions on a recording that is played several times.

    Parameters
    ----------
    decisions : sequence of Decision
        On one round, in order, in one part.
    n_rows : int
        Samples of one round, rejected ones too.
    rounds : int
        How often it is played; 0 without end.
    """
    length = grid_length(decisions, n_rows)
    n_segments = 1 + max(decision.count("segment") for decision in decisions if decision.kind == "segment")
    yield from (decision for decision in decisions if decision.kind != "end" or rounds == 1)
    for number in range(1, rounds) if rounds else count(1):
        row, sample = number * n_rows, number * length
        seam = {"text": f"round {number + 1}", "phase": SESSION_START, "sample": sample}
        yield Decision("marker", 1, 0, row, seam)
        for decision in decisions:
            if decision.kind != "calibration" and (decision.kind != "end" or number == rounds - 1):
                data = _moved(decision.data, sample, number * n_segments)
                yield replace(decision, at=row + decision.at, data=data)


def _moved(data: Mapping[str, Any], sample: int, segment: int) -> dict[str, Any]:
    """Return a decision's data in a later round: its places on the grid and its segment count on."""
    moved = dict(data)
    for key, by in (("sample", sample), ("first_sample", sample), ("segment", segment)):
        if key in moved:
            moved[key] += by
    if moved.get("first_sample") == sample:
        moved["reason"] = AGAIN
    return moved
