"""All that was said of a session so far, and what a viewer must hear to know it (pure).

A snapshot is the shortest list of entries that leaves a reader where the whole stream would: of what replaces itself
the last, of what adds up all. Hearing an entry twice changes nothing, so a wiped Redis that tells all again does no
harm.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

#: Types of which the last one says everything.
REPLACED = ("session", "source", "outcome", "fmri", "end")
#: Types of which only the newest are of use to a screen, and how many.
NEWEST = {"marker": 64, "segment": 64, "notice": 16, "note": 200, "mark": 200}
#: A list of its own for markers that a person made: the paradigm's would push them out.
MARKS = {"mark": "marker"}
#: Types that stay for good, one entry for each window.
PER_WINDOW = ("window", "result")

Entry = dict[str, Any]


class SessionRecord:
    """What was said of one session, folded."""

    def __init__(self) -> None:
        self._last: dict[str, Mapping[str, Any]] = {}
        self._lists: dict[str, list[Mapping[str, Any]]] = {name: [] for name in NEWEST}
        self._windows: dict[str, dict[int, Mapping[str, Any]]] = {name: {} for name in PER_WINDOW}

    def add(self, type: str, data: Mapping[str, Any]) -> bool:
        """Take one entry; return whether it said something new."""
        if type in PER_WINDOW:
            known = self._windows[type]
            is_new = data["index"] not in known
            known[data["index"]] = data
            return is_new
        if type in NEWEST:
            return self._append(_list_of(type, data), data)
        is_new = self._last.get(type) != data
        self._last[type] = data
        return is_new

    def _append(self, type: str, data: Mapping[str, Any]) -> bool:
        entries = self._lists[type]
        if data in entries:
            return False
        entries.append(data)
        del entries[: -NEWEST[type]]
        return True

    def last(self, type: str) -> Mapping[str, Any] | None:
        """Return the last entry of a type that replaces itself."""
        return self._last.get(type)

    def newest(self, type: str) -> Mapping[str, Any]:
        """Return the newest entry of a type that adds up; an empty one where there is none."""
        return self._lists[type][-1] if self._lists[type] else {}

    def count(self, type: str) -> int:
        """Return how many windows, or results, there are."""
        return len(self._windows[type])

    def entries(self) -> list[Entry]:
        """Return the entries of a snapshot: the session first, its end last."""
        first = [{"type": t, "data": d} for t, d in self._last.items() if t not in ("outcome", "end")]
        first.sort(key=lambda entry: entry["type"] != "session")
        lists = [{"type": MARKS.get(t, t), "data": d} for t, entries in self._lists.items() for d in entries]
        windows = [{"type": t, "data": self._windows[t][i]} for t in PER_WINDOW for i in sorted(self._windows[t])]
        last = [{"type": t, "data": self._last[t]} for t in ("outcome", "end") if t in self._last]
        return first + lists + windows + last


def _list_of(type: str, data: Mapping[str, Any]) -> str:
    return "mark" if type == "marker" and "author" in data else type
