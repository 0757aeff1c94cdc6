"""Recordings in memory: which stream is the signal, what its markers are, what was assumed (law 10)."""

from __future__ import annotations

import hashlib
from dataclasses import replace

import numpy as np
import pytest

from acquisition.errors import RecordingError
from acquisition.formats.xdf import read_part
from acquisition.formats.xdf_header import StreamHeader
from acquisition.montage import Channel, Montage
from acquisition.parts import PartWriter
from acquisition.recording import read_recording, recording_of_part

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
    assert read_recording(path, stream="Gyro").name == "Gyro"


def test_a_stream_without_samples_is_not_meant(tmp_path):
    """A second stream that never sent anything does not make the choice ambiguous."""
    assert read_recording(write(tmp_path / "a.xdf", signal(), signal(GYRO, 0))).name == "Amp"


@pytest.mark.parametrize(
    ("streams", "given", "words"),
    [
        ([signal(), signal(GYRO)], {}, "has 2 streams that could be the signal.*'Amp', 'Gyro'.*--stream NAME"),
        ([signal()], {"stream": "Other"}, "has no stream named 'Other' that could be the signal"),
        ([(CUES, ["rest"], [1.0])], {}, "has no stream that could be the signal; regular numeric streams: none"),
    ],
)
def test_an_open_choice_is_asked(tmp_path, streams, given, words):
    """Which stream is the signal is never guessed; those that there are are named (law 10)."""
    with pytest.raises(RecordingError, match=words):
        read_recording(write(tmp_path / "a.xdf", *streams), **given)


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


def test_an_unknown_kind_of_file_is_refused(tmp_path):
    """The endings that can be read are named."""
    with pytest.raises(RecordingError, match=r"a\.mat ends in '.mat'; expected .xdf, .txt, .csv or .tsv"):
        read_recording(tmp_path / "a.mat")
