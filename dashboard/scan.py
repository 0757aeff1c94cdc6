"""A patient's scan as the pages show it: its slices, and apart from them where the session's model looked.

Read from the folder that `flexion fmri score` wrote once and for all, never written. A score of an earlier version has
no sheets for a screen: then its one picture is all that there is.
"""

from __future__ import annotations

import csv
import hashlib
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from dashboard.errors import UnknownScan
from dashboard.folder import attention_of, read_info
from inference.fmri.record import FOCUS, SLICES, UNDERLAY
from inference.fmri.stored import read, unreadable

#: What is told of a scan's score as it stands in ``score.json``.
TOLD = ("scan_sha256", "scanned_on", "origin", "probability", "bundle")
#: Files of the sheets by their names in an address.
SHEETS = {"underlay": UNDERLAY, "focus": FOCUS}
#: Digits of a sheet's hash that its address carries.
SHORT = 16


def read_scan(data_dir: Path, session: str, scan_sha256: str) -> dict[str, Any]:
    """Return what a page shows of a scan that was scored by the session's model of scans.

    Parameters
    ----------
    data_dir : Path
        Where session and patient folders lie.
    session : str
        Session identifier, already checked.
    scan_sha256 : str
        The scan, 64 hexadecimal digits.

    Returns
    -------
    dict
        ``slices`` from below; ``sheets``, None for a score without them; ``attention`` with the sanity check.

    Raises
    ------
    UnknownSession, UnknownScan
        If there is no such folder, or no score by that model.
    FmriRefused
        If the score cannot be read.
    """
    folder = attention_of(data_dir, session, scan_sha256).parent
    values = read(folder)
    attention, quality = _object(values, "attention"), _object(values, "quality")
    hidden = {"probability": None} if read_info(data_dir, session).get("entered_in_error") else {}
    return {
        **{key: values.get(key) for key in TOLD},
        **hidden,
        "flags": [*_texts(quality, "flags"), *_texts(quality, "problems")],
        "slices": _slices(folder / SLICES),
        "sheets": _sheets(folder, attention),
        "attention": {key: attention.get(key) for key in ("sanity", "cell_mm", "in_brain")},
    }


def sheet_of(data_dir: Path, session: str, scan_sha256: str, sheet: str) -> Path:
    """Return the file of one of :data:`SHEETS`.

    Raises
    ------
    UnknownSession, UnknownScan
        If there is no such folder, no score by the session's model of scans, or no such sheet beside it.
    """
    path = attention_of(data_dir, session, scan_sha256).with_name(SHEETS[sheet])
    if not path.is_file():
        raise UnknownScan(
            f"The score of scan {scan_sha256[:12]} has no sheet of its slices: it was made by an earlier version.",
            subject=scan_sha256,
            remedy=f"Remove {path.parent} and score the scan again: flexion fmri score.",
        )
    return path


def hash_of(path: Path) -> str:
    """Return what an address carries, so that a browser keeps the picture for good."""
    return hashlib.sha256(path.read_bytes()).hexdigest()[:SHORT]


def _sheets(folder: Path, attention: Mapping[str, Any]) -> dict[str, Any] | None:
    columns = attention.get("columns")
    paths = {sheet: folder / name for sheet, name in SHEETS.items()}
    if not isinstance(columns, int) or columns < 1 or not all(path.is_file() for path in paths.values()):
        return None
    return {"columns": columns, **{sheet: f"{sheet}.png?v={hash_of(path)}" for sheet, path in paths.items()}}


def _slices(path: Path) -> list[dict[str, float]]:
    try:
        with path.open(newline="", encoding="utf-8") as file:
            rows = [_slice(row) for row in csv.DictReader(file)]
    except (OSError, ValueError, KeyError, TypeError, csv.Error) as error:
        raise unreadable(path, str(error)) from error
    if not all(math.isfinite(value) for row in rows for value in row.values()):
        raise unreadable(path, "it holds what is no number")
    return rows


def _slice(row: Mapping[str, str]) -> dict[str, float]:
    whole, real = ("slice", "rank"), ("level_mm", "in_brain")
    return {**{key: int(row[key]) for key in whole}, **{key: float(row[key]) for key in real}}


def _object(values: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    value = values.get(key)
    return value if isinstance(value, dict) else {}


def _texts(values: Mapping[str, Any], key: str) -> list[str]:
    value = values.get(key)
    return [str(item) for item in value] if isinstance(value, list) else []
