"""A patient's recording, whatever it was recorded with, gives the windows that the bedside made of it (law 1)."""

from __future__ import annotations

import json
import shutil
import threading
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from acquisition.artifact import Calibration
from acquisition.decisions import Decision
from acquisition.errors import DiskFull, MontageError, RateError, RecordingError
from acquisition.formats.xdf_header import STRING, StreamHeader
from acquisition.montage import load_montage
from acquisition.parts import PartWriter
from acquisition.player import Faults
from acquisition.reading import Reading
from acquisition.recording import read_recording
from acquisition.session import SessionFolder
from acquisition.windowing import Window
from tests.acquisition import edf_files
from tests.acquisition.test_brainvision import write as write_brainvision
from tests.streaming.bridging import MONTAGE, SMALL, Bed, hashed, make_info, make_recording, scoring
from tests.streaming.test_bridge_live import live_source, sender, source_id  # noqa: F401 (fixtures)
from training.cohort.opening import open_place, recording_sha256, rests_on, windows_of
from training.cohort.places import Place, places_of
from training.errors import FingerprintMismatch

#: A calibration of 3 s after 0.4 s of settling, and a window that it holds for.
N_SAMPLES = 5_400


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Cut windows of a second: everything else is the bedside's."""
    monkeypatch.setattr("training.cohort.opening.SPEC", SMALL)


@pytest.fixture(scope="module")
def samples_uv() -> NDArray[np.float32]:
    """Return a signal in whole microvolts, which every format carries."""
    return np.round(make_recording(N_SAMPLES).samples)


@pytest.fixture
def eeg(tmp_path: Path) -> Path:
    """Return the folder of a patient's EEG; that of the muscles lies beside it."""
    for name in ("eeg", "emg"):
        (tmp_path / "sub-P1" / name).mkdir(parents=True)
    return tmp_path / "sub-P1" / "eeg"


def write_xdf(path: Path, samples: NDArray[np.float32], columns: slice = slice(None), **changes: float) -> Path:
    """Write some of the montage's channels; `rate_hz` and `first_s` are 1000 and 100 unless said."""
    labels, rate_hz, first_s = MONTAGE.labels[columns], changes.get("rate_hz", 1000.0), changes.get("first_s", 100.0)
    header = StreamHeader("Amp", "EEG", "float32", rate_hz, len(labels), labels, ("uV",) * len(labels))
    with PartWriter.create(path, [header, StreamHeader("Cues", "Markers", STRING, 0.0, 1)]) as writer:
        writer.append(0, np.ascontiguousarray(samples[:, columns]), first_s + np.arange(len(samples)) / rate_hz)
        writer.append(1, ["flexion"], np.array([first_s + 1.0]))
    return path


def place_of(eeg: Path) -> Place:
    """Return the patient's one recording as the cohort finds it."""
    [place] = places_of(eeg.parents[1], "P1")
    return place


def made_of(place: Place) -> list[Window]:
    """Return the windows of a place."""
    return list(windows_of(open_place(place, MONTAGE)))


def bits(windows: list[Window]) -> list[tuple[object, ...]]:
    """Return all that a window carries, its samples as bytes."""
    return [tuple(w.x_uv.tobytes() if k == "x_uv" else v for k, v in vars(w).items()) for w in windows]


# A session of the ward


def test_a_session_gives_the_windows_that_were_published(redis_url, tmp_path, sender, source_id, small):  # noqa: F811
    """Byte for byte what the scorer got of a stream: before the calibration and after, bridged and whole (law 1).

    The folder's own decisions are obeyed, none is taken anew: with a changed one other windows come out.
    """
    source = {"kind": "lsl", "source_id": source_id}
    bed = Bed.make(redis_url, tmp_path, mode="live", origin="live", planned_s=5.0, source=source)
    sender(make_recording(6_000), faults=Faults(drop=((300, 550), (1_500, 1_510))))
    with scoring(redis_url):
        assert bed.bridge(live_source(bed, source_id, sender.go)).run(threading.Event()) == 0
    place = Place("P01", bed.folder.path)
    opened = open_place(place, MONTAGE)
    windows = list(windows_of(opened))
    assert hashes(windows) == bed.scores()
    assert [window.flags for window in windows] == [("bridged", "uncalibrated"), *[("uncalibrated",)] * 2, ()]
    assert (opened.n_samples, opened.keep, opened.mains_hz) == (4_740, None, 50.0)
    assert bits(list(windows_of(opened))) == bits(windows)
    for kind in ("bridged", "calibration"):
        other = replace(place, path=with_another(kind, place.path, tmp_path / kind))
        assert recording_sha256(other) != opened.sha256
        assert hashes(made_of(other)) != bed.scores(), kind


def hashes(windows: list[Window]) -> dict[int, float | None]:
    """Return what the hashing scorer makes of windows."""
    return {window.index: hashed(window.x_uv.tobytes()) for window in windows}


def with_another(kind: str, folder: Path, copy: Path) -> Path:
    """Return a copy of a session in which the decisions of one kind are somebody else's."""
    path = Path(shutil.copytree(folder, copy)) / "decisions.jsonl"
    decisions = [Decision.from_line(line) for line in path.read_bytes().splitlines()]
    path.write_bytes(b"".join((_changed(d) if d.kind == kind else d).to_line() for d in decisions))
    return copy


def _changed(decision: Decision) -> Decision:
    if decision.kind == "bridged":
        return replace(decision, data={"n": decision.data["n"] - 1})
    known = Calibration.from_json(decision.data)
    halved = replace(known, thresholds_uv=tuple(uv / 2 for uv in known.thresholds_uv))
    return replace(decision, data=halved.to_json())


def test_a_session_of_another_conditioning_is_refused(tmp_path):
    """Patient and remedy are named; windows of two kinds are never learned from together (law 6)."""
    folder = SessionFolder.create(tmp_path, make_info()).path
    words = f"Session {folder.name} of patient 001 was conditioned as {SMALL.fingerprint[:12]}; training conditions as"
    with pytest.raises(FingerprintMismatch, match=words) as refused:
        open_place(Place("001", folder), MONTAGE)
    assert (refused.value.subject, refused.value.exit_code) == ("001", 3)
    assert refused.value.remedy.startswith("Train with the version that recorded it")


@pytest.mark.parametrize(
    ("changes", "error", "words"),
    [
        (
            {"montage": load_montage("eeg16").to_json()},
            MontageError,
            "of patient 001 has .* montage amp16 of the cohort",
        ),
        ({"entered_in_error": True}, RecordingError, "of patient 001 was entered in error"),
        ({}, RecordingError, "of patient 001 is empty: it has no samples"),
    ],
    ids=["other channels", "entered in error", "empty"],
)
def test_a_session_that_does_not_fit_is_refused(tmp_path, small, changes, error, words):
    """In words, before any window is made."""
    folder = SessionFolder.create(tmp_path, make_info(**changes)).path
    with pytest.raises(error, match=words):
        open_place(Place("001", folder), MONTAGE)


def test_a_session_that_lacks_a_file_is_refused(tmp_path):
    """What cannot be read cannot be trusted to be what it was."""
    folder = SessionFolder.create(tmp_path, make_info()).path
    with pytest.raises(RecordingError, match="decisions.jsonl, a part of patient 001's recording, cannot be read: No"):
        rests_on(Place("001", folder), MONTAGE)


# A recording of anybody


def test_decisions_are_kept_beside_a_recording(eeg, samples_uv, small):
    """The calibration that fell due is read back, and the windows are the same; they rest on it."""
    path = write_xdf(eeg / "sub-P1_task-flexext_eeg.xdf", samples_uv)
    fresh = rests_on(place_of(eeg), MONTAGE)
    first = made_of(place_of(eeg))
    kept = path.with_name(path.name + ".decisions.jsonl")
    assert b'"kind":"calibration"' in kept.read_bytes()
    assert bits(made_of(place_of(eeg))) == bits(first)
    assert {key for key, value in rests_on(place_of(eeg), MONTAGE).items() if value != fresh[key]} == {"decisions"}


def test_a_file_without_samples_is_refused(eeg, samples_uv):
    """A header alone is no recording."""
    write_xdf(eeg / "sub-P1_task-flexext_eeg.xdf", samples_uv[:0])
    with pytest.raises(RecordingError, match="of patient P1 is empty: it has no samples"):
        open_place(place_of(eeg), MONTAGE)


def test_mains_is_the_place_s_then_the_default(eeg, samples_uv):
    """What lies beside the file is believed; else what the caller says."""
    write_xdf(eeg / "sub-P1_task-flexext_eeg.xdf", samples_uv)
    assert open_place(place_of(eeg), MONTAGE, 60.0).mains_hz == 60.0
    assert open_place(replace(place_of(eeg), mains_hz=50.0), MONTAGE, 60.0).mains_hz == 50.0


def test_a_table_of_sixteen_columns_is_read_as_its_sidecar_says(eeg, samples_uv, small):
    """Text at 1000 Hz without a header, as in the paper, gives what the same signal as XDF gives."""
    table = eeg / "sub-P1_task-flexext_eeg.txt"
    np.savetxt(table, samples_uv, fmt="%d", delimiter="\t")
    said = {"SamplingFrequency": 1000, "PowerLineFrequency": 50, "Unit": "uV", "Labels": MONTAGE.labels}
    table.with_suffix(".json").write_text(json.dumps(said))
    made = [window.x_uv.tobytes() for window in made_of(place_of(eeg))]
    xdf = Place("P1", write_xdf(eeg.parent / "same.xdf", samples_uv))
    assert made == [window.x_uv.tobytes() for window in made_of(xdf)]
    assert len(made) == 5


def _edf(folder: Path, samples: NDArray[np.float32]) -> None:
    rows = [
        edf_files.channel(label, "uV", column * 10) for label, column in zip(MONTAGE.labels, samples.T, strict=True)
    ]
    edf_files.write(folder / "sub-P1_task-flexext_eeg.edf", rows, 900, 0.9)


def _bdf(folder: Path, samples: NDArray[np.float32]) -> None:
    rows = [
        edf_files.channel(label, "uV", column * 10, bdf=True)
        for label, column in zip(MONTAGE.labels, samples.T, strict=True)
    ]
    edf_files.write(folder / "sub-P1_task-flexext_eeg.bdf", rows, 900, 0.9, bdf=True)


def _brainvision(folder: Path, samples: NDArray[np.float32]) -> None:
    channels = tuple(f"{label},,1,µV" for label in MONTAGE.labels)
    write_brainvision(folder, samples.T.astype("<i2"), channels, name="sub-P1_task-flexext_eeg")


def _fif(folder: Path, samples: NDArray[np.float32]) -> None:
    import mne

    info = mne.create_info(list(MONTAGE.labels), 1000.0, ["eeg"] * 10 + ["emg"] * 6)
    raw = mne.io.RawArray(samples.T.astype(float) * 1e-6, info, verbose="ERROR")
    raw.save(folder / "sub-P1_task-flexext_eeg.fif", fmt="double", verbose="ERROR")


@pytest.mark.parametrize("write", [_edf, _bdf, _brainvision, _fif])
def test_what_other_programs_record_is_read(eeg, samples_uv, small, write):
    """EDF, BDF, BrainVision and FIF, through MNE: the same windows up to the last digits of a file's scale."""
    pytest.importorskip("mne", reason="the extra 'recordings' is not installed")
    write(eeg, samples_uv)
    found = [window.x_uv for window in made_of(place_of(eeg))]
    reference = made_of(Place("P1", write_xdf(eeg.parent / "same.xdf", samples_uv)))
    np.testing.assert_allclose(found, [window.x_uv for window in reference], atol=1e-2)
    assert recording_sha256(place_of(eeg)) == read_recording(place_of(eeg).path).sha256


def test_a_recording_is_all_of_its_files(eeg, samples_uv):
    """Of BrainVision the files that its header names, of FIF those in which a long one goes on."""
    _brainvision(eeg, samples_uv)
    before = recording_sha256(place_of(eeg))
    markers = eeg / "sub-P1_task-flexext_eeg.vmrk"
    markers.write_text(markers.read_text() + "\n")
    with_other_markers = recording_sha256(place_of(eeg))
    markers.unlink()
    assert len({before, with_other_markers, recording_sha256(place_of(eeg))}) == 3
    fif = Place("P1", eeg / "a.fif")
    fif.path.write_bytes(b"first")
    alone = recording_sha256(fif)
    (eeg / "a-1.fif").write_bytes(b"then")
    assert recording_sha256(fif) != alone


def test_a_folder_that_takes_no_file_is_fine(eeg, samples_uv, small, monkeypatch):
    """Decisions then live in memory, and are taken each time: the same ones."""

    def refuse(path: Path, content: bytes) -> None:
        raise DiskFull("read-only")

    monkeypatch.setattr("acquisition.tape.replace_file", refuse)
    write_xdf(eeg / "sub-P1_task-flexext_eeg.xdf", samples_uv)
    fresh = rests_on(place_of(eeg), MONTAGE)
    assert bits(made_of(place_of(eeg))) == bits(made_of(place_of(eeg)))
    assert rests_on(place_of(eeg), MONTAGE) == fresh


# Muscles in a file of their own


@pytest.fixture
def apart(eeg, samples_uv) -> Path:
    """Return the folder of a patient whose muscles lie in a file of their own."""
    write_xdf(eeg / "sub-P1_task-flexext_eeg.xdf", samples_uv, slice(0, 10))
    write_xdf(eeg.parent / "emg" / "sub-P1_task-flexext_emg.xdf", samples_uv, slice(10, 16))
    return eeg


def test_muscles_of_another_file_stand_beside_the_brain(apart, samples_uv, small):
    """Row by row: the windows are those of one file that has both."""
    opened = open_place(place_of(apart), MONTAGE)
    whole = made_of(Place("P1", write_xdf(apart.parent / "whole.xdf", samples_uv)))
    assert bits(list(windows_of(opened))) == bits(whole)
    assert opened.assumed == ("sub-P1_task-flexext_eeg.xdf: muscles are those of sub-P1_task-flexext_emg.xdf.",)
    assert opened.sha256 == recording_sha256(place_of(apart))


def test_each_of_two_tables_is_read_as_its_own_sidecar_says(eeg, samples_uv, small):
    """Labels and unit of the one are not those of the other."""
    for kind, columns, unit, in_unit in (("eeg", slice(0, 10), "uV", 1.0), ("emg", slice(10, 16), "mV", 1e-3)):
        table = eeg.parent / kind / f"sub-P1_task-flexext_{kind}.txt"
        np.savetxt(table, samples_uv[:, columns].astype(float) * in_unit, fmt="%.3f", delimiter="\t")
        said = {"SamplingFrequency": 1000, "Unit": unit, "Labels": MONTAGE.labels[columns]}
        table.with_suffix(".json").write_text(json.dumps(said))
    whole = made_of(Place("P1", write_xdf(eeg.parent / "whole.xdf", samples_uv)))
    np.testing.assert_allclose(
        [window.x_uv for window in made_of(place_of(eeg))], [window.x_uv for window in whole], atol=1e-4
    )


def test_a_file_that_has_all_channels_needs_no_other(eeg, samples_uv, small):
    """The muscles' file is then left alone."""
    write_xdf(eeg / "sub-P1_task-flexext_eeg.xdf", samples_uv)
    (eeg.parent / "emg" / "sub-P1_task-flexext_emg.xdf").write_text("rubbish")
    assert len(made_of(place_of(eeg))) == 5


def test_two_files_at_another_rate_are_resampled_together(eeg, samples_uv, small):
    """As one file at that rate is."""
    write_xdf(eeg / "sub-P1_task-flexext_eeg.xdf", samples_uv, slice(0, 10), rate_hz=500.0)
    write_xdf(eeg.parent / "emg" / "sub-P1_task-flexext_emg.xdf", samples_uv, slice(10, 16), rate_hz=500.0)
    resampled = Reading(resample=True)
    made = made_of(replace(place_of(eeg), reading=resampled))
    path = write_xdf(eeg.parent / "whole.xdf", samples_uv, rate_hz=500.0)
    assert bits(made) == bits(made_of(Place("P1", path, reading=resampled)))
    assert {window.resampled_from_hz for window in made} == {500.0} and len(made) == 10


def test_a_short_end_is_left_out(apart, samples_uv, small):
    """Files of whole records end apart by one record at most."""
    emg = write_xdf(apart.parent / "emg" / "sub-P1_task-flexext_emg.xdf", samples_uv[:-300], slice(10, 16))
    opened = open_place(place_of(apart), MONTAGE)
    assert opened.n_samples == len(samples_uv) - 300
    assert opened.assumed[-1].endswith(": 300 rows at the end are in one of the two files alone and left out.")
    assert emg.is_file()


@pytest.mark.parametrize(
    ("cut", "changes", "error", "words"),
    [
        (1_001, {}, RecordingError, "differ by 1.001 s in length; 1 s may be. Export brain and muscles in one file"),
        (0, {"first_s": 100.03}, RecordingError, "are up to 0.03 s apart; 0.02 s may be. Export"),
        (0, {"rate_hz": 2000.0}, RateError, "emg.xdf is at 2000 Hz; sub-P1_task-flexext_eeg.xdf beside it is at 1000"),
    ],
    ids=["length", "start", "rate"],
)
def test_files_that_were_not_recorded_together_are_refused(apart, samples_uv, cut, changes, error, words):
    """Rows of different moments are never put beside each other."""
    path = apart.parent / "emg" / "sub-P1_task-flexext_emg.xdf"
    write_xdf(path, samples_uv[: len(samples_uv) - cut], slice(10, 16), **changes)
    with pytest.raises(error, match=words):
        open_place(place_of(apart), MONTAGE)
