"""Frames: cut by the grid, never across a segment, each stamped with its own last sample."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from acquisition.chain import Traces
from streaming.framing import FRAME_SAMPLES, Framer


def traces(first: int, n: int, segment: int = 0) -> Traces:
    """Return numbered samples of one channel, 0.1 µV a step."""
    return Traces(segment, first, (np.arange(first, first + n) / 10)[:, None].astype(np.float32))


@given(st.lists(st.integers(0, 70), max_size=12))
def test_frames_do_not_depend_on_chunks(sizes):
    """All samples come once, in order, 20 to a frame, with the stamp of the frame's last one."""
    framer, first, frames = Framer(1000.0), 0, []
    for n in sizes:
        frames += framer.push(traces(first, n), (first + n - 1) / 1000)
        first += n
    assert all(len(frame.steps) == FRAME_SAMPLES for frame in frames)
    steps = np.concatenate([frame.steps[:, 0] for frame in frames]) if frames else np.array([])
    assert np.array_equal(steps, np.arange(first // FRAME_SAMPLES * FRAME_SAMPLES))
    for frame in frames:
        last = frame.first_sample + FRAME_SAMPLES - 1
        assert np.isclose(frame.stamp_s, last / 1000)


def test_a_new_segment_sends_what_is_left_of_the_old_one():
    """A frame never spans two segments (law 4), and what is left is no younger for the gap after it (law 7)."""
    framer = Framer(1000.0)
    assert framer.push(traces(0, 7), 0.006) == []
    frames = framer.push(traces(100, 20, segment=1), 0.119)
    assert [(f.segment, f.first_sample, len(f.steps)) for f in frames] == [(0, 0, 7), (1, 100, 20)]
    assert [f.stamp_s for f in frames] == [0.006, 0.119]
