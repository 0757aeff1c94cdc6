"""What the bridge knows about the signal right now, for its heartbeat: state, quality, phase, ledger."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from statistics import median
from typing import Any

import numpy as np

from acquisition.decisions import Decision
from acquisition.paradigm import PHASES
from acquisition.quality import Cell, faults_of
from acquisition.timing import Pairing, Timing

#: Cells in the quality that is shown live: one second.
CELLS = 10


class Pulse:
    """Collect what a heartbeat tells.

    Parameters
    ----------
    labels : tuple of str
        The montage's channels.
    """

    def __init__(self, labels: tuple[str, ...]) -> None:
        self._labels = labels
        self._cells: deque[Cell] = deque(maxlen=CELLS)
        self._phase = ""
        self._trial = 0
        #: The link's state and its cause in words.
        self.link = ("SEARCHING", "")
        #: How the time of each of the source's streams runs.
        self.timing: Sequence[Timing] = ()
        #: How the second of two streams stands to the first.
        self.pairing: Pairing | None = None
        self._alignment = Alignment()

    def cells(self, cells: Iterable[Cell]) -> None:
        """Take finished quality cells."""
        self._cells.extend(cells)

    def decision(self, decision: Decision) -> None:
        """Follow phases and trials: a trial begins with its preparation."""
        if decision.kind == "segment":
            self._cells.clear()
        if decision.kind == "marker" and decision.data["phase"] is not None:
            self._phase = decision.data["phase"] if decision.data["phase"] in PHASES else ""
            self._trial += self._phase == PHASES[0]
        if decision.kind == "slip":
            self._alignment.slips += decision.data["n"] != 0

    def pair(self, pairing: Pairing | None) -> None:
        """Take how the second stream stands now; once a second."""
        self.pairing = pairing
        if pairing is not None:
            self._alignment.add(pairing)

    def aligned(self) -> dict[str, Any] | None:
        """Return how well two streams were aligned so far; None where there is one alone."""
        return None if self.pairing is None else self._alignment.to_json()

    @property
    def trial(self) -> int:
        """Number of the current trial, 0 before the first."""
        return self._trial

    def quality(self) -> dict[str, float]:
        """Return the share of good cells in the last second, by label; empty when there is none."""
        cells = list(self._cells)
        if not cells:
            return {}
        good = np.mean([cell.good for cell in cells], axis=0)
        return {label: round(float(share), 3) for label, share in zip(self._labels, good, strict=True)}

    def faults(self) -> dict[str, list[str]]:
        """Return what was found wrong in the last second, by label."""
        cells = list(self._cells)
        if not cells:
            return {}
        bits = np.bitwise_or.reduce([cell.fault_bits for cell in cells])
        return {label: list(faults_of(int(b))) for label, b in zip(self._labels, bits, strict=True) if b}

    def to_json(self) -> Mapping[str, Any]:
        """Return the part of the heartbeat that is about the signal."""
        state, cause = self.link
        return {
            "state": state,
            "cause": cause,
            "timing": [timing.to_json() for timing in self.timing],
            "pairing": None if self.pairing is None else self.pairing.to_json(),
            "quality": self.quality(),
            "faults": self.faults(),
            "phase": self._phase,
            "trial": self._trial,
        }


class Alignment:
    """How well two streams were aligned while a session ran, by what was told once a second."""

    def __init__(self) -> None:
        self._errors_s: list[float] = []
        self._uncertainty_s: float | None = None
        #: How often the second stream was moved by a sample, for the two clocks run at two rates.
        self.slips = 0

    def add(self, pairing: Pairing) -> None:
        """Take one second's pairing; while nothing is paired there is no error."""
        if pairing.error_s is not None:
            self._errors_s.append(abs(pairing.error_s))
        if pairing.uncertainty_s is not None:
            self._uncertainty_s = max(self._uncertainty_s or 0.0, pairing.uncertainty_s)

    def to_json(self) -> dict[str, Any]:
        """Return the median and the largest error, the largest uncertainty, in s, and the slips."""
        errors = self._errors_s
        return {
            "error_s": median(errors) if errors else None,
            "largest_error_s": max(errors, default=None),
            "uncertainty_s": self._uncertainty_s,
            "slips": self.slips,
        }
