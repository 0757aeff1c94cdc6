"""Rounds: a recording again and again, as one session (laws 3 and 4)."""

from __future__ import annotations

from dataclasses import replace
from itertools import islice

import numpy as np

from acquisition.chain import Chain, drive
from acquisition.excerpt import grid_length
from acquisition.rounds import again
from acquisition.tape import decide, tape_of
from tests.acquisition.test_excerpt import LENGTH, N_ROWS, RECORDED
from tests.acquisition.test_tape import MONTAGE, SMALL, bound, recording


def test_once_is_as_it_was():
    """One round is the recording."""
    assert list(again(RECORDED, N_ROWS, 1)) == RECORDED


def test_each_round_begins_anew_and_the_last_ends():
    """A segment at each seam with nothing lost before it, no phase across it, one calibration, one end."""
    made = list(again(RECORDED, N_ROWS, 3))
    assert grid_length(made, 3 * N_ROWS) == 3 * LENGTH
    assert [d.at for d in made] == sorted(d.at for d in made)
    count = {kind: sum(d.kind == kind for d in made) for kind in ("segment", "calibration", "end", "lost")}
    assert count == {"segment": 6, "calibration": 1, "end": 1, "lost": 6}
    seam = [d for d in made if d.at == N_ROWS][-3:]
    assert [(d.kind, d.data.get("reason"), d.data.get("text")) for d in seam] == [
        ("marker", None, "round 2"), ("segment", "again", None), ("marker", None, "session-start"),
    ]  # fmt: skip
    assert {d.data.get("first_sample", d.data.get("sample")) for d in seam} == {LENGTH}
    assert made[-1].at == 3 * N_ROWS
    numbers = [d.data["segment"] for d in made if d.kind == "segment"]
    assert numbers == sorted(set(numbers))


def test_without_end_there_is_always_a_next_round():
    """They are made one by one."""
    texts = [d.data.get("text", "") for d in islice(again(RECORDED, N_ROWS, 0), 600)]
    assert [text for text in texts if text.startswith("round")][:20] == [f"round {n}" for n in range(2, 22)]


def test_windows_repeat_and_none_spans_a_seam():
    """Every round has the same windows, but for the artifact stage, which is calibrated from the first on."""
    stamps = 100.0 + np.arange(4_700) / 1000.0
    one = recording(stamps)
    decisions = decide(one, MONTAGE, bound(one))
    three = recording(np.tile(stamps, 3))
    three = replace(three, samples=np.tile(one.samples, (3, 1)))
    chain = Chain(MONTAGE, spec=SMALL)
    steps = list(drive(chain, tape_of(three, bound(three), list(again(decisions, 4_700, 3)))))
    windows = [window for step in steps for window in step.windows]
    assert [window.first_sample for window in windows] == [
        round_ * 4_700 + 400 + k * 1_000 for round_ in range(3) for k in range(4)
    ]
    assert [window.x_uv.tobytes() for window in windows[4:8]] == [window.x_uv.tobytes() for window in windows[8:]]
    ledger = chain.ledger
    assert (ledger.balanced, ledger.received, ledger.declared_lost, ledger.clock_resets) == (True, 14_100, 0, 0)
