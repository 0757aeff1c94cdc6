"""The session folder as the bridge writes it, and what happens when the disk refuses (law 2).

Two threads write: the bridge's (samples, decisions) and the outbox's (terms, results); one lock keeps their lines
whole. When recording fails a live session goes on as ``unrecorded``, by name, and records again in a new part as soon
as the disk takes one.
"""

from __future__ import annotations

import threading
from collections import Counter, deque
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import structlog

from acquisition.clock import Clock
from acquisition.clock_map import mark
from acquisition.decisions import Decision
from acquisition.errors import DiskFull
from acquisition.formats.xdf_header import StreamHeader
from acquisition.items import MARKERS, PARTNER, SIGNAL, ClockOffset, Raw, RawMarker
from acquisition.parts import PartWriter
from acquisition.session import SessionFolder
from streaming.records import ResultRecord

#: Seconds between syncs of the recording when no window forces one (contract).
SYNC_S = 1.0
#: Seconds between tries to record again.
RETRY_S = 2.0

log = structlog.get_logger("recorder")


class Recorder:
    """Write one life of a session.

    Parameters
    ----------
    folder : SessionFolder
        Recovered.
    clock : Clock
        Time.
    may_go_unrecorded : bool
        True for a live session; otherwise a full disk ends the replay.
    """

    def __init__(self, folder: SessionFolder, clock: Clock, *, may_go_unrecorded: bool) -> None:
        self._folder = folder
        self._clock = clock
        self._may_go_unrecorded = may_go_unrecorded
        self._lock = threading.Lock()
        self._headers: Sequence[StreamHeader] = ()
        self._part: PartWriter | None = None
        self._sync_s = self._retry_s = 0.0
        #: Results that the folder does not hold yet, oldest first.
        self._unsaved: deque[dict[str, Any]] = deque()
        #: The same of notes.
        self._unsaved_notes: deque[dict[str, Any]] = deque()
        #: Whether this is the wrong patient's session.
        self._in_error = False
        self._highest_term: int | None = None
        self._said = False
        #: Number of the part that is, or will be, written.
        self.part_number = folder.next_part()
        #: Whole samples of each stream in that part.
        self._counts: Counter[int] = Counter()
        #: Why nothing is recorded; empty while all is well.
        self.failure = ""

    @property
    def recorded(self) -> bool:
        """Whether what comes is recorded."""
        return not self.failure

    @property
    def at(self) -> int:
        """Whole samples of the signal in this part."""
        return self._counts[SIGNAL]

    @property
    def begun(self) -> bool:
        """Whether the part is open."""
        return self._part is not None

    # -- the bridge's thread --------------------------------------------------------------------

    def open(self, headers: Sequence[StreamHeader]) -> None:
        """Begin the part of this life, and note where its clock stands."""
        self._headers = headers
        if self._may_go_unrecorded:
            self._reserve()
        self._guard(self._open)

    def _reserve(self) -> None:
        try:
            self._folder.reserve()
        except DiskFull as error:  # what room there is serves the samples; only the end has none of its own
            log.warning("no_reserve", cause=str(error))

    def _open(self) -> None:
        self._close()
        self._part = self._folder.open_part(self._headers)
        self.part_number, self._counts = self._part.part, Counter()
        self._folder.update(clock=(*self._folder.info.clock, mark(self.part_number, self._clock)))

    def samples(self, raw: Raw) -> None:
        """Append samples, those of the partner before the rows that they are in (law 2)."""

        def write() -> None:  # samples and their count in one step: the outbox's thread puts its terms by the count
            if raw.partner is not None:
                self._append(PARTNER, raw.partner)
            self._append(raw.stream, raw)

        self._guard(write)

    def _append(self, stream: int, raw: Raw) -> None:
        self._writer.append(stream, raw.samples, raw.stamps)
        self._counts[stream] += len(raw)

    def marker(self, marker: RawMarker) -> None:
        """Append a marker; a source without a marker stream has none to send."""
        self._guard(lambda: self._writer.append(MARKERS, [marker.text], np.array([marker.stamp_s])))

    def offset(self, offset: ClockOffset) -> None:
        """Append a measured clock offset."""
        self._guard(lambda: self._writer.offset(offset.stream, offset.time_s, offset.offset_s))

    def decision(self, kind: str, data: Mapping[str, Any], stream: int = SIGNAL) -> Decision:
        """Append a decision at this place of a stream, synced, and return it."""
        with self._lock:
            decision = Decision(kind, self.part_number, stream, self._counts[stream], data)
        self._guard(lambda: self._folder.append_decision(decision))
        return decision

    def note(self, note: Mapping[str, Any]) -> None:
        """Append a note of the user's; one that the disk does not take waits until it does."""
        self._unsaved_notes.append(dict(note))
        self._guard(self._save)

    def entered_in_error(self) -> None:
        """Write down that this is the wrong patient's session, as soon as the disk takes it."""
        self._in_error = True
        self._guard(self._save)

    def save_scan(self, event: Mapping[str, Any]) -> None:
        """Append an fMRI event to ``results.jsonl``; one that is there already is not written again."""
        self._unsaved.append(dict(event))
        self._guard(self._save)

    def sync(self) -> None:
        """Wait until all samples are on the disk."""
        if self._part is not None:
            self._guard(self._writer.sync)
            self._sync_s = self._clock.monotonic_s() + SYNC_S

    def sync_if_due(self) -> None:
        """Sync at least every second."""
        if self.recorded and self._clock.monotonic_s() >= self._sync_s:
            self.sync()

    def record_again(self) -> bool:
        """Try to open a new part after a failure; tell whether that worked just now."""
        if self.recorded or not self._headers or self._clock.monotonic_s() < self._retry_s:
            return False
        self.failure = ""
        if not self._guard(self._open):
            return False
        log.info("recorded_again", part=self.part_number)
        self._said = False
        self._guard(self._save)
        return True

    def close(self) -> None:
        """Write the footers."""
        self._guard(self._close)

    def finish(self) -> None:
        """Give the room for the end back, and write the notes and results that a full disk did not take."""
        self._folder.release()
        failure, self.failure = self.failure, ""
        self._guard(self._save)
        self.failure = self.failure or failure  # what was not recorded stays so

    def _close(self) -> None:
        if self._part is not None:
            self._part.close()

    @property
    def _writer(self) -> PartWriter:
        assert self._part is not None
        return self._part

    def _guard(self, write: Callable[[], object]) -> bool:
        """Write unless recording has failed; when the disk refuses, go on unrecorded where that is allowed."""
        if self.failure:
            return False
        try:
            with self._lock:
                write()
        except DiskFull as error:
            if not self._may_go_unrecorded:
                raise
            if not self._said:
                log.error("unrecorded", cause=str(error))
                self._said = True
            self.failure = str(error)
            self._retry_s = self._clock.monotonic_s() + RETRY_S
            return False
        return True

    # -- the outbox's thread --------------------------------------------------------------------

    def highest_term(self) -> int:
        """Return the highest term in the folder, 0 without one."""
        with self._lock:
            if self._highest_term is None:  # read once: it takes the whole recording, and the bridge waits meanwhile
                terms = (int(d.data["term"]) for d in self._folder.decisions() if d.kind == "term")
                self._highest_term = max(terms, default=0)
            return self._highest_term

    def save_term(self, term: int) -> None:
        """Record a term before it is used."""
        self._highest_term = max(term, self.highest_term())
        self.decision("term", {"term": term})

    def save_result(self, result: ResultRecord, latency_s: float | None) -> None:
        """Append a result to ``results.jsonl``, with the time it took to come back."""
        self._unsaved.append({**result.to_json(), "latency_s": latency_s})
        self._guard(self._save)

    def _save(self) -> None:
        if self._in_error and not self._folder.info.entered_in_error:
            self._folder.update(entered_in_error=True)
        while self._unsaved:
            self._folder.append_result(self._unsaved[0])
            self._unsaved.popleft()
        while self._unsaved_notes:
            self._folder.append_note(self._unsaved_notes[0])
            self._unsaved_notes.popleft()

    def results(self) -> list[ResultRecord]:
        """Return the results on disk."""
        with self._lock:
            return [result_of(line) for line in self._folder.results() if "index" in line]


def result_of(line: Mapping[str, Any]) -> ResultRecord:
    """Return the result that a line of ``results.jsonl`` holds."""
    return ResultRecord.from_json({name: value for name, value in line.items() if name != "latency_s"})
