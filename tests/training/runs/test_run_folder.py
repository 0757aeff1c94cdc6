"""A run's folder says what the run was made from; two writers, another cohort and other settings are refused."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pytest

from acquisition.errors import BadEnvironment
from tests.training import scans
from tests.training.patients import patients
from training.cohort.cohort import Cohort
from training.cohort.opening import SPEC
from training.cohort.participants import Participant
from training.errors import ConfigError, FingerprintMismatch, RunError, SplitError
from training.runs.config import load_config
from training.runs.image_config import load_image_config
from training.runs.run_folder import RunFolder
from training.splitting.splits import splits_of

#: Of three patients, behind today's conditioning.
WINDOWS = [replace(one, fingerprint=SPEC.fingerprint) for one in patients(3, 0)]


@pytest.fixture
def cohort(tmp_path: Path) -> Cohort:
    """Return 24 patients without recordings, one of them without a follow-up."""
    rows = [Participant(f"{i:03d}", i % 5 > 0, fma_3mo=25.0 if i % 2 else 10.0) for i in range(23)]
    folder = tmp_path / "cohort"
    folder.mkdir()
    return Cohort(folder, "ward", "synthetic", "amp16", (*rows, Participant("023", has_eeg=True)))


@pytest.fixture
def run(tmp_path: Path, cohort: Cohort) -> RunFolder:
    """Return the folder of a new run."""
    return RunFolder.create(tmp_path / "runs", load_config(), cohort, splits_of(cohort, "nested", 0, folds=3), WINDOWS)


def test_a_run_says_what_it_was_made_from_and_by(run: RunFolder, cohort: Cohort):
    """Cohort, origin, code, versions, machine, seeds."""
    record = RunFolder.open(run.path).record
    assert record["schema"] == "flexion.run/1"
    assert record["cohort"] == {
        "name": "ward", "sha256": cohort.sha256, "patients": 23, "with_eeg": 18, "good": 11, "path": "../../cohort",
    }  # fmt: skip
    assert (record["name"], record["origin"], record["montage"], record["state"]) == (
        "eeg", "synthetic", "amp16", "made",
    )  # fmt: skip
    assert record["seeds"] == {"run": 0, "split": 0}
    assert {"python", "numpy", "flexion"} <= record["versions"].keys()
    assert {"system", "processor", "cores", "memory_gib"} == record["host"].keys()
    assert datetime.fromisoformat(record["made_utc"]).utcoffset() is not None
    assert run.cohort_folder == cohort.folder


def test_no_path_of_the_machine_is_in_the_record(run: RunFolder, tmp_path: Path):
    """A run's folder may be handed on."""
    files = [run.record_path, run.config_path, run.splits_path]
    assert not [file for file in files if str(tmp_path) in file.read_text() or str(Path.home()) in file.read_text()]


def test_settings_and_splits_are_kept_as_they_were(run: RunFolder, cohort: Cohort):
    """Whatever becomes of the cohort's own file."""
    (cohort.folder / "splits.json").unlink()
    found = RunFolder.open(run.path)
    assert found.config == load_config()
    assert len(found.splits.folds) == 15
    assert found.splits.unlabelled == ("023",)


def test_runs_of_one_second_have_their_own_folders(tmp_path: Path, cohort: Cohort):
    """None writes into another's, and their names sort by time."""
    splits = splits_of(cohort, "paper", 0, folds=3)
    runs = [RunFolder.create(tmp_path / "runs", load_config(), cohort, splits, WINDOWS) for _ in range(4)]
    assert len({run.path for run in runs}) == 4
    assert all(run.path.name.split("_")[1].startswith("eeg") for run in runs)


def test_facts_are_noted(run: RunFolder):
    """What becomes known on the way joins the record."""
    run.note(state="training", parameters=5)
    record = RunFolder.open(run.path).record
    assert (record["state"], record["parameters"], record["name"]) == ("training", 5, "eeg")


def test_two_writers_are_refused(run: RunFolder):
    """The second hears of the first; after it the run is free."""
    with run.writing(), pytest.raises(RunError, match=r"is being written by another process. Wait for it"):  # noqa: SIM117
        with RunFolder.open(run.path).writing():
            pytest.fail("two writers")
    with run.writing():
        pass


def test_epochs_are_noted(run: RunFolder):
    """They come back as text."""
    run.append_metrics({"fold": "r0f0", "epoch": 0, "stop_loss": 0.5})
    assert run.metrics() == [{"fold": "r0f0", "epoch": "0", "stop_loss": "0.5"}]


def test_everything_lies_in_the_folder(run: RunFolder):
    """Each file has its place."""
    paths = [
        run.predictions_path, run.evaluation_path, run.report_path, run.figures_path, run.bundle_path,
        run.checkpoints_path("r0f0"), run.metrics_path,
    ]  # fmt: skip
    names = [
        "predictions.csv",
        "evaluation.json",
        "report.html",
        "figures",
        "bundle",
        "checkpoints/r0f0",
        "metrics.csv",
    ]
    assert [path.relative_to(run.path).as_posix() for path in paths] == names


def test_a_run_goes_on_with_what_it_began_with(run: RunFolder, cohort: Cohort):
    """The number of workers may differ, and how figures are made sure."""
    run.check_resumable(cohort)
    run.check_resumable(cohort, load_config(flags={"run.workers": 4, "evaluation.bootstrap": 500}))


def test_another_cohort_is_refused(run: RunFolder, cohort: Cohort):
    """Its patients would be trained on halfway."""
    fewer = replace(cohort, participants=cohort.participants[1:])
    with pytest.raises(RunError, match=r"was made from cohort ward as it was then, and .*cohort differs. Restore"):
        run.check_resumable(fewer)


def test_another_conditioning_is_refused(run: RunFolder, cohort: Cohort):
    """What is done already would be mixed with it (law 6)."""
    run.note(fingerprint="0" * 64)
    with pytest.raises(FingerprintMismatch, match="was trained behind conditioning 000000000000; today's is"):
        run.check_resumable(cohort)


@pytest.mark.parametrize(
    "changed", [{"recording_sha256": "f" * 64}, {"fma": 1.0}, {"weights": WINDOWS[0].weights / 2}, {"mains_hz": 60.0}]
)
def test_other_windows_are_refused_by_patient(run: RunFolder, changed: dict[str, object]):
    """Another recording, score or quality; a patient without windows today, and one without windows then."""
    first, *others = WINDOWS
    run.check_unchanged(WINDOWS)
    run.check_unchanged(others, among=[one.patient for one in others])
    for today in ([replace(first, **changed), *others], others, [*WINDOWS, replace(first, patient="0000a")]):
        with pytest.raises(RunError, match=r"was made from another recording or score of 1 patients: 0000a?\. Restore"):
            run.check_unchanged(today)


def test_other_settings_are_refused_by_name(run: RunFolder, cohort: Cohort):
    """Each that differs, with both values."""
    other = load_config(flags={"fit.epochs": 3, "run.seed": 9, "run.workers": 2})
    with pytest.raises(RunError, match=r"was made with run.seed 0, not 9, fit.epochs 30, not 3. Leave out --config"):
        run.check_resumable(cohort, other)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("{", r"has a run.json that cannot be read: Expecting"),
        ("[]", r"has a run.json that is no object"),
        ("{}", r"has a run.json of schema None, not flexion.run/1"),
        ('{"schema": "flexion.run/1", "state": 1}', r"has a run.json without name, made_utc, state, origin, cohort"),
    ],
)
def test_a_broken_record_is_refused(run: RunFolder, content: str, said: str):
    """In words."""
    run.record_path.write_text(content)
    with pytest.raises(RunError, match=said):
        RunFolder.open(run.path)


def test_a_record_without_a_fact_of_its_cohort_is_refused(run: RunFolder):
    """By name."""
    run.note(cohort={key: value for key, value in run.record["cohort"].items() if key != "path"})
    with pytest.raises(RunError, match=r"has a run.json without cohort.path. Restore the file"):
        RunFolder.open(run.path)


def test_a_cohort_that_was_moved_is_found_where_it_was_last_trained_on(run: RunFolder, cohort: Cohort, tmp_path: Path):
    """Until then its old place is named, with what to do."""
    moved = replace(cohort, folder=cohort.folder.rename(tmp_path / "moved"))
    with pytest.raises(
        RunError, match=r"in .*cohort, which is not there. Put it back, or say where it is: flexion evaluate"
    ):
        _ = run.cohort_folder
    run.note_cohort(moved)
    assert run.cohort_folder == moved.folder
    assert run.record["cohort"]["patients"] == 23


def test_rubbish_is_refused(tmp_path: Path, run: RunFolder):
    """A folder of something else, a file, nothing at all."""
    (tmp_path / "file").touch()
    for path in (tmp_path, tmp_path / "file", tmp_path / "nowhere"):
        with pytest.raises(RunError, match=r"is no run: it holds no run.json. Name the folder below runs/"):
            RunFolder.open(path)


def test_settings_and_splits_that_were_broken_are_refused(run: RunFolder):
    """By file."""
    text = run.config_path.read_text()
    run.config_path.write_text(text.replace("epochs = 30", "epochs = -1"))
    with pytest.raises(ConfigError, match=r"config.toml sets fit.epochs to -1"):
        RunFolder.open(run.path)
    run.config_path.write_text(text)
    document = json.loads(run.splits_path.read_text())
    fold = document["profiles"]["nested"]["folds"][0]
    fold["train"].append(fold["test"][0])
    run.splits_path.write_text(json.dumps(document))
    with pytest.raises(SplitError, match=r"splits.json: Patient .* is in both train and test of fold r0f0"):
        RunFolder.open(run.path)


def test_a_place_where_no_folder_can_be_made_is_named(tmp_path: Path, cohort: Cohort, monkeypatch: pytest.MonkeyPatch):
    """A file is in the way, or the folder takes no more."""
    splits = splits_of(cohort, "paper", 0, folds=3)
    (tmp_path / "file").touch()
    with pytest.raises(BadEnvironment, match=r"file cannot be made"):
        RunFolder.create(tmp_path / "file", load_config(), cohort, splits, WINDOWS)
    (tmp_path / "runs").mkdir()
    monkeypatch.setattr("training.runs.run_folder.make_folder", lambda folder: None)
    with pytest.raises(
        BadEnvironment, match=r"cannot be made: No such file or directory. Name another folder with --out"
    ):
        RunFolder.create(tmp_path / "nowhere", load_config(), cohort, splits, WINDOWS)


def test_a_run_on_scans_has_settings_of_its_own(tmp_path: Path, cohort: Cohort):
    """They are read back as such; a run of the one modality does not go on as the other."""
    config = load_image_config(flags={"model.weights": "none", "split.folds": 3})
    slices = [replace(one, fingerprint=config.preparation.fingerprint) for one in scans.patients(3, 0)]
    run = RunFolder.create(tmp_path / "runs", config, cohort, splits_of(cohort, "nested", 0, folds=3), slices)
    found = RunFolder.open(run.path)
    assert (found.modality, found.settings, found.image_config) == ("fmri", config, config)
    found.check_resumable(
        cohort, load_image_config(flags={"model.weights": "none", "split.folds": 3, "run.workers": 2})
    )
    found.check_unchanged(slices)
    other = [replace(slices[0], scan_sha256="f" * 64), *slices[1:]]
    with pytest.raises(RunError, match=f"another scan or score of 1 patients: {slices[0].patient}. .* and the scans"):
        found.check_unchanged(other)
    with pytest.raises(RunError, match=r"was made with .*model\.kind 'fmri', not 'bands'"):
        found.check_resumable(cohort, load_config(flags={"split.folds": 3}))
    with pytest.raises(ConfigError, match="sets model.kind to 'fmri'"):
        _ = found.config
    run.note(fingerprint="0" * 64)
    with pytest.raises(FingerprintMismatch, match="behind preparation 000000000000; today's is"):
        found.check_resumable(cohort)


def test_a_run_that_does_not_say_of_what_is_of_eeg(run: RunFolder):
    """Older ones do not."""
    record = {key: value for key, value in run.record.items() if key != "modality"}
    run.record_path.write_text(json.dumps(record))
    assert RunFolder.open(run.path).modality == "eeg_emg"
