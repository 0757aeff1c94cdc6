"""Hum: mains of the other frequency, which a session's filters let through (pure).

A session filters the mains that it was told of. Where the room has the other, its hum stays in every trace, at full
height, and nothing of it shows in the quality: a cell is judged by the session's own mains alone, and that rule is part
of what models were trained behind. So the hum is measured beside the chain, on the filtered traces, for people alone;
no window, weight or fingerprint knows of it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from acquisition.quality import CELL_SAMPLES

#: The other mains of each.
OTHER_HZ = {50.0: 60.0, 60.0: 50.0}
#: Share of a channel's variance at the other mains, over the last second, from which on it hums. Muscle and brain have
#: a tenth of it in the ten hertz around mains; an EEG recording from a room with the other mains had 0.97.
SHARE = 0.5
#: Root mean square of the hum in microvolts below which it is no matter, however quiet the rest.
LEAST_UV = 2.0
#: Cells that are looked at: one second.
CELLS = 10
#: Cells in a row in which one channel hums before people are told: 5 s, longer than any cable is moved.
PATIENCE_CELLS = 50


class Hum:
    """Which channels hum at the mains that the session does not filter.

    Parameters
    ----------
    labels : tuple of str
        The montage's channels.
    rate_hz, mains_hz : float
        Samples per second, and the mains that is filtered.
    """

    def __init__(self, labels: tuple[str, ...], rate_hz: float, mains_hz: float) -> None:
        self.hz = OTHER_HZ.get(mains_hz, 0.0)
        self._mains_hz = mains_hz
        self._labels = labels
        angle = 2 * np.pi * self.hz / rate_hz * np.arange(CELL_SAMPLES)
        # The bin of a discrete Fourier transform at that frequency: its sum of squares is that bin's variance.
        self._bin = np.sqrt(2.0) / CELL_SAMPLES * np.stack([np.cos(angle), np.sin(angle)])
        self._rest: NDArray[np.float32] = np.empty((0, len(labels)), np.float32)
        self._powers: deque[tuple[NDArray[np.float64], NDArray[np.float64]]] = deque(maxlen=CELLS)
        self._run = np.zeros(len(labels), np.intp)
        self._lasted = np.zeros(len(labels), np.bool_)
        self._next = 0
        self._told = False

    def push(self, first_sample: int, x_uv: NDArray[np.float32]) -> None:
        """Take filtered samples, shape (n, n_channels), from this place on the grid; after a gap it begins anew."""
        if not self.hz:
            return
        if first_sample != self._next:
            self._begin()
        self._next = first_sample + len(x_uv)
        self._rest = np.concatenate([self._rest, x_uv])
        while len(self._rest) >= CELL_SAMPLES:
            self._measure(self._rest[:CELL_SAMPLES].astype(np.float64))
            self._rest = self._rest[CELL_SAMPLES:]

    def _begin(self) -> None:
        self._rest = self._rest[:0]
        self._powers.clear()
        self._run[:] = 0

    def _measure(self, cell: NDArray[np.float64]) -> None:
        centred = cell - cell.mean(axis=0)
        self._powers.append((np.square(self._bin @ centred).sum(axis=0), np.square(centred).mean(axis=0)))
        self._run = np.where(self._loud(), self._run + 1, 0)
        self._lasted |= self._run >= PATIENCE_CELLS

    def _loud(self) -> NDArray[np.bool_]:
        at, whole = (np.mean(powers, axis=0) for powers in zip(*self._powers, strict=True))
        return np.asarray((at > SHARE * whole) & (at > LEAST_UV**2) & (len(self._powers) == CELLS))

    @property
    def channels(self) -> tuple[str, ...]:
        """Labels of those that hum now."""
        return tuple(label for label, run in zip(self._labels, self._run, strict=True) if run)

    @property
    def lasted(self) -> tuple[str, ...]:
        """Labels of those that hummed for some seconds at any time: what a recording is told to have had."""
        return tuple(label for label, lasted in zip(self._labels, self._lasted, strict=True) if lasted)

    def words(self, channels: Sequence[str]) -> str:
        """Return the sentence about channels that hum."""
        return f"Mains of {self.hz:g} Hz in {', '.join(channels)}: this session filters {self._mains_hz:g} Hz alone."

    def to_json(self) -> dict[str, Any] | None:
        """Return what a heartbeat tells; None where nothing hums."""
        channels = list(self.channels)  # once: the heartbeat asks from a thread of its own
        return {"hz": self.hz, "channels": channels} if channels else None

    def notice(self) -> dict[str, str] | None:
        """Return what people are to be told, once, when a channel has hummed for some seconds; else None."""
        if self._told or not (self._run >= PATIENCE_CELLS).any():
            return None
        self._told = True
        return {
            "text": self.words(self.channels),
            "remedy": f"If the mains here has {self.hz:g} Hz, end this session and start anew with "
            f"mains {self.hz:g} Hz; else look for what sends it.",
        }
