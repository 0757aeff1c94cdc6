"""A session's folder as the pages show it: read, never written (law 2)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from dashboard.errors import UnknownScan, UnknownSession
from inference.fmri.record import SHEET, find


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
    return {
        "info": _info(data_dir, session),
        "ledger": _if_there(folder / "ledger.json"),
        "results": _lines(folder / "results.jsonl"),
    }


def attention_of(data_dir: Path, session: str, scan_sha256: str) -> Path:
    """Return the picture of where the session's model of scans looked in a scan of its patient.

    Parameters
    ----------
    data_dir : Path
        Where session and patient folders lie.
    session : str
        Session identifier, already checked.
    scan_sha256 : str
        The scan, 64 hexadecimal digits.

    Raises
    ------
    UnknownSession
        If there is no such folder.
    UnknownScan
        If the session has no model of scans, or it has not scored this one.
    """
    info = _info(data_dir, session)
    bundle = info["bundles"].get("fmri")
    found = bundle and find(data_dir, info["patient"], scan_sha256, bundle["sha256"])
    if not found or not (found[0] / SHEET).is_file():
        raise UnknownScan(
            f"No picture of scan {scan_sha256[:12]} was made with the model of scans of session {session}.",
            subject=scan_sha256,
            remedy="Score the scan on this machine: flexion fmri score.",
        )
    return found[0] / SHEET


def _info(data_dir: Path, session: str) -> dict[str, Any]:
    path = data_dir / "sessions" / session / "session.json"
    if not path.is_file():
        raise UnknownSession(
            f"There is no session {session} in {data_dir}.",
            subject=session,
            remedy="List the sessions with `flexion sessions list`.",
        )
    info: dict[str, Any] = json.loads(path.read_bytes())
    return info


def _if_there(path: Path) -> Any:
    return json.loads(path.read_bytes()) if path.is_file() else None


def _lines(path: Path) -> list[Any]:
    """Return the whole lines of a file; a torn last one is the bridge's to void, and is left out."""
    if not path.is_file():
        return []
    whole, _, _ = path.read_bytes().rpartition(b"\n")
    return [json.loads(line) for line in whole.splitlines() if line]
