"""Real recordings by others, read by our readers and compared with what pyxdf was seen to read (law 10)."""

from __future__ import annotations

import json
from collections import Counter

import numpy as np
import pytest

from acquisition.chain import Chain, drive
from acquisition.errors import RateError, RecordingError, UnitError
from acquisition.formats.xdf import read_xdf
from acquisition.inspection import inspect
from acquisition.montage import load_montage
from acquisition.recording import read_recording, read_streams
from acquisition.stamps import StampDecider
from acquisition.tape import decide, tape_of
from tests.conformance.compose import compose

pytestmark = pytest.mark.conformance

#: A stamp of 1e6 s has steps of 1e-10 s; deduced stamps are summed up by pyxdf and multiplied here.
STAMP_S = 1e-6
WHOLE = ("xdf-bciess-gusbamp16", "xdf-example-files", "xdf-muse")
#: Files in which LabRecorder left out the footer of the markers.
NOT_ENDED = ("switch_example", "T1_run-001_eeg_old1")
MALFORMED = ("chunk_length_lie", "out_of_order_sample_chunk", "str_test")


@pytest.fixture(scope="module")
def expected(shared_data):
    """What pyxdf reads, by file: neither synchronised nor dejittered."""
    files = json.loads((shared_data / "EXPECTED-xdf.json").read_text())["files"]
    return {name: modes["nosync"] for name, modes in files.items() if name.startswith(WHOLE)}


def test_every_xdf_reads_as_pyxdf_reads_it(shared_data, expected):
    """Streams, channels, rates, counts, first and last stamps and sums agree; missing footers are told, no more."""
    assert len(expected) == 11
    for name, streams in expected.items():
        file = read_xdf(shared_data / name)
        ours = {stream.number: stream for stream in file.streams}
        missing = [f"stream {s.header.name!r} has no footer" in told for s in file.streams for told in file.problems]
        assert len(file.problems) == sum(missing) == any(part in name for part in NOT_ENDED), name
        assert ours.keys() == {stream["stream_id"] for stream in streams}, name
        for stream in streams:
            check_stream(name, ours[stream["stream_id"]], stream)


def check_stream(name, ours, theirs):
    """Compare one stream."""
    header = ours.header
    found = (header.name, header.channel_count, header.channel_format, header.rate_hz, len(ours.stamps))
    assert found == tuple(theirs[key] for key in ("name", "channels", "format", "nominal", "n")), name
    if theirs["n"]:
        ends = (theirs["first"], theirs["last"])
        assert (ours.stamps[0], ours.stamps[-1]) == pytest.approx(ends, rel=0, abs=STAMP_S), name
    if theirs["n"] > 1:
        assert np.diff(ours.stamps).max() == pytest.approx(theirs["dt_max"], rel=0, abs=STAMP_S), name
        assert np.count_nonzero(np.diff(ours.stamps) < 0) == theirs["n_negative_dt"], name
    if "checksum_sum_abs" in theirs:
        assert np.abs(ours.values.astype(np.float64)).sum() == pytest.approx(theirs["checksum_sum_abs"], rel=1e-9), name
    if theirs.get("footer_sample_count"):
        assert ours.footer["sample_count"] == theirs["footer_sample_count"], name


@pytest.mark.parametrize("name", MALFORMED)
def test_files_broken_by_a_fuzzer_are_told_not_fatal(shared_data, name):
    """What cannot be read is said in sentences; a file without a signal is refused with words."""
    path = shared_data / "xdf-malformed" / f"{name}.xdf"
    assert read_xdf(path).problems
    with pytest.raises(RecordingError, match=name):
        read_recording(path)


def test_a_real_recording_cut_anywhere_is_read_as_far_as_it_goes(shared_data, tmp_path):
    """LabRecorder's own file, cut at a thousand places: never more samples than the whole has, never a crash."""
    content = (shared_data / "xdf-example-files" / "empty_streams.xdf").read_bytes()
    whole = {s.number: len(s.stamps) for s in read_xdf(shared_data / "xdf-example-files" / "empty_streams.xdf").streams}
    cut = tmp_path / "cut.xdf"
    for size in range(4, len(content), 7):
        cut.write_bytes(content[:size])
        assert all(len(s.stamps) <= whole[s.number] for s in read_xdf(cut).streams)


def test_real_amplifiers_have_no_false_holes(shared_data, expected):
    """Nothing is declared lost, bridged or rejected on any real stream that runs at its rate (law 3)."""
    decided = {}
    for name in expected:
        for stream in read_xdf(shared_data / name).streams:
            if stream.header.type == "EEG" and "clock_resets" not in name:
                decider = StampDecider(stream.header.rate_hz, part=1)
                decided[name] = Counter(d.kind for d in decider.push(stream.stamps))
    assert len(decided) == 9
    assert set(map(str, decided.values())) == {"Counter({'segment': 1})"}


def test_a_sender_that_misses_its_rate_is_refused(shared_data):
    """`clock_resets` states 100 Hz and sends 93: refused with both figures."""
    stream = read_xdf(shared_data / "xdf-example-files" / "clock_resets.xdf").streams[1]
    with pytest.raises(RateError, match=r"states 100 Hz, but by its own stamps it runs at 9[0-9]\.[0-9]{2} Hz"):
        StampDecider(100.0, part=1).push(stream.stamps)


def test_a_recording_whose_clock_was_reset_is_looked_at(shared_data):
    """Whole and unchanged, at the rate of its stamps: two segments, not one jump of 650,000 s, and nothing lost."""
    (recording,) = read_streams(shared_data / "xdf-example-files" / "clock_resets.xdf")
    seen = inspect(recording)
    assert [(s.first_sample, s.n_samples, s.reason) for s in seen.segments] == [
        (0, 12_876, "start"),
        (12_876, 14_939, "clock_reset"),
    ]
    assert (seen.n_lost, seen.n_bridged, seen.rejected, seen.clock_resets) == (0, 0, {}, 1)
    assert seen.rate_hz == pytest.approx(92.88, abs=0.01) and seen.duration_s == pytest.approx(299.5, abs=0.1)
    assert "states 100 Hz" in seen.notes[0] and "score and replay refuse it" in seen.notes[0]


def test_stamps_that_step_back_lose_no_sample(shared_data):
    """Muse headbands step back in time: every sample of every stream is in a segment or rejected, by count (law 3)."""
    backward = 0
    for path in sorted((shared_data / "xdf-muse").glob("*.xdf")):
        footers = {s.header.labels: int(s.footer["sample_count"]) for s in read_xdf(path).streams}
        for recording in read_streams(path):
            seen = inspect(recording)
            taken, rejected = sum(s.n_samples for s in seen.segments), sum(seen.rejected.values())
            assert taken + rejected == len(recording.stamps) == len(recording.samples)
            assert taken + rejected - footers[recording.labels] in (0, 1)
            assert (rejected, seen.n_lost, seen.n_bridged) == (0, 0, 0)
            backward += int(np.count_nonzero(np.diff(recording.stamps) < 0))
    assert backward == 6


def test_a_clock_that_jumps_by_a_week_is_a_reset(shared_data):
    """The same stream with its steps as they are and its rate mended: a jump of -653,188 s opens a segment, 0 lost."""
    stamps = read_xdf(shared_data / "xdf-example-files" / "clock_resets.xdf").streams[1].stamps
    jump = int(np.argmin(np.diff(stamps)))
    mended = np.concatenate([stamps[0] + np.arange(jump + 1) / 100, stamps[jump + 1] + np.arange(5000) / 100])
    decisions = StampDecider(100.0, part=1).push(mended)
    assert [d.kind for d in decisions] == ["segment", "clock_reset", "segment"]
    assert decisions[1].data["step_s"] < -650_000


def test_trials_of_a_real_recording_are_markers(shared_data):
    """String streams beside the EEG become markers on its clock, in order."""
    recording = read_recording(shared_data / "xdf-bciess-gusbamp16" / "sub-P001_ses-S001_task-MISwitch_run-002_eeg.xdf")
    assert recording.name == "g.USBamp-1" and recording.samples.shape == (30992, 16)
    assert len(recording.markers) == 83 + 556
    stamps = [marker.stamp_s for marker in recording.markers]
    assert stamps == sorted(stamps)
    assert recording.stamps[0] < stamps[0] < stamps[-1] < recording.stamps[-1] + 1


def test_a_full_recording_goes_through_the_chain(shared_data, tmp_path):
    """Composed of real EEG and EMG: one segment, its windows, its phases, a ledger that balances (laws 1 and 3)."""
    montage = load_montage("amp16")
    recording = read_recording(compose(tmp_path / "composed.xdf", 60, shared_data), montage=montage)
    assert recording.name.startswith("composed")
    binding = montage.bind(recording.labels, recording.units)
    chain = Chain(montage)
    windows = [
        w
        for step in drive(chain, tape_of(recording, binding, decide(recording, montage, binding)))
        for w in step.windows
    ]
    assert [w.first_sample for w in windows] == [4_000, 14_000, 24_000, 34_000, 44_000]
    assert {phase for w in windows for phase, *_ in w.phases} == {"preparation", "flexion", "rest", "extension"}
    assert all(w.weight > 0 for w in windows)
    ledger = chain.ledger.to_json()
    assert ledger["balanced"] and ledger["received"] == 60_000 and ledger["declared_lost"] == 0


TABLES = {
    "emg-uci-lowerlimb/5Nsen.txt": ({}, (13480, 5), 1000.0),
    "emg-uci-lowerlimb/5Npie.txt": ({}, (15260, 5), 1000.0),
    "emg-uci-lowerlimb/3Amar.txt": ({"rate_hz": 1000.0}, (43665, 5), 1000.0),
    "txt-biosppy/emg.txt": ({"unit": "0.8 uV"}, (100_000, 1), 1000.0),
    "txt-biosppy/eeg_ec.txt": ({"unit": "uV"}, (38_219, 1), 125.0),
    "txt-emg-misc/uci_gestures_subj10_1.txt": ({"rate_hz": 1000.0, "unit": "V"}, (61_641, 8), 1000.0),
    "txt-emg-misc/bmc_emg.csv": ({"rate_hz": 1000.0, "unit": "mV", "labels": ["time", "emg"]}, (3360, 1), 1000.0),
    "txt-openbci/OpenBCI-RAW-2016-07-27_14-10-53.txt": ({"labels": list("i12345678xyz")}, (6319, 12), 250.0),
    "txt-openbci/OpenBCI_GUI-v6-blinks-jawClench-alpha.txt": ({"unit": "uV"}, (22490, 22), 250.0),
    "txt-openbci/SDconverted-2014-10-22_16-27-06.txt": (
        {"unit": "uV", "rate_hz": 250.0, "labels": list("i12345678")},
        (3471, 9),
        250.0,
    ),
}


@pytest.mark.parametrize("name", TABLES)
def test_tables_in_many_dialects_are_read(shared_data, name):
    """What the header states is found, what it leaves open is given; rows cut at the end are left out."""
    settings, shape, rate_hz = TABLES[name]
    recording = read_recording(shared_data / name, **settings)
    assert recording.rate_hz == rate_hz and np.isfinite(recording.samples).all()
    assert recording.samples.shape == shape
    assert len(recording.labels) == len(recording.units) == recording.samples.shape[1]


def test_an_8_bit_counter_shows_what_a_radio_lost(shared_data):
    """OpenBCI's packet number runs to 255: four packets of this recording never came, each one is bridged (law 3)."""
    path = shared_data / "txt-openbci" / "OpenBCI-RAW-2016-07-21_17-46-29.txt"
    recording = read_recording(path, labels=list("i12345678xyz"))
    decider = StampDecider(250.0, part=1, counter_modulo=256)
    decisions = decider.push(recording.stamps, recording.samples[:, 0])
    assert [d.data.get("n") for d in decisions] == [None, 1, 1, 1, 1]
    assert decider.next_sample == len(recording.samples) + 4


def test_the_papers_muscles_are_in_millivolts(shared_data):
    """DataLOG's header gives each channel its label and unit."""
    recording = read_recording(shared_data / "emg-uci-lowerlimb" / "5Nsen.txt")
    assert recording.labels == ("RF", "BF", "VM", "ST", "FX")
    assert recording.units == ("mV", "mV", "mV", "mV", "deg")
    assert recording.samples[0].tolist() == [0.0007, -0.0015, -0.0008, 0.003, 64.1]


@pytest.mark.parametrize(
    ("name", "error", "words"),
    [
        ("emg-uci-lowerlimb/3Amar.txt", RateError, "--rate HZ"),
        ("txt-biosppy/emg.txt", UnitError, "--unit uV"),
        ("txt-openbci/OpenBCI-RAW-2016-07-21_16-41-23.txt", RecordingError, "holds no rows of numbers"),
        ("txt-emg-misc/bmc_emg.csv", RecordingError, "--labels"),
    ],
)
def test_what_a_table_leaves_open_is_asked(shared_data, name, error, words):
    """Nothing is guessed: the missing word is named with its flag (law 10)."""
    with pytest.raises(error, match=words):
        read_recording(shared_data / name)


def test_brainvision_values_are_the_integers_of_the_file(shared_data):
    """The data file's integers times the header's resolution, in microvolts; codes become markers."""
    pytest.importorskip("mne", reason="the extra 'recordings' is not installed")
    folder = shared_data / "eeg-brainvision-1000"
    integers = np.fromfile(folder / "test.eeg", "<i2").reshape(-1, 32)
    recording = read_recording(folder / "test.vhdr")
    assert recording.rate_hz == 1000.0 and recording.labels[:2] == ("FP1", "FP2")
    assert recording.units[:26] == ("uV",) * 26 and recording.units[26:] == (None, "µS", None, None, "S", "C")
    np.testing.assert_allclose(recording.samples[:, :26], integers[:, :26] * 0.5, rtol=1e-12, atol=1e-9)
    assert [(m.stamp_s, m.text) for m in recording.markers[:2]] == [(0.486, "Stimulus/S253"), (0.496, "Stimulus/S255")]
    assert len(recording.markers) == 13


@pytest.mark.parametrize(
    ("name", "shape"), [("sample-eeg-ant-raw.fif", (2049, 66)), ("sample-ant-aux-raw.fif", (153_603, 3))]
)
def test_fif_values_are_microvolts(shared_data, name, shape):
    """Single precision in the file: the very float32 values, in microvolts; the trigger is no channel."""
    mne = pytest.importorskip("mne", reason="the extra 'recordings' is not installed")
    recording = read_recording(shared_data / "eeg-ant-1024" / name)
    assert (recording.rate_hz, recording.samples.shape) == (1024.0, shape)
    assert set(recording.units) == {"uV"} and "TRIGGER" not in recording.labels
    volts = mne.io.read_raw_fif(recording.path, verbose="ERROR").get_data(list(recording.labels)).T
    np.testing.assert_array_equal((recording.samples / 1e6).astype(np.float32), volts.astype(np.float32))
