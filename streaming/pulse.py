"""What the bridge knows about the signal right now, for its heartbeat: state, quality, phase, ledger."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from acquisition.decisions import Decision
from acquisition.paradigm import PHASES
from acquisition.quality import Cell, faults_of
from acquisition.timing import Timing

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
        told = {"state": state, "cause": cause, "timing": [timing.to_json() for timing in self.timing]}
        return {**told, "quality": self.quality(), "faults": self.faults(), "phase": self._phase, "trial": self._trial}
