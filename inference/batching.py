"""Batching: which windows go through the engine together, in which order, and how long others are waited for (pure).

New windows of one model go together, the one whose end is oldest first: it is the one that somebody has waited for
longest. Windows that are made again from a session's folder have no such end and come after those that have. A batch
is as large as the engine's self-check allows, which is one window unless it has shown that neighbours change no bit.
Windows wait for others on a GPU alone; a core takes what is there.

A window that comes again may be the one that killed a scorer, so it goes alone, after the new ones. Of several that
come again, the order turns with each delivery: whatever stands before the deadly one in one order stands behind it in
the other, so that it takes no neighbour with it before it is dead-lettered.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Protocol, TypeVar

#: Seconds that a window waits for windows of other sessions to share its batch: a five-hundredth of its own length.
GATHER_S = 0.02


class Waiting(Protocol):
    """A window that waits for its batch."""

    @property
    def session(self) -> str:
        """The session that it is of."""
        ...

    @property
    def deliveries(self) -> int:
        """How often it was delivered, this time included; 1 for a new one."""
        ...

    @property
    def model(self) -> str:
        """The bundle that its session is bound to."""
        ...

    @property
    def end_s(self) -> float:
        """When its last sample was taken, on the clock of its bridge; NaN for one that was made again."""
        ...


T = TypeVar("T", bound=Waiting)


def batches(deliveries: Sequence[T], size: Callable[[str], int]) -> list[list[T]]:
    """Return the batches in the order in which they are to run.

    Beds on one machine share a clock. Those of two machines do not, and whose windows go first among theirs says
    nothing; no window waits longer than for what was read with it either way.

    Parameters
    ----------
    deliveries : sequence
        As read.
    size : callable
        Takes a model; returns the most windows of a batch.
    """
    fresh = [delivery for delivery in deliveries if delivery.deliveries <= 1]
    again = [delivery for delivery in deliveries if delivery.deliveries > 1]
    if max((delivery.deliveries for delivery in again), default=0) % 2:
        again.reverse()
    return _together(sorted(fresh, key=_age), size) + [[delivery] for delivery in again]


def gather_s(deliveries: Sequence[T], n_sessions: int, size: Callable[[str], int], waited_s: float) -> float:
    """Return how many seconds more to wait for windows that could share a batch with these; 0 to begin.

    A session gives one window in its stride, so only those that have given none yet are waited for, and one bed alone
    waits for nobody.

    Parameters
    ----------
    deliveries : sequence
        As read so far.
    n_sessions : int
        Sessions that are read.
    size : callable
        Takes a model; returns the most windows that are worth waiting for: 1 begins at once.
    waited_s : float
        Seconds since the first of them was read.
    """
    silent = n_sessions - len({delivery.session for delivery in deliveries})
    room = any(len(batch) < size(batch[0].model) for batch in batches(deliveries, size) if batch[0].deliveries <= 1)
    return max(GATHER_S - waited_s, 0.0) if room and silent > 0 else 0.0


def _together(fresh: Sequence[T], size: Callable[[str], int]) -> list[list[T]]:
    """Return new windows in batches of one model, in the order of their first."""
    found: list[list[T]] = []
    filling: dict[str, list[T]] = {}
    for delivery in fresh:
        batch = filling.get(delivery.model)
        if batch is None or len(batch) >= size(delivery.model):
            batch = filling[delivery.model] = []
            found.append(batch)
        batch.append(delivery)
    return found


def _age(delivery: Waiting) -> float:
    return math.inf if math.isnan(delivery.end_s) else delivery.end_s
