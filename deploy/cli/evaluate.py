"""``flexion evaluate``: the figures of a run, as a table, as one object and as a report of one file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from deploy.cli import output
from deploy.cli.options import Json, MovedCohort

if TYPE_CHECKING:
    from training.reporting.facts import Facts
    from training.runs.run_folder import RunFolder

Run = Annotated[Path, typer.Argument(metavar="RUN", help="Folder of a run that flexion train made.")]
Permutations = Annotated[
    int | None, typer.Option("--permutations", metavar="N", min=20, help="Fits of the control on shuffled outcomes.")
]


def add_to(app: typer.Typer) -> None:
    """Add this verb to the command line."""
    app.command()(evaluate)


def evaluate(run: Run, permutations: Permutations = None, cohort: MovedCohort = None, as_json: Json = False) -> None:
    """Judge a run on the patients that its models had not seen.

    Writes evaluation.json, report.html and figures/ into the run's folder.
    """
    from deploy.cli.extra import need_training

    need_training()
    from training.evaluation.evaluation import evaluate as judge
    from training.moved import note_moved
    from training.reporting.facts import Facts
    from training.reporting.page import write_report
    from training.runs.run_folder import RunFolder

    folder = RunFolder.open(run)
    _require_predictions(folder)
    if cohort is not None:
        note_moved(folder, cohort)
    evaluation = judge(folder, permutations=permutations)
    report = write_report(folder, evaluation)
    if as_json:
        output.put_json({**evaluation, "report": str(report)})
        return
    put(Facts(evaluation))
    output.say(f"The report: {report}")


def put(facts: Facts) -> None:
    """Write the headline for people: what must not be missed first, then the table."""
    from training.reporting import tables
    from training.reporting.verdict import origin, probabilities, size, verdict

    for line in (*origin(facts), verdict(facts), size(facts), probabilities(facts)):
        print(line)
    table = tables.headline(facts.models, facts.initialised)
    output.put_table(table.caption, table.head, table.rows)
    print(table.note)
    print(output.CAUTION, flush=True)


def _require_predictions(run: RunFolder) -> None:
    """Refuse a run that was stopped before it judged anybody."""
    from training.errors import RunError

    if not run.predictions_path.is_file():
        message = f"{run.path} has no predictions.csv: its state is {run.record.get('state', 'unknown')}, not done."
        verb = "fmri" if run.modality == "fmri" else "eeg"
        remedy = f"Finish it with flexion train {verb} COHORT --resume RUN."
        if run.modality == "fusion":
            remedy = "Fuse its two runs anew: flexion train fusion EEG_RUN FMRI_RUN."
        raise RunError(message, subject=str(run.path), remedy=remedy)
