"""Training: a cohort comes in; out of it come networks, what they say of patients that they never saw, and a bundle.

In this order: the audit, the windows, the splits, every fold and the final network, the baselines, the bundle. A run
that was stopped or killed goes on where it was; what is done is not done again.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

from inference.bundle import MANIFEST
from training.audit.audit import Audit, check
from training.baselines import baseline_predictions
from training.bundles.bundling import bundle_of_run
from training.cohort.cohort import Cohort
from training.data.windows import PatientWindows, prepare
from training.errors import Interrupted, SplitError
from training.fitting.checkpoints import BEST, read_network
from training.fitting.epochs import EpochReport
from training.fitting.memory import together_mb
from training.fold import FoldTask, fit_spec
from training.pool import FoldResult, run_folds
from training.pool import Watcher as PoolWatcher
from training.runs.config import Config
from training.runs.predictions import write_predictions
from training.runs.run_folder import RunFolder
from training.splitting.splits import Splits, nested, paper, splits_of


class Watcher(PoolWatcher, Protocol):
    """Who is told how far a run is."""

    def stage(self, name: str, n_total: int) -> None:
        """Hear what comes next, and how many patients or folds that are."""

    def finished(self, what: str) -> None:
        """Hear that one more of the stage is done."""

    def notice(self, words: str) -> None:
        """Hear something that people should know."""


class Silent:
    """Hears and says nothing."""

    def stage(self, name: str, n_total: int) -> None:
        """Do nothing."""

    def finished(self, what: str) -> None:
        """Do nothing."""

    def notice(self, words: str) -> None:
        """Do nothing."""

    def shown(self, fold: str, epoch: int, n_windows: int, n_total: int) -> None:
        """Do nothing."""

    def epoch(self, fold: str, report: EpochReport) -> None:
        """Do nothing."""

    def done(self, fold: str) -> None:
        """Do nothing."""


#: For whoever does not watch.
SILENT = Silent()


def train_eeg(
    cohort_folder: Path,
    config: Config,
    out: Path,
    *,
    resume: Path | None = None,
    limit_patients: int | None = None,
    watcher: Watcher = SILENT,
) -> RunFolder:
    """Train and test networks on a cohort, and make a bundle of the final one.

    Parameters
    ----------
    cohort_folder : Path
    config : Config
        Every setting; of a run that goes on, its own.
    out : Path
        Folder of all runs.
    resume : Path, optional
        A run to go on with.
    limit_patients : int, optional
        So many patients alone, for a trial; dealt for this run and not kept with the cohort.
    watcher : Watcher
        Is told how far it is.

    Raises
    ------
    CohortError
        If the audit finds an error.
    SplitError, RunError, TrainingError, FingerprintMismatch, GateError
        If something does not fit; before an epoch is spent where that can be known.
    BadEnvironment
        If a process was killed; DiskFull if the disk does not take what is kept.
    Interrupted
        If it was stopped; the message says how it goes on.
    """
    if resume is None:
        cohort = audited(cohort_folder, watcher).cohort
        splits = deal(cohort, config) if limit_patients is None else deal_some(cohort, config, limit_patients)
        windows = windows_of(cohort, splits, config, watcher)
        judged = _with_windows(splits, cohort, windows)
        run = RunFolder.create(out, config, cohort, splits, windows.values())
        if limit_patients is not None:
            _note_limit(run, splits, windows, limit_patients)
    else:
        run, cohort = RunFolder.open(resume), Cohort.open(cohort_folder)
        run.check_resumable(cohort, config)
        splits = run.splits
        windows = windows_of(cohort, splits, config, watcher)
        run.check_windows(windows.values())
        judged = _with_windows(splits, cohort, windows)
    with run.writing():
        run.note_cohort(cohort)
        _train(run, cohort, judged, config, windows, watcher)
        _export(run, watcher)
    return run


def audited(folder: Path, watcher: Watcher) -> Audit:
    """Return the audit of a cohort that has no error; raises CohortError with the list where it has."""
    audit = check(folder, _Auditing(watcher))
    audit.require()
    if warnings := audit.of("warning"):
        watcher.notice(f"The audit has {len(warnings)} warnings: flexion cohort check {folder}")
    return audit


def deal(cohort: Cohort, config: Config) -> Splits:
    """Return the splits that are kept with a cohort; the first run writes them."""
    split = config.split
    return splits_of(cohort, split.profile, split.seed, split.repeats, split.folds, split.inner)


def deal_some(cohort: Cohort, config: Config, limit_patients: int | None) -> Splits:
    """Return splits of some patients, or of all, that are kept nowhere."""
    split = config.split
    some = cohort.participants if limit_patients is None else cohort.limited(limit_patients).participants
    if split.profile == "paper":
        return paper(some, split.seed, cohort_sha256=cohort.sha256)
    return nested(some, split.seed, split.repeats, split.folds, split.inner, cohort_sha256=cohort.sha256)


def windows_of(cohort: Cohort, splits: Splits, config: Config, watcher: Watcher) -> dict[str, PatientWindows]:
    """Return the windows of everybody who was dealt and has a recording."""
    dealt = set(splits.patients)
    few = replace(cohort, participants=tuple(one for one in cohort.participants if one.id in dealt))
    raw = fit_spec(config).network.reads_samples
    return prepare(few, raw=raw, workers=config.run.workers, watcher=_Preparing(watcher))


def _with_windows(splits: Splits, cohort: Cohort, windows: Mapping[str, PatientWindows]) -> Splits:
    """Return the splits of those with windows; a refusal names whose recording has none."""
    try:
        return splits.with_eeg(windows)
    except SplitError as error:
        dealt = set(splits.patients) - windows.keys()
        without = sorted(one.id for one in cohort.participants if one.has_eeg and one.id in dealt)
        if not without:
            raise
        words = f"{error.message} Left out, since no window of their recordings has a weight: {', '.join(without)}."
        raise SplitError(words, subject=error.subject, remedy=error.remedy) from error


def _train(
    run: RunFolder,
    cohort: Cohort,
    splits: Splits,
    config: Config,
    windows: Mapping[str, PatientWindows],
    watcher: Watcher,
) -> None:
    """Train every network, and write what all models say."""
    run.note(state="training")
    begun_s = time.monotonic()
    tasks = [FoldTask.of(fold, config, run.checkpoints_path(fold.name)) for fold in splits.networks]
    new = [task.fold.name for task in tasks if not task.done]
    watcher.stage("Folds", len(tasks))
    results: dict[str, FoldResult] = {}
    state = "stopped"
    try:
        results = run_folds(tasks, windows, config.run.workers, _Noting(run, watcher))
        state = "training"
    except Interrupted as error:
        remedy = f"Go on with: flexion train eeg {cohort.folder} --resume {run.path}"
        raise Interrupted(error.message, subject=str(run.path), remedy=remedy) from error
    finally:
        peak_mb = together_mb([results[name].peak_mb for name in new if name in results], config.run.workers)
        run.note(state=state, training=_facts(run, time.monotonic() - begun_s, peak_mb))
    watcher.stage("Baselines", 1)
    said = [row for fold in splits.folds for row in results[fold.name].predictions]
    write_predictions(run.predictions_path, [*said, *baseline_predictions(cohort, windows, splits)])
    watcher.finished("baselines")
    final = read_network(run.checkpoints_path(splits.exported.name) / BEST)[0]
    run.note(state="done", parameters=sum(part.numel() for part in final.parameters()))


def _facts(run: RunFolder, seconds: float, peak_mb: float | None) -> dict[str, object]:
    """Return what is known of the training as such, for ``run.json``, with what is known from before it was stopped."""
    before, rows = run.record.get("training") or {}, run.metrics()
    shown_s, waited_s = (sum(float(row[key]) for row in rows) for key in ("seconds", "waiting_s"))
    return {
        "epochs": max(before.get("epochs", 0), len(rows)),
        "windows_per_s": sum(int(row["windows"]) for row in rows) / shown_s if shown_s else before.get("windows_per_s"),
        "waiting_share": waited_s / shown_s if shown_s else before.get("waiting_share"),
        "seconds": before.get("seconds", 0.0) + seconds,
        "peak_anonymous_mb": max((mb for mb in (before.get("peak_anonymous_mb"), peak_mb) if mb), default=None),
    }


def _export(run: RunFolder, watcher: Watcher) -> None:
    if (run.bundle_path / MANIFEST).is_file():
        return
    watcher.stage("Bundle", 1)
    bundle_of_run(run, run.bundle_path)
    watcher.finished("bundle")


def _note_limit(run: RunFolder, splits: Splits, windows: Mapping[str, PatientWindows], n: int) -> None:
    """Say in the run's record that it has some of the cohort's patients alone."""
    good = sum(len(members) for name, members in splits.strata.items() if name.startswith("good"))
    counts = {"patients": len(splits.patients), "with_eeg": len(windows), "good": good, "limited_to": n}
    run.note(cohort={**run.record["cohort"], **counts})


@dataclass(frozen=True)
class _Auditing:
    """Passes an audit's progress on."""

    watcher: Watcher

    def begins(self, n_patients: int) -> None:
        self.watcher.stage("Audit", n_patients)

    def finished(self, patient: str) -> None:
        self.watcher.finished(patient)


@dataclass(frozen=True)
class _Preparing:
    """Passes the progress of the windows on."""

    watcher: Watcher

    def begins(self, n_patients: int) -> None:
        self.watcher.stage("Windows", n_patients)

    def has(self, windows: PatientWindows, made: bool) -> None:
        if not len(windows):
            self.watcher.notice(f"Patient {windows.patient} is left out: no window of the recording has a weight.")
        self.watcher.finished(windows.patient)


class _Noting:
    """Notes every epoch in the run's folder, once, and passes all on."""

    def __init__(self, run: RunFolder, watcher: Watcher) -> None:
        self._run, self._watcher = run, watcher
        self._noted = {(row["fold"], int(row["epoch"])) for row in run.metrics()}

    def shown(self, fold: str, epoch: int, n_windows: int, n_total: int) -> None:
        self._watcher.shown(fold, epoch, n_windows, n_total)

    def epoch(self, fold: str, report: EpochReport) -> None:
        if (fold, report.epoch) not in self._noted:
            self._noted.add((fold, report.epoch))
            self._run.append_metrics(_metrics_row(fold, report))
        self._watcher.epoch(fold, report)

    def done(self, fold: str) -> None:
        self._watcher.done(fold)


def _metrics_row(fold: str, report: EpochReport) -> dict[str, str | int | float]:
    return {
        "fold": fold,
        "epoch": report.epoch,
        "loss": report.loss,
        "stop_loss": report.stop_loss,
        "stop_auc": "" if report.stop_auc is None else report.stop_auc,
        "learning_rate": report.learning_rate,
        "warm": int(report.warm),
        "windows": report.windows,
        "seconds": report.seconds,
        "waiting_s": report.waiting_s,
        "windows_per_s": report.windows / report.seconds,
        "waiting_share": report.waiting_s / report.seconds,
    }
