"""Two thousand recordings broken on purpose; ``make mutations`` breaks a hundred thousand (law 10)."""

from __future__ import annotations

import numpy as np
import pytest

from tests.conformance import mutations
from tests.conformance.mutations import CHANGES, LIMIT_BYTES, LIMIT_S, Source, Tally, run, run_case, sources

COUNT = 2_000


@pytest.mark.timeout(300)
def test_broken_recordings_are_read_or_refused():
    """Only our own errors leave, every sample that is read is accounted for, within 1 s and 256 MB each."""
    tally = run(COUNT, 2026, None)
    assert tally.failures == []
    assert tally.cases == COUNT == tally.read + sum(tally.refused.values())
    assert tally.read > COUNT / 10 and tally.samples > 0 and len(tally.refused) > 1
    assert tally.slowest_s < LIMIT_S and tally.peak_bytes < LIMIT_BYTES


def test_what_is_broken_is_whole_before(tmp_path):
    """Each of the recordings made here is read when nothing is done to it, so that its breaking means something."""
    made = sources(None)
    assert len(made) == 11 and {source.suffix for source in made} == {".xdf", ".txt", ".csv"}
    labels = {"board.txt": [*"n12345", "clock"], "logged.txt": [*"12345"], "timed.csv": ["time", *"12345", "trigger"]}
    for source in made:
        (tmp_path / source.name).write_bytes(source.content)
        answers = {"labels": labels.get(source.name)}
        if source.suffix != ".xdf":
            answers |= {"unit": "uV", "rate_hz": 1000.0 if source.name == "own.txt" else 250.0}
        (recording,) = mutations.read_streams(tmp_path / source.name, **answers)
        assert len(recording.stamps) == 60 and recording.problems == (), source.name


def test_every_change_changes_something():
    """Each kind of mutation has an effect, also on what is empty already."""
    source = Source("a.txt", bytes(range(200)))
    for change in CHANGES:
        changed = {change(np.random.default_rng(seed), source.content, [source]) for seed in range(30)}
        assert len(changed) > 10
        assert isinstance(change(np.random.default_rng(0), b"", [source]), bytes)


def test_what_is_not_ours_is_found(tmp_path, monkeypatch):
    """The harness itself: an error of another kind, and a sample that is not accounted for, are failures."""

    def broken(path, **answers):
        raise KeyError("x")

    monkeypatch.setattr(mutations, "read_streams", broken)
    with pytest.raises(KeyError):
        run_case(0, 0, sources(None), tmp_path, Tally())


def test_a_child_that_hangs_or_dies_is_found(monkeypatch):
    """The case that it was in is named."""
    monkeypatch.setattr(mutations.sys, "executable", "/bin/false")
    assert run(1, 0, None).failures == ["case -1: the process died with 1: "]
