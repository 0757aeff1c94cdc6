"""The stages that every training run has, whatever it learns from: the audit, the dealing, the folds, what is noted."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from training.audit.audit import Audit, check
from training.cohort.cohort import Cohort
from training.data.batches import Dealt
from training.errors import Interrupted
from training.fitting.epochs import EpochReport
from training.fitting.memory import together_mb
from training.fold import Task
from training.pool import FoldResult, run_folds
from training.pool import Watcher as PoolWatcher
from training.runs.image_config import KIND
from training.runs.run_folder import AnyConfig, RunFolder
from training.splitting.dealing import By
from training.splitting.splits import Splits, check_dealt, dealt_for, nested, paper, splits_of


class Watcher(PoolWatcher, Protocol):
    """Who is told how far a run is."""

    def stage(self, name: str, n_total: int) -> None:
        """Hear what comes next, and how many patients or folds that are."""

    def finished(self, what: str) -> None:
        """Hear that one more of the stage is done."""

    def notice(self, words: str) -> None:
        """Hear something that people should know."""


def audited(folder: Path, watcher: Watcher, dealt_by: AnyConfig | None = None) -> Audit:
    """Return the audit of a cohort that has no error.

    Parameters
    ----------
    folder : Path
    watcher : Watcher
    dealt_by : Config or ImageConfig, optional
        Settings that the cohort's own splits must fit: that takes no minutes of reading, and is seen first.

    Raises
    ------
    CohortError
        With the list of what is wrong.
    SplitError
        If the cohort was dealt with other settings.
    """
    if dealt_by is not None:
        split = dealt_by.split
        check_dealt(folder, split.profile, split.seed, split.folds, split.inner)
    audit = check(folder, _Auditing(watcher))
    audit.require()
    if warnings := audit.of("warning"):
        watcher.notice(f"The audit has {len(warnings)} warnings: flexion cohort check {folder}")
    return audit


def deal(cohort: Cohort, config: AnyConfig) -> Splits:
    """Return the splits that are kept with a cohort; the first run writes them."""
    split, needs_eeg = config.split, config.model.kind != KIND
    return splits_of(cohort, split.profile, split.seed, split.repeats, split.folds, split.inner, needs_eeg=needs_eeg)


def deal_some(cohort: Cohort, config: AnyConfig, limit_patients: int | None) -> Splits:
    """Return splits of some patients, or of all, that are kept nowhere."""
    split, sha256 = config.split, cohort.sha256
    some = cohort.participants if limit_patients is None else cohort.limited(limit_patients).participants

    def way(by: By) -> Splits:
        if split.profile == "paper":
            return paper(some, split.seed, cohort_sha256=sha256, by=by)
        return nested(some, split.seed, split.repeats, split.folds, split.inner, cohort_sha256=sha256, by=by)

    return dealt_for(way, needs_eeg=config.model.kind != KIND)


def train_folds(
    tasks: Sequence[Task],
    patients: Mapping[str, Dealt],
    run: RunFolder,
    watcher: Watcher,
    *,
    workers: int,
    command: str,
    what: str = "windows",
) -> dict[str, FoldResult]:
    """Return what every task says; what is known of the training is noted however it ends.

    Parameters
    ----------
    tasks : sequence of Task
    patients : mapping of str to Dealt
        All of theirs.
    run : RunFolder
        Whose.
    watcher : Watcher
    workers : int
        Processes.
    command : str
        That goes on with the run when ``--resume`` and its folder are put behind it.
    what : str
        Of which a patient has many.

    Raises
    ------
    Interrupted
        If it was stopped; the message says how it goes on.
    """
    run.note(state="training")
    begun_s = time.monotonic()
    new = [task.name for task in tasks if not task.done]
    watcher.stage("Folds", len(tasks))
    results: dict[str, FoldResult] = {}
    state = "stopped"
    try:
        results = run_folds(tasks, patients, workers, _Noting(run, watcher, what))
        state = "training"
    except Interrupted as error:
        remedy = f"Go on with: {command} --resume {run.path}"
        raise Interrupted(error.message, subject=str(run.path), remedy=remedy) from error
    finally:
        peak_mb = together_mb([results[name].peak_mb for name in new if name in results], workers)
        run.note(state=state, training=_facts(run, time.monotonic() - begun_s, peak_mb, what))
    return results


@dataclass(frozen=True)
class _Auditing:
    """Passes an audit's progress on."""

    watcher: Watcher

    def begins(self, n_patients: int) -> None:
        self.watcher.stage("Audit", n_patients)

    def finished(self, patient: str) -> None:
        self.watcher.finished(patient)


class _Noting:
    """Notes every epoch in the run's folder, once, and passes all on."""

    def __init__(self, run: RunFolder, watcher: Watcher, what: str) -> None:
        self._run, self._watcher, self._what = run, watcher, what
        self._noted = {(row["fold"], int(row["epoch"])) for row in run.metrics()}

    def shown(self, fold: str, epoch: int, n_windows: int, n_total: int) -> None:
        self._watcher.shown(fold, epoch, n_windows, n_total)

    def epoch(self, fold: str, report: EpochReport) -> None:
        if (fold, report.epoch) not in self._noted:
            self._noted.add((fold, report.epoch))
            self._run.append_metrics(_metrics_row(fold, report, self._what))
        self._watcher.epoch(fold, report)

    def done(self, fold: str) -> None:
        self._watcher.done(fold)


def _metrics_row(fold: str, report: EpochReport, what: str) -> dict[str, str | int | float]:
    return {
        "fold": fold,
        "epoch": report.epoch,
        "loss": report.loss,
        "stop_loss": report.stop_loss,
        "stop_auc": "" if report.stop_auc is None else report.stop_auc,
        "learning_rate": report.learning_rate,
        "warm": int(report.warm),
        what: report.windows,
        "seconds": report.seconds,
        "waiting_s": report.waiting_s,
        f"{what}_per_s": report.windows / report.seconds,
        "waiting_share": report.waiting_s / report.seconds,
    }


def _facts(run: RunFolder, seconds: float, peak_mb: float | None, what: str) -> dict[str, object]:
    """Return what is known of the training as such, for ``run.json``, with what is known from before it was stopped."""
    before, rows = run.record.get("training") or {}, run.metrics()
    shown_s, waited_s = (sum(float(row[key]) for row in rows) for key in ("seconds", "waiting_s"))
    speed = f"{what}_per_s"
    return {
        "epochs": max(before.get("epochs", 0), len(rows)),
        speed: sum(int(row[what]) for row in rows) / shown_s if shown_s else before.get(speed),
        "waiting_share": waited_s / shown_s if shown_s else before.get("waiting_share"),
        "seconds": before.get("seconds", 0.0) + seconds,
        "peak_anonymous_mb": max((mb for mb in (before.get("peak_anonymous_mb"), peak_mb) if mb), default=None),
    }
