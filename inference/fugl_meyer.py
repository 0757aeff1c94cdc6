"""Fugl-Meyer: the points at 3 months that a model with such a head expects, as quiet company of the probability (pure).

A bundle without the head, or a session without a score, has none. The interval is as wide as it was on patients that
the network never saw; it is never narrower for having more windows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from inference.manifest import FmaSpec
from streaming.records import ResultRecord

#: Points of the lower limb's motor score at most.
MOST_POINTS = 34.0


@dataclass(frozen=True)
class Fma:
    """Points at 3 months, from 0 to 34, and the interval around them."""

    value: float
    interval: tuple[float, float]

    def to_json(self) -> dict[str, Any]:
        """Return the ``fma`` object of the contract."""
        return {"value": self.value, "interval": list(self.interval)}


def fma_of(scored: Sequence[ResultRecord], spec: FmaSpec | None) -> Fma | None:
    """Return what the scored windows of a session say of its points, weighted by quality, in index order.

    Parameters
    ----------
    scored : sequence of ResultRecord
        Each with a weight above 0.
    spec : FmaSpec or None
        Of the bundle that scored them.

    Returns
    -------
    Fma or None
        None for a bundle without the head, and where no window has points.
    """
    total = weights = 0.0
    for result in scored:
        if result.fma is not None:
            total += result.weight * result.fma
            weights += result.weight
    if spec is None or not weights:
        return None
    value = _held(total / weights)
    return Fma(value, (_held(value - spec.half_width), _held(value + spec.half_width)))


def _held(points: float) -> float:
    return min(max(points, 0.0), MOST_POINTS)
