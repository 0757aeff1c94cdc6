"""Adding: a session of the ward becomes a recording of a cohort, and its patient's follow-up a row of the table.

The session's folder is copied, never moved; the copy has its name only when every byte of it was read back the same.
Then the table is replaced whole. What fails leaves patients and recordings as they were.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

from acquisition.durable import make_folder, replace_file, sync_folder
from acquisition.errors import DiskFull
from acquisition.identity import same_name
from acquisition.montage import Montage, built_in_montages, load_montage
from acquisition.session import SessionFolder
from inference.fugl_meyer import MOST_POINTS
from training.cohort.cohort import DESCRIPTION, OWN, Cohort, Origin
from training.cohort.errors import CohortError
from training.cohort.participants import NUMBERS, TABLE, WORDS, Participant, write_participants
from training.cohort.places import folder_of, places_of
from training.file_lock import locked

#: What a copy is called until it is whole; no reader of a cohort knows such a folder.
UNFINISHED = ".adding-"
#: Held while a session is added, so that two at once do not overwrite each other's row.
LOCK = ".adding.lock"
#: Room that a session keeps for its end; it is nobody's data.
_NOT_COPIED = ("reserve",)
#: Scores that lie between 0 and `MOST_POINTS`.
_SCORES = ("fma_3mo", "fma_baseline")


@dataclass(frozen=True)
class Added:
    """What became of a session.

    Attributes
    ----------
    cohort : Cohort
        As it is now.
    participant : Participant
        The row.
    path : Path
        Where the copy lies.
    made : bool
        Whether the cohort was made for it.
    """

    cohort: Cohort
    participant: Participant
    path: Path
    made: bool


def add_session(session: SessionFolder, folder: Path, values: Mapping[str, Any]) -> Added:
    """Copy a session into a cohort, which is made where there is none, and complete its patient's row.

    Parameters
    ----------
    session : SessionFolder
        That has ended, with its ledger balanced.
    folder : Path
        The cohort's.
    values : mapping
        Fields of ``Participant`` that are known; what the session itself knows of its patient is added.

    Raises
    ------
    CohortError
        If the session is none to learn from, or does not fit the cohort, or a value contradicts what is known.
    DiskFull, BadEnvironment
        If the folder or disk does not take it.
    """
    _check_session(session)
    _check_values(values)
    _check_fits(session, _opened(session, folder))  # before anything is made
    make_folder(folder)
    with locked(folder / LOCK):
        made, cohort = not (folder / TABLE).exists(), _opened(session, folder)
        row = _row(session, cohort, values)
        if made:
            replace_file(folder / DESCRIPTION, _description(cohort))
        with _copied(session, folder_of(folder, row.id) / "sessions") as path:
            write_participants(folder / TABLE, _with(cohort.participants, row))
    return Added(Cohort.open(folder), row, path, made)


def _check_session(session: SessionFolder) -> None:
    """Refuse a session that nothing should be learned from."""
    info, ledger = session.info, session.ledger() or {}
    counts = ledger.get("ledger", {})
    if info.entered_in_error:
        raise _refused(session, "was entered in error: it is somebody else's", "Add the session that was begun anew.")
    if not ledger.get("ended"):
        raise _refused(session, "has not ended", "Wait until it has, or add the session of its replay: flexion replay.")
    if not (counts.get("balanced") and ledger.get("complete", True)):
        raise _refused(session, "does not account for every sample: its ledger does not balance", "Record it again.")
    if info.repeats:
        raise _refused(session, "plays a recording more than once", "Add the session or file that it plays.")
    if not session.part_numbers():
        raise _refused(session, "has no recording", "Add one that was recorded.")


def _check_values(values: Mapping[str, Any]) -> None:
    for field, value in values.items():
        if isinstance(value, float) and not math.isfinite(value):
            message = f"{_column(field)} is {value}, which is no number."
            raise CohortError(message, subject=_column(field), remedy="Leave it out where it is not known.")
    for field in _SCORES:
        fma = values.get(field)
        if isinstance(fma, float) and not 0 <= fma <= MOST_POINTS:
            message = f"{_column(field)} is {fma:g}; the lower limb's score goes from 0 to {MOST_POINTS:g}."
            raise CohortError(message, subject=_column(field), remedy="Give the lower limb's part of the score.")


def _opened(session: SessionFolder, folder: Path) -> Cohort:
    """Return the cohort of a folder, or the one that is to be; an empty folder or none is the beginning of one."""
    if (folder / TABLE).exists():
        return Cohort.open(folder)
    if (folder / DESCRIPTION).exists():
        return Cohort.of(folder, ())
    found = [folder.name] if folder.is_file() else sorted(os.listdir(folder)) if folder.exists() else []
    if found and LOCK not in found:  # with the lock it is one that is just being begun, or was when that was killed
        message = f"{folder} is no cohort: it has no {TABLE}, and it holds {', '.join(found[:3])}."
        raise CohortError(message, subject=str(folder), remedy="Name a cohort's folder, or a new one.")
    return _new(session, folder)


def _new(session: SessionFolder, folder: Path) -> Cohort:
    """Return the cohort that a session begins: of its montage, and of simulated patients where it is of one (law 9)."""
    montage = _montage(session)
    if montage.name not in built_in_montages() or not _same_channels(load_montage(montage.name), montage):
        message = f"Session {session.info.session} has montage {montage.name}, which is not built in."
        remedy = f'Begin the cohort with a {DESCRIPTION} that names its file: {{"{OWN}": {{"montage": "FILE.toml"}}}}'
        raise CohortError(message, subject=montage.name, remedy=remedy)
    return Cohort(folder, folder.resolve().name, _origin(session), montage.name, ())


def _check_fits(session: SessionFolder, cohort: Cohort) -> None:
    origin, montage, info = _origin(session), load_montage(cohort.montage), session.info
    if origin != cohort.origin:
        whose = "a simulated patient" if origin == "synthetic" else "a patient"
        message = f"Session {info.session} is of {whose}; cohort {cohort.folder} is {cohort.origin}."
        raise CohortError(message, subject=info.session, remedy="Name another cohort with --cohort.")
    if not _same_channels(montage, _montage(session)):
        own = _montage(session)
        message = f"Session {info.session} has montage {own.name} at {own.rate_hz:g} Hz; cohort {cohort.folder} has "
        message += f"{montage.name} at {montage.rate_hz:g} Hz."
        raise CohortError(message, subject=info.session, remedy="Name a cohort of its montage with --cohort.")


def _row(session: SessionFolder, cohort: Cohort, values: Mapping[str, Any]) -> Participant:
    """Return the patient's row with all that is known, refusing what contradicts it."""
    info = session.info
    known = next((one for one in cohort.participants if same_name(one.id, info.patient)), None)
    if known is not None and known.id != info.patient:
        message = f"Patient {info.patient} is {known.id} in {cohort.folder / TABLE}; names differ by more than case."
        raise CohortError(message, subject=info.patient, remedy=f"Write {info.patient} there, and rename its folder.")
    row = _completed(known or Participant(info.patient, True), values, "now it is")
    return replace(_completed(row, _own(session, cohort), f"session {info.session} says"), has_eeg=True)


def _with(participants: Sequence[Participant], row: Participant) -> list[Participant]:
    """Return the rows with one more, or with one in the place of that patient's."""
    others = [row if one.id == row.id else one for one in participants]
    return others if row in others else [*others, row]


def _own(session: SessionFolder, cohort: Cohort) -> dict[str, Any]:
    """Return what the session knows of its patient; age and days are the first recording's."""
    info = session.info
    own: dict[str, Any] = {"lesion_side": info.lesion_side}
    if all(place.path.name == info.session for place in places_of(cohort.folder, info.patient)):
        own |= {"age": info.age, "days_since_onset": info.days_since_onset}
    return {field: value for field, value in own.items() if value is not None}


def _completed(row: Participant, values: Mapping[str, Any], says: str) -> Participant:
    """Return a row with more of its fields known; what is known already may not be told otherwise."""
    for field, value in values.items():
        there = getattr(row, field)
        if there is not None and there != value:
            message = f"Patient {row.id} has {_column(field)} {_shown(there)}; {says} {_shown(value)}."
            raise CohortError(message, subject=_column(field), remedy=f"Find out which holds, and mend {TABLE}.")
    return replace(row, **values)


def _shown(value: float | str) -> str:
    return f"{value:g}" if isinstance(value, float) else repr(value)


def _column(field: str) -> str:
    return next(column for column, own in (NUMBERS | WORDS).items() if own == field)


@contextmanager
def _copied(session: SessionFolder, sessions: Path) -> Iterator[Path]:
    """Copy a session's folder and hand out where; the copy stays if the block ends well, and else is taken away.

    Raises
    ------
    CohortError
        If another session of that id is there.
    DiskFull
        If the disk does not take it.
    """
    path = sessions / session.info.session
    if path.exists():  # an earlier call got so far and no further
        if _hashes(path) != _hashes(session.path):
            message = f"{path} is there already, and is not the same."
            raise CohortError(message, subject=str(path), remedy="Compare the two, and take that one away.")
        yield path
        return
    make_folder(sessions)
    unfinished = sessions / f"{UNFINISHED}{session.info.session}"
    try:
        _copy(session.path, unfinished)
        os.rename(unfinished, path)
        sync_folder(sessions)
        yield path
    except BaseException:
        shutil.rmtree(unfinished, ignore_errors=True)
        shutil.rmtree(path, ignore_errors=True)
        raise


def _copy(source: Path, target: Path) -> None:
    """Copy all files of a session and wait until they are on the disk."""
    shutil.rmtree(target, ignore_errors=True)
    try:
        target.mkdir()
        for file in _files(source):
            shutil.copyfile(file, target / file.name)
            with open(target / file.name, "rb") as copy:
                os.fsync(copy.fileno())
        sync_folder(target)
    except OSError as error:
        message = f"{target} cannot be written: {error.strerror}."
        raise DiskFull(
            message, subject=str(target), remedy="Free space on that disk, or name another cohort."
        ) from error
    if _hashes(target) != _hashes(source):
        message = f"{source} changed while it was copied."
        raise CohortError(message, subject=str(source), remedy="Wait until nothing writes into it.")


def _files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if path.is_file() and path.name not in _NOT_COPIED)


def _hashes(folder: Path) -> dict[str, str]:
    """Return the hash of each file of a session."""
    hashes = {}
    for file in _files(folder):
        with open(file, "rb") as opened:
            hashes[file.name] = hashlib.file_digest(opened, "sha256").hexdigest()
    return hashes


def _origin(session: SessionFolder) -> Origin:
    return "synthetic" if session.info.origin == "simulated" else "clinical"


def _montage(session: SessionFolder) -> Montage:
    return Montage.from_json(session.info.montage, subject=str(session.path / "session.json"))


def _same_channels(one: Montage, other: Montage) -> bool:
    return (one.labels, one.kinds, one.rate_hz) == (other.labels, other.kinds, other.rate_hz)


def _description(cohort: Cohort) -> bytes:
    values: dict[str, Any] = {
        "Name": cohort.name,
        "BIDSVersion": "1.10.0",
        "DatasetType": "raw",
        "GeneratedBy": [{"Name": "Flexion", "Version": version("flexion")}],
        OWN: {"origin": cohort.origin, "montage": cohort.montage},
    }
    return json.dumps(values, indent=2).encode() + b"\n"


def _refused(session: SessionFolder, what: str, remedy: str) -> CohortError:
    return CohortError(f"Session {session.info.session} {what}.", subject=session.info.session, remedy=remedy)
