"""Traces for the ward: least and greatest value of four channels in each frame, made once for all viewers (pure).

A message holds the news of all beds of a tenth of a second, little-endian. It begins with ``4s magic "FXE1" · H runs``;
each run is what follows each other without a hole::

    I wave key · I segment · q first sample · f age of the last sample in s · H samples per column · H columns · H lanes

and then, for each column, least and greatest of each lane as int16 at 0.1 µV. The key is told with the bed's card. A
hole begins a new run, so that nothing is joined over it.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from streaming.errors import RecordError
from streaming.waves import WaveFrame, age_when_sent_s

#: First bytes of a message, with the version of its layout.
MAGIC = b"FXE1"
#: Frames of one bed that are kept for a message: half a second, should the ward's clock be late.
FRAMES_KEPT = 25

_HEAD = struct.Struct("<4sH")
_RUN = struct.Struct("<IIqfHHH")


def message_of(runs: Sequence[bytes]) -> bytes:
    """Return the message of these runs."""
    return _HEAD.pack(MAGIC, len(runs)) + b"".join(runs)


def runs_of(key: int, frames: Iterable[bytes], lanes: Sequence[int], waited_s: float) -> list[bytes]:
    """Return the runs that the frames of one bed make.

    Parameters
    ----------
    key : int
        Of the bed's session.
    frames : iterable of bytes
        Wave frames, oldest first; what is none, or has not these channels, is left out.
    lanes : sequence of int
        Channels that are drawn.
    waited_s : float
        Seconds since the last frame came.
    """
    whole = [(frame, age_when_sent_s(data)) for data in frames if (frame := _frame(data, lanes)) is not None]
    starts = [i + 1 for i, ((before, _), (after, _)) in enumerate(pairwise(whole)) if not _follows(before, after)]
    pieces = [whole[i:j] for i, j in pairwise([0, *starts, len(whole)]) if i < j]
    return [_run(key, [frame for frame, _ in piece], lanes, piece[-1][1] + waited_s) for piece in pieces]


def _frame(data: bytes, lanes: Sequence[int]) -> WaveFrame | None:
    try:
        frame = WaveFrame.decode(data)
    except RecordError:
        return None
    n_samples, n_channels = frame.steps.shape
    return frame if n_samples > 0 and n_channels > max(lanes, default=0) else None


def _follows(before: WaveFrame, after: WaveFrame) -> bool:
    """Tell whether a frame is the next column of a run."""
    follows = before.first_sample + len(before.steps) == after.first_sample
    return follows and before.segment == after.segment and len(before.steps) == len(after.steps)


def _run(key: int, frames: Sequence[WaveFrame], lanes: Sequence[int], age_s: float) -> bytes:
    first, n_samples = frames[0], len(frames[0].steps)
    steps: NDArray[np.int16] = np.stack([frame.steps for frame in frames])[:, :, list(lanes)]
    columns = np.stack([steps.min(axis=1), steps.max(axis=1)], axis=-1)
    head = _RUN.pack(key, first.segment, first.first_sample, age_s, n_samples, len(frames), len(lanes))
    return head + np.ascontiguousarray(columns, "<i2").tobytes()
