"""A session's folder as the pages show it: read, never written (law 2)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from dashboard.errors import UnknownSession


def read_folder(data_dir: Path, session: str) -> dict[str, Any]:
    """Return what the folder of a session says.

    Parameters
    ----------
    data_dir : Path
        Where the session folders lie.
    session : str
        Session identifier, already checked.

    Returns
    -------
    dict
        ``info`` (session.json), ``ledger`` (ledger.json, None before the end), ``results`` (whole lines of
        results.jsonl).

    Raises
    ------
    UnknownSession
        If there is no such folder.
    """
    folder = data_dir / "sessions" / session
    if not (folder / "session.json").is_file():
        raise UnknownSession(
            f"There is no session {session} in {data_dir}.",
            subject=session,
            remedy="List the sessions with `flexion sessions list`.",
        )
    return {
        "info": json.loads((folder / "session.json").read_bytes()),
        "ledger": _if_there(folder / "ledger.json"),
        "results": _lines(folder / "results.jsonl"),
    }


def _if_there(path: Path) -> Any:
    return json.loads(path.read_bytes()) if path.is_file() else None


def _lines(path: Path) -> list[Any]:
    """Return the whole lines of a file; a torn last one is the bridge's to void, and is left out."""
    if not path.is_file():
        return []
    whole, _, _ = path.read_bytes().rpartition(b"\n")
    return [json.loads(line) for line in whole.splitlines() if line]
