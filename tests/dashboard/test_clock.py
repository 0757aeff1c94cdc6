"""The clock by which ages are told, and how far the wave has come: a page sees by both what was long on its way."""

from __future__ import annotations

import math
from typing import Any

import httpx
import numpy as np

from dashboard.hub import Bed
from streaming.waves import WaveFrame
from tests.dashboard.conftest import Teller


def frame(first_sample: int, stamp_s: float) -> WaveFrame:
    """Return 20 samples of two channels."""
    return WaveFrame.from_uv(np.zeros((20, 2)), segment=0, first_sample=first_sample, stamp_s=stamp_s)


def test_the_clock_goes_on_and_ages_are_told_by_it(client: httpx.Client, teller: Teller, read: Any) -> None:
    """An age is told between what is asked before its reader came and after it was read, by one process (law 7)."""
    before = client.get("/api/v1/clock").json()
    reader = read()
    reader.until("contact")  # as things stood when the reader came; the next one is told while it listens
    told = reader.until("contact")["data"]["clock"]
    after = client.get("/api/v1/clock").json()
    assert before["server"] == told["server"] == after["server"]
    assert before["at_s"] <= told["at_s"] <= after["at_s"]


def test_a_bed_knows_how_far_its_wave_has_come_and_how_old_that_is() -> None:
    """The newest frame's end, as old as when it was sent and the time since it came."""
    bed = Bed("B4")
    assert bed.wave(100.0) is None
    bed.came_s(frame(400, stamp_s=5.0).encode(sent_s=5.25), 99.0, 5.3)
    assert bed.wave(100.0) == {"end": 420, "age_s": 1.25}


def test_a_frame_of_unknown_age_or_none_at_all_tells_nothing() -> None:
    """A replay's frames have no stamps; what is published by strangers is no frame."""
    bed = Bed("B4")
    bed.came_s(frame(400, stamp_s=math.nan).encode(), 99.0, 5.3)
    assert bed.wave(100.0) is None
    bed.came_s(b"garbage", 99.0, 5.3)
    assert bed.wave(100.0) is None
