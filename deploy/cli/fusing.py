"""``flexion train fusion``: two runs become the run of their fusions, with a bundle that the bedside loads."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from deploy.cli import output, train
from deploy.cli.options import Json

if TYPE_CHECKING:
    from training.runs.run_folder import RunFolder

EegRun = Annotated[Path, typer.Argument(metavar="EEG_RUN", help="Run that flexion train eeg made.")]
FmriRun = Annotated[Path, typer.Argument(metavar="FMRI_RUN", help="Run that flexion train fmri made, same cohort.")]
Method = Annotated[
    Literal["logit_stack", "mean_prob", "equal"],
    typer.Option("--method", help="Whose weights the bundle holds; all three are judged."),
]
Name = Annotated[str, typer.Option("--name", metavar="NAME", help="Of the run.")]


def add_to(app: typer.Typer) -> None:
    """Add this command to ``flexion train``."""
    train.group.command()(fusion)


def fusion(
    eeg_run: EegRun,
    fmri_run: FmriRun,
    method: Method = "logit_stack",
    out: train.Out = Path("runs"),
    name: Name = "fusion",
    as_json: Json = False,
) -> None:
    """Fit the weights of EEG and EMG and of fMRI to patients that neither had seen, and make their bundle.

    Takes seconds: only the logits of both runs are read.
    """
    from deploy.cli.extra import need_training

    need_training()
    from training.fusion.trainer import train_fusion

    run = train_fusion(eeg_run, fmri_run, out, method=method, name=name)
    if as_json:
        output.put_json({"schema": output.SCHEMA, "training": _described(run)})
        return
    for line in (*_words(run), output.CAUTION):
        print(line, flush=True)


def _described(run: RunFolder) -> dict[str, Any]:
    record = run.record
    kept = {key: record[key] for key in ("name", "origin", "state", "cohort", "fusion")}
    return {"run": str(run.path), **kept, "bundle": str(run.bundle_path)}


def _words(run: RunFolder) -> list[str]:
    """Return what was made, for people: which method, which weights, how sure they are."""
    fusion = run.record["fusion"]
    told = fusion["bundle"]["weights"]
    weights = " and ".join(f"{words} {_weight(told[key])}" for key, words in MODALITIES.items())
    return [
        f"{run.path}: {fusion['models'][0]['name']} by {fusion['method']}.",
        f"Weights (90 % over resampled patients): {weights}.",
        f"The bundle: {run.bundle_path}",
        f"The figures: flexion evaluate {run.path}",
    ]


#: Modalities in words.
MODALITIES = {"eeg_emg": "EEG and EMG", "fmri": "fMRI"}


def _weight(weight: dict[str, Any]) -> str:
    interval = weight["interval"]
    words = "" if interval is None else f" ({interval[0]:.2f} to {interval[1]:.2f})"
    return f"{weight['value']:.2f}{words}"
