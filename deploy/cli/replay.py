"""``flexion replay``: play a recorded session or a recording again, through the whole path."""

from __future__ import annotations

from typing import Annotated

import typer

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
    NoBrowser,
    Port,
    Rate,
    RedisUrl,
    Resample,
    Stream,
    TimeColumn,
    Unit,
    reading_of,
)
from deploy.errors import WrongUse

#: The bed of a replay that nobody gave another name.
BED = "replay"
#: As fast as it can be taken.
MAX = "max"

File = Annotated[str, typer.Argument(metavar="FILE", help="Recording, session folder, or id of a session.")]
Speed = Annotated[str, typer.Option("--speed", help="'max': no LSL; a number: through a real LSL stream.")]
Pages = Annotated[bool, typer.Option("--pages", help="Serve the pages meanwhile; always on at a finite speed.")]
Name = Annotated[str | None, typer.Option("--patient", metavar="NAME", help="Pseudonym for a recording without one.")]
BedName = Annotated[str, typer.Option("--bed", metavar="NAME", help="Bed under which it is shown.")]


def add_to(app: typer.Typer) -> None:
    """Add this verb to the command line."""
    app.command()(replay)


def replay(
    file: File,
    speed: Speed = "1",
    patient: Name = None,
    bed: BedName = BED,
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
    pages: Pages = False,
    port: Port = None,
    data: Data = None,
    redis: RedisUrl = None,
    no_browser: NoBrowser = False,
    as_json: Json = False,
) -> None:
    """Score a recorded session again.

    Through Redis, scorer and aggregator; at a finite speed also through LSL.
    """
    from deploy.cli.running import run
    from deploy.cli.sessions import path_of
    from deploy.lsl_config import be_private
    from deploy.replaying import plan_replay
    from deploy.settings import load

    be_private()
    factor = _factor(speed)
    settings = load(
        {
            "data_dir": data,
            "redis_url": redis,
            "dashboard.port": port,
            "session.montage": montage,
            "session.unit": unit,
            "session.mains_hz": mains,
            "models.eeg_emg": bundle,
        }
    )
    path = path_of(file, settings.data_dir)
    reading = reading_of(
        rate, labels, stream, resample, counter, delimiter, decimal, header_lines, marker_column, time_column
    )
    plan = plan_replay(
        path, settings, patient=patient, bed=bed, through_lsl=factor is not None, reading=reading, tell=output.say
    )
    play = None if factor is None else ("--recording", str(path), "--speed", repr(factor))
    raise typer.Exit(
        run(
            settings,
            [plan],
            [play],
            browser=not no_browser,
            stay=False,
            as_json=as_json,
            lasting=False,
            pages=pages or factor is not None,
        )
    )


def _factor(speed: str) -> float | None:
    """Return how much faster than the patient; None for as fast as it can be taken."""
    if speed == MAX:
        return None
    try:
        factor = float(speed)
    except ValueError:
        factor = 0.0
    if not 0.0 < factor < 1000.0:
        raise WrongUse(f"--speed is {speed!r}.", subject="--speed", remedy="Give 'max' or a number above 0, such as 1.")
    return factor
