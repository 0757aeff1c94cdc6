"""The patients who have sessions here, for a plain list: newest first, each session by itself, nobody ranked.

The outcome is the session's: those of one patient stand side by side and are never pooled. It is told from the folder
by the functions of the aggregator, and kept until a file of the folder changes.
"""

from __future__ import annotations

import json
import threading
from collections import OrderedDict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from acquisition.errors import IdentityError
from acquisition.identity import check_name, is_session_id
from acquisition.plain_file import read_plain
from dashboard.archive import Archive
from dashboard.errors import BrokenSession, UnknownSession
from dashboard.folder import files_of

#: Patients on a page, and sessions that are told of each; the others are counted.
PATIENTS_SHOWN = 20
SESSIONS_SHOWN = 5
#: Sessions whose outcome is kept at hand.
KEPT = 2048


class SessionRow(BaseModel):
    """One session of a patient."""

    session: str
    created_utc: str | None
    bed: str | None
    mode: str | None
    origin: str | None
    ended: bool
    in_error: bool
    unreadable: bool
    scored: bool
    state: str | None
    probability: float | None
    interval: tuple[float, float] | None
    modalities: list[str]
    synthetic: bool
    lacking: str


class PatientRow(BaseModel):
    """One patient, newest session first."""

    patient: str
    n_sessions: int
    sessions: list[SessionRow]


class PatientPage(BaseModel):
    """A page of the list."""

    patients: list[PatientRow]
    page: int
    pages: int
    total: int
    unreadable: int


class Patients:
    """The list of patients of a data folder.

    Parameters
    ----------
    data_dir : Path
        Where the session folders lie.
    archive : Archive
        Tells the outcome of a session.
    """

    def __init__(self, data_dir: Path, archive: Archive) -> None:
        self._data_dir = data_dir
        self._archive = archive
        self._lock = threading.Lock()
        self._rows: OrderedDict[str, tuple[Any, SessionRow]] = OrderedDict()
        self._whose: dict[str, tuple[int, str | None]] = {}

    def page(self, search: str, page: int) -> PatientPage:
        """Return a page of the patients whose pseudonym holds a text, whatever the case.

        Parameters
        ----------
        search : str
            Empty for all.
        page : int
            From 1; beyond the last one it is empty.
        """
        by_patient, n_unreadable = self._by_patient()
        found = [names for names in by_patient.values() if search.casefold() in names[0].casefold()]
        shown = found[(page - 1) * PATIENTS_SHOWN : page * PATIENTS_SHOWN]
        return PatientPage(
            patients=[self._patient(names[0], names[1:]) for names in shown],
            page=page,
            pages=max(1, -(-len(found) // PATIENTS_SHOWN)),
            total=len(found),
            unreadable=n_unreadable,
        )

    def _patient(self, patient: str, sessions: Sequence[str]) -> PatientRow:
        rows = [self._row(session) for session in sessions[:SESSIONS_SHOWN]]
        return PatientRow(patient=patient, n_sessions=len(sessions), sessions=rows)

    def _by_patient(self) -> tuple[dict[str, list[str]], int]:
        """Return each patient's pseudonym and sessions, newest first, and how many sessions are nobody's."""
        by_patient: dict[str, list[str]] = {}
        n_unreadable = 0
        for session in self._sessions():
            patient = self._patient_of(session)
            if patient is None:
                n_unreadable += 1
            else:
                by_patient.setdefault(patient.casefold(), [patient]).append(session)
        return by_patient, n_unreadable

    def _sessions(self) -> list[str]:
        """Return the sessions that have a folder, newest first: their ids begin with the time."""
        folder = self._data_dir / "sessions"
        names = [path.name for path in folder.iterdir() if path.is_dir()] if folder.is_dir() else []
        return sorted(filter(is_session_id, names), reverse=True)

    def _patient_of(self, session: str) -> str | None:
        """Return whose a session is; its ``session.json`` is read again when it has changed."""
        path = self._data_dir / "sessions" / session / "session.json"
        try:
            changed_ns = path.stat().st_mtime_ns
        except OSError:  # taken away since it was listed
            return None
        if self._whose.get(session, (0, None))[0] != changed_ns:
            self._whose[session] = (changed_ns, _patient_in(path))
        return self._whose[session][1]

    def _row(self, session: str) -> SessionRow:
        seen = files_of(self._data_dir / "sessions" / session)
        with self._lock:
            kept = self._rows.get(session)
        if kept is not None and kept[0] == seen:
            return kept[1]
        row = self._told(session)
        with self._lock:
            self._rows[session] = (seen, row)
            while len(self._rows) > KEPT:
                self._rows.popitem(last=False)
        return row

    def _told(self, session: str) -> SessionRow:
        try:
            folder, outcome, lacking = self._archive.standing(session)
        except (UnknownSession, BrokenSession):  # taken away, or spoiled, since it was listed
            return _row(session, {}, unreadable=True)
        told = {} if outcome is None else outcome.to_json()
        try:
            return _row(session, folder.info, **told, ended=folder.ended, in_error=folder.in_error, lacking=lacking)
        except (ValidationError, AttributeError):  # its session.json is JSON, and not what ours says
            return _row(session, {}, unreadable=True)


def _row(session: str, info: dict[str, Any], **told: Any) -> SessionRow:
    bundles = [bundle for bundle in (info.get("bundles") or {}).values() if bundle]
    return SessionRow(
        session=session,
        created_utc=info.get("created_utc"),
        bed=info.get("bed"),
        mode=info.get("mode"),
        origin=info.get("origin"),
        ended=told.get("ended", False),
        in_error=told.get("in_error", False),
        unreadable=told.get("unreadable", False),
        scored=bool(bundles),
        state=told.get("state"),
        probability=told.get("probability"),
        interval=told.get("interval"),
        modalities=told.get("modalities", []),
        synthetic=any(bundle.get("origin") == "synthetic" for bundle in bundles),
        lacking=told.get("lacking", ""),
    )


def _patient_in(path: Path) -> str | None:
    try:
        return check_name("patient", json.loads(read_plain(path))["patient"])
    except (OSError, ValueError, RecursionError, KeyError, TypeError, IdentityError):  # no session.json of ours
        return None
