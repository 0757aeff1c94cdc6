"""Spread: many measured times of one thing, as quantiles beside the aim that one of them has."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

#: Heads of the table.
HEAD = ("what", "p50", "p95", "p99", "max", "n", "aim")
#: Quantiles that are told.
SHARES = {"p50": 0.5, "p95": 0.95, "p99": 0.99, "max": 1.0}


@dataclass(frozen=True)
class Spread:
    """Times of one thing.

    Parameters
    ----------
    what : str
        In words; the line of the table.
    values : ndarray
        In ``unit``; none where nothing could be measured.
    aim : float, optional
        What the quantile ``aimed`` must not be above.
    aimed : str
        One of ``SHARES``.
    unit : str
        "ms" or "kB".

    Examples
    --------
    >>> spread = Spread("a thing", np.arange(101.0), aim=90)
    >>> spread.row()
    ('a thing', '50 ms', '95 ms', '99 ms', '100 ms', '101', 'p95 90 ms: missed')
    >>> spread.at("p50"), spread.met
    (50.0, False)
    """

    what: str
    values: NDArray[np.float64]
    aim: float | None = None
    aimed: str = "p95"
    unit: str = "ms"

    def at(self, name: str) -> float | None:
        """Return a quantile by its name; None where nothing was measured."""
        return float(np.quantile(self.values, SHARES[name])) if len(self.values) else None

    @property
    def met(self) -> bool | None:
        """Whether the aim is met; None without one."""
        if self.aim is None:
            return None
        value = self.at(self.aimed)
        return value is not None and value <= self.aim

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON values."""
        told = {name: self.at(name) for name in SHARES}
        aim = {"aim": self.aim, "aimed": self.aimed if self.aim is not None else None, "met": self.met}
        return {"what": self.what, "unit": self.unit, "n": len(self.values), **told, **aim}

    def row(self) -> tuple[str, ...]:
        """Return its line of the table, under ``HEAD``."""
        return (self.what, *(self._words(self.at(name)) for name in SHARES), str(len(self.values)), self._aim())

    def figure(self) -> str:
        """Return what docs/figures.md says of it."""
        told = [f"{name} {self._words(self.at(name))}" for name in SHARES]
        return f"{', '.join(told)} (n = {len(self.values)}; aim {self._aim()})"

    def _aim(self) -> str:
        if self.aim is None:
            return ""
        return f"{self.aimed} {self._words(self.aim)}: {'met' if self.met else 'missed'}"

    def _words(self, value: float | None) -> str:
        return "" if value is None else f"{value:.0f} {self.unit}"
