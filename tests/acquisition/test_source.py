"""Sources: what is handed over, in which order, and where a second life goes on."""

from __future__ import annotations

from itertools import count
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from acquisition.decisions import Decision
from acquisition.formats.xdf_header import DTYPES
from acquisition.montage import load_montage
from acquisition.recording import Marker, Recording
from acquisition.source import (
    FileSource,
    GivenJudge,
    Raw,
    RawMarker,
    flatten_decisions,
    format_of,
    headers_of,
    interleave,
    own_decisions,
    read_decisions,
)

MONTAGE = load_montage("amp16")


def decision(kind: str, at: int, part: int = 1, **data: object) -> Decision:
    """Return a decision on the signal."""
    return Decision(kind, part, 0, at, data)


def raw(n: int, first: int = 0) -> Raw:
    """Return numbered samples of one channel."""
    numbers = np.arange(first, first + n)
    return Raw(numbers[:, None].astype(np.float32), numbers / 1000.0)


def recording(n: int, markers: tuple[Marker, ...] = ()) -> Recording:
    """Return numbered samples of the montage's channels."""
    samples = np.repeat(np.arange(n, dtype=np.float32)[:, None], 16, axis=1)
    units = ("uV",) * 16
    return Recording(
        Path("counted.xdf"), "0" * 64, "xdf", MONTAGE.labels, units, 1000.0, samples, np.arange(n) / 1000.0, markers
    )


def order(items: list) -> list:
    """Return what came: a number of samples, or a decision's kind."""
    return [len(item) if isinstance(item, Raw) else getattr(item, "kind", "marker") for item in items]


@given(st.lists(st.integers(0, 30)), st.integers(0, 30), st.integers(0, 500))
def test_interleaving_loses_no_sample_and_keeps_every_decision_in_its_place(places, n, first):
    """Samples come whole and in order, each decision exactly after as many samples as it says."""
    decisions = [decision("marker", first + min(place, n)) for place in sorted(places)]
    at = first
    seen = []
    for item in interleave(raw(n, first), first, decisions):
        if isinstance(item, Raw):
            assert item.samples[0, 0] == at
            at += len(item)
        else:
            assert item.at == at
            seen.append(item)
    assert at == first + n and seen == decisions


def test_decisions_of_several_parts_are_counted_through():
    """A session in parts is replayed as one: places count on, a life's own decisions stay with it."""
    given_ = [
        decision("term", 0, term=1),
        decision("segment", 0, segment=0),
        decision("voided", 0, part=2, n=1),
        decision("segment", 0, part=2, segment=1),
        decision("calibration", 5, part=2),
        decision("end", 5, part=2),
    ]
    flat = flatten_decisions([recording(10), recording(5)], given_)
    assert [(d.kind, d.part, d.at) for d in flat] == [
        ("segment", 1, 0),
        ("segment", 1, 10),
        ("calibration", 1, 15),
        ("end", 1, 15),
    ]
    assert own_decisions(given_) == 3


def test_given_decisions_come_at_their_sample_and_calibrations_on_request():
    """The judge repeats what it was given, by count alone; markers are among the given."""
    judge = GivenJudge([decision("segment", 0), decision("calibration", 4), decision("lost", 4), decision("end", 6)])
    assert [d.kind for d in judge.judge(raw(4), None)] == ["segment", "lost"]
    assert [d.kind for d in judge.judge(raw(2), None)] == ["end"]
    assert judge.calibration_at(4) and judge.calibration_at(5) is None
    assert judge.marker(0.0, "rest") is None


def test_given_decisions_may_have_no_end():
    """They are taken one by one, also where earlier ones are left out."""
    endless = (decision("segment" if n % 10 else "calibration", n) for n in count())
    judge = GivenJudge(endless, n_samples=5, n_decisions=5)
    assert [d.at for d in judge.judge(raw(7), None)] == [6, 7, 8, 9, 11, 12]
    assert judge.calibration_at(10) and judge.calibration_at(20) is None


@pytest.fixture
def tenths(monkeypatch):
    """Let a file be handed over by 100 samples."""
    monkeypatch.setattr(FileSource, "BLOCK", 100)


@pytest.mark.parametrize("rounds", [2, 0])
def test_a_file_may_be_handed_over_again(tenths, rounds):
    """Round after round, whatever an earlier life has taken; 0 rounds have no end."""
    parts = [recording(120), recording(30, (Marker(0.02, "rest"),))]
    source = FileSource(parts, MONTAGE.bind(MONTAGE.labels, ("uV",) * 16), [], rounds=rounds, n_samples=160)
    pulled = [order(source.pull(0)) for _ in range(4)]
    assert pulled == [[100], [10], ["marker", 30], [] if rounds else [100]]
    assert source.finished == bool(rounds)


@pytest.mark.parametrize("taken", [0, 1, 3])
def test_a_file_goes_on_after_any_sample(tenths, taken):
    """A second life gets the samples and decisions that the first did not record, no other ones."""
    whole = recording(350, (Marker(0.05, "rest"), Marker(0.349, "flexion")))
    decisions = [decision("segment", 0), decision("marker", 100), decision("marker", 300), decision("end", 350)]
    binding = MONTAGE.bind(whole.labels, whole.units)
    first = FileSource([whole], binding, decisions)
    items = [item for _ in range(taken) for item in first.pull(0)]
    n_decisions = sum(isinstance(item, Decision) for item in items)
    second = FileSource([whole], binding, decisions, n_samples=taken * 100, n_decisions=n_decisions)
    while not second.finished:
        items += second.pull(0)
    assert [m.text for m in items if isinstance(m, RawMarker)] == ["rest", "flexion"]
    assert [d.kind for d in items if isinstance(d, Decision)] == [d.kind for d in decisions]
    numbers = np.concatenate([item.samples[:, 0] for item in items if isinstance(item, Raw)])
    assert np.array_equal(numbers, np.arange(350))
    assert second.state == ("LOST", "end of the recording")
    second.close()


def test_a_second_life_may_begin_in_the_second_part():
    """Skipping counts through the parts."""
    binding = MONTAGE.bind(MONTAGE.labels, ("uV",) * 16)
    source = FileSource([recording(120), recording(80)], binding, [], n_samples=150)
    assert order(source.pull(0)) == [50]
    assert order(source.pull(0)) == [] and source.finished


def test_a_recording_is_recorded_again_under_its_own_type():
    """The raw type is kept; one that XDF has no word for is kept as double64, which holds it."""
    signal, markers = headers_of(recording(1))
    assert (signal.channel_format, signal.labels, markers.channel_format) == ("float32", MONTAGE.labels, "string")
    assert {format_of(dtype) for dtype in DTYPES.values()} == set(DTYPES)
    assert format_of(np.dtype("u2")) == "double64"


def test_decisions_survive_the_way_through_a_file(tmp_path):
    """What is handed over to a replay is what was decided."""
    decisions = [decision("segment", 0, segment=0), decision("end", 3, reason="x")]
    path = tmp_path / "given.jsonl"
    path.write_bytes(b"".join(d.to_line() for d in decisions))
    assert read_decisions(path) == decisions
