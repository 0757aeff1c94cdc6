"""Record: scores of scans in the patient's folder, written once, read by every session of that patient (law 2).

::

    <data>/patients/<patient>/fmri/<scan sha256>/
        score.json          the score and all that it was made with
        slices.csv          one row per slice
        attention.png       where the image model looked, the strongest slice first
        underlay.png        the slices alone, from below, for a screen
        focus.png           where the image model looked alone, laid out as the slices
        attention.nii.gz    the same, with the affine of the scan

The folder has its name last, so that a reader finds all of it or nothing. The score of another bundle for the same scan
stands beside it, with the start of that bundle's hash behind the scan's.
"""

from __future__ import annotations

import os
import re
import secrets
import shutil
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from acquisition.durable import make_folder, replace_file, sync_folder
from acquisition.errors import BadEnvironment, IdentityError
from acquisition.identity import same_name
from acquisition.session import known_sessions, scanned_patients
from inference.bundle import SHORT
from inference.errors import FmriRefused
from inference.fmri.stored import read, unreadable

#: The files beside the score itself.
SLICES, SHEET, MAP = "slices.csv", "attention.png", "attention.nii.gz"
UNDERLAY, FOCUS = "underlay.png", "focus.png"
#: Seconds after which a folder that is being written has lost its writer: no scoring takes a day.
ABANDONED_S = 86_400.0
#: How the name of a score's folder begins: with the hash of the scan. Anything else that lies there is no score.
_SCORED = re.compile(r"[0-9a-f]{64}(-|$)")


def shelf_of(data: Path, patient: str) -> Path:
    """Return where the scores of a patient lie, whether or not there are any."""
    return data / "patients" / patient / "fmri"


def find(data: Path, patient: str, scan_sha256: str, bundle_sha256: str) -> tuple[Path, dict[str, Any]] | None:
    """Return the folder and the content of the score that a bundle gave to a scan, or None if there is none.

    Raises
    ------
    FmriRefused
        If it, or the folder that it would be in, is there and cannot be read.
    """
    for folder in folders(shelf_of(data, patient)):
        if folder.name.startswith(scan_sha256):
            values = read(folder)
            if values.get("bundle_sha256") == bundle_sha256:
                return folder, values
    return None


def check_patient(data: Path, patient: str, scan_sha256: str) -> None:
    """Refuse a name that is known in another spelling, and a scan that is another patient's.

    Raises
    ------
    IdentityError
        Names the other spelling, or the other patient.
    FmriRefused
        If a patient's scores cannot be listed.
    """
    names = scanned_patients(data) | {folder.info.patient for folder in known_sessions(data)}
    for known in sorted(names):
        if same_name(known, patient) and known != patient:
            message = f"patient {patient} is already known as {known}; names differ by more than case."
            raise IdentityError(message, subject="patient", remedy=f"Write {known}.")
        if known != patient and any(f.name.startswith(scan_sha256) for f in folders(shelf_of(data, known))):
            message = f"this very scan ({scan_sha256[:SHORT]}) was scored as patient {known}'s, not as {patient}'s."
            remedy = f"Name patient {known}; if that score is the wrong one, remove it from {shelf_of(data, known)}."
            raise IdentityError(message, subject="patient", remedy=remedy)


def keep(data: Path, patient: str, scan_sha256: str, bundle_sha256: str, files: Mapping[str, bytes]) -> Path:
    """Write a score, whole or not at all, and return its folder; one that is there stays as it is.

    Raises
    ------
    DiskFull, BadEnvironment
        If the disk does not take it, or other things stand in its place; nothing is left behind.
    """
    shelf = shelf_of(data, patient)
    make_folder(shelf)
    _sweep(shelf)
    making = shelf / f".{scan_sha256}.{secrets.token_hex(8)}.tmp"  # two machines may give two writers one number
    try:
        make_folder(making)
        for name, content in files.items():
            replace_file(making / name, content)
        return _put(making, scan_sha256, bundle_sha256)
    finally:
        shutil.rmtree(making, ignore_errors=True)


def _put(making: Path, scan_sha256: str, bundle_sha256: str) -> Path:
    """Give a written folder its name and return it, or that of the same bundle's score that came before it."""
    for name in (scan_sha256, f"{scan_sha256}-{bundle_sha256[:SHORT]}"):
        folder = making.with_name(name)
        try:
            os.rename(making, folder)
            sync_folder(folder.parent)
        except OSError as error:
            why = error.strerror or str(error)
            if not folder.is_dir():
                break
            if _bundle_of(folder) != bundle_sha256:
                continue
        return folder
    message = f"{folder} cannot be made: {why}."
    raise BadEnvironment(message, subject=str(folder), remedy="Remove what is in its place.")


def _bundle_of(folder: Path) -> object:
    """Return which bundle made the score in a folder; None where it cannot be read."""
    try:
        return read(folder).get("bundle_sha256")
    except FmriRefused:
        return None


def _sweep(shelf: Path) -> None:
    """Remove what writers left that were killed long ago."""
    for path in shelf.glob(".*.tmp"):
        try:
            if time.time() - path.stat().st_mtime > ABANDONED_S:
                shutil.rmtree(path, ignore_errors=True)
        except OSError:  # its writer has finished, or it is not ours to look at
            continue


def folders(shelf: Path) -> list[Path]:
    """Return the scores on a shelf, in the order of their names; what else lies there is none.

    Raises
    ------
    FmriRefused
        If it cannot be listed.
    """
    try:
        return sorted(path for path in shelf.iterdir() if _SCORED.match(path.name))
    except FileNotFoundError:
        return []
    except OSError as error:
        raise unreadable(shelf, error.strerror or str(error)) from error
