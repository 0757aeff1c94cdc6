"""EDF and BDF through MNE: values and units as the file has them, interruptions as holes, nothing made up (law 10)."""

from __future__ import annotations

import numpy as np
import pytest

from acquisition.chain import Chain, drive
from acquisition.errors import BadEnvironment, FlexionError, RecordingError
from acquisition.formats.edf import read_edf
from acquisition.montage import Channel, Montage
from acquisition.recording import read_recording
from acquisition.tape import decide, tape_of
from tests.acquisition.edf_files import channel, write

pytest.importorskip("mne", reason="the extra 'recordings' is not installed")

#: Digital values; one is 0.1 of the unit.
DIGITAL = np.array([[0, 1, -1, 2, 30000, -30000, 7, 8], [5, 6, 7, 8, 9, 10, 11, 12]])


@pytest.mark.parametrize("suffix", ["edf", "bdf"])
@pytest.mark.parametrize(
    ("unit", "stated", "in_unit"),
    [
        ("uV", "uV", 1),
        ("µV", "uV", 1),
        ("mV", "uV", 1000),
        ("V", "V", 1),
        ("nV", "nV", 1),
        ("", None, 1),
        ("deg", "deg", 1),
    ],
)
def test_values_come_back_in_their_unit(tmp_path, suffix, unit, stated, in_unit):
    """Voltages in microvolts, all else as it stands in the file, whatever MNE makes of it on the way."""
    bdf = suffix == "bdf"
    path = write(tmp_path / f"a.{suffix}", [channel("C3", unit, DIGITAL[0], bdf)], 4, record_s=0.004, bdf=bdf)
    recording = read_recording(path)
    assert (recording.format, recording.rate_hz) == (suffix, 1000.0)
    assert (recording.labels, recording.units) == (("C3",), (stated,))
    np.testing.assert_allclose(recording.samples[:, 0], DIGITAL[0] * 0.1 * in_unit, rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(recording.stamps, np.arange(8) / 1000)
    assert recording.problems == ()


def test_annotations_are_markers(tmp_path):
    """Texts at their times, in order; the times of the records themselves are none."""
    onsets = [b"+0\x14\x14\0+1.5\x14flexion\x14\0", b"+1\x14\x14\0+0.25\x150.5\x14preparation\x14\0"]
    path = write(tmp_path / "a.edf", [channel("C3", "uV", DIGITAL[0])], 4, onsets=onsets, kind="EDF+C")
    recording = read_recording(path)
    assert [(m.stamp_s, m.text) for m in recording.markers] == [(0.25, "preparation"), (1.5, "flexion")]
    assert recording.labels == ("C3",) and len(recording.samples) == 8


def test_an_interruption_is_a_hole(tmp_path):
    """EDF+D says when each record began: what lies between is declared lost, and a marker keeps its place (law 4)."""
    digital = np.arange(20_000) % 1000
    onsets = [b"+%d\x14\x14" % second for second in [0, 1, 2, 3, 4, 10, 11, 12, 13, 14]]
    onsets = [onset + b"\0+11.0\x14rest\x14" if k == 5 else onset for k, onset in enumerate(onsets)]
    path = write(tmp_path / "a.edf", [channel("C3", "uV", digital)], 2000, onsets=onsets, kind="EDF+D")
    recording = read_recording(path)
    assert recording.rate_hz == 2000.0 and recording.stamps[9999:10001].tolist() == [4.9995, 10.0]
    montage = Montage("m", 2000.0, (Channel("C3", "eeg"),))
    decisions = decide(recording, montage, montage.bind(recording.labels, recording.units))
    brief = [(d.kind, d.at, d.data.get("n", d.data.get("sample"))) for d in decisions]
    lost = [("segment", 0, None), ("lost", 10000, 10000), ("segment", 10000, None)]
    assert brief == [*lost, ("marker", 12000, 22000), ("end", 20000, None)]


def test_an_interruption_that_does_not_say_when_is_refused(tmp_path):
    """Without the times of its records nobody knows where the holes are."""
    path = write(tmp_path / "a.edf", [channel("C3", "uV", DIGITAL[0])], 4, kind="EDF+D")
    with pytest.raises(RecordingError, match=r"a\.edf says that it was interrupted, but not when"):
        read_edf(path)
    onsets = [b"+0\x14\x14", b"\0"]
    path = write(tmp_path / "b.edf", [channel("C3", "uV", DIGITAL[0])], 4, onsets=onsets, kind="EDF+D")
    with pytest.raises(RecordingError, match=r"b\.edf does not say when its record 2 begins"):
        read_edf(path)


def test_channels_at_another_rate_are_left_out_and_named(tmp_path):
    """MNE would bring them to the highest rate: samples that nobody recorded."""
    channels = [channel("C3", "uV", DIGITAL[0]), channel("FX", "deg", DIGITAL[1][:4])]
    recording = read_recording(write(tmp_path / "a.edf", channels, 4))
    assert recording.labels == ("C3",) and recording.rate_hz == 4.0
    assert recording.problems == ("a.edf: channels below 4 Hz are left out: FX (2 Hz).",)


def test_the_status_channel_holds_markers(tmp_path):
    """Its lower 16 bits are the trigger: each change to another code is a marker, 0 is none; the rest is BioSemi's."""
    status = np.array([0, 0, 7, 7, 0, 7, 8, 8]) | (1 << 16)
    channels = [
        channel("C3", "uV", DIGITAL[0], True),
        ("Status", "Boolean", -8388608, 8388607, -8388608, 8388607, status),
    ]
    recording = read_recording(write(tmp_path / "a.bdf", channels, 8, bdf=True))
    assert recording.labels == ("C3",)
    assert [(m.stamp_s, m.text) for m in recording.markers] == [(0.25, "7"), (0.625, "7"), (0.75, "8")]


def test_a_trigger_channel_holds_markers_too(tmp_path):
    """In EDF all of its bits count, whatever unit it states; a file of codes alone is no signal."""
    trigger = ("TRIGGER", "uV", -32768, 32767, -32768, 32767, np.array([0, 0, 300, 300, 0, 0, 0, 5]))
    recording = read_recording(write(tmp_path / "a.edf", [channel("C3", "uV", DIGITAL[0]), trigger], 8))
    assert recording.labels == ("C3",)
    assert [(m.stamp_s, m.text) for m in recording.markers] == [(0.25, "300"), (0.875, "5")]
    with pytest.raises(RecordingError, match=r"b\.edf holds no channel of numbers"):
        read_edf(write(tmp_path / "b.edf", [trigger], 8))


def test_a_recorder_that_was_not_stopped(tmp_path):
    """No number of records in the header, the last one torn: whole records are read, and MNE's warning is told."""
    path = write(tmp_path / "a.edf", [channel("C3", "uV", DIGITAL[0])], 4)
    content = bytearray(path.read_bytes())
    content[236:244] = b"-1".ljust(8)
    path.write_bytes(content[:-3])
    recording = read_recording(path)
    assert len(recording.samples) == 4
    assert any("Number of records from the header does not match" in problem for problem in recording.problems)


def test_the_users_word_fills_what_the_file_leaves_open(tmp_path):
    """A unit where none is stated, names in place of the file's; what it states itself is not changed."""
    path = write(tmp_path / "a.edf", [channel("E1", "", DIGITAL[0]), channel("E2", "mV", DIGITAL[1])], 8)
    recording = read_recording(path, unit="uV", labels=["C3", "C4"], rate_hz=8.0)
    assert (recording.labels, recording.units) == (("C3", "C4"), ("uV", "uV"))
    assert recording.assumed == ("channels are taken as C3, C4.", "channels without a unit are taken as uV.")
    for said, words in (
        ({"rate_hz": 5.0}, "states 8 Hz; 5 Hz was given"),
        ({"labels": ["C3"]}, "has 2 channels; 1 labels"),
    ):
        with pytest.raises(FlexionError, match=rf"a\.edf {words}"):
            read_recording(path, **said)
    with pytest.raises(RecordingError, match=r"a\.edf is an EDF or BDF file, which has no streams; 'x' was named"):
        read_recording(path, stream="x")


def test_a_file_goes_through_the_chain(tmp_path):
    """From EDF to windows: the ledger balances (laws 1 and 3)."""
    rng = np.random.default_rng(0)
    channels = [channel(label, "uV", rng.integers(-500, 500, 16_000)) for label in ("C3", "RF")]
    recording = read_recording(write(tmp_path / "a.edf", channels, 1000))
    montage = Montage("m", 1000.0, (Channel("C3", "eeg"), Channel("RF", "emg")))
    binding = montage.bind(recording.labels, recording.units)
    chain = Chain(montage)
    steps = drive(chain, tape_of(recording, binding, decide(recording, montage, binding)))
    assert [w.first_sample for step in steps for w in step.windows] == [4_000]
    assert chain.ledger.to_json()["balanced"]


@pytest.mark.parametrize(
    ("written", "read"),
    [
        (("EEG C3", "EMG RF"), ("C3", "RF")),
        (("EEG A", "EMG A"), ("EEG A", "EMG A")),
        (("EEG ", "EEGX"), ("EEG", "EEGX")),
    ],
)
def test_labels_lose_the_kind_before_them(tmp_path, written, read):
    """EDF+ writes 'EEG C3' for C3; it stays where two could not be told apart without it."""
    path = write(tmp_path / "a.edf", [channel(label, "uV", DIGITAL[0]) for label in written], 8)
    assert read_recording(path).labels == read


def test_no_channel_of_numbers(tmp_path):
    """A file of annotations alone is no signal."""
    tal = np.frombuffer(b"+0\x14\x14\0+1\x14rest\x14\0".ljust(16, b"\0"), "<i2")
    path = write(tmp_path / "a.edf", [channel("EDF Annotations", "", tal)], 8, kind="EDF+C")
    with pytest.raises(RecordingError, match=r"a\.edf (holds no channel of numbers|cannot be read)"):
        read_edf(path)


def test_annotations_in_another_alphabet(tmp_path):
    """The specification says UTF-8; recorders that write their country's own are read, and that is told."""
    onsets = ["+0\x14\x14\0+1\x14Übung\x14\0".encode("latin-1"), b"+1\x14\x14"]
    path = write(tmp_path / "a.edf", [channel("C3", "uV", DIGITAL[0])], 4, onsets=onsets, kind="EDF+C")
    recording = read_recording(path)
    assert [m.text for m in recording.markers] == ["Übung"]
    assert recording.assumed == ("annotations are no UTF-8; taken as Latin-1.",)


@pytest.mark.parametrize(
    ("place", "field", "words"),
    [
        (252, b"many", "cannot be read|where a count belongs"),
        (252, b"9999", "cannot be read|torn inside"),
        (0, b"RIFF", ""),
    ],
)
def test_a_broken_header_is_refused_with_words(tmp_path, place, field, words):
    """Whatever MNE raises becomes a refusal that names the file."""
    path = write(tmp_path / "a.edf", [channel("C3", "uV", DIGITAL[0])], 4)
    content = bytearray(path.read_bytes())
    content[place : place + len(field)] = field
    path.write_bytes(content)
    try:
        read_edf(path)
    except RecordingError as error:
        assert "a.edf" in str(error)
        return
    assert words == ""


def test_damage_anywhere_never_crashes(tmp_path):
    """Cut at any place or with bytes changed: a file is read as far as it goes, or refused with words (law 10)."""
    onsets = [b"+0\x14\x14\0+1.5\x14flexion\x14\0", b"+1\x14\x14"]
    whole = write(tmp_path / "a.edf", [channel("C3", "uV", DIGITAL[0])], 4, onsets=onsets, kind="EDF+D").read_bytes()
    rng = np.random.default_rng(0)
    for number in range(150):
        content = bytearray(whole[: rng.integers(len(whole))] if number % 2 else whole)
        for place in rng.integers(0, max(1, len(content)), 3 if content else 0):
            content[place] = rng.integers(256)
        (tmp_path / "b.edf").write_bytes(content)
        try:
            assert len(read_recording(tmp_path / "b.edf").samples) <= 8
        except RecordingError as error:
            assert "b.edf" in str(error)


def test_a_missing_library_is_named_with_its_remedy(tmp_path, monkeypatch):
    """The extra that installs it, and exit code 4."""
    path = write(tmp_path / "a.edf", [channel("C3", "uV", DIGITAL[0])], 4)
    monkeypatch.setitem(__import__("sys").modules, "mne", None)
    with pytest.raises(BadEnvironment, match=r"a\.edf is read by MNE.*pip install 'flexion\[recordings\]'") as refusal:
        read_recording(path)
    assert refusal.value.exit_code == 4


def test_a_file_that_is_not_there(tmp_path):
    """Said as for every other kind of file."""
    with pytest.raises(RecordingError, match=r"none\.edf cannot be read: No such file"):
        read_edf(tmp_path / "none.edf")
