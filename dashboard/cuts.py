"""Cuts: a stretch of a session's traces as bytes, sample by sample or as the least and greatest of each pixel column.

Raw is one wave frame (``FXW2``, as live) after the other, none over a hole. An envelope is a header of 32 bytes and
int16 at 0.1 µV, little-endian, the least of all columns, then the greatest, one row of channels after the other::

    4s magic "FXC1" · H columns · H channels · 8x · q first sample · q end (one past the last)

A column without samples has a least above its greatest, so that a hole is a hole and never joined over (law 4).
"""

from __future__ import annotations

import math
import struct

import numpy as np
from numpy.typing import NDArray

from dashboard.retraced import Retraced
from streaming.waves import LIMIT, WaveFrame

#: First bytes of an envelope.
MAGIC = b"FXC1"
#: Samples of one raw answer: a minute.
MAX_SAMPLES = 60_000
#: Columns of one envelope: wider than any screen.
MAX_COLUMNS = 8192

_HEADER = struct.Struct("<4sHH8xqq")


def raw(traces: Retraced, first: int, stop: int) -> bytes:
    """Return the samples [first, stop) as wave frames, one for each stretch without a hole."""
    frames = (
        WaveFrame(run.segment, run.first_sample, math.nan, np.asarray(steps), 0)
        for run, steps in traces.between(first, stop)
    )
    return b"".join(frame.encode() for frame in frames)


def envelope(traces: Retraced, first: int, stop: int, n_columns: int) -> bytes:
    """Return the least and greatest value of every channel in each of so many columns of [first, stop).

    Parameters
    ----------
    traces : Retraced
    first, stop : int
        Of the session's grid.
    n_columns : int
        At most as many as there are samples.
    """
    least, greatest = extremes(traces, first, stop, n_columns)
    head = _HEADER.pack(MAGIC, n_columns, least.shape[1], first, stop)
    return head + np.ascontiguousarray(least, "<i2").tobytes() + np.ascontiguousarray(greatest, "<i2").tobytes()


def extremes(traces: Retraced, first: int, stop: int, n_columns: int) -> tuple[NDArray[np.int16], NDArray[np.int16]]:
    """Return the least and the greatest, each of shape (n_columns, n_channels), int16."""
    n_channels = traces.steps.shape[1]
    least = np.full((n_columns, n_channels), LIMIT, np.int16)
    greatest = np.full((n_columns, n_channels), -LIMIT, np.int16)
    edges = first + -(-np.arange(n_columns + 1) * (stop - first) // n_columns)
    for run, steps in traces.between(first, stop):
        begin = int(np.searchsorted(edges, run.first_sample, "right")) - 1
        end = int(np.searchsorted(edges, run.stop, "left"))
        starts = np.maximum(edges[begin:end], run.first_sample) - run.first_sample
        np.minimum(least[begin:end], np.minimum.reduceat(steps, starts, axis=0), out=least[begin:end])
        np.maximum(greatest[begin:end], np.maximum.reduceat(steps, starts, axis=0), out=greatest[begin:end])
    return least, greatest
