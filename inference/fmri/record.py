"""Record: scores of scans in the patient's folder, written once, read by every session of that patient (law 2).

::

    <data>/patients/<patient>/fmri/<scan sha256>/
        score.json          the score and all that it was made with
        slices.csv          one row per slice
        attention.png       where the image model looked, the strongest slice first
        attention.nii.gz    the same, with the affine of the scan

The folder has its name last, so that a reader finds all of it or nothing. The score of another bundle for the same scan
stands beside it, with the start of that bundle's hash behind the scan's.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from acquisition.durable import make_folder, replace_file, sync_folder
from acquisition.errors import BadEnvironment, IdentityError
from acquisition.identity import same_name
from acquisition.session import known_sessions
from inference.bundle import SHORT
from inference.errors import FmriRefused

#: The file that makes a folder a score, and those beside it.
SCORE = "score.json"
SLICES, SHEET, MAP = "slices.csv", "attention.png", "attention.nii.gz"
#: What a session takes of a score (contract), and what of its quality.
EVENT = ("patient", "scan_sha256", "scanned_on", "bundle_sha256", "logit")
EVENT_QUALITY = ("slices", "problems")


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
    for folder in _folders(shelf_of(data, patient)):
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
    names = {path.name for path in data.glob("patients/*")} | {folder.info.patient for folder in known_sessions(data)}
    for known in sorted(names):
        if same_name(known, patient) and known != patient:
            message = f"patient {patient} is already known as {known}; names differ by more than case."
            raise IdentityError(message, subject="patient", remedy=f"Write {known}.")
        if known != patient and any(f.name.startswith(scan_sha256) for f in _folders(shelf_of(data, known))):
            message = f"this very scan ({scan_sha256[:SHORT]}) was scored as patient {known}'s, not as {patient}'s."
            remedy = f"Name patient {known}; if that score is the wrong one, remove it from {shelf_of(data, known)}."
            raise IdentityError(message, subject="patient", remedy=remedy)


def keep(data: Path, patient: str, scan_sha256: str, bundle_sha256: str, files: Mapping[str, bytes]) -> Path:
    """Write a score, whole or not at all, and return its folder; one that is there stays as it is.

    Raises
    ------
    DiskFull, BadEnvironment
        If the disk does not take it; nothing is left behind.
    """
    shelf = shelf_of(data, patient)
    make_folder(shelf)
    folder = shelf / scan_sha256
    if folder.exists():
        folder = shelf / f"{scan_sha256}-{bundle_sha256[:SHORT]}"
    making = shelf / f".{folder.name}.{os.getpid()}.tmp"
    try:
        make_folder(making)
        for name, content in files.items():
            replace_file(making / name, content)
        os.rename(making, folder)
        sync_folder(shelf)
    except OSError as error:
        if not folder.is_dir():
            message = f"{folder} cannot be made: {error.strerror or error}."
            raise BadEnvironment(message, subject=str(folder), remedy="Remove what is in its place.") from error
    finally:
        shutil.rmtree(making, ignore_errors=True)
    return folder


def read(folder: Path) -> dict[str, Any]:
    """Return the content of a score.

    Raises
    ------
    FmriRefused
        If it cannot be read or is no object; what is no number (NaN) comes as a text, to be refused by name.
    """
    path = folder / SCORE
    try:
        values = json.loads(path.read_bytes(), parse_constant=str)
    except (OSError, ValueError) as error:
        raise _unreadable(path, str(error)) from error
    if not isinstance(values, dict):
        raise _unreadable(path, "it holds no object")
    return values


def event_of(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the ``fmri`` event of a score; what it lacks is null, to be refused by name."""
    quality = values.get("quality")
    of = quality if isinstance(quality, dict) else {}
    return {**{key: values.get(key) for key in EVENT}, "quality": {key: of.get(key) for key in EVENT_QUALITY}}


class Shelf:
    """The scores of one patient, as a session looks at them: at its start, and when a new one appears.

    Parameters
    ----------
    data : Path
        The data folder.
    patient : str
        Whose session it is.
    bundle_sha256 : str or None
        The fMRI bundle that the session is bound to.
    """

    def __init__(self, data: Path, patient: str, bundle_sha256: str | None) -> None:
        self._path = shelf_of(data, patient)
        self._bundle_sha256 = bundle_sha256
        self._events: dict[str, dict[str, Any]] = {}
        self._told: list[dict[str, Any]] = []
        self._said: set[str] = set()
        self._passed: set[str] = set()

    def pass_over(self) -> None:
        """Take what is there now for known, and tell none of it."""
        self.new()
        self._passed = set(self._events)
        self._events.clear()

    def new(self) -> list[tuple[str, Mapping[str, Any]]]:
        """Return what a session is to be told now: ``fmri`` events, and a ``notice`` for what cannot be read.

        Of several scans the newest is told; where another bundle scored that one, also the newest that the session's
        own bundle scored.
        """
        notices = list(self._look())
        own = [event for event in self._events.values() if event["bundle_sha256"] == self._bundle_sha256]
        newest = [max(events, key=_age) for events in (list(self._events.values()), own) if events]
        fresh = [event for i, event in enumerate(newest) if event not in self._told and event not in newest[:i]]
        self._told += fresh
        return [*notices, *(("fmri", event) for event in fresh)]

    def _look(self) -> Iterator[tuple[str, Mapping[str, Any]]]:
        """Read the folders that were not there before, and yield a notice for each that cannot be read."""
        try:
            known = self._events.keys() | self._passed
            folders = [folder for folder in _folders(self._path) if folder.name not in known]
        except FmriRefused as error:
            yield from self._notice(error)
            return
        for folder in folders:
            try:
                self._events[folder.name] = event_of(read(folder))
            except FmriRefused as error:
                yield from self._notice(error)

    def _notice(self, error: FmriRefused) -> Iterator[tuple[str, Mapping[str, Any]]]:
        if error.message not in self._said:
            self._said.add(error.message)
            yield "notice", {"level": "warning", "text": error.message, "remedy": error.remedy}


def _folders(shelf: Path) -> list[Path]:
    """Return the scores on a shelf, in the order of their names; one that is being written is none yet.

    Raises
    ------
    FmriRefused
        If it cannot be listed.
    """
    try:
        return sorted(path for path in shelf.iterdir() if not path.name.startswith("."))
    except FileNotFoundError:
        return []
    except OSError as error:
        raise _unreadable(shelf, error.strerror or str(error)) from error


def _age(event: Mapping[str, Any]) -> tuple[str, str]:
    return str(event["scanned_on"]), str(event["scan_sha256"])


def _unreadable(path: Path, why: str) -> FmriRefused:
    return FmriRefused(
        f"{path}, of a scan's score, cannot be read: {why}.",
        subject=str(path),
        remedy="Remove it, and score the scan again: flexion fmri score.",
    )
