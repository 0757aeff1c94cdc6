"""Batching: which windows go through the engine together (pure).

New windows go together. A window that comes again may be the one that killed a scorer, so it goes alone, after the new
ones. Of several that come again, the order turns with each delivery: whatever stands before the deadly one in one order
stands behind it in the other, so that it takes no neighbour with it before it is dead-lettered.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, TypeVar


class Counted(Protocol):
    """Something that knows how often it was delivered, this time included."""

    @property
    def deliveries(self) -> int:
        """1 for a new one."""
        ...


T = TypeVar("T", bound=Counted)


def batches(deliveries: Sequence[T], size: int) -> list[list[T]]:
    """Return the batches in the order in which they are to run.

    Parameters
    ----------
    deliveries : sequence
        As read, oldest first.
    size : int
        Most windows of a batch.
    """
    fresh = [delivery for delivery in deliveries if delivery.deliveries <= 1]
    again = [delivery for delivery in deliveries if delivery.deliveries > 1]
    if max((delivery.deliveries for delivery in again), default=0) % 2:
        again.reverse()
    return [fresh[i : i + size] for i in range(0, len(fresh), size)] + [[delivery] for delivery in again]
