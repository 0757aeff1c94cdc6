"""Training: a cohort comes in; out of it come networks, what they say of patients that they never saw, and a bundle.

In this order: the audit, the windows, the splits, every fold and the final network, the baselines, the bundle. A run
that was stopped or killed goes on where it was; what is done is not done again.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from inference.bundle import MANIFEST
from training.baselines import baseline_predictions
from training.bundles.bundling import bundle_of_run
from training.cohort.cohort import Cohort
from training.data.windows import PatientWindows, prepare
from training.errors import SplitError
from training.fitting.checkpoints import BEST, read_network
from training.fold import FoldTask, fit_spec
from training.runs.config import Config
from training.runs.predictions import write_predictions
from training.runs.run_folder import RunFolder
from training.splitting.splits import Splits
from training.stages import Watcher, audited, deal, deal_some, train_folds
from training.watching import NOBODY


def train_eeg(
    cohort_folder: Path,
    config: Config,
    out: Path,
    *,
    resume: Path | None = None,
    limit_patients: int | None = None,
    watcher: Watcher = NOBODY,
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
        cohort = audited(cohort_folder, watcher, config if limit_patients is None else None).cohort
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
        run.check_unchanged(windows.values())
        judged = _with_windows(splits, cohort, windows)
    with run.writing():
        run.note_cohort(cohort)
        _train(run, cohort, judged, config, windows, watcher)
        _export(run, watcher)
    return run


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
    tasks = [FoldTask.of(fold, config, run.checkpoints_path(fold.name)) for fold in splits.networks]
    command = f"flexion train eeg {cohort.folder}"
    results = train_folds(tasks, windows, run, watcher, workers=config.run.workers, command=command)
    watcher.stage("Baselines", 1)
    said = [row for fold in splits.folds for row in results[fold.name].predictions]
    write_predictions(run.predictions_path, [*said, *baseline_predictions(cohort, windows, splits)])
    watcher.finished("baselines")
    final = read_network(run.checkpoints_path(splits.exported.name) / BEST)[0]
    run.note(state="done", parameters=sum(part.numel() for part in final.parameters()))


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
class _Preparing:
    """Passes the progress of the windows on."""

    watcher: Watcher

    def begins(self, n_patients: int) -> None:
        self.watcher.stage("Windows", n_patients)

    def has(self, windows: PatientWindows, made: bool) -> None:
        if not len(windows):
            self.watcher.notice(f"Patient {windows.patient} is left out: no window of the recording has a weight.")
        self.watcher.finished(windows.patient)
