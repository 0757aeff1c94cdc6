"""Frames for the screen: 20 ms of traces each, cut by the grid and never across a segment."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from acquisition.chain import Traces
from streaming.waves import WaveFrame

#: Samples in a frame: 20 ms at 1000 Hz (contract).
FRAME_SAMPLES = 20


class Framer:
    """Cut traces into frames; what is left of a segment when the next begins goes out as a short frame."""

    def __init__(self, rate_hz: float) -> None:
        self._rate_hz = rate_hz
        self._segment = -1
        self._first = 0
        self._rest: NDArray[np.float32] | None = None
        self._stamp_s = math.nan

    def push(self, traces: Traces, stamp_s: float) -> list[WaveFrame]:
        """Return the frames that these traces complete.

        Parameters
        ----------
        traces : Traces
            The next ones.
        stamp_s : float
            LSL clock of their last sample; NaN where there is none.
        """
        frames = []
        if traces.segment != self._segment or self._rest is None:
            frames = self._flush()
            self._segment, self._first = traces.segment, traces.first_sample
            self._rest = traces.x_uv
        else:
            self._rest = np.concatenate([self._rest, traces.x_uv])
        whole = len(self._rest) // FRAME_SAMPLES * FRAME_SAMPLES
        end = self._first + len(self._rest)
        for start in range(0, whole, FRAME_SAMPLES):
            last = self._first + FRAME_SAMPLES
            frames.append(
                self._frame(self._rest[start : start + FRAME_SAMPLES], stamp_s - (end - last) / self._rate_hz)
            )
            self._first = last
        self._rest, self._stamp_s = self._rest[whole:], stamp_s
        return frames

    def _flush(self) -> list[WaveFrame]:
        """Return what is left, as old as it is: the traces that follow came after a gap."""
        if self._rest is None or len(self._rest) == 0:
            return []
        return [self._frame(self._rest, self._stamp_s)]

    def _frame(self, x_uv: NDArray[np.float32], stamp_s: float) -> WaveFrame:
        return WaveFrame.from_uv(x_uv, segment=self._segment, first_sample=self._first, stamp_s=stamp_s)
