"""Archive: recorded sessions as the pages ask for them; what takes seconds is made once and kept.

Windows and outcomes come from ``results.jsonl`` and the session's own bundles, traces and measures from the recording.
Nothing is written but below ``<data>/cache``, and nothing is scored (law 2).
"""

from __future__ import annotations

import json
import threading
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, TypeVar

from acquisition.durable import make_folder, replace_file
from acquisition.errors import FlexionError
from acquisition.montage import Montage
from acquisition.session import SessionFolder
from acquisition.session_info import SessionInfo
from dashboard import retraced
from dashboard.errors import UnknownSession
from dashboard.folder import Folder, files_of, read_folder, read_info
from dashboard.jobs import Jobs, Tell
from dashboard.retraced import Retraced
from inference.bundle import MANIFEST, SHIPPED, Bundle, FusionBundle, load_bundle, resolve_bundle
from inference.course import Course, course_of, last_of
from inference.errors import BundleError
from inference.library import Library
from inference.outcome import Outcome
from streaming.errors import RecordError
from streaming.records import ResultRecord
from streaming.scans import is_scan

T = TypeVar("T")

#: Sessions of which folder, course and traces are kept at hand.
KEPT = 4


class Told:
    """What is told of a session.

    Parameters
    ----------
    folder : Folder
        Its files.
    library : Library
        The bundles at hand.
    """

    def __init__(self, folder: Folder, library: Library) -> None:
        self.folder = folder
        lines = [line for line in folder.lines if is_scan(line) or _is_result(line)]
        #: How many lines are neither results nor scores of scans.
        self.n_strange = len(folder.lines) - len(lines)
        self.course = _course(folder, lines, library)
        steps = () if folder.in_error else self.course.steps
        #: The outcome after a window, by its index.
        self.outcomes = {step.index: step.outcome.to_json() for step in steps}
        last = None if folder.in_error else self.course.last
        self.last = None if last is None else last.to_json()


class Archive:
    """The recorded sessions of a data folder.

    Parameters
    ----------
    data_dir : Path
        Where they lie.
    bundles : sequence of str
        Names or folders of the bundles that sessions may be bound to, beside those that ship.
    """

    def __init__(self, data_dir: Path, bundles: Sequence[str] = ()) -> None:
        self._data_dir = data_dir
        self._bundles = tuple(bundles)
        self._jobs = Jobs()
        self._lock, self._telling = threading.Lock(), threading.Lock()
        self._library: Library | None = None
        self._told: OrderedDict[Any, Told] = OrderedDict()
        self._traces: OrderedDict[Any, Retraced] = OrderedDict()

    def tidy(self) -> None:
        """Delete what was made of sessions that are gone: who deletes a session means its traces too."""
        retraced.tidy(self._data_dir)

    def close(self) -> None:
        """Let go of what is being made."""
        self._jobs.close()

    def told(self, session: str) -> Told:
        """Return what the folder of a session says, and what became of its windows.

        Raises
        ------
        UnknownSession, BrokenSession
            If there is no such folder, or nothing can be said of it.
        """
        key = (session, files_of(self._data_dir / "sessions" / session))
        with self._telling:  # a page asks several things at once: it is read once
            told = self._held(self._told, key)
            if told is None:
                with self._tidying():
                    folder = read_folder(self._data_dir, session)
                told = Told(folder, self._shelf())
                self._keep(self._told, key, told)
        return told

    def obstacle(self, session: str) -> dict[str, str] | None:
        """Return why there can be no traces of a session, as a refusal says it, or None; nothing is made."""
        try:
            retraced.check_readable(self._folder(session))
        except FlexionError as error:
            return {"kind": error.kind, "detail": error.message, "remedy": error.remedy}
        return None

    def traces(self, session: str) -> Retraced | float:
        """Return the traces of a session, or the share of them that is made.

        Raises
        ------
        UnknownSession, RecordingError, NoTraces, TooBusy
            If there is no such session, its folder or recording cannot be read, or too many are being read.
        """
        folder = self._folder(session)
        key = (session, retraced.key_of(folder, retraced.fingerprint()))
        found = self._held(self._traces, key) or retraced.read(self._place(session), key[1])
        if found is None:
            retraced.check_readable(folder)
            share = self._jobs.ask(f"traces {key}", lambda tell: self._make(folder, tell))
            return 1.0 if share is None else share
        self._keep(self._traces, key, found)
        return found

    def measures(self, session: str) -> dict[str, Any] | float:
        """Return the descriptive measures of a session, as ``flexion sessions report``, or the share that is made.

        Raises
        ------
        UnknownSession, RecordingError, NoTraces, TooBusy
            As for the traces.
        """
        folder = self._folder(session)
        key = retraced.key_of(folder, retraced.fingerprint())
        path = self._place(session) / f"{key}.measures.json"
        with suppress(OSError, ValueError):  # not there, or spoiled: they are made again
            found: dict[str, Any] = json.loads(path.read_bytes())
            return found
        retraced.check_readable(folder)
        share = self._jobs.ask(f"measures {session} {key}", lambda tell: _measure(folder, path, tell))
        return 1.0 if share is None else share

    def standing(self, session: str) -> tuple[Folder, Outcome | None, str]:
        """Return what the folder of a session says, its last outcome, and which bundle it lacks for one.

        Raises
        ------
        UnknownSession, BrokenSession
            If there is no such folder, or nothing can be said of it.
        """
        folder = read_folder(self._data_dir, session)
        if folder.in_error:
            return folder, None, ""
        lines = [line for line in folder.lines if is_scan(line) or _is_result(line)]
        return folder, *last_of(_about(folder), lines, self._shelf(), ended=folder.ended)

    def _folder(self, session: str) -> SessionFolder:
        with self._tidying():
            read_info(self._data_dir, session)
        return SessionFolder.find(self._data_dir, session)

    @contextmanager
    def _tidying(self) -> Iterator[None]:
        try:
            yield
        except UnknownSession:
            self.tidy()
            raise

    def _make(self, folder: SessionFolder, tell: Tell) -> None:
        retraced.make(folder, self._place(folder.info.session), tell)
        self.tidy()

    def _place(self, session: str) -> Path:
        return self._data_dir / retraced.CACHE / session

    def _held(self, kept: OrderedDict[Any, T], key: Any) -> T | None:
        with self._lock:
            if key in kept:
                kept.move_to_end(key)
            return kept.get(key)

    def _keep(self, kept: OrderedDict[Any, T], key: Any, value: T) -> None:
        with self._lock:
            kept[key] = value
            while len(kept) > KEPT:
                kept.popitem(last=False)

    def _shelf(self) -> Library:
        """Return the bundles at hand, read when the first session is opened."""
        if self._library is None:
            shipped = [path.parent for path in sorted(SHIPPED.glob(f"*/{MANIFEST}"))]
            names: list[str | Path] = [*self._bundles, *shipped]
            self._library = Library(bundle for name in names for bundle in _load(name))
        return self._library


def _course(folder: Folder, lines: Sequence[dict[str, Any]], library: Library) -> Course:
    return course_of(_about(folder), lines, library, ended=folder.ended)


def _about(folder: Folder) -> dict[str, Any]:
    about: dict[str, Any] = {"bundles": {}}
    with suppress(FlexionError):  # a session.json of another version: its windows are told, and no outcome
        info = SessionInfo.from_json(folder.info)
        montage = Montage.from_json(info.montage)
        about = {**info.to_json(), "labels": montage.labels, "kinds": montage.kinds}
    return about


def _is_result(line: dict[str, Any]) -> bool:
    try:
        ResultRecord.from_json(line)
    except RecordError:  # it is counted, and said
        return False
    return True


def _load(name: str | Path) -> list[Bundle | FusionBundle]:
    try:
        return [load_bundle(resolve_bundle(name))]
    except BundleError:  # a session that is bound to it says that it lacks it
        return []


def _measure(folder: SessionFolder, path: Path, tell: Tell) -> None:
    from acquisition.measures.report import report_folder

    tell(0.0)
    made = report_folder(folder).to_json()
    make_folder(path.parent)
    replace_file(path, json.dumps(made, allow_nan=False).encode())
