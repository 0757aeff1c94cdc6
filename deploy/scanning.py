"""Scanning: a patient's scan is scored beside the sessions, once, and its score is put where they look for it.

The same scan and the same bundle give the score that is there already. Whose scan it is and when it was taken are asked
for, never guessed: a session goes by them.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Set
from contextlib import closing
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from acquisition.identity import check_name
from deploy.opening import versions
from inference.bundle import Bundle, sha256_of_file
from inference.engines.choice import open_engine
from inference.errors import ScanError
from inference.fmri import record, stored

#: Libraries beyond a session's that may show in a scan's score.
VERSIONED = ("nibabel",)


def score_scan(
    path: Path, patient: str, bundle: Bundle, *, data: Path, engines: tuple[str, ...], given: date | None = None
) -> dict[str, Any]:
    """Score a scan, keep the score in the patient's folder, and return it with that folder.

    Parameters
    ----------
    path : Path
        A NIfTI file of volumes over time.
    patient : str
        Pseudonym.
    bundle : Bundle
        Of kind fmri.
    data : Path
        The data folder.
    engines : tuple of str
        Backends, in the order of trying.
    given : date, optional
        The day of the scan, where the file does not say.

    Returns
    -------
    dict
        The content of ``score.json``, and ``folder``, and whether it was scored ``already``.

    Raises
    ------
    IdentityError
        If the patient is known in another spelling, or the scan is another patient's.
    ScanError
        If the scan cannot be read or does not fit, it changes meanwhile, or nobody says when it was taken.
    FmriRefused
        If it was scored, and that score cannot be shown.
    """
    check_name("patient", patient)
    _check_text(path)
    from inference.fmri.volume import open_scan

    scan = open_scan(path)
    record.check_patient(data, patient, scan.sha256)
    if found := record.find(data, patient, scan.sha256, bundle.sha256):
        _check_kept(path, *found, given)
        return {**found[1], "folder": str(found[0]), "already": True}
    day = _check_day(path, scan.scanned_on, given)
    from inference.fmri.document import files_of
    from inference.fmri.score import score_file

    with closing(open_engine(bundle, engines)) as engine:
        score = score_file(path, bundle, engine)
    _check_same(path, {scan.sha256, score.prepared.scan_sha256})
    files = files_of(score, patient=patient, scanned_on=day, about=_about(path))
    folder = record.keep(data, patient, scan.sha256, bundle.sha256, files)
    return {**stored.read(folder), "folder": str(folder), "already": False}


def _check_text(path: Path) -> None:
    """Refuse a path that is no text: it could be neither written down nor told.

    Raises
    ------
    ScanError
        Shows the bytes that are none.
    """
    shown = os.fsencode(path).decode(errors="backslashreplace")
    if shown != str(path):
        message = f"{shown} has a name that is no text in UTF-8."
        raise ScanError(message, subject=shown, remedy="Name it otherwise; the score does not depend on the name.")


def _check_kept(path: Path, folder: Path, values: Mapping[str, Any], given: date | None) -> None:
    """Refuse a stored score that cannot be shown again, or that is of another day than is given now.

    Raises
    ------
    FmriRefused
        Names what is wrong with it.
    ScanError
        Names both days, and how to correct the one that is kept.
    """
    day = stored.check_whole(folder, values)
    if given and given != day:
        message = f"{path} was scored as of {day}, --date says {given}."
        remedy = f"Leave --date out; to correct the day, remove {folder} and score again."
        raise ScanError(message, subject=str(path), remedy=remedy)


def _check_same(path: Path, hashes: Set[str]) -> None:
    """Refuse a file that changed while it was scored.

    Raises
    ------
    ScanError
        If its bytes are others now than when it was opened or read, or it is gone.
    """
    try:
        now = sha256_of_file(path)
    except OSError as error:
        message = f"{path} cannot be read any more: {error.strerror}."
        raise ScanError(message, subject=str(path), remedy="Score it again where it stays.") from error
    if {now} != hashes:
        message = f"{path} changed while it was scored."
        raise ScanError(message, subject=str(path), remedy="Wait until it is copied as a whole, then score it again.")


def _check_day(path: Path, stated: date | None, given: date | None) -> date:
    """Return the day of a scan, from its file or as it was given; they must not contradict each other.

    Raises
    ------
    ScanError
        If nobody says, both differ, or the day has not come yet.
    """
    if stated and given and stated != given:
        message = f"{path} was scanned on {stated}, --date says {given}."
        raise ScanError(message, subject=str(path), remedy="Leave --date out, or correct the file's sidecar.")
    day = stated or given
    if day is None:
        message = f"Nothing says on which day {path} was scanned."
        raise ScanError(message, subject=str(path), remedy="Give the day: --date YYYY-MM-DD.")
    if day > date.today():
        message = f"{path} was scanned on {day}, which has not come yet."
        raise ScanError(message, subject=str(path), remedy="Give the day of the scan: --date YYYY-MM-DD.")
    return day


def _about(path: Path) -> Mapping[str, Any]:
    from importlib.metadata import version

    return {
        "file": path.name,
        "scored_utc": datetime.now(UTC).isoformat(timespec="milliseconds"),
        "versions": {**versions(), **{name: version(name) for name in VERSIONED}},
    }
