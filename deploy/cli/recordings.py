"""``flexion recordings``: what the files of a folder are, as a table: read or refused, with the reason."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from deploy import exits
from deploy.cli import output
from deploy.cli.options import Json
from deploy.cli.said import Reads, spread

if TYPE_CHECKING:
    from acquisition.inspection import Inspection
    from deploy.surveying import Entry

Paths = Annotated[list[Path], typer.Argument(metavar="PATH...", help="Files, or folders that are searched through.")]
Repair = Annotated[
    Path | None, typer.Option("--repair", metavar="COPY.xdf", help="Write what is whole of one damaged XDF file there.")
]
Markdown = Annotated[bool, typer.Option("--markdown", help="The table as Markdown, on stdout.")]

#: Columns of the table.
HEAD = ("file", "read as", "channels", "rate", "signal", "unit", "events", "segments and loss", "told, or why refused")
#: Labels of one recording that are shown.
MAX_LABELS = 4


def add_to(app: typer.Typer) -> None:
    """Add this verb to the command line."""
    app.command()(spread(recordings))


def recordings(
    paths: Paths, *, reads: Reads, repair: Repair = None, markdown: Markdown = False, as_json: Json = False
) -> None:
    """Look at recordings of any kind without scoring them.

    Each file is read, or refused with the reason.
    """
    from deploy.surveying import survey

    if repair is not None:
        _repair(paths, repair)
    entries = list(survey(paths, reads.reading(), reads.unit))
    if as_json:
        output.put_json({"schema": output.SCHEMA, "recordings": [entry.to_json() for entry in entries]})
    elif markdown:
        print(as_markdown(rows(entries)), flush=True)
    else:
        output.put_table("Recordings", HEAD, rows(entries))
    raise typer.Exit(exits.OK if any(entry.seen for entry in entries) else exits.BAD_INPUT)


def _repair(paths: Sequence[Path], copy: Path) -> None:
    """Write a sound copy of one file, and say what it has.

    Raises
    ------
    WrongUse
        If more than one file is named.
    """
    from acquisition.formats.xdf_repair import repair
    from deploy.errors import WrongUse
    from deploy.replaying import require

    if len(paths) != 1 or paths[0].is_dir():
        raise WrongUse("--repair writes a copy of one file.", subject="--repair", remedy="Name one XDF file.")
    require(paths[0])
    file = repair(paths[0], copy)
    if not file.problems:
        output.say(f"{paths[0]} is whole; no copy was written.")
        return
    samples = ", ".join(f"{len(stream.stamps)} of {stream.header.name!r}" for stream in file.streams)
    output.say(f"{copy} has all that is whole of {paths[0]}. Samples: {samples}.")


def rows(entries: Sequence[Entry]) -> list[tuple[str, ...]]:
    """Return the rows of the table, under ``HEAD``: what was read, then what was refused for the same reason as one."""
    from deploy.surveying import words_of

    refused: dict[str, list[str]] = {}
    for entry in entries:
        if entry.seen is None:
            words = words_of(entry).removeprefix(f"{Path(entry.file).name} ")
            refused.setdefault(words, []).append(entry.file)
    blank = ("",) * (len(HEAD) - 3)
    seen = [(entry.file, *_seen(entry.seen), words_of(entry)) for entry in entries if entry.seen is not None]
    return [*seen, *((", ".join(files), "refused", *blank, words) for words, files in refused.items())]


def as_markdown(rows: Sequence[Sequence[str]]) -> str:
    """Return rows as a table of a page."""
    lines = [HEAD, ("---",) * len(HEAD), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)


def _seen(seen: Inspection) -> tuple[str, ...]:
    recording = seen.recording
    return (
        recording.format if recording.format != "xdf" else f"xdf, {recording.name}",
        _channels(recording.labels),
        f"{recording.rate_hz:g} Hz",
        f"{seen.duration_s:.1f} s",
        ", ".join(sorted({unit or "not stated" for unit in recording.units})),
        str(len(recording.markers)),
        _segments(seen),
    )


def _channels(labels: Sequence[str]) -> str:
    shown = ", ".join(labels[:MAX_LABELS])
    return f"{len(labels)}: {shown}{', ...' if len(labels) > MAX_LABELS else ''}"


def _segments(seen: Inspection) -> str:
    parts = [str(len(seen.segments))]
    parts += [f"{n} {word}" for n, word in ((seen.n_lost, "lost"), (seen.n_bridged, "bridged")) if n]
    parts += [f"{n} {reason}" for reason, n in seen.rejected.items()]
    parts += [f"{seen.clock_resets} clock reset"] if seen.clock_resets else []
    return ", ".join(parts)
