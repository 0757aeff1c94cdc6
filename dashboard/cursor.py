"""How far a viewer has come: the session, and the last entry of each of its two streams (pure).

Events and results are two Redis streams whose order to each other means nothing; a cursor therefore holds one entry ID
of each, and what a viewer lacks is all entries after either.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

#: Before the first entry of any stream.
START = (0, 0)

Stream = Literal["events", "results"]
EntryId = tuple[int, int]


@dataclass(frozen=True)
class Cursor:
    """A place in a session's messages.

    Parameters
    ----------
    session : str
        Session identifier.
    events, results : tuple of int
        Last entry of each stream: milliseconds, sequence.
    """

    session: str
    events: EntryId = START
    results: EntryId = START

    def __str__(self) -> str:
        return f"{self.session}_{words(self.events)}_{words(self.results)}"

    @classmethod
    def parse(cls, text: str) -> Cursor | None:
        """Return the cursor that ``str`` made, or None for any other text: its viewer begins anew.

        Examples
        --------
        >>> str(Cursor.parse("S_17-1_0-0"))
        'S_17-1_0-0'
        >>> Cursor.parse("none") is None
        True
        """
        parts = text.split("_")
        if len(parts) != 3:
            return None
        try:
            return cls(parts[0], numbers(parts[1]), numbers(parts[2]))
        except ValueError:
            return None

    def of(self, stream: Stream) -> EntryId:
        """Return the last entry of one stream."""
        return self.events if stream == "events" else self.results

    def moved(self, stream: Stream, entry: EntryId) -> Cursor:
        """Return the cursor after one more entry."""
        return replace(self, events=entry) if stream == "events" else replace(self, results=entry)


def numbers(entry_id: str) -> EntryId:
    """Return an entry ID as numbers that can be compared.

    Raises
    ------
    ValueError
        If it is none.
    """
    high, dash, low = entry_id.partition("-")
    if not dash:
        raise ValueError(f"{entry_id!r} is no entry ID")
    return int(high), int(low)


def words(entry: EntryId) -> str:
    """Return the entry ID that Redis knows."""
    return f"{entry[0]}-{entry[1]}"
