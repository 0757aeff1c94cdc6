"""Training on scans: a cohort comes in; out of it come image networks, what they say of patients that they never saw.

In this order: the first weights, the audit, the splits, the slices, every fold and the final network of every backbone,
the choice among them, the baselines, the bundle. A run that was stopped or killed goes on where it was.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from inference.bundle import MANIFEST
from training.backbones.augmentation import MIRRORED
from training.backbones.backbone import Backbone
from training.backbones.catalogue import ARCHITECTURES
from training.backbones.kept import read_backbone
from training.backbones.weights import Initialised, Weights, read_weights
from training.baselines import known_predictions
from training.cohort.cohort import Cohort
from training.data.slices import LeftOut, PatientSlices, prepare_slices
from training.errors import RunError, SplitError
from training.fitting.checkpoints import BEST
from training.imaging.choice import Choice, choices, chosen_rows
from training.imaging.fold import SliceTask, task_name
from training.pool import FoldResult
from training.runs.image_config import ImageConfig
from training.runs.predictions import Prediction, write_predictions
from training.runs.run_folder import RunFolder
from training.splitting.splits import Splits
from training.stages import Watcher, audited, deal, deal_some, train_folds
from training.watching import NOBODY


def train_fmri(
    cohort_folder: Path,
    config: ImageConfig,
    out: Path,
    *,
    resume: Path | None = None,
    limit_patients: int | None = None,
    watcher: Watcher = NOBODY,
) -> RunFolder:
    """Train and test image networks on a cohort's scans, and make a bundle of the final one.

    Parameters
    ----------
    cohort_folder : Path
    config : ImageConfig
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
    WeightsError
        If first weights are asked for that are not there; the message says which file to put where.
    CohortError
        If the audit finds an error.
    SplitError, RunError, TrainingError, FingerprintMismatch, GateError
        If something does not fit; before an epoch is spent where that can be known.
    BadEnvironment
        If a process was killed; DiskFull if the disk does not take what is kept.
    Interrupted
        If it was stopped; the message says how it goes on.
    """
    initialised = first_weights(config)
    if resume is None:
        cohort = audited(cohort_folder, watcher, config if limit_patients is None else None).cohort
        splits = deal(cohort, config) if limit_patients is None else deal_some(cohort, config, limit_patients)
        tell_dealt(splits, watcher)
        slices, left_out = slices_of_dealt(cohort, splits, config, watcher)
        usable = _with_slices(splits, slices, left_out)
        run = RunFolder.create(out, config, cohort, splits, slices.values())
        _note_scans(run, splits, slices, limit_patients)
        run.note(left_out=left_out)
    else:
        run, cohort = RunFolder.open(resume), Cohort.open(cohort_folder)
        run.check_resumable(cohort, config)
        _check_weights(run, initialised)
        slices, left_out = slices_of_dealt(cohort, run.splits, config, watcher)
        run.check_unchanged(slices.values())
        usable = _with_slices(run.splits, slices, left_out)
    with run.writing():
        run.note_cohort(cohort)
        run.note(initialised={name: one.to_json() for name, one in initialised.items()})
        tell(config, initialised, watcher)
        _train(run, cohort, usable, config, slices, watcher)
        _export(run, watcher)
    return run


def first_weights(config: ImageConfig) -> dict[str, Initialised]:
    """Return which first weights each backbone has; raises WeightsError where a file is missing or another."""
    weights = Weights.of(config.model.weights)
    return {name: read_weights(weights, ARCHITECTURES[name])[1] for name in config.model.backbones}


def _check_weights(run: RunFolder, initialised: Mapping[str, Initialised]) -> None:
    """Refuse first weights of other bytes than the run began with: half of its folds would have learned from each."""
    began = run.record.get("initialised", {})
    for name, one in initialised.items():
        if name in began and began[name] != one.to_json():
            then = f"{began[name].get('file')} ({str(began[name].get('sha256'))[:12]})"
            raise RunError(
                f"{run.path} began {name} from {then}; today its first weights are {one}.",
                subject=str(run.path),
                remedy="Put that file back, or start a new run.",
            )


def tell(config: ImageConfig, initialised: Mapping[str, Initialised], watcher: Watcher) -> None:
    """Say what people should know before they read a figure."""
    at_random = [ARCHITECTURES[name].words for name, one in initialised.items() if one.how == "random"]
    if at_random:
        watcher.notice(f"initialised: random ({', '.join(at_random)}): these networks have seen no other picture.")
    if config.augmentation.flip:
        watcher.notice(f"{MIRRORED} Off: augmentation.flip = false.")


def tell_dealt(splits: Splits, watcher: Watcher) -> None:
    """Say it where patients were dealt without a look at who has EEG."""
    if splits.by == "outcome":
        watcher.notice(
            "Too few patients have EEG for every part to have both outcomes among them: they were dealt by outcome "
            "alone. With these splits no network of EEG and EMG can be trained, and nothing be fused."
        )


def slices_of_dealt(
    cohort: Cohort, splits: Splits, config: ImageConfig, watcher: Watcher
) -> tuple[dict[str, PatientSlices], dict[str, str]]:
    """Return the slices of everybody who was dealt and has a scan, and whose scan must not be used and why."""
    dealt = set(splits.patients)
    few = replace(cohort, participants=tuple(one for one in cohort.participants if one.id in dealt))
    preparing = _Preparing(watcher)
    slices = prepare_slices(few, config.preparation, workers=config.run.workers, watcher=preparing)
    return slices, preparing.left_out


def tasks_of(splits: Splits, config: ImageConfig, run: RunFolder) -> list[SliceTask]:
    """Return a task for each network that is trained: of every fold, and of every backbone."""
    backbones = config.model.backbones
    return [SliceTask.of(fold, backbone, config, run) for fold in splits.networks for backbone in backbones]


def final_network(run: RunFolder) -> tuple[Backbone, dict[str, object]]:
    """Return the network of a run that is exported, for judging, and the facts that its fit kept with it.

    Raises
    ------
    RunError
        If the run is not done, or the file is broken.
    """
    final = run.record.get("final")
    if final is None:
        words = f"{run.path} has chosen no final network: its state is {run.record['state']}, not done."
        raise RunError(words, subject=str(run.path), remedy="Finish it with flexion train fmri --resume.")
    return read_backbone(run.checkpoints_path(final["checkpoint"]) / BEST)


def _with_slices(splits: Splits, slices: Mapping[str, PatientSlices], left_out: Mapping[str, str]) -> Splits:
    """Return the splits of those with slices; a refusal names whose scan has none, and why the first has not."""
    try:
        return splits.with_scans(slices)
    except SplitError as error:
        if not left_out:
            raise
        why = f"{', '.join(left_out)} ({next(iter(left_out.values())).rstrip('.')})"
        words = f"{error.message} Left out, since their scans must not be used: {why}."
        raise SplitError(words, subject=error.subject, remedy=error.remedy) from error


def _train(
    run: RunFolder,
    cohort: Cohort,
    splits: Splits,
    config: ImageConfig,
    slices: Mapping[str, PatientSlices],
    watcher: Watcher,
) -> None:
    """Train every network of every backbone, and write what all models say."""
    tasks = tasks_of(splits, config, run)
    command = f"flexion train fmri {cohort.folder}"
    results = train_folds(tasks, slices, run, watcher, workers=config.run.workers, command=command, what="slices")
    chosen = choices(tasks)
    watcher.stage("Baselines", 1)
    said = _said(tasks, results, chosen)
    write_predictions(run.predictions_path, [*said, *known_predictions(cohort, slices, splits)])
    watcher.finished("baselines")
    fold = splits.exported
    backbone = chosen[fold.name].backbone
    final = {"fold": fold.name, "backbone": backbone, "checkpoint": task_name(fold, backbone)}
    run.note(choices={name: choice.to_json() for name, choice in chosen.items()}, final=final)
    network = final_network(run)[0]
    run.note(state="done", parameters=sum(part.numel() for part in network.parameters()))


def _said(
    tasks: Sequence[SliceTask], results: Mapping[str, FoldResult], chosen: Mapping[str, Choice]
) -> list[Prediction]:
    """Return what all networks say, and those that the folds chose where there is a choice."""
    rows = [row for task in tasks for row in results[task.name].predictions]
    if len({task.spec.backbone for task in tasks}) == 1:
        return rows
    backbones = {
        (task.fold.repeat, task.fold.fold): chosen[task.fold.name].backbone for task in tasks if task.fold.test
    }
    return [*rows, *chosen_rows(rows, backbones)]


def _export(run: RunFolder, watcher: Watcher) -> None:
    if (run.bundle_path / MANIFEST).is_file():
        return
    from training.bundles.expected import Unlike
    from training.bundles.slice_bundling import bundle_of_fmri_run

    watcher.stage("Bundle", 1)
    final = bundle_of_fmri_run(run, run.bundle_path).manifest.head.training["final"]
    if words := Unlike(**final["unlike"]).words(final["train"]):
        watcher.notice(words)
    watcher.finished("bundle")


def _note_scans(
    run: RunFolder, splits: Splits, slices: Mapping[str, PatientSlices], limit_patients: int | None
) -> None:
    """Say in the run's record whose scans it has, and whether any is simulated."""
    good = sum(len(members) for name, members in splits.strata.items() if name.startswith("good"))
    counts = {"patients": len(splits.patients), "good": good, "with_scan": len(slices)}
    if limit_patients is not None:
        counts |= {"limited_to": limit_patients}
    simulated = any(patient.origin == "synthetic" for patient in slices.values())
    run.note(
        cohort={**run.record["cohort"], **counts},
        origin="synthetic" if simulated else run.record["origin"],
        slices=sum(map(len, slices.values())),
    )


@dataclass(frozen=True)
class _Preparing:
    """Passes the progress of the slices on, and keeps why somebody has none."""

    watcher: Watcher
    left_out: dict[str, str] = field(default_factory=dict)

    def begins(self, n_patients: int) -> None:
        self.watcher.stage("Slices", n_patients)

    def has(self, found: PatientSlices | LeftOut, made: bool) -> None:
        if isinstance(found, LeftOut):
            self.left_out[found.patient] = found.why
            self.watcher.notice(f"Patient {found.patient} is left out, the scan must not be used: {found.why}")
        self.watcher.finished(found.patient)
