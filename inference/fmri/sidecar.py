"""The JSON file that converters of DICOM write beside a scan: when it was taken, and how long a volume took."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

from acquisition.plain_file import other_than_file

#: What is beyond so many seconds is no time, nor is what is no number.
MOST_S = 1e6
#: A sidecar of more bytes is none; converters write a few thousand.
MOST_BYTES = 1_000_000
#: Forms in which converters write a day (BIDS, dcm2niix, DICOM).
_DAYS = ("%Y-%m-%d", "%Y%m%d")


@dataclass(frozen=True)
class Sidecar:
    """What a sidecar says.

    Attributes
    ----------
    tr_s : float or None
        Seconds from volume to volume.
    scanned_on : date or None
    unreadable : bool
        Whether there is one that cannot be read.
    """

    tr_s: float | None
    scanned_on: date | None
    unreadable: bool = False


def read_sidecar(scan: Path) -> Sidecar:
    """Return what the sidecar of a scan says; nothing where there is none.

    Parameters
    ----------
    scan : Path
        The NIfTI file; its sidecar has its name and ends in ``.json``.
    """
    beside = scan.with_name(scan.name.removesuffix(".gz").removesuffix(".nii") + ".json")
    if not os.path.exists(beside):
        return Sidecar(None, None)
    if other_than_file(beside):  # a pipe would be waited for
        return Sidecar(None, None, unreadable=True)
    try:
        with open(beside, "rb") as file:
            content = file.read(MOST_BYTES + 1)
        stated = json.loads(content.decode("utf-8-sig")) if len(content) <= MOST_BYTES else None
    except (OSError, ValueError, RecursionError):
        return Sidecar(None, None, unreadable=True)
    if not isinstance(stated, dict):
        return Sidecar(None, None, unreadable=True)
    tr_s = stated.get("RepetitionTime")
    if not isinstance(tr_s, int | float) or isinstance(tr_s, bool) or not abs(tr_s) <= MOST_S:
        tr_s = None
    days = (_day(stated.get(key)) for key in ("AcquisitionDateTime", "AcquisitionDate"))
    return Sidecar(None if tr_s is None else float(tr_s), next((day for day in days if day), None))


def _day(stated: object) -> date | None:
    """Return the day of ``2026-03-31T10:20:30``, ``2026-03-31`` or ``20260331``; None for anything else."""
    text = str(stated)[:10].split("T")[0] if isinstance(stated, str | int) else ""
    for form in _DAYS:
        try:
            return datetime.strptime(text[:8] if form == _DAYS[1] else text, form).date()
        except ValueError:
            continue
    return None
