"""A whole run on a small cohort: what it leaves, how it goes on, and what it refuses before an epoch is spent."""

from __future__ import annotations

import os
import re
import shutil
import signal
from collections import Counter
from dataclasses import replace
from itertools import count
from multiprocessing import active_children
from pathlib import Path
from types import SimpleNamespace

import pytest

from acquisition.errors import BadEnvironment
from inference.bundle import Bundle
from tests.training.patients import patients
from training.cohort.cohort import Cohort
from training.cohort.errors import CohortError
from training.cohort.participants import TABLE, read_participants, write_participants
from training.data.windows import prepare
from training.errors import Interrupted, RunError, SplitError
from training.fitting.epochs import EpochReport
from training.rehearsal import _step, _window_bytes, rehearse
from training.runs.config import Config, load_config
from training.runs.predictions import read_predictions
from training.runs.run_folder import RunFolder
from training.splitting.splits import FILE_NAME
from training.trainer import train_eeg
from training.watching import Nobody

#: Two folds and the final network, three epochs each, so narrow that they take no time.
FLAGS = {
    "split.repeats": 1,
    "split.folds": 2,
    "model.widths": (8, 4),
    "model.heads": (),
    "fit.epochs": 3,
    "fit.batch": 16,
}


@pytest.fixture(scope="module")
def cohort(small_cohort: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a copy of the small cohort, as training writes its splits into it."""
    return shutil.copytree(small_cohort, tmp_path_factory.mktemp("trained") / "cohort")


@pytest.fixture(scope="module")
def config() -> Config:
    """Return settings of a run that takes seconds."""
    return load_config(None, "bands", FLAGS)


class Hears(Nobody):
    """Remembers what it is told."""

    def __init__(self) -> None:
        self.stages: list[tuple[str, int]] = []
        self.epochs: list[tuple[str, int]] = []
        self.folds: list[str] = []

    def stage(self, name: str, n_total: int) -> None:
        self.stages.append((name, n_total))

    def epoch(self, fold: str, report: EpochReport) -> None:
        self.epochs.append((fold, report.epoch))

    def done(self, fold: str) -> None:
        self.folds.append(fold)


class Strikes(Nobody):
    """Sends a signal in the second epoch of a fold, once."""

    def __init__(self, fold: str, strike) -> None:
        self.fold, self.strike, self.struck = fold, strike, False

    def shown(self, fold: str, epoch: int, n_windows: int, n_total: int) -> None:
        if not self.struck and (fold, epoch) == (self.fold, 1):
            self.struck = True
            self.strike()


@pytest.fixture(scope="module")
def run(cohort: Path, config: Config, tmp_path_factory: pytest.TempPathFactory) -> tuple[RunFolder, Hears]:
    """Return a run, and what was told of it."""
    hears = Hears()
    return train_eeg(cohort, config, tmp_path_factory.mktemp("runs"), watcher=hears), hears


def test_a_run_says_what_it_was_made_from_and_how_fast(run):
    """Its record is done, synthetic, and has the figures of the training."""
    record, hears = run[0].record, run[1]
    assert (record["state"], record["origin"]) == ("done", "synthetic")
    assert len(record["fingerprint"]) == 64
    assert record["parameters"] == 4 * 8 * (64 + 8 + 2) + 4 * 4 * (8 + 4 + 2) + 5
    training = record["training"]
    assert training["epochs"] == len(hears.epochs) == len(run[0].metrics())
    assert training["windows_per_s"] > 0 and 0 <= training["waiting_share"] < 1
    assert hears.folds == ["r0f0", "r0f1", "final"]
    assert [name for name, _ in hears.stages] == ["Audit", "Windows", "Folds", "Baselines", "Bundle"]


def test_every_patient_is_judged_once_by_who_never_saw_him(run, cohort):
    """Each window of each tested patient has one row of the network; baselines have a row for each patient."""
    folder, splits = run[0], run[0].splits
    rows = read_predictions(folder.predictions_path)
    network = [row for row in rows if row.model == "lstm-bands"]
    assert {row.unit for row in network} == {"window"}
    assert set(Counter((row.patient, row.index) for row in network).values()) == {1}
    with_eeg = {one.id for one in Cohort.open(cohort).participants if one.has_eeg}
    assert {row.patient for row in network} == with_eeg
    for fold in splits.folds:
        judged = {row.patient for row in network if row.fold == fold.fold}
        assert judged == set(fold.test) & with_eeg
        assert not judged & {*fold.train, *fold.stop}
    baselines = {row.model for row in rows if row.unit == "patient"}
    assert {"majority", "band-power"} <= baselines


def test_a_run_ends_with_a_bundle_that_loads(run):
    """It is stamped with where it came from."""
    bundle = Bundle.load(run[0].bundle_path)
    assert bundle.manifest.head.origin == "synthetic"


def test_what_is_done_is_not_done_again(run, cohort, config):
    """A run that is done and gone on with trains nothing, changes no file of a fold, and keeps what is known of it."""
    before = {path: path.stat().st_mtime_ns for path in run[0].path.glob("checkpoints/*/*")}
    predictions, metrics = run[0].predictions_path.read_bytes(), run[0].metrics_path.read_bytes()
    training = run[0].record["training"] | {"peak_anonymous_mb": 1e6}
    run[0].note(training=training, cohort=run[0].record["cohort"] | {"path": "../where it was before"})
    run[0].metrics_path.unlink()
    hears = Hears()
    train_eeg(cohort, run[0].config, run[0].path.parent, resume=run[0].path, watcher=hears)
    run[0].metrics_path.write_bytes(metrics)
    assert run[0].record["training"] | {"seconds": 0} == training | {"seconds": 0}
    assert run[0].cohort_folder == cohort
    assert hears.epochs == []
    assert {path: path.stat().st_mtime_ns for path in before} == before
    assert run[0].predictions_path.read_bytes() == predictions


def test_a_run_goes_on_with_the_scores_that_it_began_with(run, cohort, config):
    """Another score of the same outcome, of whoever it is: what is done already learned and judged the old one."""
    table = cohort / TABLE
    before = table.read_bytes()
    rows = read_participants(table)
    other = next(row.id for row in rows if row.has_eeg and row.good)
    write_participants(table, [replace(row, fma_3mo=33.5) if row.id == other else row for row in rows])
    try:
        with pytest.raises(RunError, match=f"another recording or score of 1 patients: {other}"):
            train_eeg(cohort, config, run[0].path.parent, resume=run[0].path)
    finally:
        table.write_bytes(before)


@pytest.mark.faults
@pytest.mark.timeout(240)
def test_a_run_that_was_stopped_goes_on_to_the_same_bits_in_any_number_of_processes(run, cohort, config, tmp_path):
    """Ctrl-C within an epoch: the message says how to go on, and two processes end as one would have."""
    strikes = Strikes("r0f1", lambda: os.kill(os.getpid(), signal.SIGINT))
    with pytest.raises(Interrupted, match=r"stopped in epoch 2.*Go on with: flexion train eeg .* --resume ") as stopped:
        train_eeg(cohort, config, tmp_path, watcher=strikes)
    left = RunFolder.open(Path(re.findall(r"--resume (\S+)", str(stopped.value))[0]))
    assert left.record["state"] == "stopped"
    assert not left.predictions_path.exists()
    flags = FLAGS | {"run.workers": 2}
    gone_on = train_eeg(cohort, load_config(None, "bands", flags), tmp_path, resume=left.path)
    assert gone_on.predictions_path.read_bytes() == run[0].predictions_path.read_bytes()
    epochs = Counter((row["fold"], row["epoch"]) for row in gone_on.metrics())
    assert epochs == Counter((row["fold"], row["epoch"]) for row in run[0].metrics())
    assert gone_on.record["state"] == "done"


@pytest.mark.faults
@pytest.mark.timeout(240)
def test_a_process_that_is_killed_is_told_and_nothing_is_lost(cohort, tmp_path):
    """The refusal says how to go on with fewer of them."""
    config = load_config(None, "bands", FLAGS | {"run.workers": 2, "fit.epochs": 40, "fit.patience": 40})
    strikes = Strikes("r0f0", lambda: [os.kill(child.pid, signal.SIGKILL) for child in active_children() if child.pid])
    with pytest.raises(BadEnvironment, match="killed, perhaps since memory ran out.*fewer --workers"):
        train_eeg(cohort, config, tmp_path, watcher=strikes)
    (left,) = tmp_path.iterdir()
    assert (left / "checkpoints" / "r0f0" / "last.pt").exists()


def test_a_cohort_with_an_error_is_refused_before_anything_is_made(cohort, config, tmp_path):
    """The list of what to mend comes with it; there is no run folder."""
    broken = shutil.copytree(cohort, tmp_path / "broken")
    table = broken / "participants.tsv"
    lines = table.read_text().splitlines()
    column = lines[0].split("\t").index("fma_le_3mo")
    cells = lines[1].split("\t")
    cells[column] = "99"
    table.write_text("\n".join([lines[0], "\t".join(cells), *lines[2:]]) + "\n")
    with pytest.raises(CohortError, match="flexion cohort check"):
        train_eeg(broken, config, tmp_path / "runs")
    assert not (tmp_path / "runs").exists()


def test_splits_of_other_settings_are_refused_before_anything_is_read(run, cohort, config, tmp_path):
    """An audit takes minutes; whether the cohort was dealt with these settings is seen at once."""
    other, told = load_config(None, "bands", FLAGS | {"split.seed": 7}), Hears()
    with pytest.raises(SplitError, match="Set split.seed to 0"):
        train_eeg(cohort, other, tmp_path / "runs", watcher=told)
    with pytest.raises(SplitError, match="Set split.seed to 0"):
        rehearse(cohort, other, watcher=told)
    assert told.stages == []
    assert not (tmp_path / "runs").exists()


def test_an_outcome_without_a_good_window_is_refused_before_anything_is_made(cohort, config, tmp_path, monkeypatch):
    """Those who were left out for that are named."""
    gone = {one.id for one in Cohort.open(cohort).participants if one.has_eeg and not one.good}

    def without(*given, **how):
        return {patient: windows for patient, windows in prepare(*given, **how).items() if patient not in gone}

    monkeypatch.setattr("training.trainer.prepare", without)
    with pytest.raises(SplitError, match=f"Left out, since no window .*: {', '.join(sorted(gone))}"):
        train_eeg(cohort, config, tmp_path / "runs")
    assert not (tmp_path / "runs").exists()


def test_a_paper_run_of_some_patients_is_one_network_and_leaves_the_cohort_s_splits_alone(small_cohort, tmp_path):
    """It is dealt for itself and says how many; the network that was judged is the one that leaves."""
    cohort = shutil.copytree(small_cohort, tmp_path / "cohort")
    hears, paper = Hears(), load_config(None, "bands", FLAGS | {"split.profile": "paper"})
    run = train_eeg(cohort, paper, tmp_path / "runs", limit_patients=14, watcher=hears)
    assert not (cohort / FILE_NAME).exists()
    about = run.record["cohort"]
    assert (about["patients"], about["limited_to"]) == (14, 14)
    assert len(run.splits.patients) == 14
    assert 0 < about["good"] < 14 >= about["with_eeg"]
    assert hears.folds == [path.name for path in run.path.glob("checkpoints/*")] == ["paper"]
    bundle = Bundle.load(run.bundle_path)
    assert "those of this very network" in " ".join((bundle.path / "card.md").read_text("utf-8").split())


def test_another_cohort_cannot_go_on_with_a_run(run, small_cohort, config, tmp_path):
    """A changed outcome is another cohort."""
    other = shutil.copytree(small_cohort, tmp_path / "other")
    table = other / "participants.tsv"
    table.write_text("\n".join(table.read_text().splitlines()[:-1]) + "\n")
    with pytest.raises(RunError, match="was made from cohort"):
        train_eeg(other, config, tmp_path, resume=run[0].path)


@pytest.mark.parametrize("limit", [None, 12])
def test_a_rehearsal_leaves_nothing_and_says_what_would_be_done(small_cohort, tmp_path, config, limit):
    """One batch is learned and one judged; patients, windows, networks, time and disk are told."""
    cohort = shutil.copytree(small_cohort, tmp_path / "cohort")
    told = rehearse(cohort, config, limit_patients=limit)
    assert not (cohort / FILE_NAME).exists()
    assert list(tmp_path.iterdir()) == [cohort]
    assert (told.patients, told.folds, told.epochs, told.batch) == (limit or 16, 3, 3, 16)
    assert told.windows == 6 * told.with_eeg
    assert 0 < told.loss < 3 and 0 < told.stop_loss < 3
    assert told.hours > 0 and told.disk_mb > 0
    assert f"{told.patients} patients" in told.words[0]


@pytest.mark.parametrize(("kind", "values"), [("bands", 20 * 8), ("raw", 20 * 8 + 1200 * 2)])
def test_a_rehearsal_measures_what_is_kept_of_a_window(kind, values, monkeypatch):
    """Of two channels: a montage of 22 keeps more than one of 16. It has no crops of a warm start, which are faster."""
    made = load_config(None, kind, FLAGS | {"fit.warm_start": 2 * (kind == "raw")})
    monkeypatch.setattr("training.fitting.windows.cropped", lambda x: pytest.fail("a crop"))
    train, stop = (patients(6, first, raw=kind == "raw") for first in (0, 1000))
    assert _step(train, stop, made).learned_s > 0
    assert _window_bytes(train[0]) == 4 * values


def test_a_rehearsal_has_the_splits_of_a_cohort_that_has_some_and_counts_all_windows(run, cohort, config, monkeypatch):
    """Those of its file are taken, and stay as they are; it times a patient of each outcome who has windows.

    The hours are of every window that is learned from, and of the judging before the first epoch and after each.
    """
    before, splits, members = (cohort / FILE_NAME).read_bytes(), run[0].splits, Cohort.open(cohort)
    splits = splits.with_eeg(patient for patient in splits.patients if members.participant(patient).has_eeg)
    gone = next(patient for patient in splits.folds[0].train if members.participant(patient).good)

    def without(*given, **how):
        return {patient: windows for patient, windows in prepare(*given, **how).items() if patient != gone}

    monkeypatch.setattr("training.trainer.prepare", without)
    monkeypatch.setattr("training.fitting.first_step.time", SimpleNamespace(perf_counter=count().__next__))
    told = rehearse(cohort, config)
    assert told.patients == len(run[0].splits.patients)
    assert (cohort / FILE_NAME).read_bytes() == before
    # A second for the twelve windows that were learned from, and one for the twelve that were judged.
    parts = [[6 * len(part) for part in fold.parts().values()] for fold in splits.networks]
    seconds = sum(3 * n_train + 4 * n_stop + n_test for n_train, n_stop, n_test in parts) / 12
    assert told.hours == pytest.approx(seconds / 3600)
