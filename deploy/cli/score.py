"""``flexion score``: score recordings in this process; no network, no server."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from deploy import exits
from deploy.cli import output
from deploy.cli.options import Bundle, Json, Mains, Montage, Unit

Files = Annotated[
    list[Path], typer.Argument(metavar="FILE...", help="Recordings (.xdf, .csv, .txt) or session folders.")
]
Name = Annotated[str | None, typer.Option("--patient", metavar="NAME", help="Pseudonym for recordings that have none.")]


def add_to(app: typer.Typer) -> None:
    """Add this verb to the command line."""
    app.command()(score)


def score(
    files: Files,
    patient: Name = None,
    montage: Montage = None,
    mains: Mains = None,
    unit: Unit = None,
    bundle: Bundle = None,
    as_json: Json = False,
) -> None:
    """Score recordings or session folders in this process, without LSL and without Redis."""
    from deploy.opening import Models
    from deploy.scoring import score_file
    from deploy.settings import load
    from deploy.summary import together
    from inference.engines.choice import open_engine

    flags = {"session.montage": montage, "session.mains_hz": mains, "session.unit": unit, "models.eeg_emg": bundle}
    settings = load(flags)
    models = Models.load(settings.models)
    engine = open_engine(models.eeg_emg, settings.models.engines)
    results = [score_file(path, settings, models, engine, patient=patient, tell=output.say) for path in files]
    engine.close()
    if as_json:
        output.put_json(together(results))
    else:
        for path, result in zip(files, results, strict=True):
            output.put_result(result, str(path))
    raise typer.Exit(exits.worst(map(exits.of_result, results)))
