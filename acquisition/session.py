"""The session folder: the record of one session, from which everything else can be made again (law 2).

::

    <data>/sessions/<session>/
        session.json          who, what, with which montage and bundles
        recording-<n>.xdf     raw samples and markers, one part per life of the bridge, from 1
        recording-<n>.torn    bytes of a crash that did not make a whole chunk
        decisions.jsonl       every decision taken on the samples
        results.jsonl         results and fMRI events, as they came
        ledger.json           how it ended
        notes.jsonl           what people wrote down
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from acquisition import strict_json
from acquisition.decision_log import DecisionLog
from acquisition.decisions import Decision
from acquisition.durable import AppendFile, make_folder, replace_file, reserve, sync_folder
from acquisition.errors import IdentityError, RecordingError
from acquisition.formats.xdf import XdfFile, XdfStream, read_part
from acquisition.formats.xdf_header import StreamHeader
from acquisition.identity import check_name, check_session_id, is_session_id, same_name
from acquisition.items import PARTNER, SIGNAL
from acquisition.pairing import join, zipped
from acquisition.parts import PartWriter
from acquisition.recording import Recording, partner_of_part, recording_of_part
from acquisition.session_info import SessionInfo as SessionInfo
from acquisition.session_info import broken, content_of

#: Room that is kept for a session's end: 500 results, which is 80 minutes of windows, and its ledger.
RESERVE_BYTES = 1 << 20
#: A file as it was when it was read: inode, size, time of change.
_Seen = tuple[int, int, int]
_PART = re.compile(r"recording-([1-9][0-9]*)\.xdf")


@dataclass(frozen=True)
class Recovered:
    """What the next life found to mend.

    Parameters
    ----------
    torn_bytes : mapping of int to int
        Bytes cut from the end of a part and kept beside it, by part.
    voided : int
        Decisions that never took effect.
    torn_results : int
        Bytes of a torn last result, cut; Redis or a replay has it whole.
    """

    torn_bytes: Mapping[int, int]
    voided: int
    torn_results: int


class SessionFolder:
    """One session's folder; made by ``create`` or ``open``.

    One bridge writes; others may read at any time.

    Parameters
    ----------
    path : Path
        The folder.
    info : SessionInfo
        The content of its ``session.json``.
    """

    def __init__(self, path: Path, info: SessionInfo) -> None:
        self.path = path
        self.info = info
        self._log = DecisionLog(path / "decisions.jsonl")
        self._results: AppendFile | None = None
        self._result_keys: set[str] | None = None
        self._read: dict[int, tuple[_Seen, XdfFile]] = {}

    @classmethod
    def create(cls, data: Path, info: SessionInfo) -> SessionFolder:
        """Make the folder of a new session.

        Raises
        ------
        IdentityError
            If the session exists, or the patient or bed is known in another spelling, be it by a scan alone.
        BadEnvironment
            If the folder cannot be made, or the disk does not take it.
        """
        sessions = data / "sessions"
        make_folder(sessions)
        for other in known_sessions(data):
            _check_spelling("patient", info.patient, other.info.patient)
            _check_spelling("bed", info.bed or "", other.info.bed or "")
        for patient in sorted(scanned_patients(data)):
            _check_spelling("patient", info.patient, patient)
        path = sessions / info.session
        try:
            path.mkdir()
        except FileExistsError as error:
            message = f"session {info.session} exists already in {sessions}."
            raise IdentityError(message, subject=info.session, remedy="Take a new session id.") from error
        sync_folder(sessions)
        folder = cls(path, info)
        folder.rewrite(info)
        return folder

    @classmethod
    def open(cls, path: Path) -> SessionFolder:
        """Open a session's folder for reading, or to continue it.

        Raises
        ------
        RecordingError
            If it is not one.
        """
        file = path / "session.json"
        try:
            values = strict_json.loads(content_of(file))
        except (ValueError, RecursionError) as error:
            raise broken(str(file), f"cannot be read: {error}") from error
        return cls(path, SessionInfo.from_json(values, subject=str(file)))

    @classmethod
    def find(cls, data: Path, session: str) -> SessionFolder:
        """Open a session by its id.

        Raises
        ------
        IdentityError
            If the text is no id, or there is no such session.
        """
        path = data / "sessions" / check_session_id(session)
        if not path.is_dir():
            message = f"there is no session {session} in {data / 'sessions'}."
            raise IdentityError(message, subject=session, remedy="List the sessions with `flexion sessions list`.")
        return cls.open(path)

    def rewrite(self, info: SessionInfo) -> None:
        """Replace ``session.json`` so that a reader finds the old one or the new one."""
        replace_file(self.path / "session.json", _json(info.to_json()))
        self.info = info

    def update(self, **changes: Any) -> None:
        """Replace single fields of ``session.json``."""
        self.rewrite(replace(self.info, **changes))

    # Parts

    def part_numbers(self) -> list[int]:
        """Return the numbers of the parts there are, in order."""
        found = (_PART.fullmatch(entry.name) for entry in self.path.iterdir())
        return sorted(int(match[1]) for match in found if match)

    def part_path(self, part: int) -> Path:
        """Return where a part lies."""
        return self.path / f"recording-{part}.xdf"

    def next_part(self) -> int:
        """Return the number that the next part gets."""
        return max(self.part_numbers(), default=0) + 1

    def open_part(self, streams: Sequence[StreamHeader]) -> PartWriter:
        """Begin the part of this life: 0 is the signal, 1 its markers, 2 its partner where it has one.

        Raises
        ------
        DiskFull
            If the disk does not take its headers.
        """
        part = self.next_part()
        self._read.clear()
        return PartWriter.create(self.part_path(part), streams, part)

    def parts(self) -> list[Recording]:
        """Read all parts, whole chunks only: each signal with its markers, and its partner beside it.

        Raises
        ------
        RecordingError
            If one is not a recording.
        """
        return [self.part(part) for part in self.part_numbers()]

    def part(self, part: int) -> Recording:
        """Read one part, whole chunks only."""
        file = self._part_file(part)
        signal, partner = recording_of_part(self.part_path(part), file), partner_of_part(self.part_path(part), file)
        return signal if partner is None else join(signal, partner, self._taken(part, file))[0]

    def streams(self, part: int) -> Sequence[XdfStream]:
        """Return the streams of a part as its file has them, whole chunks only."""
        return self._part_file(part).streams

    def _part_file(self, part: int) -> XdfFile:
        """Read a part unless it is as it was; a new life looks at it several times before it begins its own."""
        status = self.part_path(part).stat()
        seen = (status.st_ino, status.st_size, status.st_mtime_ns)
        if part not in self._read or self._read[part][0] != seen:
            self._read[part] = (seen, read_part(self.part_path(part)))
        return self._read[part][1]

    # Decisions

    def decisions(self) -> list[Decision]:
        """Read the decisions in force, in the order in which they were taken; those on a partner as on its signal."""
        # The parts first: a bridge that writes on decides on samples before it writes them.
        files = {part: self._part_file(part) for part in self.part_numbers()}
        decisions = self._log.read(lambda part, stream: _n_whole(files.get(part), stream)).decisions
        paired = {part for part, file in files.items() if len(file.streams) > PARTNER}
        if not paired:
            return list(decisions)
        by_part = {part: [d for d in decisions if d.part == part] for part in sorted({d.part for d in decisions})}
        read_back = {
            part: self._as_one(part, files[part], taken) if part in paired else taken for part, taken in by_part.items()
        }
        return [decision for part in read_back for decision in read_back[part]]

    def _taken(self, part: int, file: XdfFile) -> list[Decision]:
        """Read the decisions in force on the samples of one part that were read before, as they were taken."""
        decisions = self._log.read(lambda of, stream: _n_whole(file if of == part else None, stream)).decisions
        return [decision for decision in decisions if decision.part == part]

    def _as_one(self, part: int, file: XdfFile, taken: Sequence[Decision]) -> Sequence[Decision]:
        """Return the decisions of a part with a partner as of one stream."""
        n_rows, n_partners = _n_whole(file, SIGNAL), _n_whole(file, PARTNER)
        return zipped(n_rows, n_partners, taken, subject=str(self.part_path(part))).decisions

    def append_decision(self, *decisions: Decision) -> None:
        """Append decisions and wait until they are on the disk, before they are obeyed.

        Raises
        ------
        DiskFull
            If the disk does not take them.
        """
        self._log.append(*decisions)

    def recover(self) -> Recovered:
        """Mend what a crash left, before anything reads it: the first thing that a new life does.

        Torn tails are cut at the last whole chunk and kept in ``recording-<n>.torn``; decisions that never took effect
        are voided for good; a torn last result is cut.
        """
        torn = {part: _cut_torn(self.part_path(part), self._part_file(part)) for part in self.part_numbers()}
        content = self._log.read(self._whole)
        if content.fresh_voids:
            voids = {"lines": list(content.fresh_voids), "n": len(content.fresh_voids)}
            self._log.append(Decision("voided", self.next_part(), 0, 0, voids))
        torn_results = _cut_torn_line(self.path / "results.jsonl")
        return Recovered({part: n for part, n in torn.items() if n}, len(content.fresh_voids), torn_results)

    def _whole(self, part: int, stream: int) -> int:
        """Return how many whole samples of a stream a part has; 0 where there is no such part or stream."""
        return _n_whole(self._part_file(part) if self.part_path(part).exists() else None, stream)

    # Room for the end

    def reserve(self) -> None:
        """Keep room on the disk for what is written last: the results that a full disk did not take, and the ledger.

        Raises
        ------
        DiskFull
            If the disk has not that much.
        """
        reserve(self.path / "reserve", RESERVE_BYTES)

    def release(self) -> None:
        """Give that room back."""
        (self.path / "reserve").unlink(missing_ok=True)

    # Results, ledger, notes

    def append_result(self, result: Mapping[str, Any]) -> bool:
        """Append a result (known by its ``index``) or an fMRI event (known by all that it says), once.

        Returns
        -------
        bool
            False if it is there already; nothing is written then.

        Raises
        ------
        DiskFull
            If the disk does not take it.
        """
        if self._result_keys is None:
            self._result_keys = {_result_key(known) for known in self.results()}
        key = _result_key(result)
        if key in self._result_keys:
            return False
        if self._results is None:
            self._results = _open_lines(self.path / "results.jsonl")
        self._results.append(_line(result))
        self._results.sync()
        self._result_keys.add(key)
        return True

    def results(self) -> list[dict[str, Any]]:
        """Read results and fMRI events in the order in which they came; a torn last one is left out."""
        return _read_lines(self.path / "results.jsonl")

    def write_ledger(self, ledger: Mapping[str, Any]) -> None:
        """Write ``ledger.json``: how the session stands or ended."""
        replace_file(self.path / "ledger.json", _json(ledger))

    def ledger(self) -> dict[str, Any] | None:
        """Read ``ledger.json``; ``None`` where there is none yet."""
        file = self.path / "ledger.json"
        if not file.exists():
            return None
        try:
            values = json.loads(content_of(file))
        except (ValueError, RecursionError) as error:
            raise broken(str(file), f"cannot be read: {error}") from error
        return values if isinstance(values, dict) else None

    def append_note(self, note: Mapping[str, Any]) -> None:
        """Append what somebody wrote down."""
        notes = _open_lines(self.path / "notes.jsonl")
        try:
            notes.append(_line(note))
            notes.sync()
        finally:
            notes.close()

    def notes(self) -> list[dict[str, Any]]:
        """Read what people wrote down."""
        return _read_lines(self.path / "notes.jsonl")

    def close(self) -> None:
        """Close the files that are open for appending; the parts are closed by who opened them."""
        self._log.close()
        if self._results is not None:
            self._results.close()
            self._results = None


def known_sessions(
    data: Path, refused: Callable[[Path, RecordingError], None] = lambda path, error: None
) -> Iterator[SessionFolder]:
    """Yield the sessions of a data folder, oldest first; folders that cannot be read are left out.

    Parameters
    ----------
    data : Path
    refused : callable
        Hears of each folder that has the name of a session and cannot be read.
    """
    sessions = data / "sessions"
    for path in sorted(sessions.iterdir()) if sessions.is_dir() else []:
        try:
            yield SessionFolder.open(path)
        except RecordingError as error:
            if is_session_id(path.name):
                refused(path, error)


def scanned_patients(data: Path) -> set[str]:
    """Return the patients of a data folder who have a folder of scores of scans; other files there are nobody's."""
    return {path.name for path in data.glob("patients/*") if path.is_dir() and _is_name(path.name)}


def _is_name(text: str) -> bool:
    try:
        check_name("patient", text)
    except IdentityError:
        return False
    return True


def _n_whole(file: XdfFile | None, stream: int) -> int:
    """Return how many whole samples of a stream a part has; 0 where there is no such part or stream."""
    return len(file.streams[stream].stamps) if file is not None and stream < len(file.streams) else 0


def _cut_torn(path: Path, file: XdfFile) -> int:
    """Cut what follows the last whole chunk, kept beside it first; return the number of bytes."""
    if file.whole_bytes == file.size:
        return 0
    with open(path, "rb+") as part:
        part.seek(file.whole_bytes)
        tail = part.read()
        torn = AppendFile(path.with_suffix(".torn"))
        torn.append(tail)
        torn.sync()
        torn.close()
        part.truncate(file.whole_bytes)
        os.fsync(part.fileno())
    return len(tail)


def _cut_torn_line(path: Path) -> int:
    if not path.exists():
        return 0
    content = content_of(path)
    whole = content.rfind(b"\n") + 1
    if whole < len(content):
        os.truncate(path, whole)
    return len(content) - whole


def _open_lines(path: Path) -> AppendFile:
    _cut_torn_line(path)
    return AppendFile(path)


def _read_lines(path: Path) -> list[dict[str, Any]]:
    if not path.exists():
        return []
    content = content_of(path)
    try:
        lines = [json.loads(line) for line in content[: content.rfind(b"\n") + 1].splitlines()]
    except (ValueError, RecursionError) as error:
        raise broken(str(path), f"has a line that is not JSON: {error}") from error
    if any(not isinstance(line, dict) for line in lines):
        raise broken(str(path), "has a line that is no object")
    return lines


def _result_key(result: Mapping[str, Any]) -> str:
    if "index" in result:
        return f"window {result['index']}"
    return f"fmri {json.dumps(dict(result), sort_keys=True)}"  # one that was refused must not keep a good one out


def _json(values: Mapping[str, Any]) -> bytes:
    return json.dumps(values, indent=1, ensure_ascii=False, allow_nan=False).encode() + b"\n"


def _line(values: Mapping[str, Any]) -> bytes:
    return json.dumps(dict(values), separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode() + b"\n"


def _check_spelling(what: str, name: str, known: str) -> None:
    if name != known and same_name(name, known):
        message = f"{what} {name} is already known as {known}; names differ by more than case."
        raise IdentityError(message, subject=what, remedy=f"Write {known}.")
