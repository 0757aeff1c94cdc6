"""The rehearsal of a run: one batch is learned and one judged, nothing is kept but the windows of four patients."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from training.audit.audit import Audit
from training.cohort.cohort import Cohort
from training.cohort.opening import SPEC
from training.cohort.participants import Participant
from training.data.tokens import BankSpec
from training.data.windows import PatientWindows
from training.fitting.first_step import Step, first_step
from training.fold import fit_spec
from training.runs.config import Config
from training.splitting.splits import FILE_NAME, Splits
from training.stages import Watcher, audited, deal, deal_some
from training.trainer import windows_of
from training.watching import NOBODY

#: Bytes of a weight.
BYTES = 4
#: A checkpoint has the weights, two moments of each, and the best ones; the best ones lie beside it once more.
COPIES = 5


@dataclass(frozen=True)
class Rehearsal:
    """What a run would do, and what its first step was like.

    Parameters
    ----------
    patients, with_eeg, good : int
        Who would be dealt.
    folds : int
        Networks, that of the bundle among them.
    windows : int
        Of all patients, as far as the lengths of their recordings tell.
    epochs : int
        Of each network, at most.
    loss, stop_loss : float
        Of one batch, and of the windows that were judged.
    step_s : float
        Seconds that the batch took.
    hours : float
        Of the run, if every network took all its epochs over whole windows, and judged after each.
    disk_mb : float
        Of windows that are kept and checkpoints.
    """

    patients: int
    with_eeg: int
    good: int
    folds: int
    windows: int
    epochs: int
    batch: int
    loss: float
    stop_loss: float
    step_s: float
    hours: float
    disk_mb: float

    @property
    def words(self) -> list[str]:
        """Return it for people, a line each."""
        return [
            f"{self.patients} patients, {self.with_eeg} with EEG, {self.good} with a good outcome; "
            f"about {self.windows:,} windows.",
            f"{self.folds} networks (that of the bundle among them), {self.epochs} epochs each at most, "
            f"{self.batch} windows a step.",
            f"One step took {self.step_s:.2f} s (loss {self.loss:.3f}), one batch was judged (loss "
            f"{self.stop_loss:.3f}).",
            f"All of it: {self.hours:.1f} hours at most, {self.disk_mb:,.0f} MB of disk. No run was made.",
        ]

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON values."""
        return asdict(self)


def rehearse(
    cohort_folder: Path, config: Config, *, limit_patients: int | None = None, watcher: Watcher = NOBODY
) -> Rehearsal:
    """Learn from one batch of the first fold and judge one, and say what the run would do.

    Parameters are those of ``train_eeg``, which raises the same.
    """
    audit = audited(cohort_folder, watcher, config if limit_patients is None else None)
    cohort = audit.cohort
    kept = limit_patients is None and (cohort.folder / FILE_NAME).exists()
    splits = deal(cohort, config) if kept else deal_some(cohort, config, limit_patients)
    half = math.ceil(config.fit.batch / 2)
    train, stop = ([_first(one, half) for one in part] for part in _few(cohort, splits, config, watcher))
    step = _step(train, stop, config)
    return _rehearsed(audit, splits, config, step, _window_bytes(train[0]))


def _few(cohort: Cohort, splits: Splits, config: Config, watcher: Watcher) -> list[list[PatientWindows]]:
    """Return a patient of each outcome who trains, and who stops; whoever has no good window is passed over."""
    without: set[str] = set()
    while True:
        chosen = [_one_of_each(cohort, part, without) for part in (splits.folds[0].train, splits.folds[0].stop)]
        some = replace(cohort, participants=tuple(one for part in chosen for one in part))
        windows = windows_of(some, splits, config, watcher)
        missing = {one.id for one in some.participants if one.id not in windows}
        if not missing:
            return [[windows[one.id] for one in part] for part in chosen]
        without |= missing


def _one_of_each(cohort: Cohort, patients: Sequence[str], without: Collection[str]) -> list[Participant]:
    """Return a patient with EEG of each outcome, if there is one."""
    members = [one for one in cohort.participants if one.id in patients and one.has_eeg and one.id not in without]
    firsts = (next((one for one in members if one.good is good), None) for good in (True, False))
    return [one for one in firsts if one]


def _first(patient: PatientWindows, n: int) -> PatientWindows:
    x = None if patient.x is None else patient.x[:n]
    return replace(patient, weights=patient.weights[:n], index=patient.index[:n], tokens=patient.tokens[:n], x=x)


def _step(train: Sequence[PatientWindows], stop: Sequence[PatientWindows], config: Config) -> Step:
    # Crops of a warm start would be ten times as fast as what comes after them.
    return first_step(train, stop, replace(fit_spec(config), warm_start=0))


def _window_bytes(patient: PatientWindows) -> int:
    """Return what is kept of a window on disk."""
    return sum(part[0].nbytes for part in (patient.tokens, patient.x) if part is not None)


def _rehearsed(audit: Audit, splits: Splits, config: Config, step: Step, window_bytes: int) -> Rehearsal:
    dealt, cohort = set(splits.patients), audit.cohort
    members = [one for one in cohort.participants if one.id in dealt]
    n_windows = {row.patient: _n_windows(row.seconds or 0.0) for row in audit.rows}
    folds, epochs = splits.networks, config.fit.epochs
    seconds = 0.0
    for fold in folds:
        n_train, n_stop, n_test = (sum(n_windows[patient] for patient in part) for part in fold.parts().values())
        seconds += step.fit_s(epochs, n_train, n_stop, n_test)
    total = sum(n_windows[one.id] for one in members)
    return Rehearsal(
        patients=len(members),
        with_eeg=sum(one.has_eeg for one in members),
        good=sum(bool(one.good) for one in members),
        folds=len(folds),
        windows=total,
        epochs=epochs,
        batch=config.fit.batch,
        loss=step.loss,
        stop_loss=step.stop_loss,
        step_s=step.seconds,
        hours=seconds / min(config.run.workers, len(folds)) / 3600,
        disk_mb=(total * window_bytes + len(folds) * step.n_parameters * BYTES * COPIES) / 1e6,
    )


def _n_windows(seconds: float) -> int:
    return max(0, int((seconds * BankSpec().rate_hz - SPEC.window.settling) // SPEC.window.stride))
