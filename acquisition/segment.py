"""Segments: what the decisions say about the samples that come next (laws 3 and 4).

``Grid`` knows where on the session's grid the next sample falls, whether a segment is open, which samples are not to be
taken and which hole a straight line is to bridge. It books every sample in the ledger as it goes.
"""

from __future__ import annotations

from acquisition.errors import DecisionError, SequenceError
from acquisition.ledger import Book

#: The longest hole that a straight line may bridge, in samples; a longer one opens a segment.
MOST_BRIDGED = 20


class Grid:
    """The place of the next sample.

    Parameters
    ----------
    settling : int
        Samples at the start of a segment that are in no window.
    """

    def __init__(self, settling: int) -> None:
        self.book = Book(settling)
        self.open = False
        self.segment = -1
        self.first_sample = 0
        self.bridged = 0
        self._rejects: list[tuple[int, str]] = []

    def begin(self, segment: int, first_sample: int) -> None:
        """Open a segment at a grid sample; an open one is cut short.

        Raises
        ------
        DecisionError
            If the grid stands elsewhere.
        """
        if first_sample != self.book.next_sample:
            raise _contradiction(
                f"Segment {segment} begins at grid sample {first_sample}, but {self.book.next_sample} comes next"
            )
        self.close(end=False)
        self.book.begin()
        self.open, self.segment, self.first_sample = True, segment, first_sample

    def close(self, *, end: bool) -> None:
        """Close the open segment, if there is one; a hole that no sample came after stays a hole."""
        self.book.close(end=end)
        self.open, self.bridged = False, 0

    def miss(self, n_samples: int) -> None:
        """Declare grid samples lost, which ends the segment."""
        self.close(end=False)
        self.book.miss(n_samples)

    def bridge(self, n_samples: int) -> None:
        """Leave a hole to be bridged before the next sample.

        Raises
        ------
        DecisionError
            If there is nothing to bridge from, or the hole is too long.
        """
        if not self.open or self.book.next_sample == self.first_sample:
            raise _contradiction(f"A hole of {n_samples} is to be bridged before the first sample of a segment")
        if self.bridged + n_samples > MOST_BRIDGED:
            found = self.bridged + n_samples
            raise _contradiction(f"A hole of {found} samples is to be bridged; expected at most {MOST_BRIDGED}")
        self.book.miss(n_samples)
        self.bridged += n_samples

    def reject(self, n_samples: int, reason: str) -> None:
        """Do not take the next samples."""
        self._rejects.append((n_samples, reason))

    def skip(self, n_samples: int) -> int:
        """Return how many of the next samples are not to be taken, and book them."""
        skipped = 0
        while self._rejects and skipped < n_samples:
            n_left, reason = self._rejects.pop(0)
            step = min(n_left, n_samples - skipped)
            self.book.reject(step, reason)
            skipped += step
            if n_left > step:
                self._rejects.insert(0, (n_left - step, reason))
        return skipped

    def receive(self, n_samples: int) -> int:
        """Take samples onto the grid and return how many a line is to bridge before them.

        Raises
        ------
        SequenceError
            If no segment is open.
        """
        if not self.open:
            raise SequenceError("Samples came while no segment is open.", remedy="Obey a segment decision first.")
        n_bridged, self.bridged = self.bridged, 0
        self.book.bridge(n_bridged)
        self.book.receive(n_samples)
        return n_bridged


def _contradiction(what: str) -> DecisionError:
    remedy = "The decisions do not fit together; restore decisions.jsonl from a copy."
    return DecisionError(f"{what}.", subject="decisions", remedy=remedy)
