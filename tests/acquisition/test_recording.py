"""Recordings in memory: which stream is the signal, what its markers are, what was assumed (law 10)."""

from __future__ import annotations

import hashlib
import os
from dataclasses import replace

import numpy as np
import pytest

from acquisition.errors import MontageError, RateError, RecordingError, UnitError
from acquisition.formats.text_rows import Dialect
from acquisition.formats.xdf import read_part
from acquisition.formats.xdf_header import StreamHeader
from acquisition.montage import Channel, Montage
from acquisition.parts import PartWriter
from acquisition.recording import bind_recording, read_recording, read_streams, recording_of_part

EEG = StreamHeader("Amp", "EEG", "float32", 1000.0, 2, ("C3", "RF"), ("uV", None), hostname="bed4-pc", source_id="a1")
GYRO = StreamHeader("Gyro", "ACC", "float32", 50.0, 2, hostname="bed4-pc")
CUES = StreamHeader("Cues", "Markers", "string", 0.0, 1, hostname="bed4-pc")
CODES = StreamHeader("Codes", "Markers", "int32", 0.0, 1, hostname="bed4-pc")
MONTAGE = Montage("m", 1000.0, (Channel("C3", "eeg"), Channel("RF", "emg")))


def write(path, *streams):
    """A file with these streams: header, samples, stamps and offsets of each."""
    with PartWriter.create(path, [header for header, *_ in streams]) as writer:
        for number, (_, samples, stamps, *offsets) in enumerate(streams):
            writer.append(number, samples, np.asarray(stamps, float))
            for time_s, offset_s in offsets:
                writer.offset(number, time_s, offset_s)
    return path


def signal(header=EEG, n=10, *offsets):
    """The signal's samples from 100 s on."""
    return header, np.ones((n, header.channel_count), np.float32), 100 + np.arange(n) / 1000, *offsets


def test_signal_and_markers_are_told_apart(tmp_path):
    """The one regular numeric stream is the signal; texts and codes are markers, in order of their stamps."""
    codes = (CODES, np.array([[7], [8]], np.int32), [100.001, 100.005])
    path = write(tmp_path / "a.xdf", (CUES, ["rest", " "], [100.003, 100.004]), signal(), codes)
    recording = read_recording(path)
    assert (recording.name, recording.source_id, recording.hostname) == ("Amp", "a1", "bed4-pc")
    assert recording.labels == ("C3", "RF") and recording.rate_hz == 1000.0
    assert [(m.stamp_s, m.text) for m in recording.markers] == [(100.001, "7"), (100.003, "rest"), (100.005, "8")]
    assert recording.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    assert recording.origin == "recorded" and recording.problems == () and recording.assumed == ()


def test_a_trigger_channel_gives_markers(tmp_path):
    """Each change of its code to another that is not 0, beside the markers of other streams; it stays a channel."""
    kinds = replace(EEG, channel_count=3, labels=("C3", "TRIG", "RF"), units=(), kinds=("EEG", "Stim", "EMG"))
    samples = np.zeros((8, 3), np.float32)
    samples[:, 1] = 0, 5, 5, 0, 5, 6, np.nan, 6
    samples[6, 1:2].view(np.uint32)[:] = 0x7F800001  # a NaN that signals
    path = write(tmp_path / "a.xdf", (kinds, samples, 100 + np.arange(8) / 1000), (CUES, ["rest"], [100.003]))
    recording = read_recording(path)
    at = [(round(1000 * (marker.stamp_s - 100)), marker.text) for marker in recording.markers]
    assert at == [(1, "5"), (3, "rest"), (4, "5"), (5, "6"), (7, "6")]
    assert recording.labels == ("C3", "TRIG", "RF")
    assert recording.assumed == ("channel 'TRIG' holds markers: each change to another code that is not 0 is one.",)


def test_a_stream_of_triggers_is_no_signal(tmp_path):
    """At a steady rate too; it is the signal only if it is named, or nothing else is there."""
    codes = np.repeat(np.array([[0], [3], [0]], np.int32), 4, axis=0)
    triggers = (replace(CODES, type="Trigger", rate_hz=1000.0), codes, 100 + np.arange(12) / 1000)
    path = write(tmp_path / "a.xdf", triggers, signal())
    recording = read_recording(path)
    assert recording.name == "Amp" and [m.text for m in recording.markers] == ["3"]
    assert read_recording(path, stream="Codes").markers == ()
    assert read_recording(write(tmp_path / "b.xdf", triggers)).name == "Codes"


def test_a_given_unit_is_for_channels_without_one(tmp_path):
    """The stream's own word counts more; what was taken from the user is told."""
    recording = read_recording(write(tmp_path / "a.xdf", signal()), unit="mV")
    assert recording.units == ("uV", "mV")
    assert recording.assumed == ("channels of 'Amp' without a unit are taken as mV.",)


def test_channels_without_names_are_numbered(tmp_path):
    """Nothing is guessed about them, and that is told."""
    recording = read_recording(write(tmp_path / "a.xdf", signal(GYRO)))
    assert recording.labels == ("1", "2") and recording.units == (None, None)
    assert recording.assumed == ("stream 'Gyro' names no channels: taken as 1 to 2.",)


def test_the_montage_picks_the_signal(tmp_path):
    """Among several streams the one that has the montage's channels is meant."""
    path = write(tmp_path / "a.xdf", signal(GYRO), signal())
    assert read_recording(path, montage=MONTAGE).name == "Amp"
    assert read_recording(path, stream="Gyro").name == read_recording(path, stream="1").name == "Gyro"


def test_a_stream_without_samples_is_not_meant(tmp_path):
    """A second stream that never sent anything does not make the choice ambiguous."""
    assert read_recording(write(tmp_path / "a.xdf", signal(), signal(GYRO, 0))).name == "Amp"


@pytest.mark.parametrize(
    ("streams", "given", "words"),
    [
        (
            [signal(), signal(GYRO)],
            {},
            r"a\.xdf has 2 streams that could be the signal: 1: 'Amp' \(2 channels at 1000 Hz: C3, RF\); 2: 'Gyro' "
            r"\(2 channels at 50 Hz\)\. Name the one that is meant, or its number: --stream NAME",
        ),
        (
            [signal()],
            {"stream": "Other"},
            r"has no stream 'Other' that could be the signal; there is 1: 'Amp' \(.*--stream NAME",
        ),
        ([(CUES, ["rest"], [1.0])], {}, "has no stream that could be the signal, one of numbers .* Choose a recording"),
        ([signal()], {"labels": ["C3"]}, r"has 2 channels in 'Amp'; 1 labels were given\. Give one for each: --labels"),
    ],
)
def test_an_open_choice_is_asked(tmp_path, streams, given, words):
    """Which stream is the signal is never guessed; those that there are are named (law 10)."""
    with pytest.raises(RecordingError, match=words):
        read_recording(write(tmp_path / "a.xdf", *streams), **given)


def test_no_stream_with_the_channels_is_refused_with_all_of_them(tmp_path):
    """Where none of several fits, what each has and how to go on is said."""
    path = write(tmp_path / "a.xdf", signal(GYRO), signal(replace(GYRO, name="Acc", labels=tuple("xy"))))
    words = r"2 streams and none has the channels of montage m: 1: 'Gyro' \(2 channels at 50 Hz\); 2: 'Acc' .*: x, y\)"
    with pytest.raises(MontageError, match=words + r"\. Describe the one that is meant.*--montage FILE"):
        read_recording(path, montage=MONTAGE)


def test_a_broken_file_says_where(tmp_path):
    """Without a signal the damage is the reason, and the way out is a copy."""
    path = write(tmp_path / "a.xdf", (CUES, ["rest"], [1.0]))
    path.write_bytes(path.read_bytes()[:-3])
    with pytest.raises(RecordingError, match=r"It is damaged: .*torn at byte .* Restore it from a copy"):
        read_recording(path)


def test_the_users_labels_and_rate(tmp_path):
    """Given labels name the channels, and that is told; a rate that the file does not have is refused."""
    path = write(tmp_path / "a.xdf", signal(GYRO))
    recording = read_recording(path, labels=["C3", "RF"], rate_hz=50.0)
    assert recording.labels == ("C3", "RF")
    assert recording.assumed == ("channels of 'Gyro' are taken as C3, RF.",)
    with pytest.raises(RateError, match=r"states 50 Hz for 'Gyro'; 100 Hz was given\. Leave --rate out"):
        read_recording(path, rate_hz=100.0)


def test_a_table_has_no_streams(tmp_path):
    """Naming one is a mistake that is said."""
    (tmp_path / "a.csv").write_text("C3,RF\n1,2\n")
    with pytest.raises(
        RecordingError, match=r"a\.csv is a table, which has no streams; 'Amp' was named\. Leave --stream"
    ):
        read_recording(tmp_path / "a.csv", stream="Amp")


def test_what_does_not_fit_names_file_rate_and_channels(tmp_path):
    """One refusal says all that is wrong; the montage's own channels at its own rate bind (law 10)."""
    recording = read_recording(write(tmp_path / "a.xdf", signal()), unit="uV")
    assert bind_recording(recording, MONTAGE).columns == (0, 1)
    slow = replace(recording, rate_hz=256.0)
    with pytest.raises(RateError, match=r"a\.xdf is at 256 Hz; montage m needs 1000 Hz\. .*--resample"):
        bind_recording(slow, MONTAGE)
    assert bind_recording(slow, MONTAGE, resample=True).columns == (0, 1)
    with pytest.raises(
        MontageError, match=r"a\.xdf does not fit\. Channel C3 is missing.* It is at 256 Hz.*--resample"
    ):
        bind_recording(replace(slow, labels=("C9", "RF")), MONTAGE)
    with pytest.raises(UnitError, match=r"a\.xdf does not fit\. .*RF.*--unit"):
        bind_recording(replace(recording, units=("uV", None)), MONTAGE)


def test_markers_of_another_machine_are_put_on_the_signals_clock(tmp_path):
    """Its clock offsets are applied: a marker made 3 ms after the first sample is there, whatever its own clock."""
    away = replace(CUES, hostname="tablet")
    cues = (away, ["rest"], [5000.003], (4999.0, -4899.5), (5001.0, -4899.5))
    path = write(tmp_path / "a.xdf", signal(EEG, 10, (100.0, 0.5), (101.0, 0.5)), cues)
    assert read_recording(path).markers[0].stamp_s == pytest.approx(100.003)


def test_markers_of_the_same_machine_share_its_clock(tmp_path):
    """Two noisy measurements of one clock are not applied."""
    path = write(tmp_path / "a.xdf", signal(EEG, 10, (100.0, 1e-4)), (CUES, ["rest"], [100.003], (100.0, -1e-4)))
    assert read_recording(path).markers[0].stamp_s == 100.003


def test_a_part_is_read_as_it_was_written(tmp_path):
    """In our own parts stream 0 is the signal, whatever else is there."""
    path = write(tmp_path / "recording-1.xdf", signal(GYRO), (CUES, ["rest"], [100.003]))
    assert recording_of_part(path, read_part(path)).name == "Gyro"
    markers = write(tmp_path / "recording-2.xdf", (CUES, ["rest"], [100.003]))
    with pytest.raises(RecordingError, match=r"recording-2\.xdf has no signal"):
        recording_of_part(markers, read_part(markers))


@pytest.mark.parametrize(
    ("name", "words"),
    [
        (
            "a.mat",
            r"a\.mat ends in '\.mat'; expected .xdf, .txt, .csv, .tsv, .edf, .bdf, .vhdr, .fif\. .*export it as XDF",
        ),
        ("scan.nii.gz", r"scan\.nii\.gz ends in '\.nii\.gz'; expected"),
        ("a.csv.gz", r"a\.csv\.gz ends in .*gunzip a\.csv\.gz"),
        ("LICENSE", r"LICENSE has no ending; expected"),
        ("b.eeg", r"b\.eeg ends in '\.eeg'; expected .* name its header, b\.vhdr"),
    ],
)
def test_an_unknown_kind_of_file_is_refused(tmp_path, name, words):
    """The endings that can be read are named, and the header of a recording of which this is a part."""
    (tmp_path / "b.vhdr").touch()
    with pytest.raises(RecordingError, match=words):
        read_recording(tmp_path / name)


def test_every_stream_can_be_looked_at(tmp_path):
    """All that could be the signal, empty ones too; a table is one."""
    path = write(tmp_path / "a.xdf", signal(), signal(GYRO, 0), (CUES, ["rest"], [100.003]))
    assert [(r.name, len(r.stamps), len(r.markers)) for r in read_streams(path)] == [("Amp", 10, 1), ("Gyro", 0, 1)]
    assert [r.name for r in read_streams(path, stream="2", labels=["x", "y"])] == ["Gyro"]
    (tmp_path / "b.csv").write_text("# rate_hz: 10\n# unit: uV\nC3\n1\n2\n")
    assert [r.name for r in read_streams(tmp_path / "b.csv")] == ["b"]


def test_how_rows_are_written_is_said_about_tables(tmp_path):
    """It reaches the table, and is refused where there are no rows."""
    (tmp_path / "a.csv").write_text("C3|M\n1,5|0\n2|7\n")
    dialect = Dialect(delimiter="|", markers="M")
    recording = read_recording(tmp_path / "a.csv", rate_hz=10.0, unit="uV", dialect=dialect)
    assert recording.samples.tolist() == [[1.5], [2.0]] and [m.text for m in recording.markers] == ["7"]
    path = write(tmp_path / "a.xdf", signal())
    with pytest.raises(RecordingError, match=r"a\.xdf is an XDF file, no table; .* Leave --delimiter"):
        read_recording(path, dialect=dialect)


def test_what_is_no_file_is_not_waited_for(tmp_path):
    """A pipe would block without end; a folder has its own reader."""
    os.mkfifo(tmp_path / "a.xdf")
    (tmp_path / "b.csv").mkdir()
    with pytest.raises(RecordingError, match=r"a\.xdf is a pipe, expected a file\. Write what comes out of it into"):
        read_recording(tmp_path / "a.xdf")
    with pytest.raises(RecordingError, match=r"b\.csv is a folder, expected a file\. Name a recording, or a session's"):
        read_recording(tmp_path / "b.csv")
