"""Decisions: what was decided about the samples, one line each, the second half of the record (law 2).

Conditioning and windowing read samples and decisions, never stamps. A decision stands at a place: the number of whole
samples of its stream, in its part of the session, that come before it. ``chain.Chain.obey`` is where they take effect.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from acquisition.errors import DecisionError

#: Every kind of decision; what each carries in ``data`` is told where it is obeyed (``chain``).
KINDS = (
    "segment", "bridged", "lost", "reject", "unpaired", "slip", "clock_reset", "marker", "calibration", "end", "term",
    "voided", "index",
)  # fmt: skip

_REMEDY = "Restore decisions.jsonl from a copy, or leave the line out and replay the session."


def canonical_json(value: Any) -> str:
    """Return the one JSON text of a value: sorted keys, no spaces, floats by repr (which reads back bit for bit)."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


@dataclass(frozen=True)
class Decision:
    """One decision and its place.

    Parameters
    ----------
    kind : str
        One of ``KINDS``.
    part : int
        The part of the session (one part per life of the bridge), from 1.
    stream : int
        The stream within the part; 0 is the signal, 2 its partner where the montage comes from two streams.
    at : int
        Whole samples of that stream in that part before the decision takes effect.
    data : mapping of str to JSON values
        What was decided.
    """

    kind: str
    part: int
    stream: int
    at: int
    data: Mapping[str, Any] = field(default_factory=dict)

    def to_line(self) -> bytes:
        """Return the decision as one line of ``decisions.jsonl``, newline included."""
        fields = {"kind": self.kind, "part": self.part, "stream": self.stream, "at": self.at, "data": dict(self.data)}
        return canonical_json(fields).encode() + b"\n"

    @classmethod
    def from_line(cls, line: bytes) -> Decision:
        """Read one line back.

        Raises
        ------
        DecisionError
            If the line is not a whole decision.
        """
        try:
            fields = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise _rubbish(line) from error
        if not isinstance(fields, dict) or set(fields) != {"kind", "part", "stream", "at", "data"}:
            raise _rubbish(line)
        places = (fields["part"], fields["stream"], fields["at"])
        if not all(type(place) is int and place >= 0 for place in places):
            raise _rubbish(line)
        if not isinstance(fields["kind"], str) or not isinstance(fields["data"], dict):
            raise _rubbish(line)
        return cls(fields["kind"], *places, fields["data"])

    def count(self, key: str, *, least: int = 0) -> int:
        """Return a whole number of the data.

        Raises
        ------
        DecisionError
            If there is none, or it is below the least allowed.
        """
        value = self.data.get(key)
        if type(value) is not int or value < least:
            raise self.unfit(key, f"a whole number, {least} or more")
        return value

    def word(self, key: str) -> str:
        """Return a text of the data.

        Raises
        ------
        DecisionError
            If there is none.
        """
        value = self.data.get(key)
        if not isinstance(value, str):
            raise self.unfit(key, "a text")
        return value

    def unfit(self, key: str, expected: str) -> DecisionError:
        """Return the error that says what a value of the data is, and what was expected."""
        place = f"part {self.part}, sample {self.at}"
        message = f"Decision {self.kind} at {place} has {key} = {self.data.get(key)!r}; expected {expected}."
        return DecisionError(message, subject=self.kind, remedy="Restore decisions.jsonl from a copy.")


def _rubbish(line: bytes) -> DecisionError:
    shown = line[:80].decode("utf-8", "backslashreplace").strip()
    message = f"{shown!r} is not a decision; expected one JSON object with kind, part, stream, at and data."
    return DecisionError(message, subject="decisions.jsonl", remedy=_REMEDY)
