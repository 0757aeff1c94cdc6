"""Traces for the screen: 20 ms frames, published and not stored; the newest wins and any may be dropped.

A frame is a header of 40 bytes and int16 samples at 0.1 µV, little-endian, one row of channels after the other::

    4s magic "FXW2" · H samples · H channels · I segment · q first sample · d stamp of the last · d sent · I saturated

A frame says when its last sample was taken and when it was sent, by one clock: a reader knows how old it came (law 7).
"""

from __future__ import annotations

import math
import struct
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from streaming import keys
from streaming.connection import Client
from streaming.errors import RecordError

#: First bytes of a frame, with the version of its layout.
MAGIC = b"FXW2"
#: Microvolts of one step; int16 then reaches 3.28 mV, and rounding costs 0.03 µV.
STEP_UV = 0.1
#: Largest magnitude of a sample; symmetric, so that a trace clips alike on both sides.
LIMIT = 32_767

_HEADER = struct.Struct("<4sHHIqddI")


@dataclass(frozen=True, eq=False)
class WaveFrame:
    """A few samples of every channel.

    Parameters
    ----------
    segment : int
        Segment that they belong to.
    first_sample : int
        First sample on the session's grid.
    stamp_s : float
        Stamp of the last sample on the bridge's LSL clock; NaN where nothing is live.
    steps : ndarray, shape (n_samples, n_channels), int16
        Samples in steps of 0.1 µV.
    saturated : int
        Samples that did not fit and were cut at 3.28 mV, or that were no number and are shown as 0.
    """

    segment: int
    first_sample: int
    stamp_s: float
    steps: NDArray[np.int16]
    saturated: int

    @classmethod
    def from_uv(cls, x_uv: NDArray[np.floating], *, segment: int, first_sample: int, stamp_s: float) -> WaveFrame:
        """Return the frame of samples in microvolts, shape (n_samples, n_channels)."""
        scaled = np.rint(np.asarray(x_uv, np.float64) / STEP_UV)
        finite = np.isfinite(scaled)
        fits = finite & (np.abs(scaled) <= LIMIT)
        steps = np.clip(np.where(finite, scaled, 0), -LIMIT, LIMIT).astype(np.int16)
        return cls(segment, first_sample, stamp_s, steps, int(scaled.size - np.count_nonzero(fits)))

    @property
    def x_uv(self) -> NDArray[np.float32]:
        """The samples in microvolts, shape (n_samples, n_channels)."""
        return (self.steps * np.float32(STEP_UV)).astype(np.float32)

    def encode(self, sent_s: float = math.nan) -> bytes:
        """Return the bytes of the frame, sent at a moment of the bridge's LSL clock."""
        n_samples, n_channels = self.steps.shape
        head = (MAGIC, n_samples, n_channels, self.segment, self.first_sample, self.stamp_s, sent_s, self.saturated)
        return _HEADER.pack(*head) + np.ascontiguousarray(self.steps, "<i2").tobytes()

    @classmethod
    def decode(cls, data: bytes) -> WaveFrame:
        """Return the frame that these bytes are.

        Raises
        ------
        RecordError
            If they are none.
        """
        if len(data) < _HEADER.size or not data.startswith(MAGIC):
            raise _refused(f"{len(data)} bytes that begin with {data[:4]!r} are no wave frame; expected {MAGIC!r}.")
        _, n_samples, n_channels, segment, first_sample, stamp_s, _, saturated = _HEADER.unpack_from(data)
        if len(data) != _HEADER.size + 2 * n_samples * n_channels:
            raise _refused(f"A wave frame of {n_samples} x {n_channels} samples has {len(data)} bytes.")
        steps = np.frombuffer(data, "<i2", offset=_HEADER.size).reshape(n_samples, n_channels).astype(np.int16)
        return cls(segment, first_sample, stamp_s, steps, saturated)


def age_when_sent_s(data: bytes) -> float:
    """Return how old the last sample of an encoded frame was when it was sent; NaN where nobody knows."""
    _, _, _, _, _, stamp_s, sent_s, _ = _HEADER.unpack_from(data)
    return float(sent_s - stamp_s)


class Newest(NamedTuple):
    """The newest sample of a frame: one past its place, how old it was when sent, and when that was (NaN: not told)."""

    end: int
    age_s: float
    sent_s: float


def newest_of(data: bytes) -> Newest | None:
    """Return the newest sample of an encoded frame; None for no frame."""
    if len(data) < _HEADER.size or not data.startswith(MAGIC):
        return None
    _, n_samples, _, _, first_sample, stamp_s, sent_s, _ = _HEADER.unpack_from(data)
    return Newest(int(first_sample + n_samples), float(sent_s - stamp_s), float(sent_s))


class WavePublisher:
    """Publish the frames of a session; nobody listening is fine.

    Parameters
    ----------
    redis : Client
        Client of the bridge.
    session : str
        Session identifier.
    """

    def __init__(self, redis: Client, session: str) -> None:
        self._redis = redis
        self._channel = keys.wave(session)

    def publish(self, *frames: WaveFrame, sent_s: float = math.nan) -> None:
        """Send frames to whoever listens now.

        Parameters
        ----------
        frames : WaveFrame
            Oldest first.
        sent_s : float
            The bridge's LSL clock; NaN leaves their age unknown.
        """
        self._redis.publish_all(self._channel, [frame.encode(sent_s) for frame in frames])


def _refused(message: str) -> RecordError:
    return RecordError(message, subject="wave", remedy="Run every role of Flexion in one version.")
