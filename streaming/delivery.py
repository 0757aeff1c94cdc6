"""A window in the hands of a scorer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from streaming import keys
from streaming.errors import RecordError
from streaming.records import WindowRecord


@dataclass(frozen=True, eq=False)
class Delivery:
    """A window that was handed over, to be committed or to be handed over again.

    Parameters
    ----------
    session : str
        Session identifier.
    entry_id : str
        Its stream entry, ``<term>-<index>``.
    record : WindowRecord
        The window.
    deliveries : int
        How often it was handed to a scorer, this time included.
    """

    session: str
    entry_id: str
    record: WindowRecord
    deliveries: int = 1

    @classmethod
    def read(cls, session: str, entry_id: str, fields: Mapping[bytes, bytes], deliveries: int) -> Delivery:
        """Decode a stream entry.

        Raises
        ------
        RecordError
            If it cannot be decoded, or holds another window than its ID says.
        """
        record = WindowRecord.decode(fields)
        found = (record.session, keys.entry_id(record.term, record.window.index))
        if found != (session, entry_id):
            raise RecordError(
                f"Entry {entry_id} of session {session} holds window {found[1]} of session {found[0]}.",
                subject=keys.windows(session),
                remedy="Nothing but a bridge may write there; the window is made again from its session folder.",
            )
        return cls(session, entry_id, record, deliveries)

    @property
    def index(self) -> int:
        """Index of the window."""
        return keys.index_of(self.entry_id)

    @property
    def model(self) -> str:
        """SHA-256 of the bundle that its session is bound to."""
        return self.record.bundle_sha256

    @property
    def end_s(self) -> float:
        """When its last sample was taken, on the bridge's clock; NaN for a window that was made again."""
        return self.record.stamp_s
