"""BrainVision through MNE: values, units and markers as its three files have them, pauses as holes (laws 4 and 10)."""

from __future__ import annotations

import hashlib

import numpy as np
import pytest

from acquisition.errors import RecordingError
from acquisition.montage import Channel, Montage
from acquisition.recording import read_recording
from acquisition.tape import decide
from tests import no_files

pytest.importorskip("mne", reason="the extra 'recordings' is not installed")

#: Digital values of two channels.
DIGITAL = np.array([[0, 1, -1, 2, 3, -3], [9, 8, 7, 6, 5, 4]], "<i2")
CHANNELS = ("C3,,0.5,µV", "RF,,0.5,µV")
FIRST = "New Segment,,1,1,0,20240101120000000000"


def write(folder, digital=DIGITAL, channels=CHANNELS, marks=(FIRST,), name="a", marker_file="$b.vmrk", step_us=1000):
    """Write the three files of a recording; returns its header."""
    header = "Brain Vision Data Exchange Header File Version 1.0\n[Common Infos]\nCodepage=UTF-8\n"
    header += f"DataFile={name}.eeg\n" + (f"MarkerFile={marker_file}\n" if marker_file else "")
    header += "DataFormat=BINARY\nDataOrientation=MULTIPLEXED\n"
    header += f"NumberOfChannels={len(digital)}\nSamplingInterval={step_us}\n[Binary Infos]\nBinaryFormat=INT_16\n"
    header += "[Channel Infos]\n" + "".join(f"Ch{n}={channel}\n" for n, channel in enumerate(channels, 1))
    (folder / f"{name}.vhdr").write_text(header, "utf-8")
    (folder / f"{name}.eeg").write_bytes(np.ascontiguousarray(digital.T).tobytes())
    lines = "".join(f"Mk{n}={mark}\n" for n, mark in enumerate(marks, 1))
    words = "Brain Vision Data Exchange Marker File, Version 1.0\n[Common Infos]\nCodepage=UTF-8\n"
    (folder / f"{name}.vmrk").write_text(f"{words}DataFile={name}.eeg\n[Marker Infos]\n{lines}", "utf-8")
    return folder / f"{name}.vhdr"


@pytest.mark.parametrize(
    ("written", "unit", "in_unit"),
    [("µV", "uV", 1), ("uV", "uV", 1), ("", "uV", 1), ("mV", "uV", 1e3), ("V", "uV", 1e6), ("nV", "uV", 1e-3),
     ("µS", "µS", 1), ("C", "C", 1), ("ARU", None, 1), ("BS", None, 1)],
)  # fmt: skip
def test_values_come_back_in_their_unit(tmp_path, written, unit, in_unit):
    """Voltages in microvolts, all else as the header says, whatever MNE makes of it on the way."""
    recording = read_recording(write(tmp_path, channels=(f"C3,,0.5,{written}", CHANNELS[1])))
    assert (recording.format, recording.rate_hz, recording.name) == ("brainvision", 1000.0, "a")
    assert (recording.labels, recording.units) == (("C3", "RF"), (unit, "uV"))
    np.testing.assert_allclose(recording.samples[:, 0], DIGITAL[0] * 0.5 * in_unit, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(recording.samples[:, 1], DIGITAL[1] * 0.5, rtol=1e-9)


def test_it_is_all_of_its_files(tmp_path):
    """The hash changes with each of the three, so that decisions on other data are taken anew."""
    path = write(tmp_path)
    content = b"".join((tmp_path / f"a.{suffix}").read_bytes() for suffix in ("vhdr", "eeg", "vmrk"))
    assert read_recording(path).sha256 == hashlib.sha256(content).hexdigest()


def test_markers_have_their_type_and_text(tmp_path):
    """A marker at data point 3 belongs to the third sample; the first segment's is none."""
    marks = (FIRST, "Stimulus,S  1,3,1,0", "Response,R255,5,1,0")
    markers = read_recording(write(tmp_path, marks=marks)).markers
    assert [(m.stamp_s, m.text) for m in markers] == [(0.002, "Stimulus/S  1"), (0.004, "Response/R255")]


@pytest.mark.parametrize(
    ("second", "kinds", "lost"),
    [
        ("New Segment,,2001,1,0,20240101120003000000", ["segment", "lost", "segment"], [1000]),
        ("New Segment,,2001,1,0,20240101120002010000", ["segment", "bridged"], [10]),
        ("New Segment,,2001,1,0,20240101130000000000", ["segment", "clock_reset", "segment"], []),
        ("New Segment,,2001,1,0", ["segment", "clock_reset", "segment"], []),
        ("New Segment,,2001,1,0,20230101120000000000", ["segment", "clock_reset", "segment"], []),
        ("New Segment,,2001,1,0,99999999999999999999", ["segment", "clock_reset", "segment"], []),
        ("New Segment,,9999,1,0,20240101120003000000", ["segment"], []),
    ],
    ids=["a second", "ten samples", "an hour", "no date", "before", "no such date", "beyond the end"],
)
def test_a_pause_is_a_hole(tmp_path, second, kinds, lost):
    """A segment begins when its marker says; where it says nothing nobody knows what was lost (law 4)."""
    digital = np.zeros((2, 4000), "<i2")
    marks = (FIRST, second, "Stimulus,S  1,3001,1,0")
    recording = read_recording(write(tmp_path, digital, marks=marks))
    montage = Montage("m", 1000.0, (Channel("C3", "eeg"), Channel("RF", "emg")))
    decisions = decide(recording, montage, montage.bind(recording.labels, recording.units))
    assert [d.kind for d in decisions if d.kind not in ("marker", "end")] == kinds
    assert [d.data["n"] for d in decisions if "n" in d.data] == lost
    assert next(d.at for d in decisions if d.kind == "marker") == 3000
    unknown = "the segment from sample 2000 on began after a break of unknown length."
    assert recording.assumed == ((unknown,) if "clock_reset" in kinds and "130000" not in second else ())


def test_data_and_markers_may_lie_in_a_folder_below(tmp_path):
    """A header names them by their way from it."""
    path = write(tmp_path, marks=(FIRST, "Stimulus,S  1,3,1,0"), marker_file="raw/a.vmrk")
    (tmp_path / "raw").mkdir()
    for suffix in ("eeg", "vmrk"):
        (tmp_path / f"a.{suffix}").rename(tmp_path / "raw" / f"a.{suffix}")
    path.write_text(path.read_text("utf-8").replace("DataFile=", "DataFile=raw/"), "utf-8")
    assert [(m.stamp_s, m.text) for m in read_recording(path).markers] == [(0.002, "Stimulus/S  1")]


@pytest.mark.parametrize("marker_file", ["", "gone.vmrk"])
def test_a_recording_without_markers(tmp_path, marker_file):
    """It need not have any; a file that is named and not there is told by MNE or not missed."""
    path = write(tmp_path, marker_file=marker_file)
    (tmp_path / "a.vmrk").unlink()
    try:
        assert read_recording(path).markers == ()
    except RecordingError as error:
        assert marker_file in str(error) and "a.vhdr" in str(error)


def pipe(path):
    """Put a pipe in the place of a file."""
    path.unlink()
    no_files.put("a pipe", path)


@pytest.mark.parametrize(
    ("break_it", "words"),
    [
        (lambda folder: (folder / "a.eeg").unlink(), r"a\.vhdr cannot be read"),
        (lambda folder: (folder / "a.vhdr").write_bytes(b"\0\xff[["), r"a\.vhdr cannot be read"),
        (lambda folder: (folder / "a.vhdr").unlink(), r"a\.vhdr cannot be read: No such file"),
        (lambda folder: pipe(folder / "a.eeg"), r"a\.vhdr names a\.eeg, which is a pipe, expected a file"),
        (lambda folder: pipe(folder / "a.vmrk"), r"a\.vhdr names a\.vmrk, which is a pipe, expected a file"),
        (
            lambda folder: (folder / "a.vmrk").write_text("Mk1=x,y,z\n[Marker Infos]\nMk2=a,b\n"),
            r"a\.vhdr cannot be read",
        ),
        (
            lambda folder: (folder / "a.vhdr").write_text((folder / "a.vhdr").read_text().replace("Sampling", "X")),
            r"a\.vhdr cannot be read: [^=]* 'Common Infos'\. Restore it",
        ),
    ],
    ids=["no data", "no header", "gone", "data are a pipe", "markers are a pipe", "no markers", "no rate"],
)
def test_what_is_broken_is_refused_with_words(tmp_path, break_it, words):
    """Whatever MNE raises becomes a refusal that names the file (law 10)."""
    path = write(tmp_path)
    break_it(tmp_path)
    with pytest.raises(RecordingError, match=words):
        read_recording(path)


def test_another_of_its_files_is_answered_with_its_header(tmp_path):
    """Who names the data is told which file to name."""
    write(tmp_path)
    with pytest.raises(RecordingError, match=r"a\.eeg ends in '\.eeg'.*name its header, a\.vhdr"):
        read_recording(tmp_path / "a.eeg")
