"""A session's folder as the pages show it: read, never written (law 2).

A folder may be torn, or half of it gone: what can be read is shown, and what cannot is said in words (law 10).
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from acquisition import strict_json
from acquisition.errors import RecordingError
from acquisition.identity import check_name
from acquisition.plain_file import read_plain
from acquisition.session_info import SCHEMA, SessionInfo, flaw_of
from dashboard.errors import BrokenSession, UnknownScan, UnknownSession
from inference.fmri.record import SHEET, find
from streaming.scans import is_scan


@dataclass(frozen=True)
class Folder:
    """What the files of a session say.

    Attributes
    ----------
    path : Path
        The folder.
    info : dict
        ``session.json``.
    ledger : dict or None
        ``ledger.json``; None before the end.
    lines : list of dict
        Whole lines of ``results.jsonl``: results of windows, and scores of scans.
    notes : list of dict
        Whole lines of ``notes.jsonl``.
    problems : tuple of dict
        What could not be read: ``file``, ``kind`` (``unreadable``, ``torn``, ``not_json``) and, of a line, its number.
    """

    path: Path
    info: dict[str, Any]
    ledger: dict[str, Any] | None
    lines: list[dict[str, Any]]
    notes: list[dict[str, Any]]
    problems: tuple[dict[str, Any], ...]

    @property
    def ended(self) -> bool:
        """Whether the session is over."""
        return bool((self.ledger or {}).get("ended"))

    @property
    def in_error(self) -> bool:
        """Whether it was entered in error: kept, and never shown as anybody's result."""
        return bool(self.info.get("entered_in_error"))

    @property
    def scans(self) -> list[dict[str, Any]]:
        """Scores of scans, in the order in which they came."""
        return [line for line in self.lines if is_scan(line)]

    def to_json(self) -> dict[str, Any]:
        """Return what a page is told of it, but for its windows, which can be many."""
        windows = [line for line in self.lines if not is_scan(line)]
        states = [str(line.get("state")) for line in windows]
        return {
            "info": self.info,
            "ledger": self.ledger,
            "ended": self.ended,
            "notes": self.notes,
            "scans": [{**scan, "logit": None} if self.in_error else scan for scan in self.scans],
            "windows": {
                "results": len(windows),
                **{str(state): states.count(state) for state in dict.fromkeys(states)},
            },
            "problems": list(self.problems),
        }


def read_folder(data_dir: Path, session: str) -> Folder:
    """Return what the folder of a session says.

    Parameters
    ----------
    data_dir : Path
        Where the session folders lie.
    session : str
        Session identifier, already checked.

    Raises
    ------
    UnknownSession
        If there is no such folder.
    BrokenSession
        If its ``session.json`` cannot be read: then nothing says whose the rest is.
    """
    path = data_dir / "sessions" / session
    info = read_info(data_dir, session)
    problems: list[dict[str, Any]] = []
    ledger = _object(path / "ledger.json", problems)
    lines, notes = _lines(path / "results.jsonl", problems), _lines(path / "notes.jsonl", problems)
    return Folder(path, info, ledger, lines, notes, tuple(problems))


def files_of(folder: Path) -> tuple[tuple[str, int, int], ...]:
    """Return name, size and time of the files that a session is told from."""
    seen = []
    for name in ("session.json", "results.jsonl", "ledger.json", "notes.jsonl"):
        with suppress(OSError):  # not there yet, or just taken away
            status = (folder / name).stat()
            seen.append((name, status.st_size, status.st_mtime_ns))
    return tuple(seen)


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
    IdentityError
        If the folder names no patient: nothing else may become part of a path.
    """
    info = read_info(data_dir, session)
    patient, bound = check_name("patient", str(info.get("patient"))), info.get("bundles")
    bundle = bound.get("fmri") if isinstance(bound, dict) else None
    sha256 = bundle.get("sha256") if isinstance(bundle, dict) else None
    found = sha256 and find(data_dir, patient, scan_sha256, str(sha256))
    if not found or not (found[0] / SHEET).is_file():
        raise UnknownScan(
            f"No picture of scan {scan_sha256[:12]} was made with the model of scans of session {session}.",
            subject=scan_sha256,
            remedy="Score the scan on this machine: flexion fmri score.",
        )
    return found[0] / SHEET


def read_info(data_dir: Path, session: str) -> dict[str, Any]:
    """Return what ``session.json`` holds.

    Raises
    ------
    UnknownSession
        If there is no such folder.
    BrokenSession
        If it cannot be read.
    """
    path = data_dir / "sessions" / session / "session.json"
    if not path.is_file():
        raise UnknownSession(
            f"There is no session {session} in {data_dir}.",
            subject=session,
            remedy="List the sessions with `flexion sessions list`.",
        )
    problems: list[dict[str, Any]] = []
    info = _object(path, problems)
    words = "cannot be read" if info is None else _wrong_with(info)
    if info is None or words:
        raise BrokenSession(
            f"The session.json of session {session} {words}.",
            subject=session,
            remedy="Restore the session's folder from a copy.",
        )
    return info


def _wrong_with(info: dict[str, Any]) -> str:
    """Return what is wrong with a ``session.json``; of another version nobody here knows the keys."""
    schema = info.get("schema")
    if isinstance(schema, str) and schema != SCHEMA:
        return flaw_of(info)
    try:
        SessionInfo.from_json(info, subject="It")
    except RecordingError as error:
        return f"cannot be used. {error.message.removesuffix('.')}"
    return ""


def _object(path: Path, problems: list[dict[str, Any]]) -> dict[str, Any] | None:
    """Return the object that a file holds, or None where there is no such file, or none that can be read."""
    try:
        value = strict_json.loads(read_plain(path))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, RecursionError):
        value = None
    if not isinstance(value, dict):
        problems.append({"file": path.name, "kind": "unreadable"})
        return None
    return value


def _lines(path: Path, problems: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the lines of a file that are objects; a torn last one is the bridge's to void."""
    try:
        whole, _, torn = read_plain(path).rpartition(b"\n")
    except FileNotFoundError:
        return []
    except OSError:
        problems.append({"file": path.name, "kind": "unreadable"})
        return []
    if torn:
        problems.append({"file": path.name, "kind": "torn"})
    values = [(number, _value(line)) for number, line in enumerate(whole.splitlines(), start=1) if line]
    problems += [
        {"file": path.name, "kind": "not_json", "line": n} for n, value in values if not isinstance(value, dict)
    ]
    return [value for _, value in values if isinstance(value, dict)]


def _value(line: bytes) -> Any:
    try:
        return strict_json.loads(line)
    except (ValueError, RecursionError):  # somebody's editor, or a disk: the others are whole
        return None
