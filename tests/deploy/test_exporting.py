"""``flexion sessions export``: what MNE finds in the file is what was recorded, at its place (laws 2 and 4)."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from acquisition.decisions import Decision
from acquisition.errors import BadEnvironment, RecordingError
from acquisition.formats.xdf_header import STRING, StreamHeader
from acquisition.identity import new_session_id
from acquisition.montage import load_montage
from acquisition.recording import Marker, Recording, read_recording
from acquisition.session import SessionFolder, SessionInfo
from acquisition.tape import decide
from deploy.exporting import export_session
from tests.acquisition import two_amplifiers
from tests.acquisition.test_pairing import amplifiers, lived, places
from tests.acquisition.test_session import info as about_session

mne = pytest.importorskip("mne", reason="the extra 'recordings' is not installed")

MONTAGE = load_montage("amp16")
N_SAMPLES = 6_000
#: Samples first to last (not included) that never arrived: bridged, and beginning a segment.
BRIDGED, GAP = (1_000, 1_012), (3_000, 3_700)
MARKERS = ((500, "flexion"), (3_200, "in the gap: ✓"), (4_000, "rest"))
FORMATS = {"f4": "float32", "f8": "double64"}


def write(data: Path, samples: NDArray[Any], stamps: NDArray[np.float64], unit: str = "uV", **changes: Any) -> Path:
    """Write a session of one part, decided as a live one is; return its folder."""
    info = SessionInfo(
        new_session_id(), "P-007", "live", "live", "2026-11-22T10:00:00+02:00", MONTAGE.to_json(), 50.0, 1000.0, "",
        **changes,
    )  # fmt: skip
    folder = SessionFolder.create(data, info)
    units = (unit,) * MONTAGE.n_channels
    markers = tuple(Marker(100 + sample / 1000, text) for sample, text in MARKERS)
    recording = Recording(
        Path("a.xdf"), "", "xdf", MONTAGE.labels, units, 1000.0, samples, stamps, markers if len(samples) else ()
    )
    decisions = decide(recording, MONTAGE, MONTAGE.bind(recording.labels, units))
    word = FORMATS[samples.dtype.str[1:]]
    signal = StreamHeader("Amp16", "EEG", word, 1000.0, MONTAGE.n_channels, MONTAGE.labels, units, MONTAGE.kinds)
    with folder.open_part([signal, StreamHeader("Cues", "Markers", STRING, 0.0, 1)]) as writer:
        folder.append_decision(*(decisions if len(samples) else []))
        writer.append(0, samples, stamps)
    folder.close()
    return folder.path


def values(dtype: str = "f4") -> NDArray[Any]:
    """Return the whole signal, the first channel the number of its sample."""
    made = np.random.default_rng(0).normal(0, 30, (N_SAMPLES, MONTAGE.n_channels)).astype(dtype)
    made[:, 0] = np.arange(N_SAMPLES)
    return made


def arrived() -> NDArray[np.bool_]:
    """Return which samples of the grid came."""
    there = np.ones(N_SAMPLES, bool)
    there[slice(*BRIDGED)] = there[slice(*GAP)] = False
    return there


@pytest.fixture
def recorded(tmp_path: Path) -> Path:
    """Return a session with both holes and a sample that came twice."""
    places = np.flatnonzero(arrived())
    places = np.insert(places, 2_000, places[2_000 - 1])
    return write(tmp_path / "data", values()[places], 100 + places / 1000)


def test_mne_finds_every_sample_at_its_place(flexion, tmp_path, recorded):
    """Samples, holes, markers, who and what; the sample that came twice is there once."""
    done = flexion("sessions", "export", recorded.name, "--json")
    assert done.returncode == 0, done.stderr
    made = json.loads(done.stdout)
    path = tmp_path / f"{recorded.name}_raw.fif"
    assert made["session"] == recorded.name
    assert made["export"] == {
        "path": path.name, "samples": N_SAMPLES, "seconds": 6.0, "lost": 712, "holes": 2, "markers": 3,
    }  # fmt: skip
    raw = mne.io.read_raw_fif(path, verbose="ERROR")
    assert raw.ch_names == list(MONTAGE.labels) and raw.get_channel_types() == list(MONTAGE.kinds)
    assert (raw.info["sfreq"], raw.info["line_freq"]) == (1000.0, 50.0)
    assert raw.info["subject_info"]["his_id"] == "P-007" and recorded.name in raw.info["description"]
    assert raw.info["meas_date"].isoformat() == "2026-11-22T08:00:00+00:00"
    np.testing.assert_array_equal(raw.get_data().T, np.where(arrived()[:, None], values().astype("f8") * 1e-6, 0))
    marks = raw.annotations
    rows = zip(marks.onset, marks.duration, marks.description, strict=True)
    assert [(round(1000 * onset), round(1000 * length), str(text)) for onset, length, text in rows] == [
        (500, 0, "flexion"),
        (1_000, 12, "BAD_ACQ_SKIP"),
        (3_000, 700, "BAD_ACQ_SKIP"),
        (3_200, 0, "in the gap: &#10003;"),
        (4_000, 0, "rest"),
    ]
    words = flexion("sessions", "export", recorded.name, "--out", "again_raw.fif")
    assert words.stdout == "again_raw.fif: 6 s, 6000 samples, 712 of them lost in 2 holes, 3 markers\n"


def test_our_reader_finds_what_was_recorded(tmp_path, recorded):
    """The same samples at the same places, so that it scores as the session does."""
    export_session(SessionFolder.open(recorded), tmp_path / "a_raw.fif")
    again = read_recording(tmp_path / "a_raw.fif")
    np.testing.assert_array_equal(again.samples.astype(np.float32), values()[arrived()])
    np.testing.assert_allclose(again.stamps, np.flatnonzero(arrived()) / 1000, atol=1e-9)
    assert (again.labels, again.units) == (MONTAGE.labels, ("uV",) * MONTAGE.n_channels)
    assert again.problems == ()


def test_volts_keep_every_bit(tmp_path):
    """A stream in volts and float64, as MNE-LSL's player sends it, is in the file as it was sent."""
    volts = values("f8") * 1e-7
    folder = write(tmp_path, volts, 100 + np.arange(N_SAMPLES) / 1000, "V")
    done = export_session(SessionFolder.open(folder), tmp_path / "a_raw.fif")
    assert (done["holes"], done["markers"]) == (0, 3)
    np.testing.assert_array_equal(mne.io.read_raw_fif(tmp_path / "a_raw.fif", verbose="ERROR").get_data().T, volts)


def test_a_clock_reset_is_a_join(tmp_path):
    """What lay between is unknown: nothing is put there; our reader finds the two segments again."""
    stamps = 100 + np.arange(N_SAMPLES) / 1000
    stamps[2_500:] -= 50
    done = export_session(SessionFolder.open(write(tmp_path, values(), stamps)), tmp_path / "a_raw.fif")
    assert (done["samples"], done["lost"], done["holes"]) == (N_SAMPLES, 0, 0)
    marks = mne.io.read_raw_fif(tmp_path / "a_raw.fif", verbose="ERROR").annotations
    joins = [
        str(text) for onset, text in zip(marks.onset, marks.description, strict=True) if round(1000 * onset) == 2_500
    ]
    assert sorted(joins) == ["BAD boundary", "EDGE boundary"]
    again = read_recording(tmp_path / "a_raw.fif")
    decisions = decide(again, MONTAGE, MONTAGE.bind(again.labels, again.units))
    assert [d.at for d in decisions if d.kind == "segment"] == [0, 2_500]


def test_a_file_goes_from_the_first_sample_that_came_to_the_last(tmp_path):
    """A hole of whole seconds is one too; what is lost at the end, in this life or the next, is not padded."""
    places = np.delete(np.arange(N_SAMPLES), np.arange(2_000, 4_000))
    folder = SessionFolder.open(write(tmp_path, values()[places], 100 + places / 1000))
    folder.append_decision(Decision("lost", 1, 0, len(places), {"n": 300, "reason": "absent"}))
    folder.append_decision(Decision("lost", 2, 0, 0, {"n": 200, "reason": "absent"}))
    folder.append_decision(Decision("marker", 2, 0, 0, {"text": "after the end", "phase": None, "sample": 6_400}))
    done = export_session(folder, tmp_path / "a_raw.fif")
    assert (done["samples"], done["lost"], done["holes"], done["markers"]) == (N_SAMPLES, 2_000, 1, 3)
    raw = mne.io.read_raw_fif(tmp_path / "a_raw.fif", verbose="ERROR")
    np.testing.assert_array_equal(raw.get_data().T[places], values()[places].astype("f8") * 1e-6)
    np.testing.assert_allclose(read_recording(tmp_path / "a_raw.fif").stamps, places / 1000, atol=1e-9)


def test_two_amplifiers_are_one_signal(tmp_path):
    """Both streams' channels stand where the chain takes them, over holes and slips."""
    folder = SessionFolder.create(tmp_path, about_session(montage=two_amplifiers.MONTAGE.to_json()))
    one, two = amplifiers(ppm=200)
    two.drop(3_000, 50)
    lived(folder, one, two)
    done = export_session(folder, tmp_path / "a_raw.fif")
    raw = mne.io.read_raw_fif(tmp_path / "a_raw.fif", verbose="ERROR")
    there, x_uv = places(folder)
    assert raw.ch_names == list(two_amplifiers.MONTAGE.labels) and done["holes"] > 0
    np.testing.assert_allclose(raw.get_data().T[there], x_uv * 1e-6, rtol=1e-14)
    assert not np.delete(raw.get_data().T, there, axis=0).any()


def test_what_cannot_be_exported_is_refused_with_words(flexion, tmp_path, recorded, monkeypatch):
    """Nothing is overwritten, nothing is named otherwise than it is, a wrong patient's session stays here."""
    there = tmp_path / "there_raw.fif"
    there.touch()
    done = flexion("sessions", "export", recorded.name, "--out", there.name)
    assert (done.returncode, done.stderr.count("\n")) == (3, 1)
    assert "there_raw.fif is there already. Name another file: --out FILE" in done.stderr
    folder = SessionFolder.open(recorded)
    with pytest.raises(RecordingError, match=f"a.csv does not end in .fif.*--out {recorded.name}_raw.fif"):
        export_session(folder, tmp_path / "a.csv")
    monkeypatch.setattr("deploy.exporting.MAX_BYTES", N_SAMPLES * 16 * 8 - 1)
    with pytest.raises(RecordingError, match="6000 samples, which do not fit.*recording-1.xdf"):
        export_session(folder, tmp_path / "a.fif")
    folder.update(entered_in_error=True)
    with pytest.raises(RecordingError, match="entered in error: it is nobody's"):
        export_session(folder, tmp_path / "a.fif")
    unopened = write(tmp_path / "data", values(), 100 + np.arange(N_SAMPLES) / 1000)
    (unopened / "decisions.jsonl").unlink()
    with pytest.raises(RecordingError, match="decisions.jsonl opens no segment.*from a copy"):
        export_session(SessionFolder.open(unopened), tmp_path / "a.fif")
    empty = write(tmp_path / "data", values()[:0], np.empty(0))
    with pytest.raises(RecordingError, match="holds no samples"):
        export_session(SessionFolder.open(empty), tmp_path / "a.fif")


def test_a_place_that_takes_no_file_is_said(tmp_path, recorded):
    """Exit code 4 and the reason; nothing is left behind."""
    with pytest.raises(BadEnvironment, match="a_raw.fif cannot be written: .*--out FILE"):
        export_session(SessionFolder.open(recorded), tmp_path / "nowhere" / "a_raw.fif")
    assert not list(tmp_path.glob("*.fif"))


def test_without_mne_the_extra_is_named(tmp_path, recorded, monkeypatch):
    """The bedside installs without it."""
    monkeypatch.setitem(sys.modules, "mne", None)
    with pytest.raises(BadEnvironment, match="a_raw.fif is written by MNE.*flexion\\[recordings\\]"):
        export_session(SessionFolder.open(recorded), tmp_path / "a_raw.fif")
