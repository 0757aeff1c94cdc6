"""Windows that training sees: made once, kept, and the same bits whoever made them."""

from __future__ import annotations

import json
import os
import pickle
import shutil
import signal
from collections.abc import Mapping
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import closing
from dataclasses import replace
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from acquisition.errors import BadEnvironment, RecordingError
from acquisition.formats.xdf_header import StreamHeader
from acquisition.montage import load_montage
from acquisition.parts import PartWriter
from acquisition.recording import Recording, read_recording
from deploy.opening import Models
from deploy.scoring import score_file
from deploy.settings import Settings, changed
from inference.engines.choice import open_engine
from inference.engines.engine import Engine
from training.cohort.cohort import Cohort
from training.cohort.opening import open_place
from training.cohort.places import Place
from training.data.tokens import tokens
from training.data.windows import PatientWindows, _jobs, bank_sha256, cache_folder, kept_of, prepare
from training.errors import FingerprintMismatch


@pytest.fixture(scope="module")
def pair(small_cohort: Path, tmp_path_factory: pytest.TempPathFactory) -> Cohort:
    """Return two patients of a cohort, in a folder of their own where nothing was prepared."""
    folder = tmp_path_factory.mktemp("pair") / "cohort"
    cohort = Cohort.open(small_cohort).limited(2)
    folder.mkdir()
    for patient in cohort.participants:
        shutil.copytree(small_cohort / f"sub-{patient.id}", folder / f"sub-{patient.id}", ignore=_derived)
    return replace(cohort, folder=folder)


def _derived(folder: str, names: list[str]) -> list[str]:
    return [name for name in names if name.endswith(".decisions.jsonl")]


@pytest.fixture(scope="module")
def prepared(pair: Cohort) -> dict[str, PatientWindows]:
    """Return their windows, made for the first time."""
    return prepare(pair, raw=True)


class Watching:
    """Remember what a watcher is told."""

    def __init__(self) -> None:
        self.told: list[tuple[str, bool]] = []
        self.n = 0

    def begins(self, n_patients: int) -> None:
        self.n = n_patients

    def has(self, windows: PatientWindows, made: bool) -> None:
        self.told.append((windows.patient, made))


def bits(prepared: dict[str, PatientWindows]) -> dict[str, tuple[object, ...]]:
    """Return everything that training takes of each patient."""
    return {
        patient: (
            w.tokens.tobytes(), None if w.x is None else w.x.tobytes(), w.weights.tobytes(), w.index.tolist(),
            w.n_made, w.n_uncalibrated, w.good, w.fma, w.recording_sha256, w.mains_hz, w.fingerprint, w.origin,
        )
        for patient, w in prepared.items()
    }  # fmt: skip


def made_anew(cohort: Cohort, *, raw: bool = False) -> list[bool]:
    """Prepare, and tell of which patients the windows had to be made."""
    watching = Watching()
    prepare(cohort, raw=raw, watcher=watching)
    return [made for _, made in watching.told]


def copied(cohort: Cohort, folder: Path) -> Cohort:
    """Return the same cohort in another folder, what was prepared included."""
    shutil.copytree(cohort.folder, folder)
    return replace(cohort, folder=folder)


def test_a_patient_has_tokens_windows_weights_and_the_outcome(pair, prepared):
    """Six windows of ten seconds, the first three before the calibration, as at the bedside."""
    assert sorted(prepared) == sorted(patient.id for patient in pair.participants)
    for patient in pair.participants:
        windows = prepared[patient.id]
        assert (windows.tokens.shape, windows.x.shape) == ((6, 100, 64), (6, 10_000, 16))
        assert (windows.good, windows.fma, windows.origin) == (patient.good, patient.outcome_fma, "synthetic")
        assert (len(windows), windows.n_made, windows.n_uncalibrated) == (6, 6, 3)
        assert windows.index.tolist() == list(range(6)) and (windows.weights > 0).all()
        assert abs(windows.x.mean(axis=1)).max() < 1e-4


def test_workers_and_cache_change_no_bit(pair, prepared, tmp_path):
    """Two processes in a fresh folder, and what was kept, give what one process gave."""
    fresh = copied(pair, tmp_path / "fresh")
    shutil.rmtree(fresh.folder / "derivatives")
    for file in fresh.folder.rglob("*.decisions.jsonl"):
        file.unlink()
    assert bits(prepare(fresh, raw=True, workers=2)) == bits(prepared)
    assert made_anew(fresh, raw=True) == [False, False]
    assert bits(prepare(fresh, raw=True)) == bits(prepared)


class Listening:
    """An engine, and what it is asked."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self.info = engine.info
        self.x: list[NDArray[np.float32]] = []

    def run(self, inputs: Mapping[str, NDArray[np.float32]]) -> Mapping[str, NDArray[np.float32]]:
        self.x.append(inputs["x"])
        return self._engine.run(inputs)


def test_windows_are_those_that_an_engine_is_shown(pair, prepared, tmp_path):
    """`flexion score` of the same file, decided anew, shows the engine the same bits with the same weights (law 1)."""
    models = Models.load(Settings().models)
    with closing(open_engine(models.eeg_emg)) as engine:
        for patient, windows in prepared.items():
            listening = Listening(engine)
            alone = shutil.copy(pair.place_of(patient).path, tmp_path / f"{patient}.xdf")
            settings = changed(Settings(), {"session.mains_hz": windows.mains_hz})
            result = score_file(Path(alone), settings, models, listening)
            assert np.concatenate(listening.x).tobytes() == windows.x.tobytes()
            assert [score["weight"] for score in result["scores"]] == windows.weights.tolist()
            assert [score["index"] for score in result["scores"]] == windows.index.tolist()
            assert tokens(windows.x[:1]).tobytes() == windows.tokens[:1].tobytes()


def test_the_gate_is_the_bedside_s(pair, prepared, tmp_path):
    """Two electrodes that fall off: one channel is zeros, then a window counts less, then it is not scored at all."""
    patient = min(prepared)
    recording = read_recording(pair.place_of(patient).path)
    path = tmp_path / "loose.xdf"
    samples = recording.samples.copy()
    samples[14_000:24_000, 0] = samples[14_000, 0]
    samples[24_000:34_000, :6] = 0.0
    samples[34_000:44_000] = 0.0
    write(path, recording, samples)
    kept = kept_of(open_place(Place(patient, path), load_montage("amp16")), raw=True)
    assert (kept.n_made, kept.index.tolist()) == (6, [0, 1, 2, 4, 5])
    assert not kept.x[1, :, 0].any() and kept.x[1, :, 1:].any()
    assert kept.weights[1] == 1.0 > kept.weights[2] > 0.0
    models = Models.load(Settings().models)
    with closing(open_engine(models.eeg_emg)) as engine:
        scores = score_file(path, Settings(), models, engine)["scores"]
    assert [(s["index"], s["weight"]) for s in scores if s["state"] == "scored"] == list(
        zip(kept.index.tolist(), kept.weights.tolist(), strict=True)
    )


def write(path: Path, recording: Recording, samples: NDArray[np.float32]) -> None:
    """Write a recording's samples anew."""
    n = len(recording.labels)
    header = StreamHeader("Amp", "EEG", "float32", 1000.0, n, recording.labels, ("uV",) * n)
    with PartWriter.create(path, [header]) as writer:
        writer.append(0, samples, recording.stamps)


def test_a_recording_without_a_good_window_is_told_and_left_out(pair, tmp_path):
    """The bedside abstains; training does not learn from it."""
    cohort = copied(pair, tmp_path / "silent")
    patient = min(p.id for p in cohort.participants)
    recording = read_recording(cohort.place_of(patient).path)
    write(cohort.place_of(patient).path, recording, np.zeros_like(recording.samples))
    watching = Watching()
    assert patient not in prepare(cohort, watcher=watching)
    assert (watching.n, len(watching.told), (patient, True) in watching.told) == (2, 2, True)


def test_two_processes_at_once_do_no_harm(pair, prepared, tmp_path):
    """One waits for the other, patient by patient, and both get the same windows."""
    cohort = copied(pair, tmp_path / "both")
    shutil.rmtree(cohort.folder / "derivatives")
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
        both = [pool.submit(prepare, cohort, raw=True) for _ in range(2)]
        assert [bits(one.result()) for one in both] == [bits(prepared)] * 2
    assert made_anew(cohort, raw=True) == [False, False]
    assert not list(cohort.folder.rglob("*.tmp"))


def test_windows_are_mapped_also_in_another_process(prepared):
    """A patient who is sent to a process takes the place of the windows along, not the windows."""
    windows = next(iter(prepared.values()))
    sent = pickle.dumps(windows)
    assert isinstance(windows.x, np.memmap) and not windows.x.flags.writeable
    assert len(sent) < windows.x.nbytes / 10
    assert bits({"": pickle.loads(sent)}) == bits({"": windows})
    assert "array" not in repr(windows)


def test_tokens_are_enough_until_windows_are_wanted(pair, prepared, tmp_path):
    """What was kept with windows serves whoever wants tokens; the other way round it is made anew."""
    tokens = copied(pair, tmp_path / "tokens")
    for file in cache_folder(tokens.folder).glob("*.npy"):
        file.unlink()
    assert {windows.x is None for windows in prepare(pair).values()} == {True}
    assert made_anew(tokens) == [False, False]
    assert made_anew(tokens, raw=True) == [True, True]
    assert made_anew(tokens) == [False, False]


def _other_mains(cohort: Cohort) -> Cohort:
    for file in cohort.folder.rglob("*_eeg.json"):
        said = json.loads(file.read_text())
        file.write_text(json.dumps(said | {"PowerLineFrequency": 110 - said["PowerLineFrequency"]}))
    return cohort


def _other_montage(cohort: Cohort) -> Cohort:
    text = (Path(__file__).parents[3] / "acquisition/montages/amp16.toml").read_text()
    file = cohort.folder / "louder.toml"
    file.write_text("full_scale_uv = 90000.0\n" + text)
    return replace(cohort, montage=str(file))


def _other_recording(cohort: Cohort) -> Cohort:
    one, other = sorted(cohort.folder.rglob("*_eeg.xdf"))
    content = one.read_bytes()
    one.write_bytes(other.read_bytes())
    other.write_bytes(content)
    return cohort


def _other_decisions(cohort: Cohort) -> Cohort:
    for file in cohort.folder.rglob("*.decisions.jsonl"):
        file.write_bytes(file.read_bytes().replace(b'"kind":"marker"', b'"kind":"term"'))
    return cohort


def _torn_tokens(cohort: Cohort) -> Cohort:
    for file in cache_folder(cohort.folder).glob("*.npz"):
        os.truncate(file, file.stat().st_size // 2)
    return cohort


def _torn_windows(cohort: Cohort) -> Cohort:
    for file in cache_folder(cohort.folder).glob("*.npy"):
        os.truncate(file, file.stat().st_size - 4)
    return cohort


def _rubbish(cohort: Cohort) -> Cohort:
    for file in cache_folder(cohort.folder).glob("*.npz"):
        np.savez(file, about="{}")
    return cohort


def _empty(cohort: Cohort) -> Cohort:
    for file in cache_folder(cohort.folder).glob("*.npz"):
        file.write_bytes(b"")
    return cohort


@pytest.mark.parametrize(
    "change",
    [
        _other_mains, _other_montage, _other_recording, _other_decisions, _torn_tokens, _torn_windows, _rubbish, _empty,
    ],
)  # fmt: skip
def test_what_is_stale_or_torn_is_made_anew(pair, prepared, tmp_path, change):
    """Windows that rest on anything else than what is there now are not taken; afterwards the new ones are."""
    both = change(copied(pair, tmp_path / "changed"))
    # Two patients alone can have each other's recording.
    cohort = both if change is _other_recording else replace(both, participants=both.participants[:1])
    assert made_anew(cohort, raw=True) == [True] * len(cohort.participants)
    assert made_anew(cohort, raw=True) == [False] * len(cohort.participants)
    assert sorted(file.suffix for file in cache_folder(cohort.folder).iterdir()) == sorted(
        [".lock", ".npy", ".npz"] * 2
    )


@pytest.mark.parametrize(
    "name",
    [
        "inference.normalisation.ALGORITHM",
        "inference.normalisation.FLAT_SD_UV",
        "inference.normalisation.MIN_CHANNEL_QUALITY",
        "training.data.tokens.ALGORITHM",
    ],
)
def test_windows_of_another_normalisation_or_bank_are_stale(pair, prepared, monkeypatch, name):
    """What was kept under another rule for bad channels is not what the bedside would show now."""
    jobs = list(_jobs(pair, raw=True))
    assert all(job.kept() for job in jobs)
    monkeypatch.setattr(name, 2)
    assert [job.kept() for job in jobs] == [None, None]


def test_windows_of_another_conditioning_are_refused(pair, prepared, tmp_path):
    """Somebody copied them in: the patient is named, and what to do (law 6)."""
    cohort = copied(pair, tmp_path / "mixed")
    [file, _] = sorted(cache_folder(cohort.folder).glob("*.npz"))
    with np.load(file) as kept:
        arrays = dict(kept)
    about = json.loads(str(arrays["about"])) | {"fingerprint": "f" * 64}
    np.savez(file, **arrays | {"about": json.dumps(about)})
    remedy = f"Delete {cache_folder(cohort.folder)}: its windows are then made anew."
    with pytest.raises(FingerprintMismatch, match=f"windows of patient {file.stem} were conditioned as f{{12}};") as no:
        prepare(cohort)
    assert (no.value.exit_code, no.value.remedy) == (3, remedy)
    sent = pickle.loads(pickle.dumps(no.value))  # a process that refuses says the same
    assert (type(sent), sent.as_refusal()) == (FingerprintMismatch, no.value.as_refusal())


def test_a_bank_of_other_bands_has_a_folder_of_its_own(pair, monkeypatch):
    """Tokens of one bank are never taken for those of another."""
    before, folder = bank_sha256(), cache_folder(pair.folder)
    monkeypatch.setattr("training.data.tokens.BANDS_HZ", ((4.0, 8.0),))
    assert bank_sha256() != before and cache_folder(pair.folder) != folder


def test_a_patient_without_a_recording_is_named(pair, tmp_path):
    """The table says that there is one."""
    with pytest.raises(RecordingError, match=f"Patient {pair.participants[0].id} has no recording in"):
        prepare(replace(pair, folder=tmp_path))


def test_whoever_has_no_outcome_or_no_recording_is_left_out(pair, prepared):
    """Their windows are not made: nothing can be learned from them."""
    first, second = pair.participants
    cohort = replace(pair, participants=(replace(first, fma_3mo=None, fma_by_day={}), replace(second, has_eeg=False)))
    assert prepare(cohort) == {}


def _in_the_way(cohort: Cohort) -> None:
    shutil.rmtree(cohort.folder / "derivatives")
    (cohort.folder / "derivatives").write_text("a file")


def _full(cohort: Cohort) -> None:
    for file in cache_folder(cohort.folder).glob("*.npz"):
        file.unlink()
        file.mkdir()


@pytest.mark.parametrize("change", [_in_the_way, _full])
def test_a_disk_that_takes_nothing_is_said(pair, prepared, tmp_path, change):
    """Whether the folder cannot be made or a file cannot be written."""
    cohort = copied(pair, tmp_path / "closed")
    change(cohort)
    with pytest.raises(BadEnvironment, match="does not take the windows of patient .* Make room there"):
        prepare(cohort)


def test_a_process_that_is_killed_is_told(pair, tmp_path, monkeypatch):
    """Perhaps by the want of memory; Ctrl-C does not reach those that begin, and is not taken for it."""
    reached = []

    class Killed(ProcessPoolExecutor):
        def map(self, *jobs):
            reached.append(signal.SIGINT not in signal.pthread_sigmask(signal.SIG_BLOCK, ()))
            raise BrokenProcessPool

    monkeypatch.setattr("training.data.jobs.ProcessPoolExecutor", Killed)
    cohort = copied(pair, tmp_path / "killed")
    shutil.rmtree(cohort.folder / "derivatives", ignore_errors=True)
    with pytest.raises(BadEnvironment, match=r"made windows was killed, .*; what was made is kept\. Run it again with"):
        prepare(cohort, workers=2)
    assert reached == [False]
