"""The reel: a tape that can look ahead to the decisions that stand before the next samples.

A calibration is recorded when it falls due, which may be after other decisions of the same place were; it is obeyed
before them all the same.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from acquisition.decisions import Decision


class Samples(Protocol):
    """Samples on a tape: a part of the session, the first one's number in that part, and microvolts."""

    @property
    def part(self) -> int:
        """The part of the session."""

    @property
    def at(self) -> int:
        """Whole samples of the signal in the part before the first."""

    @property
    def x_uv(self) -> NDArray[np.float64]:
        """Microvolts, shape (n_samples, n_channels)."""


class Reel:
    """A tape, read in order, that can take one decision out of turn.

    Parameters
    ----------
    tape : iterable of Decision and samples
        In the order of the record.
    """

    def __init__(self, tape: Iterable[Decision | Samples]) -> None:
        self._tape = iter(tape)
        self._ahead: deque[Decision | Samples] = deque()

    def __iter__(self) -> Iterator[Decision | Samples]:
        while self._ahead or self._look():
            yield self._ahead.popleft()

    def _look(self) -> bool:
        for item in self._tape:
            self._ahead.append(item)
            return True
        return False

    def calibration_at(self, part: int, at: int) -> Decision | None:
        """Take the stored calibration of a place off the tape, if it is there among the decisions that come next."""
        while (not self._ahead or isinstance(self._ahead[-1], Decision)) and self._look():
            pass
        for item in self._ahead:
            if isinstance(item, Decision) and item.kind == "calibration" and (item.part, item.at) == (part, at):
                self._ahead.remove(item)
                return item
        return None
