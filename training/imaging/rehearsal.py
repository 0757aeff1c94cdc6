"""The rehearsal of a run on scans: a batch of each backbone is learned; only the slices of four patients are kept."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from training.cohort.cohort import Cohort
from training.cohort.participants import Participant
from training.data.slices import PatientSlices
from training.errors import TrainingError
from training.fitting.first_step import Step, first_step
from training.imaging.fold import slice_spec
from training.imaging.trainer import first_weights, slices_of_dealt, tell, tell_dealt
from training.runs.image_config import ImageConfig
from training.splitting.splits import FILE_NAME, Splits
from training.stages import Watcher, audited, deal, deal_some
from training.watching import NOBODY

#: Of the first fold, those of whom a batch is learned and one judged.
PARTS = ("train", "stop")
#: Bytes of a value, and of a slice of three channels.
BYTES, SLICE_BYTES = 4, 4 * 3 * 224 * 224
#: A fit under way keeps the weights, two moments of each and the best ones; the best ones lie beside it once more, and
#: alone when it is done.
COPIES_UNDER_WAY = 4


@dataclass(frozen=True)
class ImageRehearsal:
    """What a run on scans would do, and what its first steps were like.

    Parameters
    ----------
    patients, with_scan, good : int
        Who would be dealt.
    folds : int
        Of each backbone, that of the bundle among them.
    slices : int
        Of all patients, as far as those of four tell.
    batch : int
        Slices per step.
    epochs : mapping of str to int
        Of each backbone, at most.
    steps : mapping of str to Step
        Of each backbone: losses, seconds, parameters.
    hours : float
        Of the run, if every network took all its epochs, and judged after each.
    disk_mb : float
        Of slices that are kept and checkpoints.
    """

    patients: int
    with_scan: int
    good: int
    folds: int
    slices: int
    batch: int
    epochs: Mapping[str, int]
    steps: Mapping[str, Step]
    hours: float
    disk_mb: float

    @property
    def words(self) -> list[str]:
        """Return it for people, a line each."""
        lines = [
            f"{self.patients} patients, {self.with_scan} with a scan, {self.good} with a good outcome; "
            f"about {self.slices:,} slices.",
            f"{self.folds} networks of each backbone (that of the bundle among them), {self.batch} slices a step.",
        ]
        lines += [
            f"{name}: {step.n_parameters / 1e6:.1f} million parameters; one step took {step.seconds:.2f} s (loss "
            f"{step.loss:.3f}, stop {step.stop_loss:.3f}); {self.epochs[name]} epochs at most."
            for name, step in self.steps.items()
        ]
        return [*lines, f"All of it: {self.hours:.1f} hours at most, {self.disk_mb:,.0f} MB of disk. No run was made."]

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON values."""
        steps = {name: step._asdict() for name, step in self.steps.items()}
        return {**asdict(self), "epochs": dict(self.epochs), "steps": steps}


def rehearse_fmri(
    cohort_folder: Path, config: ImageConfig, *, limit_patients: int | None = None, watcher: Watcher = NOBODY
) -> ImageRehearsal:
    """Learn from one batch of the first fold with each backbone, and say what the run would do.

    Parameters are those of ``train_fmri``, which raises the same.
    """
    initialised = first_weights(config)
    cohort = audited(cohort_folder, watcher, config if limit_patients is None else None).cohort
    kept = limit_patients is None and (cohort.folder / FILE_NAME).exists()
    splits = deal(cohort, config) if kept else deal_some(cohort, config, limit_patients)
    tell_dealt(splits, watcher)
    tell(config, initialised, watcher)
    dealt = set(splits.patients)
    scanned = [one for one in cohort.participants if one.id in dealt and cohort.scans(one.id)]
    half = math.ceil(config.fit.batch / 2)
    parts = [
        _one_of_each(replace(cohort, participants=tuple(scanned)), splits, part, config, watcher) for part in PARTS
    ]
    train, stop = ([_first(one, half) for one in part] for part in parts)
    specs = {name: slice_spec(config, name, config.run.seed) for name in config.model.backbones}
    steps = {name: first_step(train, stop, spec) for name, spec in specs.items()}
    epochs = {name: spec.epochs for name, spec in specs.items()}
    mean = sum(len(one) for part in parts for one in part) / sum(map(len, parts))
    return _rehearsed(scanned, splits, config, mean, epochs, steps)


def _one_of_each(
    scanned: Cohort, splits: Splits, part: str, config: ImageConfig, watcher: Watcher
) -> list[PatientSlices]:
    """Return a patient of a part of the first fold with each outcome, whose scan may be used."""
    fold = splits.folds[0]
    found = []
    for good in (True, False):
        candidates = (one for one in scanned.participants if one.id in fold.parts()[part] and one.good is good)
        prepared = (_prepared(scanned, one, splits, config, watcher) for one in candidates)
        usable = next((slices for slices in prepared if slices is not None), None)
        if usable is None:
            word = "good" if good else "poor"
            raise TrainingError(
                f"Part {part} of fold {fold.name} has no patient with a {word} outcome and a scan that may be used.",
                subject=part,
                remedy="Add scans of such patients: sub-<patient>/func/sub-<patient>_task-rest_bold.nii.gz",
            )
        found.append(usable)
    return found


def _prepared(
    cohort: Cohort, one: Participant, splits: Splits, config: ImageConfig, watcher: Watcher
) -> PatientSlices | None:
    return slices_of_dealt(replace(cohort, participants=(one,)), splits, config, watcher)[0].get(one.id)


def _first(patient: PatientSlices, n: int) -> PatientSlices:
    """Return a patient with so many slices, from the middle of the head."""
    first = max(0, (len(patient) - n) // 2)
    part = slice(first, first + n)
    return replace(patient, index=patient.index[part], level_mm=patient.level_mm[part], slices=patient.slices[part])


def _rehearsed(
    scanned: Sequence[Participant],
    splits: Splits,
    config: ImageConfig,
    mean_slices: float,
    epochs: Mapping[str, int],
    steps: Mapping[str, Step],
) -> ImageRehearsal:
    names = {one.id for one in scanned}
    folds, seconds = splits.networks, 0.0
    for fold in folds:
        rows = [len(names.intersection(part)) * mean_slices for part in fold.parts().values()]
        seconds += sum(step.fit_s(epochs[name], *rows) for name, step in steps.items())
    total = round(len(names) * mean_slices)
    sizes = [step.n_parameters * BYTES for step in steps.values()]
    checkpoints = len(folds) * sum(sizes) + config.run.workers * max(sizes) * COPIES_UNDER_WAY
    return ImageRehearsal(
        patients=len(splits.patients),
        with_scan=len(names),
        good=sum(bool(one.good) for one in scanned),
        folds=len(folds),
        slices=total,
        batch=config.fit.batch,
        epochs=epochs,
        steps=steps,
        hours=seconds / min(config.run.workers, len(folds) * len(steps)) / 3600,
        disk_mb=(total * SLICE_BYTES + checkpoints) / 1e6,
    )
