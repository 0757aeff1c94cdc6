"""A simulated cohort is a folder like any other, goes on where it was interrupted, and is the same bytes each time."""

from __future__ import annotations

import hashlib
import json
import shutil
from dataclasses import replace
from multiprocessing import active_children
from pathlib import Path

import pytest

from acquisition.durable import DiskFull
from acquisition.errors import BadEnvironment
from acquisition.formats import xdf_writer
from acquisition.montage import load_montage
from acquisition.recording import bind_recording, read_recording
from acquisition.simulator import render
from tests.training.cohorts import SMALL
from training.cohort.cohort import Cohort
from training.simulated.roster import roster_of
from training.simulated.spec import SynthError, SynthSpec
from training.simulated.synth import recording_of, synthesise

#: One window of three patients.
TINY = SynthSpec(patients=3, with_eeg=2, minutes=0.3, effect=2, seed=3, bold=False, sites=2, still_s=2.0)


class Heard:
    """Keeps what a watcher hears; interrupts after so many patients."""

    def __init__(self, interrupt_after: int | None = None) -> None:
        self.begun: tuple[int, int] | None = None
        self.patients: list[str] = []
        self._interrupt_after = interrupt_after

    def begins(self, n_patients: int, n_kept: int) -> None:
        """Keep both."""
        self.begun = n_patients, n_kept

    def finished(self, patient: str) -> None:
        """Keep the patient, and press Ctrl-C."""
        self.patients.append(patient)
        if len(self.patients) == self._interrupt_after:
            raise KeyboardInterrupt


def hashes_of(folder: Path) -> dict[str, str]:
    """Return the hash of each file below a folder."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a cohort of three patients, two with EEG."""
    folder = tmp_path_factory.mktemp("synth") / "tiny"
    synthesise(folder, TINY)
    return folder


def test_a_simulated_cohort_opens_like_any_other_and_says_that_it_is_synthetic(tiny: Path):
    """Stamped in the description, and in every recording (law 9)."""
    cohort = Cohort.open(tiny)
    assert (cohort.origin, cohort.montage, len(cohort.participants)) == ("synthetic", "amp16", 3)
    with_eeg = [participant for participant in cohort.participants if participant.has_eeg]
    assert len(with_eeg) == 2
    for participant in with_eeg:
        place = cohort.place_of(participant.id)
        assert place is not None
        recording = read_recording(place.path, montage=load_montage("amp16"))
        assert (recording.origin, recording.problems, place.mains_hz) == ("simulated", (), participant.mains_hz)


def test_a_recording_holds_the_simulators_bits_in_microvolts_and_its_markers(tiny: Path):
    """Nothing is between the simulator and the file (law 1)."""
    montage, member = load_montage("amp16"), next(m for m in roster_of(TINY) if m.participant.has_eeg)
    recording = read_recording(recording_of(tiny, member), montage=montage)
    simulated = render(member.patient, TINY.plan, TINY.seconds, montage)
    assert recording.samples.tobytes() == simulated.samples.tobytes()
    assert set(bind_recording(recording, montage).scale_uv) == {1.0}
    at = {float(stamp): sample for sample, stamp in enumerate(recording.stamps)}
    assert [(at[marker.stamp_s], marker.text) for marker in recording.markers] == list(simulated.markers)


def test_stamps_are_regular_with_each_patients_own_start_and_a_small_drift(tiny: Path):
    """As an amplifier's clock: a few parts per million fast or slow."""
    starts = set()
    for member in (m for m in roster_of(TINY) if m.participant.has_eeg):
        stamps = read_recording(recording_of(tiny, member)).stamps
        starts.add(stamps[0])
        drift_ppm = ((stamps[-1] - stamps[0]) / (len(stamps) - 1) * 1000 - 1) * 1e6
        assert 0 < abs(drift_ppm) < 100
    assert len(starts) == 2


def test_an_interrupted_cohort_goes_on_and_becomes_the_same_bytes(tmp_path: Path, tiny: Path):
    """What is finished is kept, and nothing half written has a name."""
    with pytest.raises(KeyboardInterrupt):
        synthesise(tmp_path / "cohort", TINY, Heard(interrupt_after=1))
    heard = Heard()
    synthesise(tmp_path / "cohort", TINY, heard)
    assert heard.begun == (2, 1)
    assert len(heard.patients) == 1
    assert hashes_of(tmp_path / "cohort") == hashes_of(tiny)


def test_a_recording_torn_by_a_full_disk_has_no_name(tmp_path: Path, tiny: Path, monkeypatch: pytest.MonkeyPatch):
    """The patient is written again when there is room."""

    named: list[Path] = []

    def full(*_: object) -> bytes:
        named.extend((tmp_path / "cohort").rglob("*_eeg.xdf"))
        raise DiskFull("full")

    with monkeypatch.context() as patched, pytest.raises(DiskFull):
        patched.setattr(xdf_writer, "boundary", full)
        synthesise(tmp_path / "cohort", TINY)
    assert not named
    assert not [*(tmp_path / "cohort").rglob("*.xdf*")]
    synthesise(tmp_path / "cohort", TINY)
    assert hashes_of(tmp_path / "cohort") == hashes_of(tiny)


def test_the_number_of_processes_changes_no_byte(tmp_path: Path, tiny: Path):
    """Each patient has random numbers of his own."""
    heard = Heard()
    synthesise(tmp_path / "cohort", TINY, heard, workers=2)
    assert hashes_of(tmp_path / "cohort") == hashes_of(tiny)


def test_a_process_that_is_killed_is_told_and_the_rest_can_be_written(tmp_path: Path):
    """As the kernel does where memory runs out."""

    class Killer(Heard):
        def finished(self, patient: str) -> None:
            for child in active_children():
                child.kill()

    spec = replace(TINY, patients=12, with_eeg=12)
    with pytest.raises(BadEnvironment, match=r"was killed, as happens where memory runs out\. Run the same command"):
        synthesise(tmp_path / "cohort", spec, Killer(), workers=2)
    assert 0 < len([*(tmp_path / "cohort").rglob("*_eeg.xdf")]) < 12


def test_a_folder_of_something_else_is_refused(tmp_path: Path):
    """Nothing of anybody is written over."""
    (tmp_path / "thesis.txt").write_text("years of work")
    with pytest.raises(SynthError, match=r"is not empty: it holds thesis.txt\. Name a folder that is new or empty"):
        synthesise(tmp_path, TINY)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


def test_a_cohort_of_other_settings_is_refused_by_name(tiny: Path):
    """The refusal says which setting, what it was and what was asked."""
    with pytest.raises(SynthError, match=r"other settings: effect 2 \(asked: 0\)"):
        synthesise(tiny, replace(TINY, effect=0))


@pytest.mark.parametrize(
    "content",
    [
        "{}",
        "[]",
        "rubbish",
        '{"Flexion": {"origin": "clinical", "settings": {}}}',
        '{"Flexion": {"origin": "synthetic", "settings": 3}}',
    ],
)
def test_a_cohort_that_was_not_simulated_is_refused(tmp_path: Path, content: str):
    """A clinical cohort is never added to."""
    (tmp_path / "dataset_description.json").write_text(content)
    with pytest.raises(SynthError, match="holds a cohort that was not simulated"):
        synthesise(tmp_path, TINY)


def test_a_description_that_cannot_be_read_is_nobodys_cohort_of_ours(tmp_path: Path):
    """Such as a folder of that name."""
    (tmp_path / "dataset_description.json").mkdir()
    with pytest.raises(SynthError, match="holds a cohort that was not simulated"):
        synthesise(tmp_path, TINY)


def test_a_cohort_of_another_versions_settings_is_refused(tmp_path: Path):
    """What it was made with cannot be asked for today."""
    settings = {**TINY.to_json(), "colour": "blue"}
    description = {"Flexion": {"origin": "synthetic", "settings": settings}}
    (tmp_path / "dataset_description.json").write_text(json.dumps(description))
    with pytest.raises(SynthError, match="other settings: those of another version"):
        synthesise(tmp_path, TINY)


def test_a_table_that_was_edited_is_kept(tmp_path: Path, tiny: Path):
    """Whoever tries other outcomes does not lose them by going on."""
    shutil.copytree(tiny, tmp_path / "cohort")
    table = tmp_path / "cohort" / "participants.tsv"
    table.write_text(edited := table.read_text().replace("fma_le_3mo", "fma_le_88"))
    synthesise(tmp_path / "cohort", TINY)
    assert table.read_text() == edited


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"patients": 0}, "patients 0 cannot be made; expected 1 to 999"),
        ({"with_eeg": 17}, "with_eeg 17 cannot be made; expected 0 to 16"),
        ({"minutes": 0.2}, r"minutes 0.2 cannot be made; expected 0.23"),
        ({"minutes": float("nan")}, "minutes nan cannot be made"),
        ({"effect": 3}, "effect 3 cannot be made; expected 0, 1, 2"),
        ({"missing": "often"}, "missing often cannot be made; expected random, severity"),
        ({"sites": 27}, "sites 27"),
        ({"seed": -1}, "seed -1"),
    ],
)
def test_settings_that_make_no_sense_are_refused(wrong: dict[str, object], words: str):
    """The refusal names the setting, its value and what is expected."""
    with pytest.raises(SynthError, match=words):
        replace(SMALL, **wrong)


def test_the_description_holds_every_setting(tiny: Path):
    """Whoever finds the folder can make it again."""
    description = json.loads((tiny / "dataset_description.json").read_text())
    assert SynthSpec(**description["Flexion"]["settings"]) == TINY
