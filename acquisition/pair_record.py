"""What two paired streams leave on the record: both in one order, the decisions that make one grid of them (law 3).

The grid is the first stream's. Where it has no row, or the row has no partner, it has a hole: of 1 to 20 samples it is
bridged, a longer one is lost and opens a segment, as everywhere (law 4).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from acquisition.decisions import Decision
from acquisition.items import PARTNER, SIGNAL, ClockOffset, Item, Raw, RawMarker
from acquisition.segment import MOST_BRIDGED


class PairRecord:
    """The order of recording, in the making.

    Parameters
    ----------
    part : int
        The part that everything goes to.
    columns : sequence of int
        The partner's columns that stand beside the first stream's.
    next_sample, next_segment : int
        Where the grid stands.
    """

    def __init__(self, part: int, columns: Sequence[int], next_sample: int, next_segment: int) -> None:
        self._part = part
        self._columns = list(columns)
        self._next_sample = next_sample
        self._next_segment = next_segment
        self._at = {SIGNAL: 0, PARTNER: 0}
        self._items: list[Item] = []
        #: Why a segment is to begin with the next pair; empty where nothing but a hole asks for one.
        self._begin_for = ""
        #: Whether a segment is open, so that a short hole can be bridged.
        self.open = False
        #: The place up to which the rows of the first stream were gone through.
        self.reached = next_sample

    def hand_over(self) -> list[Item]:
        """Return what has come since the last call."""
        items, self._items = self._items, []
        return items

    def pass_on(self, item: Decision | RawMarker | ClockOffset) -> None:
        """Let something through that is not about single samples."""
        if isinstance(item, Decision):
            self.decide(item.kind, **item.data)
        else:
            self._items.append(item)

    def decide(self, kind: str, stream: int = SIGNAL, **data: Any) -> None:
        """Decide here."""
        self._items.append(Decision(kind, self._part, stream, self._at[stream], data))

    def obey(self, decision: Decision) -> None:
        """Take over what the first stream's own judge says of its grid."""
        if decision.kind == "bridged":
            self.reached += decision.count("n")
        elif decision.kind == "segment":
            self._begin_for = self._begin_for or decision.word("reason")
        else:
            self._lose_hole()
            self.decide(decision.kind, **decision.data)
        if decision.kind == "lost":
            self.reached += decision.count("n")
            self._next_sample = self.reached
            self.open = False

    def reject(self, items: Iterable[Raw | Decision | RawMarker | ClockOffset], n_samples: int, reason: str) -> None:
        """Record rows that are not taken, and what stands between them."""
        self.decide("reject", n=n_samples, reason=reason)
        for item in items:
            if isinstance(item, Raw):
                nothing = np.zeros((len(item), len(self._columns)), item.samples.dtype)
                self._send(Raw(item.samples, item.stamps, SIGNAL, np.concatenate([item.samples, nothing], axis=1)))
            else:
                self.pass_on(item)
        if self.reached - self._next_sample > MOST_BRIDGED:
            self._lose_hole()

    def leave(self, pieces: Iterable[Raw], n_samples: int, reason: str) -> None:
        """Record samples of the partner that are not taken."""
        self.decide("unpaired", PARTNER, n=n_samples, reason=reason)
        for raw in pieces:
            self._send(raw)

    def reach(self, place: int) -> None:
        """Go on with a pair at a place of the grid: what lies before it is bridged or lost."""
        self.reached = place
        hole = place - self._next_sample
        if self.open and not self._begin_for and hole <= MOST_BRIDGED:
            if hole:
                self.decide("bridged", n=hole)
                self._next_sample = place
            return
        self._lose_hole()
        self.decide("segment", segment=self._next_segment, first_sample=place, reason=self._begin_for or "gap")
        self._next_segment += 1
        self.open, self._begin_for = True, ""

    def pair(self, own: Raw, partner: Raw) -> None:
        """Record rows with their partner's samples."""
        with np.errstate(invalid="ignore"):  # a NaN that signals is one like any other
            joined = np.concatenate([own.samples, partner.samples[:, self._columns]], axis=1)
        self._send(Raw(own.samples, own.stamps, SIGNAL, joined, partner))
        self.reached += len(own)
        self._next_sample = self.reached

    def _lose_hole(self) -> None:
        hole = self.reached - self._next_sample
        if hole:
            self.decide("lost", n=hole, reason="partner")
            self._next_sample = self.reached
            self.open = False

    def _send(self, raw: Raw) -> None:
        self._items.append(raw)
        self._at[raw.stream] += len(raw)
        if raw.partner is not None:
            self._at[PARTNER] += len(raw)
