"""``flexion train``: networks from a cohort, in a folder of their own; a run that was stopped goes on."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from deploy.cli import output
from deploy.cli.options import Json
from deploy.errors import WrongUse

if TYPE_CHECKING:
    from training.runs.config import Config
    from training.runs.run_folder import RunFolder

group = typer.Typer()
Cohort = Annotated[Path, typer.Argument(metavar="COHORT", help="Folder of a cohort.")]
ConfigFile = Annotated[Path | None, typer.Option("--config", metavar="FILE", help="Settings, a TOML file.")]
Model = Annotated[
    Literal["bands", "raw"] | None,
    typer.Option("--model", help="Log band power ten times a second, or every sample (the paper). [bands]"),
]
Profile = Annotated[
    Literal["nested", "paper"] | None,
    typer.Option("--profile", help="Nested folds, or the paper's one split. [nested]"),
]
Out = Annotated[Path, typer.Option("--out", metavar="DIR", help="Folder of all runs.")]
Resume = Annotated[
    Path | None, typer.Option("--resume", metavar="RUN", help="Go on with this run, with its own settings.")
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Check all, learn from one batch, and say what would be done.")]
Limit = Annotated[
    int | None, typer.Option("--limit-patients", metavar="N", min=2, help="Some of the patients, for a trial.")
]
Workers = Annotated[int | None, typer.Option("--workers", metavar="N", min=1, help="Folds trained at once. [1]")]


def add_to(app: typer.Typer) -> None:
    """Add this verb to the command line."""
    app.add_typer(group, name="train")


@group.callback()
def train() -> None:
    """Train models on a cohort of patients."""


@group.command()
def eeg(
    cohort: Cohort,
    config: ConfigFile = None,
    model: Model = None,
    profile: Profile = None,
    out: Out = Path("runs"),
    resume: Resume = None,
    dry_run: DryRun = False,
    limit_patients: Limit = None,
    workers: Workers = None,
    as_json: Json = False,
) -> None:
    """Train the network of EEG and EMG, test it on patients that it never saw, and make its bundle.

    Ctrl-C keeps everything; the message says how the run goes on.
    """
    from deploy.cli.extra import need_training

    need_training()
    from deploy.cli.training_progress import TrainingProgress

    if resume is not None:
        new = {"--config": config, "--model": model, "--profile": profile, "--limit-patients": limit_patients}
        refuse_with_resume([name for name, value in new.items() if value is not None] + ["--dry-run"] * dry_run)
    settings = _settings(config, resume, {"split.profile": profile, "run.workers": workers}, model)
    with TrainingProgress(epochs=settings.fit.epochs, as_json=as_json) as progress:
        if dry_run:
            from training.rehearsal import rehearse

            told = rehearse(cohort, settings, limit_patients=limit_patients, watcher=progress)
        else:
            from training.trainer import train_eeg

            run = train_eeg(cohort, settings, out, resume=resume, limit_patients=limit_patients, watcher=progress)
    if dry_run:
        put(told.to_json(), told.words, as_json=as_json)
    else:
        put(_described(run), _words(run), as_json=as_json)


def refuse_with_resume(given: list[str]) -> None:
    """Refuse options that a run which goes on has already."""
    if given:
        raise WrongUse(
            f"A run that goes on has its own settings; {', '.join(given)} cannot change them.",
            subject=given[0],
            remedy="Leave that out, or begin a new run without --resume.",
        )


def _settings(
    config: Path | None, resume: Path | None, flags: dict[str, Any], model: Literal["bands", "raw"] | None
) -> Config:
    """Return the settings in force: the file's under the flags, or those of the run that goes on."""
    from training.runs.config import load_config
    from training.runs.run_folder import RunFolder

    return load_config(config if resume is None else RunFolder.open(resume).config_path, model, flags)


def _described(run: RunFolder) -> dict[str, Any]:
    record = run.record
    kept = {key: record[key] for key in ("name", "origin", "state", "cohort", "fingerprint", "training")}
    return {"run": str(run.path), **kept, "bundle": str(run.bundle_path)}


def _words(run: RunFolder) -> list[str]:
    """Return what was made, for people: where, from whom, how fast."""
    record = run.record
    cohort, training = record["cohort"], record["training"]
    origin = "simulated patients" if record["origin"] == "synthetic" else "patients"
    n_networks = len(run.splits.networks)
    return [
        f"{run.path}: {cohort['with_eeg']} {origin} with EEG, {n_networks} networks, {training['epochs']} epochs in "
        f"{training['seconds']:.0f} s{speed(training, 'windows')}.",
        f"The bundle: {run.bundle_path}",
        f"The figures: flexion evaluate {run.path}",
    ]


def speed(training: dict[str, Any], what: str) -> str:
    """Return how fast rows were learned from, to be put behind a time; nothing where it is not known any more."""
    if training[f"{what}_per_s"] is None:
        return ""
    return f" ({training[f'{what}_per_s']:.0f} {what}/s in a fold, {training['waiting_share']:.1%} waiting for data)"


def put(value: dict[str, Any], lines: list[str], *, as_json: bool) -> None:
    """Say what was made, or would be."""
    if as_json:
        output.put_json({"schema": output.SCHEMA, "training": value})
        return
    for line in (*lines, output.CAUTION):
        print(line, flush=True)
