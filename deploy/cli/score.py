"""``flexion score``: score recordings in this process; no network, no server."""

from __future__ import annotations

from typing import Annotated

import typer

from deploy import exits
from deploy.cli import output
from deploy.cli.options import (
    Bundle,
    Counter,
    Data,
    Decimal,
    Delimiter,
    HeaderLines,
    Json,
    Labels,
    Mains,
    MarkerColumn,
    Montage,
    Rate,
    Resample,
    Stream,
    TimeColumn,
    Unit,
    reading_of,
)

Files = Annotated[list[str], typer.Argument(metavar="FILE...", help="Recordings, session folders or ids.")]
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
    rate: Rate = None,
    labels: Labels = None,
    stream: Stream = None,
    resample: Resample = False,
    counter: Counter = None,
    delimiter: Delimiter = None,
    decimal: Decimal = None,
    header_lines: HeaderLines = None,
    marker_column: MarkerColumn = None,
    time_column: TimeColumn = None,
    bundle: Bundle = None,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Score recordings, here and now.

    In this process, without LSL and without Redis.
    """
    from deploy.cli.sessions import path_of
    from deploy.opening import Models
    from deploy.scoring import score_file
    from deploy.settings import load
    from deploy.summary import together
    from inference.engines.choice import open_engine

    settings = load(
        {
            "data_dir": data,
            "session.montage": montage,
            "session.mains_hz": mains,
            "session.unit": unit,
            "models.eeg_emg": bundle,
        }
    )
    paths = [path_of(file, settings.data_dir) for file in files]
    models = Models.load(settings.models)
    engine = open_engine(models.eeg_emg, settings.models.engines)
    reading = reading_of(
        rate, labels, stream, resample, counter, delimiter, decimal, header_lines, marker_column, time_column
    )
    results = [
        score_file(path, settings, models, engine, patient=patient, reading=reading, tell=output.say) for path in paths
    ]
    engine.close()
    if as_json:
        output.put_json(together(results))
    else:
        for file, result in zip(files, results, strict=True):
            output.put_result(result, file)
    raise typer.Exit(exits.worst(map(exits.of_result, results)))
