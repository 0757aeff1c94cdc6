"""Says to Redis what the bridges of many beds would, until it is killed.

``python -m deploy.bench.fanout_feed REDIS BEDS``; it prints a line when all beds have their sessions.

Waves of 16 channels, 50 frames a second for each bed, the beds spread over the 20 ms; heartbeats; a window with its
result and its outcome every 10 s. Every frame says when it was sent, on this machine's monotonic clock, which its
readers have too.
"""

from __future__ import annotations

import sys
import time
from typing import Any

import numpy as np

from acquisition.identity import new_session_id
from acquisition.montage import load_montage
from streaming import keys
from streaming.connection import Client, connect
from streaming.events import EventLog
from streaming.framing import FRAME_SAMPLES
from streaming.heartbeat import Heartbeat
from streaming.sessions import Registry, SessionEntry
from streaming.waves import WaveFrame

#: Frames of one bed in a second.
FRAMES_HZ = 50
#: Steps in which the 20 ms of a frame are walked: the beds of a step publish together.
STEPS = 8
#: Different frames of signal, told over and over.
FRAMES = 64
#: Seconds between two windows of a bed.
WINDOW_S = 10.0

MONTAGE = load_montage("amp16")


class FedBed:
    """One bed that is told of.

    Parameters
    ----------
    redis : Client
        A client of the feed.
    number : int
        Which one.
    """

    def __init__(self, redis: Client, number: int) -> None:
        self.name = f"B{number + 1}"
        self.session = new_session_id()
        self._events = EventLog(redis, self.session)
        self._heart = Heartbeat(redis, "bridge", self.session, session=self.session)
        self.channel = keys.wave(self.session)
        self._first = 0
        self._windows = 0
        noise = np.random.default_rng(number).normal(0, 30, (FRAMES, FRAME_SAMPLES, MONTAGE.n_channels))
        self._signal = noise.cumsum(axis=1)
        Registry(redis).open(
            SessionEntry(self.session, self.name, f"P-{number + 1:03}", "live", "2026-01-01T00:00:00Z")
        )
        channels = {"labels": MONTAGE.labels, "kinds": MONTAGE.kinds}
        about = {"session": self.session, "bed": self.name, "origin": "live", "rate_hz": MONTAGE.rate_hz, "bundles": {}}
        self._events.append("session", {**about, **channels})

    def frame(self) -> bytes:
        """Return the next frame, sent now."""
        now_s, at = time.monotonic(), self._first
        self._first += FRAME_SAMPLES
        x_uv = self._signal[at // FRAME_SAMPLES % FRAMES]
        return WaveFrame.from_uv(x_uv, segment=0, first_sample=at, stamp_s=now_s).encode(now_s)

    def beat(self) -> None:
        """Say that its bridge lives, and how good its channels are."""
        quality = dict.fromkeys(MONTAGE.labels, 1.0)
        self._heart.beat({"state": "LIVE", "cause": "", "quality": quality, "faults": {}, "next_sample": self._first})

    def window(self) -> None:
        """Tell of a window and of the outcome after it."""
        index, self._windows = self._windows, self._windows + 1
        quality = dict.fromkeys(MONTAGE.labels, 1.0)
        self._events.append("window", {"index": index, "sqi": 1.0, "weight": 1.0, "channel_quality": quality})
        outcome: dict[str, Any] = {"state": "PARTIAL", "probability": 0.6, "interval": [0.5, 0.7], "reasons": []}
        self._events.append("outcome", {**outcome, "modalities": ["eeg_emg"], "windows": {"scored": index + 1}})


def feed(url: str, n_beds: int) -> None:
    """Tell of all beds for ever."""
    redis = connect(url, "fanout-feed")
    beds = [FedBed(redis, n) for n in range(n_beds)]
    others = [Heartbeat(redis, role, role) for role in ("scorer", "aggregator")]
    print("ready", flush=True)
    begun_s, per_second = time.monotonic(), FRAMES_HZ * STEPS
    n = 0
    while True:
        pipeline = redis.pipeline(transaction=False)
        for bed in beds[n % STEPS :: STEPS]:
            pipeline.publish(bed.channel, bed.frame())
        pipeline.execute()
        for place, bed in enumerate(beds):  # each at a moment of its own
            if n % per_second == place * per_second // n_beds:
                bed.beat()
            if n % round(WINDOW_S * per_second) == place * round(WINDOW_S * per_second) // n_beds:
                bed.window()
        if n % per_second == 0:
            for heart in others:
                heart.beat()
        n += 1
        time.sleep(max(0.0, begun_s + n / per_second - time.monotonic()))


if __name__ == "__main__":
    feed(sys.argv[1], int(sys.argv[2]))
