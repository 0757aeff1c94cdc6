"""``flexion sessions``: what was recorded here, and the result of each."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from acquisition.errors import FlexionError, IdentityError, RecordingError
from deploy.cli import output
from deploy.cli.options import Bundle, Data, Json

if TYPE_CHECKING:
    from acquisition.session import SessionFolder

#: What is listed of a session, and the heading over it.
HEAD = {
    "session": "Session",
    "patient": "Patient",
    "bed": "Bed",
    "mode": "Mode",
    "created_utc": "Begun (UTC)",
    "ended": "Ended",
    "results": "Results",
}
#: Characters of a moment to the second: 2026-01-31T12:00:00.
SECONDS = 19


class Side(StrEnum):
    """Legs."""

    left = "left"
    right = "right"


group = typer.Typer()
Moved = Annotated[Side | None, typer.Option("--moved", help="Leg that moves; by default the paretic one, if known.")]
Out = Annotated[Path | None, typer.Option("--out", metavar="FILE", help="The file; without it, in this folder.")]
Session = Annotated[str, typer.Argument(metavar="SESSION", help="Id of a session, or its folder.")]


def add_to(app: typer.Typer) -> None:
    """Add this verb to the command line."""
    app.add_typer(group, name="sessions")


@group.callback()
def sessions() -> None:
    """List recorded sessions, show their results."""


@group.command("list")
def list_(data: Data = None, as_json: Json = False) -> None:
    """List the recorded sessions, oldest first.

    A session whose folder cannot be read is told with the reason, and hides none of the others.
    """
    from deploy.settings import load

    folder = load({"data_dir": data}).data_dir
    rows, refused = _listed(folder)
    for error in refused.values():
        output.say(f"flexion: {error}")
    if as_json:
        unread = [{"session": session, "error": error.as_refusal()} for session, error in refused.items()]
        output.put_json({"schema": output.SCHEMA, "sessions": rows, **({"refused": unread} if unread else {})})
        return
    output.put_table(f"Sessions in {folder}", list(HEAD.values()), [_cells(row) for row in rows])


@group.command()
def show(session: Session, data: Data = None, bundle: Bundle = None, as_json: Json = False) -> None:
    """Show a session's result, from its folder; nothing is scored anew."""
    from acquisition.recorded_timing import recorded_timing
    from deploy.opening import bound_bundles
    from deploy.settings import load
    from deploy.summary import summarise_folder

    settings = load({"data_dir": data, "models.eeg_emg": bundle})
    folder = find(settings.data_dir, session)
    result = summarise_folder(folder, *bound_bundles(folder.info, settings.models))
    if timing := recorded_timing(folder):
        result["timing"] = timing
    if as_json:
        output.put_json(result)
    else:
        output.put_result(result, session)


@group.command()
def report(session: Session, moved: Moved = None, data: Data = None, as_json: Json = False) -> None:
    """Describe a session's brain and muscles in each movement; not part of the score."""
    from acquisition.measures.report import report_folder
    from deploy.cli import measures
    from deploy.settings import load

    folder = find(load({"data_dir": data}).data_dir, session)
    made = report_folder(folder, moved and moved.value)
    alignment = (folder.ledger() or {}).get("alignment")
    if as_json:
        about = {key: getattr(folder.info, key) for key in ("session", "patient", "origin")}
        aligned = {} if alignment is None else {"alignment": alignment}
        output.put_json({"schema": output.SCHEMA, **about, **aligned, "measures": made.to_json()})
    else:
        measures.put(made, folder.info, alignment)


@group.command()
def export(session: Session, out: Out = None, data: Data = None, as_json: Json = False) -> None:
    """Write a session as a FIF file, for MNE: the raw signal on its grid, holes as holes, markers as annotations."""
    from deploy.exporting import ENDING, export_session
    from deploy.settings import load

    folder = find(load({"data_dir": data}).data_dir, session)
    done = export_session(folder, out or Path(folder.info.session + ENDING))
    if as_json:
        output.put_json({"schema": output.SCHEMA, "session": folder.info.session, "export": done})
        return
    lost = f"{done['lost']} of them lost in {done['holes']} holes" if done["holes"] else "none of them lost"
    print(f"{done['path']}: {done['seconds']:g} s, {done['samples']} samples, {lost}, {done['markers']} markers")


def _listed(data: Path) -> tuple[list[dict[str, Any]], dict[str, FlexionError]]:
    """Return what is told of each session, and why another one's folder cannot be read: it hides none of the others."""
    from acquisition.session import known_sessions

    rows: list[dict[str, Any]] = []
    refused: dict[str, FlexionError] = {}
    for folder in known_sessions(data, lambda path, error: refused.update({path.name: error})):
        try:
            rows.append(_describe(folder))
        except RecordingError as error:
            refused[folder.info.session] = error
    return rows, refused


def _cells(row: Mapping[str, Any]) -> list[object]:
    """Return what is shown of a session, under ``HEAD``."""
    begun = str(row["created_utc"])[:SECONDS].replace("T", " ")
    shown = {**row, "created_utc": begun, "ended": "yes" if row["ended"] else "no"}
    return [shown[key] for key in HEAD]


def path_of(file: str, data: Path) -> Path:
    """Return the path of a recording or session that is named by its path or, a session, by its id.

    Raises
    ------
    RecordingError
        If there is neither.
    """
    given = Path(file).expanduser()
    path = given.resolve()
    if path.exists():
        return path
    if given.exists():  # a pipe of this process, such as /dev/fd/63, has no other path: it is refused by this one
        return given
    try:
        return find(data, file).path
    except IdentityError as error:
        raise RecordingError(
            f"There is neither a file {path} nor a session {file} in {data}.",
            subject=file,
            remedy="Name a recording, or a session of flexion sessions list.",
        ) from error


def find(data: Path, session: str) -> SessionFolder:
    """Return the folder of a session that is named by its path or its id.

    Raises
    ------
    IdentityError, RecordingError
        If the name is no id, or there is no such session.
    """
    from acquisition.session import SessionFolder

    path = Path(session)
    return SessionFolder.open(path) if (path / "session.json").is_file() else SessionFolder.find(data, session)


def _describe(folder: SessionFolder) -> dict[str, Any]:
    info = folder.info
    ledger = folder.ledger() or {}
    return {
        "session": info.session,
        "patient": info.patient,
        "bed": info.bed,
        "mode": info.mode,
        "created_utc": info.created_utc,
        "ended": bool(ledger.get("ended")),
        "results": sum("index" in line for line in folder.results()),
        "path": str(folder.path),
    }
