"""``decisions.jsonl``: every decision of a session, each line one ``write(2)``, synced before it is obeyed (law 2).

A crash leaves lines that never took effect: the last one torn, and those about samples that never became whole. They
are void. The next life appends a decision ``voided`` that lists their line numbers, so that no later sample revives
them; a reader that comes before that life leaves them out by the same rule.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from acquisition.decisions import Decision
from acquisition.durable import AppendFile
from acquisition.errors import DecisionError, RecordingError
from acquisition.items import PARTNER
from acquisition.session_info import content_of

#: Decisions about the sample that follows them: without it they decided nothing.
ABOUT_THE_NEXT_SAMPLE = frozenset({"segment", "bridged", "lost", "reject", "clock_reset"})
#: Those about the partner's next sample. In a replay, which plays both streams as one, they only tell.
ABOUT_THE_PARTNERS_NEXT = frozenset({"unpaired", "slip"})

#: Whole samples of a part and stream; 0 where there is no such part.
Whole = Callable[[int, int], int]


@dataclass(frozen=True)
class LogContent:
    """What a log holds.

    Parameters
    ----------
    decisions : tuple of Decision
        Those in force, in the order of the file.
    fresh_voids : tuple of int
        Numbers, from 0, of lines that are void and not yet listed by a ``voided`` decision.
    """

    decisions: tuple[Decision, ...]
    fresh_voids: tuple[int, ...]


class DecisionLog:
    """The decisions of one session on disk.

    Parameters
    ----------
    path : Path
        ``decisions.jsonl``; made by the first ``append``.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file: AppendFile | None = None

    def read(self, whole: Whole) -> LogContent:
        """Read the decisions that are in force.

        Parameters
        ----------
        whole : callable
            ``whole(part, stream)`` is the number of whole samples.

        Raises
        ------
        RecordingError
            If a line in the middle is no decision: the file was changed by something other than a crash.
        """
        if not self.path.exists():
            return LogContent((), ())
        content = content_of(self.path)
        return self._in_force(content.split(b"\n"), whole)

    def append(self, *decisions: Decision) -> None:
        """Append decisions, each with one ``write(2)``, and wait until they are on the disk.

        Raises
        ------
        DiskFull
            If the disk does not take them.
        """
        if self._file is None:
            self._file = AppendFile(self.path)
            if self._file.ends_torn():
                self._file.append(b"\n")
        for decision in decisions:
            self._file.append(decision.to_line())
        self._file.sync()

    def close(self) -> None:
        """Close the file; the next ``append`` opens it again."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def _in_force(self, lines: Sequence[bytes], whole: Whole) -> LogContent:
        # What follows the last newline is torn, however well it reads: its newline was part of the same write.
        numbered = {number: _decision(line) for number, line in enumerate(lines[:-1])}
        listed = {line for d in numbered.values() if d and d.kind == "voided" for line in d.data["lines"]}
        torn = {number for number, decision in numbered.items() if decision is None} - listed
        if lines[-1]:
            torn.add(len(lines) - 1)
        self._check_torn(torn, numbered, listed)
        candidates = {n: d for n, d in numbered.items() if d and n not in listed}
        ended = any(d.kind == "end" for d in candidates.values())
        void = {n for n, d in candidates.items() if _points_past(d, whole(d.part, d.stream), ended)}
        decisions = tuple(d for n, d in candidates.items() if n not in void)
        return LogContent(decisions, tuple(sorted(void | torn)))

    def _check_torn(self, torn: set[int], numbered: dict[int, Decision | None], listed: set[int]) -> None:
        """A crash tears the last line; after it only lines that list it as void may follow."""
        sound = [n for n, d in numbered.items() if d is not None and n not in listed]
        between = sorted(n for n in torn if sound and n < sound[-1])
        if between:
            message = f"line {between[0] + 1} of {self.path} is not a decision, and sound lines follow it."
            remedy = "The file was changed after it was written: restore it from a copy."
            raise RecordingError(message, subject=str(self.path), remedy=remedy)


def _decision(line: bytes) -> Decision | None:
    try:
        decision = Decision.from_line(line)
    except DecisionError:
        return None
    lines = decision.data.get("lines", [])
    sound = decision.kind != "voided" or (isinstance(lines, list) and all(type(line) is int for line in lines))
    return decision if sound else None


def _points_past(decision: Decision, whole: int, ended: bool) -> bool:
    if decision.at > whole:
        return True
    about = ABOUT_THE_PARTNERS_NEXT if decision.stream == PARTNER else ABOUT_THE_NEXT_SAMPLE
    return decision.at == whole and not ended and decision.kind in about
