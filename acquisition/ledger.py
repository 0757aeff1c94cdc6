"""The ledger: where every sample of the grid went (law 3).

``received + declared_lost = in_windows + settling + gap + partial + end + pending`` at any moment, each grid sample
once however many windows cover it. ``Book`` is where it is kept, each amount counted where it happens rather than as
what is left of the others, so that the sum is a check.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any

#: Reasons to reject that two streams in one montage have: rows of the signal whose partner never came, and samples of
#: the partner that were not taken. Both are in the ledger of two streams, 0 or not; of one stream neither is.
UNPAIRED, PARTNER = "unpaired", "partner"


@dataclass(frozen=True)
class Ledger:
    """The ledger at one moment, in samples of the montage's grid.

    Parameters
    ----------
    received : int
        Samples that came and were taken onto the grid.
    declared_lost : int
        Grid samples that never came, bridged ones too.
    bridged : int
        Those of them that a straight line stands for.
    in_windows : int
        Grid samples that are in at least one window.
    settling, gap, partial, end : int
        Discarded: while the filter settles, never there, in a window that was cut short, in one that the end cut short.
    pending : int
        Settled samples of the open segment that are in no window yet; 0 after the end.
    rejected : mapping of str to int
        Samples that were not taken onto the grid, by reason; outside the sum.
    clock_resets : int
        Jumps of the source's clock.
    """

    received: int = 0
    declared_lost: int = 0
    bridged: int = 0
    in_windows: int = 0
    settling: int = 0
    gap: int = 0
    partial: int = 0
    end: int = 0
    pending: int = 0
    rejected: Mapping[str, int] = field(default_factory=dict)
    clock_resets: int = 0

    @property
    def discarded(self) -> int:
        """All discarded samples."""
        return self.settling + self.gap + self.partial + self.end

    @property
    def balanced(self) -> bool:
        """Whether every sample is accounted for."""
        here = self.received + self.declared_lost
        return here == self.in_windows + self.discarded + self.pending and self.gap == self.declared_lost - self.bridged

    def to_json(self) -> dict[str, Any]:
        """Return the ledger as the JSON object that reports, events and the screen show."""
        return {
            "received": self.received,
            "declared_lost": self.declared_lost,
            "bridged": self.bridged,
            "in_windows": self.in_windows,
            "discarded": {"settling": self.settling, "gap": self.gap, "partial": self.partial, "end": self.end},
            "pending": self.pending,
            "rejected": dict(self.rejected),
            "clock_resets": self.clock_resets,
            "balanced": self.balanced,
        }


def samples_of(ledger: Mapping[str, Any]) -> int:
    """Return how many samples of the signal a ledger's object accounts for, rejected ones too."""
    rejected = sum(int(n) for reason, n in ledger["rejected"].items() if reason != PARTNER)
    return int(ledger["received"]) + rejected


class Book:
    """The running count behind a ``Ledger``.

    Parameters
    ----------
    settling : int
        Samples at the start of a segment that are in no window.
    """

    def __init__(self, settling: int) -> None:
        self._settling = settling
        self._counts: Counter[str] = Counter()
        self._rejected: Counter[str] = Counter(duplicate=0, backward=0)
        self._placed = 0

    @property
    def next_sample(self) -> int:
        """The grid sample that comes next."""
        return self._counts["received"] + self._counts["declared_lost"]

    @property
    def ledger(self) -> Ledger:
        """The ledger as it stands."""
        return Ledger(**self._counts, rejected=dict(self._rejected))

    def copy(self) -> Book:
        """Return a book that goes on by itself from here."""
        return deepcopy(self)

    def begin(self) -> None:
        """Open a segment."""
        self._placed = 0

    def receive(self, n_samples: int) -> None:
        """Take samples that came onto the open segment."""
        self._counts["received"] += n_samples
        self._place(n_samples)

    def miss(self, n_samples: int) -> None:
        """Declare grid samples lost."""
        self._counts["declared_lost"] += n_samples
        self._counts["gap"] += n_samples

    def bridge(self, n_samples: int) -> None:
        """Put a line in the place of the samples that were declared lost last."""
        self._counts["bridged"] += n_samples
        self._counts["gap"] -= n_samples
        self._place(n_samples)

    def _place(self, n_samples: int) -> None:
        settling = min(n_samples, max(self._settling - self._placed, 0))
        self._placed += n_samples
        self._counts["settling"] += settling
        self._counts["pending"] += n_samples - settling

    def window(self, n_new: int) -> None:
        """Book a window that covers samples which no window covered before."""
        self._counts["in_windows"] += n_new
        self._counts["pending"] -= n_new

    def close(self, *, end: bool) -> None:
        """Close the open segment: what no window covers was cut short, by the end or by a hole."""
        self._counts["end" if end else "partial"] += self._counts["pending"]
        self._counts["pending"] = 0

    def reject(self, n_samples: int, reason: str) -> None:
        """Count samples that are not taken onto the grid."""
        if reason in (UNPAIRED, PARTNER):
            self._rejected.update({UNPAIRED: 0, PARTNER: 0})
        self._rejected[reason] += n_samples

    def reset_clock(self) -> None:
        """Count a jump of the source's clock."""
        self._counts["clock_resets"] += 1
