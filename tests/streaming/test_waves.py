"""Traces for the screen: small, bounded in error, counted where they are cut."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from streaming import keys
from streaming.errors import RecordError
from streaming.subscription import Subscription
from streaming.waves import WaveFrame, WavePublisher


@given(
    arrays.arrays(
        np.float32, st.tuples(st.integers(0, 30), st.integers(1, 16)), elements=st.floats(-3276, 3276, width=32)
    ),
    st.integers(0, 2**32 - 1),
    st.integers(-(2**63), 2**63 - 1),
)
def test_a_frame_comes_back_within_half_a_step(x_uv, segment, first_sample):
    """Rounding is the only loss."""
    frame = WaveFrame.from_uv(x_uv, segment=segment, first_sample=first_sample, stamp_s=1.25)
    back = WaveFrame.decode(frame.encode())
    assert (back.segment, back.first_sample, back.stamp_s, back.saturated) == (segment, first_sample, 1.25, 0)
    assert back.steps.shape == x_uv.shape
    np.testing.assert_allclose(back.x_uv, x_uv, atol=0.0502)


def test_the_layout_is_the_contracts():
    """A browser reads it byte by byte: 40 bytes of header, then rows of int16."""
    data = WaveFrame.from_uv(np.array([[1.0, -1.0]]), segment=2, first_sample=3, stamp_s=0.5).encode(2.0)
    assert data.hex() == (
        b"FXW2".hex()
        + "0100"
        + "0200"
        + "02000000"
        + "0300000000000000"
        + "000000000000e03f"
        + "0000000000000040"
        + "00000000"
        + "0a00"
        + "f6ff"
    )


def test_what_does_not_fit_is_cut_and_counted():
    """Beyond 3.28 mV, and what is no number."""
    frame = WaveFrame.from_uv(
        np.array([[5000.0, -5000.0, np.nan, np.inf, 3276.7]]), segment=0, first_sample=0, stamp_s=0
    )
    assert frame.saturated == 4
    assert frame.steps.tolist() == [[32767, -32767, 0, 0, 32767]]


@pytest.mark.parametrize("data", [b"", b"FXW2", b"FXW1" + bytes(36), b"FXW2\x01\x00\x01\x00" + bytes(32)])
def test_bytes_that_are_no_frame_are_refused(data):
    """Too short, another version, or samples missing (law 10)."""
    with pytest.raises(RecordError, match="no wave frame|wave frame of 1 x 1 samples has 40 bytes"):
        WaveFrame.decode(data)


def test_a_frame_reaches_who_listens(redis, session):
    """Published, not stored: who listens gets it, and nobody else needs to."""
    waves = WavePublisher(redis, session)
    frame = WaveFrame.from_uv(np.ones((20, 16)), segment=0, first_sample=0, stamp_s=0)
    waves.publish(frame)
    listening = Subscription(redis, [keys.wave(session)])
    redis.publish(keys.wave(session), b"")
    assert listening.get(5.0) == (keys.wave(session), b"")
    waves.publish(frame)
    message = listening.get(5.0)
    assert message is not None
    assert WaveFrame.decode(message.data).encode() == frame.encode()
    listening.close()


def test_frames_of_one_turn_go_out_together_and_in_order(redis, session):
    """A burst costs one round trip; who listens gets every frame of it."""
    waves, listening = WavePublisher(redis, session), Subscription(redis, [keys.wave(session)])
    frames = [WaveFrame.from_uv(np.ones((20, 2)), segment=0, first_sample=20 * i, stamp_s=0) for i in range(50)]
    waves.publish(*frames)
    heard = [listening.get(5.0) for _ in frames]
    assert [WaveFrame.decode(message.data).first_sample for message in heard if message] == list(range(0, 1000, 20))
    listening.close()
