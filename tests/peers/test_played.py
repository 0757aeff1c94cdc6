"""MNE-LSL's player into our bridge: every sample in the ledger, and what other programs read of it (laws 2 and 3)."""

from __future__ import annotations

import json
import shutil
import threading
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import pyxdf
from numpy.typing import NDArray

from acquisition.chain import Chain
from acquisition.discovery import SourceSpec
from acquisition.formats.xdf import read_part
from acquisition.paradigm import ParadigmPlan
from acquisition.recording import Recording, read_recording
from acquisition.session import SessionFolder
from acquisition.source import StampJudge
from acquisition.stamps import StampDecider
from acquisition.stream_source import StreamSource
from acquisition.tape import ResumePoint
from deploy.exporting import export_session
from tests.conformance.commanding import FLEXION, Running
from tests.conformance.compose import compose
from tests.streaming.bridging import MONTAGE, Bed, hashed, scoring

mne = pytest.importorskip("mne", reason="the extra 'recordings' is not installed")
pytestmark = pytest.mark.slow

#: Longer than a file, so that every sample of it comes at least once.
SESSION_S = 5.0
#: Of a file: a prime. Where a chunk of the player ends with the file, in whichever round, it sends the whole file once
#: more as one chunk whose stamps go back, which is a clock reset to us; so chunks and files have no common divisor.
N_SAMPLES = 4_507
PLAN = ParadigmPlan(still_s=2.0)
#: FIFF's code of the volt.
VOLT = 107


@dataclass(frozen=True)
class Played:
    """A file, and the live session that it was played to.

    Parameters
    ----------
    sent : ndarray, shape (n_samples, n_channels), float64
        The file as MNE reads it, in volts.
    bed : Bed
    part : Recording
        What was recorded.
    rows : ndarray, shape (n_recorded,)
        Which row of the file each recorded sample must be: from some row on in order, and around the file's end.
    annotated : bool
        Whether the file has annotations.
    """

    sent: NDArray[np.float64]
    bed: Bed
    part: Recording
    rows: NDArray[np.intp]
    annotated: bool


@pytest.fixture(scope="module", params=[("generated", 250), ("composed", 23)], ids=["generated", "composed"])
def played(start, redis_server, tmp_path_factory, request) -> Played:
    """Play a file into a live session, as long as it is planned: one that is always there, and real signals."""
    kind, chunk = request.param
    folder = tmp_path_factory.mktemp(kind)
    shared = (request.getfixturevalue("shared_data"),) if kind == "composed" else ()
    file = {"generated": generated, "composed": composed}[kind](folder / "played_raw.fif", *shared)
    source_id = uuid.uuid4().hex
    player = start("player", file, source_id, chunk)
    source = {"kind": "lsl", "source_id": source_id}
    bed = Bed.make(redis_server, folder, mode="live", origin="live", planned_s=SESSION_S, source=source)

    def open_source(point: ResumePoint, chain: Chain) -> StreamSource:
        judge = StampJudge(StampDecider(MONTAGE.rate_hz, part=point.part), MONTAGE)
        return StreamSource(SourceSpec(source_id=source_id), MONTAGE, judge, bed.clock)

    with scoring(redis_server):
        assert bed.bridge(open_source).run(threading.Event()) == 0
    player.kill()
    (part,) = bed.again().folder.parts()
    sent = mne.io.read_raw(file, verbose="ERROR").get_data().T
    return Played(sent, bed.again(), part, rows_of(part, sent), kind == "generated")


def generated(path: Path) -> Path:
    """Write a FIF file of noise in volts with the montage's channels, and two annotations."""
    volts = np.random.default_rng(0).normal(0, 20e-6, (MONTAGE.n_channels, N_SAMPLES))
    info = mne.create_info(list(MONTAGE.labels), MONTAGE.rate_hz, list(MONTAGE.kinds))
    raw = mne.io.RawArray(volts, info, verbose="ERROR")
    return saved(raw.set_annotations(mne.Annotations([1.0, 3.0], 0.0, ["flexion", "rest"])), path)


def composed(path: Path, shared_data: Path) -> Path:
    """Write a FIF file of real EEG and real EMG, which were never recorded together."""
    recording = read_recording(compose(path.with_suffix(".xdf"), N_SAMPLES / 1000, shared_data, PLAN))
    info = mne.create_info(list(recording.labels), recording.rate_hz, list(MONTAGE.kinds))
    return saved(mne.io.RawArray(recording.samples.T * 1e-6, info, verbose="ERROR"), path)


def saved(raw: Any, path: Path) -> Path:
    """Write a file that keeps every bit."""
    raw.save(path, fmt="double", verbose="ERROR")
    return path


def rows_of(part: Recording, sent: NDArray[np.float64]) -> NDArray[np.intp]:
    """Return which row of a file that is played without end each recorded sample must be."""
    (first,) = np.flatnonzero((sent == part.samples[0]).all(axis=1))
    return np.asarray((first + np.arange(len(part.samples))) % len(sent))


def test_every_sample_is_in_the_ledger_and_in_the_record_to_the_bit(played):
    """Volts in float64, stamped by the chunk, around the file's end: all is taken, in one segment, nothing is lost."""
    ledger = (played.bed.folder.ledger() or {})["ledger"]
    assert (ledger["received"], ledger["declared_lost"], ledger["bridged"]) == (SESSION_S * 1000, 0, 0)
    assert ledger["balanced"] and not any(ledger["rejected"].values()) and not ledger["clock_resets"]
    assert [d.data["segment"] for d in played.bed.folder.decisions() if d.kind == "segment"] == [0]
    assert played.part.samples.dtype == np.float64 and len(played.part.samples) > len(played.sent)
    np.testing.assert_array_equal(played.part.samples, played.sent[played.rows])
    binding = MONTAGE.bind(played.part.labels, played.part.units)
    np.testing.assert_array_equal(binding.to_uv(played.part.samples), played.sent[played.rows] * 1e6)
    assert played.bed.scores() == {index: hashed(x_uv) for index, x_uv in played.bed.remade().items()}


def test_annotations_become_markers(played):
    """Those that came once the markers were found; each where its stamp says, one sample before the one it is about."""
    marks = [d.data for d in played.bed.folder.decisions() if d.kind == "marker"]
    expected = {("flexion", 999), ("rest", 2_999)} if played.annotated else set()
    assert {(mark["phase"], played.rows[mark["sample"]]) for mark in marks} <= expected
    assert bool(marks) == played.annotated


def test_pyxdf_reads_the_recording(played, start):
    """Samples, stamps, clock offsets, markers, labels and footers; MNE-LSL's own reading of its types and units."""
    path = played.bed.folder.part_path(1)
    signal, markers = loaded(path)
    ours = read_part(path).streams
    np.testing.assert_array_equal(signal["time_series"], played.sent[played.rows])
    np.testing.assert_array_equal(signal["time_stamps"], played.part.stamps)
    offsets = np.stack([signal["clock_times"], signal["clock_values"]], axis=1)
    np.testing.assert_array_equal(offsets, ours[0].offsets)
    assert len(offsets) and signal["footer"]["info"]["sample_count"] == [str(len(played.rows))]
    texts = list(zip(markers["time_stamps"], (text for (text,) in markers["time_series"]), strict=True))
    assert texts == [(marker.stamp_s, marker.text) for marker in played.part.markers]
    described = json.loads(start("describer", path).finish())
    assert described == {
        "labels": list(MONTAGE.labels),
        "kinds": list(MONTAGE.kinds),
        "units": [[VOLT, 0]] * MONTAGE.n_channels,
    }


def test_pyxdf_finds_one_steady_stream(played):
    """Synchronised and dejittered, as pyxdf does unless told otherwise: the rate, and no stamp moves by 2 ms."""
    streams, _ = pyxdf.load_xdf(played.bed.folder.part_path(1))
    signal = next(stream for stream in streams if stream["info"]["stream_id"] == 1)
    assert signal["info"]["effective_srate"] == pytest.approx(MONTAGE.rate_hz, rel=1e-3)
    np.testing.assert_array_equal(signal["time_series"], played.sent[played.rows])
    np.testing.assert_allclose(signal["time_stamps"], played.part.stamps, atol=2e-3)


def test_pyxdf_reads_what_a_killed_bridge_left(played, tmp_path):
    """No footer, the tail torn and mended: up to there the same samples and stamps."""
    copied = tmp_path / played.bed.session
    shutil.copytree(played.bed.folder.path, copied)
    folder = SessionFolder.open(copied)
    part = folder.part_path(1)
    with part.open("rb+") as file:
        file.truncate(part.stat().st_size * 3 // 5)
    assert folder.recover().torn_bytes[1] > 0
    signal, _ = loaded(part)
    n = len(signal["time_stamps"])
    assert n == len(folder.part(1).stamps) and 0 < n < len(played.rows)
    assert "footer" not in signal
    np.testing.assert_array_equal(signal["time_series"], played.sent[played.rows[:n]])
    np.testing.assert_array_equal(signal["time_stamps"], played.part.stamps[:n])


def test_mne_reads_the_exported_session(played, tmp_path):
    """FIF to FIF, through LSL, the bridge, the record and the export: not one bit is another."""
    export_session(played.bed.folder, tmp_path / "a_raw.fif")
    raw = mne.io.read_raw_fif(tmp_path / "a_raw.fif", verbose="ERROR")
    np.testing.assert_array_equal(raw.get_data().T, played.sent[played.rows])
    assert (raw.ch_names, raw.get_channel_types()) == (list(MONTAGE.labels), list(MONTAGE.kinds))
    marks = zip(np.round(raw.annotations.onset * 1000), raw.annotations.description, strict=True)
    decided = [d.data for d in played.bed.folder.decisions() if d.kind == "marker"]
    assert list(marks) == [(data["sample"], data["text"]) for data in decided if data["sample"] < len(played.rows)]


def loaded(path: Path) -> list[dict[str, Any]]:
    """Return the streams as pyxdf reads them, neither synchronised nor dejittered, in the order of their numbers."""
    streams, _ = pyxdf.load_xdf(path, synchronize_clocks=False, dejitter_timestamps=False)
    return sorted(streams, key=lambda stream: stream["info"]["stream_id"])


@pytest.mark.parametrize(
    ("name", "chunk", "seconds"),
    [("eeg-ant-1024/sample-eeg-ant-raw.fif", 64, 3.0), ("eeg-brainvision-1000/test.vhdr", 23, 8.0)],
)
def test_real_files_are_recorded_by_the_command(start, shared_data, tmp_path, free_port, name, chunk, seconds):
    """`flexion record` with a montage of the file's own channels, at its own rate: all channels of it, to the bit."""
    raw = mne.io.read_raw(shared_data / name, verbose="ERROR")
    montage = tmp_path / "montage.toml"
    channels = "".join(f'[[channels]]\nlabel = "{label}"\nkind = "eeg"\n' for label in raw.copy().pick("eeg").ch_names)
    montage.write_text(f'name = "file"\nrate_hz = {raw.info["sfreq"]}\n{channels}')
    source_id = uuid.uuid4().hex
    player = start("player", shared_data / name, source_id, chunk)
    arguments = ["--patient", "P1", "--bed", "B1", "--source-id", source_id, "--montage", str(montage)]
    length = ["--minutes", str(seconds / 60), "--wait", "30", "--json", "--no-browser", "--port", str(free_port)]
    command = Running(tmp_path, [FLEXION, "record", *arguments, *length], FLEXION_DATA_DIR=str(tmp_path / "data"))
    result = command.finish().result
    player.kill()
    ledger = result["ledger"]
    assert (ledger["received"], ledger["declared_lost"]) == (seconds * raw.info["sfreq"], 0)
    assert not any(ledger["rejected"].values()) and not ledger["clock_resets"]
    (part,) = SessionFolder.find(tmp_path / "data", result["session"]).parts()
    sent = raw.get_data().T
    assert part.labels == tuple(raw.ch_names) and len(part.samples) > len(sent)
    np.testing.assert_array_equal(part.samples, sent[rows_of(part, sent)])
    texts = set(raw.annotations.description)
    assert {marker.text for marker in part.markers} <= texts and bool(part.markers) == bool(texts)
