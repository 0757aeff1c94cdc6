"""``flexion train fmri``: image networks from a cohort's scans, in a run's folder; a run that was stopped goes on."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from deploy.cli import train
from deploy.cli.options import Json

if TYPE_CHECKING:
    from training.runs.image_config import ImageConfig
    from training.runs.run_folder import RunFolder

Backbone = Annotated[
    list[str] | None,
    typer.Option(
        "--backbone",
        metavar="NAME",
        help="shufflenet, fbnet, ghostnet, regnet, resnet50 or all; may be given again. [shufflenet]",
    ),
]
Weights = Annotated[
    str | None,
    typer.Option("--weights", metavar="WHICH", help="First weights: imagenet, none (random) or a file. [imagenet]"),
]
Recipe = Annotated[
    Literal["mean", "functional"] | None,
    typer.Option("--recipe", help="Mean volume (the paper), or mean, ALFF and tSNR as three channels. [mean]"),
]


def add_to(app: typer.Typer) -> None:
    """Add this command to ``flexion train``."""
    train.group.command()(fmri)


def fmri(
    cohort: train.Cohort,
    backbone: Backbone = None,
    weights: Weights = None,
    recipe: Recipe = None,
    config: train.ConfigFile = None,
    profile: train.Profile = None,
    out: train.Out = Path("runs"),
    resume: train.Resume = None,
    dry_run: train.DryRun = False,
    limit_patients: train.Limit = None,
    workers: train.Workers = None,
    as_json: Json = False,
) -> None:
    """Train image networks on resting-state scans, test them on patients that they never saw, and make the bundle.

    With several backbones each fold chooses one by the patients that stop its training, never by those that test it.
    Ctrl-C keeps everything; the message says how the run goes on.
    """
    from deploy.cli.extra import need_training

    need_training()
    from deploy.cli.training_progress import TrainingProgress

    if resume is not None:
        new: dict[str, object] = {"--backbone": backbone, "--weights": weights, "--recipe": recipe, "--config": config}
        new |= {"--profile": profile, "--limit-patients": limit_patients}
        train.refuse_with_resume([name for name, value in new.items() if value is not None] + ["--dry-run"] * dry_run)
    flags = {
        "model.backbones": _named(backbone),
        "model.weights": weights,
        "scan.recipe": recipe,
        "split.profile": profile,
        "run.workers": workers,
    }
    settings = _settings(config, resume, flags)
    with TrainingProgress(epochs=settings.fit.epochs_of, as_json=as_json) as progress:
        if dry_run:
            from training.imaging.rehearsal import rehearse_fmri

            told = rehearse_fmri(cohort, settings, limit_patients=limit_patients, watcher=progress)
        else:
            from training.imaging.trainer import train_fmri

            run = train_fmri(cohort, settings, out, resume=resume, limit_patients=limit_patients, watcher=progress)
    if dry_run:
        train.put(told.to_json(), told.words, as_json=as_json)
    else:
        train.put(_described(run), _words(run), as_json=as_json)


def _named(backbones: list[str] | None) -> tuple[str, ...] | None:
    """Return the backbones that were asked for; ``all`` is every one."""
    from training.backbones.catalogue import NAMES

    if not backbones:
        return None
    return NAMES if "all" in backbones else tuple(backbones)


def _settings(config: Path | None, resume: Path | None, flags: dict[str, Any]) -> ImageConfig:
    """Return the settings in force: the file's under the flags, or those of the run that goes on."""
    from training.runs.image_config import load_image_config
    from training.runs.run_folder import RunFolder

    return load_image_config(config if resume is None else RunFolder.open(resume).config_path, flags)


def _described(run: RunFolder) -> dict[str, Any]:
    record = run.record
    kept = ("name", "origin", "state", "cohort", "fingerprint", "initialised", "choices", "final", "training")
    return {"run": str(run.path), **{key: record[key] for key in kept}, "bundle": str(run.bundle_path)}


def _words(run: RunFolder) -> list[str]:
    """Return what was made, for people: where, from whom, from which first weights, how fast."""
    record = run.record
    cohort, training = record["cohort"], record["training"]
    origin = "simulated patients" if record["origin"] == "synthetic" else "patients"
    names = ", ".join(f"{name} (initialised: {how['how']})" for name, how in record["initialised"].items())
    return [
        f"{run.path}: {cohort['with_scan']} {origin} with a scan, {record['slices']:,} slices; {names}; "
        f"{training['epochs']} epochs in {training['seconds']:.0f} s{train.speed(training, 'slices')}.",
        f"Chosen by the patients that stopped the training: {record['final']['backbone']}.",
        f"The bundle: {run.bundle_path}",
        f"The figures: flexion evaluate {run.path}",
    ]
