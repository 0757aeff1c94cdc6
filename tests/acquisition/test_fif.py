"""FIF through MNE: values, codes and annotations as they were saved; skips and joins are holes (laws 4 and 10)."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import pytest

from acquisition.errors import RecordingError
from acquisition.formats.fif import read_fif
from acquisition.formats.raw_file import Stretch, placed
from acquisition.montage import Channel, Montage
from acquisition.recording import read_recording
from acquisition.tape import decide

mne = pytest.importorskip("mne", reason="the extra 'recordings' is not installed")

RATE_HZ = 500.0
MONTAGE = Montage("m", RATE_HZ, (Channel("C3", "eeg"),))


def raw(n=2000, first_samp=0, codes=None, dated=True):
    """A signal of one EEG channel, its sample numbers in microvolts, with misc and stim beside it."""
    data = np.stack([np.arange(n) * 1e-6, np.full(n, 0.25), np.zeros(n) if codes is None else codes])
    info = mne.create_info(["C3", "angle", "STI"], RATE_HZ, ["eeg", "misc", "stim"])
    made = mne.io.RawArray(data, info, first_samp=first_samp, verbose="ERROR")
    if dated:
        made.set_meas_date(datetime(2024, 1, 1, tzinfo=UTC))
    return made


def save(made, folder, name="a_raw.fif", **options):
    """Write it and return its path."""
    made.save(folder / name, fmt="double", verbose="ERROR", **options)
    return folder / name


@pytest.mark.parametrize("first_samp", [0, 250])
@pytest.mark.parametrize("dated", [True, False])
def test_values_units_and_annotations(tmp_path, first_samp, dated):
    """Voltages in microvolts; annotations count from the first sample, wherever the file's own count begins."""
    made = raw(first_samp=first_samp, dated=dated)
    made.set_annotations(mne.Annotations([1.5], [0.2], ["flexion"]))
    recording = read_recording(save(made, tmp_path))
    assert (recording.format, recording.rate_hz) == ("fif", RATE_HZ)
    assert (recording.labels, recording.units) == (("C3", "angle"), ("uV", None))
    np.testing.assert_allclose(recording.samples[:, 0], np.arange(2000), atol=1e-9)
    np.testing.assert_allclose(recording.samples[:, 1], 0.25)
    assert [(m.stamp_s, m.text) for m in recording.markers] == [(pytest.approx(1.5, abs=0.002), "flexion")]
    assert recording.problems == () and recording.assumed == ()


def test_the_stim_channel_holds_markers(tmp_path):
    """Each change to another code is a marker; 0 is none."""
    codes = np.zeros(2000)
    codes[500:600], codes[600:700] = 65536, 3
    recording = read_recording(save(raw(codes=codes), tmp_path))
    assert [(m.stamp_s, m.text) for m in recording.markers] == [(1.0, "65536"), (1.2, "3")]


def test_a_skipped_stretch_is_a_hole(tmp_path):
    """The recorder was paused: no zeros come back, what is missing is declared lost, markers keep their time."""
    made = raw()
    skip = mne.Annotations([1.0, 3.0], [0.5, 0.0], ["BAD_ACQ_SKIP", "rest"])
    recording = read_recording(save(made.set_annotations(skip), tmp_path))
    assert len(recording.samples) == 1750
    assert recording.samples[499:501, 0].round().tolist() == [499, 750]
    decisions = decide(recording, MONTAGE, MONTAGE.bind(recording.labels, recording.units))
    brief = [(d.kind, d.at, d.data.get("n", d.data.get("sample"))) for d in decisions]
    lost = [("segment", 0, None), ("lost", 500, 250), ("segment", 500, None)]
    assert brief == [*lost, ("marker", 1250, 1500), ("end", 1750, None)]


def test_a_join_is_a_break_of_unknown_length(tmp_path):
    """Files that were put together have a new segment there, and nothing is declared lost."""
    made = mne.concatenate_raws([raw(1000), raw(1000)], verbose="ERROR")
    recording = read_recording(save(made, tmp_path))
    decisions = decide(recording, MONTAGE, MONTAGE.bind(recording.labels, recording.units))
    assert [(d.kind, d.at) for d in decisions] == [
        ("segment", 0),
        ("clock_reset", 1000),
        ("segment", 1000),
        ("end", 2000),
    ]
    assert recording.assumed == ("1 joins are breaks of unknown length.",)
    assert recording.markers == ()


def test_what_mne_warns_of_is_told(tmp_path):
    """A file whose name does not end as MNE would like it is read, and its words are passed on."""
    recording = read_recording(save(raw(), tmp_path).rename(tmp_path / "a.fif"))
    assert len(recording.problems) == 1 and "a.fif: This filename" in recording.problems[0]


@pytest.mark.parametrize("cut", [0, 10, 1000, -4000])
def test_a_torn_file_is_refused_or_read_as_far_as_it_goes(tmp_path, cut):
    """Never a crash, never more samples than there are (law 10)."""
    path = save(raw(), tmp_path)
    path.write_bytes(path.read_bytes()[:cut])
    try:
        assert len(read_recording(path).samples) < 2000
    except RecordingError as error:
        assert "a_raw.fif" in str(error)


def test_what_is_no_fif_is_named_as_a_person_would(tmp_path):
    """Its path, and no word of Python around it."""
    (tmp_path / "a_raw.fif").write_bytes(bytes(100))
    with pytest.raises(RecordingError, match=r"a_raw\.fif does not start with a file id tag\. Restore it") as refusal:
        read_recording(tmp_path / "a_raw.fif")
    assert "Path(" not in str(refusal.value)


def test_a_count_that_lies_is_not_believed(tmp_path, monkeypatch):
    """More values than the file has bytes are refused before memory is taken for them."""
    path = save(raw(), tmp_path)
    monkeypatch.setattr(mne.io.BaseRaw, "n_times", 1_000_000_000)
    with pytest.raises(RecordingError, match=r"states 1000000000 samples of 3 channels in \d+ bytes\. Restore it"):
        read_fif(path)


def test_a_moment_is_placed_after_the_holes_before_it():
    """Its stamp is that of the sample that it names."""
    stretches = [Stretch(0, 100, 0.0), Stretch(100, 200, 5.0)]
    assert [placed(t, stretches, 100.0) for t in (0.5, 0.99, 1.0, 1.5)] == [0.5, 0.99, 5.0, 5.5]
    assert placed(1.0, [], 100.0) == 1.0
