"""Tapes: a recording and the decisions on it, decided once, kept beside it, read back the same (laws 1 to 3)."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings

from acquisition.artifact import ArtifactSpec
from acquisition.chain import Chain, ChainSpec, drive
from acquisition.decisions import Decision
from acquisition.errors import RateError, RecordingError
from acquisition.montage import Channel, Montage
from acquisition.recording import Marker, Recording
from acquisition.session import SessionFolder
from acquisition.stamps import LastSample
from acquisition.tape import Block, decide, load_or_decide, open_decisions, resume_point, tape_of, tape_of_folder
from acquisition.windowing import WindowSpec
from tests.acquisition.test_session import chunk, info, live
from tests.acquisition.test_stamps import START_S, holed, rough_streams

EEG = tuple(Channel(label, "eeg", "uV") for label in ("C3", "C1", "C2", "C4"))
MONTAGE = Montage("small", 1000.0, (*EEG, Channel("RF", "emg", "mV")), markers={"7": "flexion"})
COUNTED = replace(MONTAGE, counter="n", counter_modulo=256)
SMALL = ChainSpec(window=WindowSpec(1_000, 1_000, 400), artifact=ArtifactSpec(calibration_samples=1_000))


def recording(stamps, markers=(), path=Path("none.xdf"), counters=None):
    """A recording with these stamps; channel 0 holds the sample index."""
    index = np.arange(len(stamps))
    samples = np.random.default_rng(1).normal(size=(len(stamps), 5)).astype(np.float32)
    samples[:, 0] = index
    labels = MONTAGE.labels
    if counters is not None:
        samples, labels = np.column_stack([samples, counters]), (*labels, "n")
    return Recording(path, "ab" * 32, "xdf", labels, (None,) * len(labels), 1000.0, samples, stamps, tuple(markers))


def bound(made, montage=MONTAGE):
    """The binding of a recording."""
    return montage.bind(made.labels, made.units)


def flat(tape):
    """The first channel of all blocks, and where each decision stands in it."""
    values, decisions = [], []
    for item in tape:
        if isinstance(item, Block):
            values += item.x_uv[:, 0].tolist()
        else:
            decisions.append((item.kind, len(values)))
    return values, decisions


def test_a_foreign_recording_is_decided_with_its_markers():
    """Segments, holes, markers and the end, each at its place on the grid (law 3)."""
    stamps, _ = holed(3000, (1000, 10), (2000, 300))
    markers = [Marker(START_S + 0.5, "rest"), Marker(START_S + 2.1, "7"), Marker(START_S + 9, "bye")]
    made = recording(stamps, markers)
    decisions = decide(made, MONTAGE, bound(made))
    assert [(d.kind, d.at) for d in decisions] == [
        ("segment", 0), ("marker", 500), ("bridged", 1000), ("marker", 2000), ("lost", 2000), ("segment", 2000),
        ("marker", 3000), ("end", 3000),
    ]  # fmt: skip
    assert [(d.data["phase"], d.data["sample"]) for d in decisions if d.kind == "marker"] == [
        ("rest", 500), ("flexion", 2100), (None, 9000),
    ]  # fmt: skip
    assert decisions[-1].data == {"reason": "end of recording"}


def test_a_counter_column_is_used():
    """A montage that names the counter gets every hole exactly."""
    stamps, index = holed(3000, (1000, 2))
    made = recording(stamps, counters=index % 256)
    kinds = [(d.kind, d.data.get("n")) for d in decide(made, COUNTED, bound(made, COUNTED))]
    assert kinds == [("segment", None), ("bridged", 2), ("end", None)]


def test_a_recording_at_another_rate_is_refused():
    """The rate must be the montage's; the remedy is named (law 10)."""
    made = replace(recording(START_S + np.arange(10) / 256), rate_hz=256.0)
    with pytest.raises(RateError, match=r"none\.xdf is at 256 Hz; montage small needs 1000 Hz.* --resample"):
        decide(made, MONTAGE, bound(made))


def test_a_column_that_does_not_count_is_no_counter():
    """The file and its column are named."""
    stamps, index = holed(3000, (1000, 2))
    made = recording(stamps, counters=index * 7 % 256)
    with pytest.raises(RecordingError, match=r"none\.xdf: column '.*' does not count samples, .*--counter NAME:N"):
        decide(made, COUNTED, bound(made, COUNTED))


@pytest.mark.parametrize(("kind", "remedy"), [("text", "--time-column none"), ("xdf", "flexion recordings FILE")])
def test_a_recording_that_misses_its_rate_is_refused(kind, remedy):
    """The file is named, both rates, and what can be done."""
    made = replace(recording(START_S + np.arange(9000) / 1100), format=kind)
    with pytest.raises(RateError, match=rf"none\.xdf: the stream states 1000 Hz, but .* 1100\.00 Hz.* {remedy}"):
        decide(made, MONTAGE, bound(made))


@pytest.mark.parametrize("size", [1, 7, 1000, 10_000])
def test_a_tape_has_every_sample_once_in_order(size):
    """Blocks of any size carry all samples, and decisions stand between the right ones (law 1)."""
    stamps, _ = holed(1500, (700, 40))
    made = recording(stamps, [Marker(START_S + 0.2, "rest")])
    tape = list(tape_of(made, bound(made), decide(made, MONTAGE, bound(made)), size))
    values, decisions = flat(tape)
    assert values == list(range(1500))
    assert decisions == [("segment", 0), ("marker", 200), ("lost", 700), ("segment", 700), ("end", 1500)]
    assert max(len(item.x_uv) for item in tape if isinstance(item, Block)) <= size


def test_blocks_are_in_microvolts_in_the_montages_order():
    """The stream's columns are scaled and reordered on the way onto the tape."""
    made = recording(START_S + np.arange(10) / 1000)
    order = [4, 3, 2, 1, 0]
    turned = replace(made, samples=made.samples[:, order], labels=tuple(made.labels[k] for k in order))
    (block,) = (item for item in tape_of(turned, bound(turned), []) if isinstance(item, Block))
    np.testing.assert_array_equal(block.x_uv, made.samples.astype(float) * [1, 1, 1, 1, 1000])
    assert (block.part, block.at) == (1, 0)


def test_decisions_are_kept_beside_the_recording(tmp_path):
    """A second opening reads what the first decided, calibration included, and decides nothing anew (law 1)."""
    made = recording(START_S + np.arange(2000) / 1000, path=tmp_path / "a.xdf")
    first = open_decisions(made, MONTAGE, bound(made))
    calibration = Decision("calibration", 1, 0, 1400, {"hash": "cd"})
    first.add(calibration)
    again = open_decisions(made, MONTAGE, bound(made))
    assert again.decisions == first.decisions
    assert [d.kind for d in again.decisions] == ["segment", "calibration", "end"]
    assert load_or_decide(made, MONTAGE) == again.decisions
    assert os.listdir(tmp_path) == ["a.xdf.decisions.jsonl"]


def test_a_calibration_stands_before_what_happens_at_its_place(tmp_path):
    """It was made from the samples before it: a hole that begins there comes after (law 1)."""
    stamps, _ = holed(2000, (1400, 300))
    made = recording(stamps, path=tmp_path / "a.xdf")
    file = open_decisions(made, MONTAGE, bound(made))
    file.add(Decision("calibration", 1, 0, 1400, {}))
    assert [d.kind for d in file.decisions] == ["segment", "calibration", "lost", "segment", "end"]


@pytest.mark.parametrize(
    "change",
    [
        {"sha256": "0" * 64},
        {"name": "other"},
        {"rate_hz": 999.999},
        {"units": ("mV",) * 16},
        {"labels": tuple(reversed(MONTAGE.labels))},
        {"stamps": START_S + 1 + np.arange(2000) / 1000},
        {"markers": (Marker(START_S, ""),)},
    ],
    ids=["file", "stream", "rate", "unit", "labels", "stamps", "markers"],
)
def test_decisions_on_something_else_are_taken_anew(tmp_path, change):
    """Another file, stream or rate under the same name has its own decisions, and so has another reading of it."""
    made = recording(START_S + np.arange(2000) / 1000, path=tmp_path / "a.xdf")
    open_decisions(made, MONTAGE, bound(made)).add(Decision("calibration", 1, 0, 9, {}))
    montage = replace(MONTAGE, rate_hz=change.get("rate_hz", 1000.0))
    again = open_decisions(replace(made, **change), montage, bound(made))
    assert [d.kind for d in again.decisions if d.kind != "marker"] == ["segment", "end"]


def test_decisions_for_another_chain_are_taken_anew(tmp_path):
    """A calibration holds for the conditioning and mains that it was made with, and for its montage."""
    made = recording(START_S + np.arange(2000) / 1000, path=tmp_path / "a.xdf")
    open_decisions(made, MONTAGE, bound(made), conditioning="x 50").add(Decision("calibration", 1, 0, 9, {}))
    assert len(open_decisions(made, MONTAGE, bound(made), conditioning="x 60").decisions) == 2
    other = replace(MONTAGE, markers={})
    assert len(open_decisions(made, other, bound(made), conditioning="x 60").decisions) == 2


@pytest.mark.parametrize("damage", [b"rubbish\n", b"", b'{"kind"'])
def test_a_broken_file_beside_it_is_taken_anew(tmp_path, damage):
    """What cannot be read is decided again, and written again."""
    made = recording(START_S + np.arange(2000) / 1000, path=tmp_path / "a.xdf")
    file = open_decisions(made, MONTAGE, bound(made))
    content = file.path.read_bytes()
    file.path.write_bytes(content + damage if damage else content[:-1])
    assert open_decisions(made, MONTAGE, bound(made)).decisions == file.decisions
    assert file.path.read_bytes() == content


def test_a_folder_that_takes_no_file_is_no_hindrance(tmp_path):
    """Decisions then live in memory, and the caller can say so."""
    made = recording(START_S + np.arange(2000) / 1000, path=tmp_path / "none" / "a.xdf")
    file = open_decisions(made, MONTAGE, bound(made))
    file.add(Decision("calibration", 1, 0, 9, {}))
    assert not file.kept
    assert [d.kind for d in file.decisions] == ["segment", "calibration", "end"]


def test_a_session_is_one_tape(tmp_path):
    """All parts in order, each with its decisions, in microvolts."""
    folder = SessionFolder.create(tmp_path, info())
    live(folder)
    folder.recover()
    folder.append_decision(Decision("term", 2, 0, 0, {"term": 2}))
    writer = folder.open_part([live_header()])
    folder.append_decision(
        Decision("lost", 2, 0, 0, {"n": 50, "reason": "resume"}),
        Decision("segment", 2, 0, 0, {"segment": 1, "first_sample": 150, "reason": "resume"}),
    )
    writer.append(0, *chunk(150, 30))
    writer.close()
    folder.append_decision(Decision("marker", 2, 1, 0, {"text": "of another stream"}))
    folder.append_decision(Decision("end", 2, 0, 30, {"reason": "planned"}), Decision("term", 3, 0, 0, {"term": 3}))
    values, decisions = flat(tape_of_folder(folder, 64))
    assert values == [*range(100), *range(150, 180)]
    assert decisions == [("segment", 0), ("term", 100), ("lost", 100), ("segment", 100), ("end", 130), ("term", 130)]


def live_header():
    """The signal's header alone."""
    from tests.acquisition.test_session import SIGNAL

    return SIGNAL


def test_a_session_without_its_decisions_is_refused(tmp_path):
    """Samples of which nobody knows what was decided are no session: the words name the file that is missing."""
    folder = SessionFolder.create(tmp_path, info())
    live(folder).close()
    (folder.path / "decisions.jsonl").unlink()
    with pytest.raises(RecordingError, match=r"decisions\.jsonl opens no segment, but .*recording-1\.xdf has samples"):
        list(tape_of_folder(SessionFolder.open(folder.path)))


def test_a_session_goes_on_where_its_grid_stands(tmp_path):
    """The next life knows grid, segment and last sample from the folder alone (law 3)."""
    folder = SessionFolder.create(tmp_path, info())
    assert resume_point(folder).previous is None
    writer = live(folder)
    folder.append_decision(
        Decision("bridged", 1, 0, 40, {"n": 5}),
        Decision("reject", 1, 0, 60, {"n": 2, "reason": "duplicate"}),
        Decision("lost", 1, 0, 80, {"n": 1000, "reason": "gap"}),
        Decision("segment", 1, 0, 80, {"segment": 1, "first_sample": 1083, "reason": "gap"}),
    )
    writer.close()
    point = resume_point(folder)
    assert (point.part, point.next_sample, point.next_segment) == (2, 100 + 5 - 2 + 1000, 2)
    assert point.previous == LastSample(50.099, None)


def test_a_session_with_a_counter_goes_on_by_it(tmp_path):
    """The last count is read from the raw record."""
    montage = replace(MONTAGE, counter="RF", channels=EEG)
    folder = SessionFolder.create(tmp_path, info(montage=montage.to_json()))
    header = replace(live_header(), channel_count=5, labels=("C3", "C1", "C2", "C4", "RF"), units=("uV",) * 5)
    with folder.open_part([header]) as writer:
        writer.append(0, chunk(0)[0][:, :5], chunk(0)[1])
    assert resume_point(folder).previous == LastSample(50.019, 19)


@settings(max_examples=60, deadline=None)
@given(rough_streams())
def test_the_chain_takes_whatever_is_decided(stream):
    """Holes, bursts, duplicates, clock jumps: every decision can be obeyed, and the ledger balances (law 3)."""
    stamps, counters, sizes = stream
    montage = MONTAGE if counters is None else COUNTED
    made = recording(stamps, counters=counters)
    try:
        decisions = decide(made, montage, bound(made, montage))
    except RateError:
        return
    ledgers = []
    for size in (1000, *sizes[:1]):
        chain = Chain(montage, spec=SMALL)
        for _ in drive(chain, tape_of(made, bound(made, montage), decisions, size)):
            pass
        ledgers.append(chain.ledger.to_json())
    assert ledgers[0]["balanced"] and ledgers[0] == ledgers[-1]
    assert ledgers[0]["received"] + sum(ledgers[0]["rejected"].values()) == len(stamps)
