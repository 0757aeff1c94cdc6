"""Recordings looked at without scoring: segments, losses, true rates, counters (law 3)."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from acquisition.inspection import Segment, inspect, rate_by_stamps
from acquisition.recording import Recording


def recording(stamps, rate_hz=100.0, samples=None):
    """A recording of one channel with these stamps."""
    values = np.zeros((len(stamps), 1)) if samples is None else samples
    labels = tuple(f"c{n}" for n in range(values.shape[1]))
    return Recording(
        Path("a.xdf"), "", "xdf", labels, (None,) * len(labels), rate_hz, values, np.asarray(stamps, float)
    )


def test_a_whole_recording_is_one_segment():
    """Nothing lost, nothing rejected, nothing to say."""
    seen = inspect(recording(7 + np.arange(1000) / 100))
    assert seen.segments == (Segment(0, 1000, 7.0, "start"),)
    assert (seen.duration_s, seen.n_lost, seen.n_bridged, seen.rejected, seen.clock_resets) == (10.0, 0, 0, {}, 0)
    assert seen.notes == ()


def test_what_happened_is_counted():
    """A hole, a repeated stretch and a clock that leaps: each sample is in a segment or rejected."""
    grid = np.concatenate([np.arange(1000), np.arange(1200, 2000), np.arange(1990, 2000), np.arange(2000, 3000)])
    stamps = 50 + grid / 100
    stamps[-500:] -= 10_000
    seen = inspect(recording(stamps))
    assert [(s.first_sample, s.n_samples, s.reason) for s in seen.segments] == [
        (0, 1000, "start"),
        (1200, 1300, "gap"),
        (2500, 500, "clock_reset"),
    ]
    assert (seen.n_lost, seen.rejected, seen.clock_resets) == (200, {"duplicate": 10}, 1)
    assert seen.segments[2].begins_s == pytest.approx(50 + 25 - 10_000)


@pytest.mark.parametrize("stamps", [[], [3.0]])
def test_hardly_any_samples(stamps):
    """None at all, or one, is a recording too."""
    seen = inspect(recording(stamps))
    assert [s.n_samples for s in seen.segments] == [1] * len(stamps)


def test_another_rate_than_the_stated_one_is_told():
    """What scoring refuses is looked at as it is: two segments, not one jump, at the rate of the stamps."""
    stamps = np.concatenate([653_150 + np.arange(5000) / 93, 100 + np.arange(5000) / 93])
    seen = inspect(recording(stamps))
    assert seen.rate_hz == pytest.approx(93, abs=0.01)
    assert [(s.n_samples, s.reason) for s in seen.segments] == [(5000, "start"), (5000, "clock_reset")]
    assert (seen.n_lost, seen.rejected) == (0, {})
    assert len(seen.notes) == 1 and "states 100 Hz" in seen.notes[0] and "93.00 Hz; score and replay" in seen.notes[0]


@pytest.mark.parametrize(
    ("stamps", "rate_hz"),
    [
        (np.arange(100) / 50, 50.0),
        (np.concatenate([np.arange(100) / 50, 1000 + np.arange(100) / 50]), 50.0),
        (np.concatenate([np.arange(100) / 50, [np.nan]]), 50.0),
        (np.zeros(100), 100.0),
        (np.zeros(0), 100.0),
    ],
)
def test_the_rate_of_stamps(stamps, rate_hz):
    """Holes, leaps and what is no number say nothing of it; where the stamps tell none it is the stated one."""
    assert rate_by_stamps(stamps, 100.0) == pytest.approx(rate_hz)


def test_a_column_that_counts_samples_is_told():
    """With the option that uses it."""
    count = np.arange(2000)
    notes = inspect(recording(count / 100, samples=np.column_stack([count % 256, np.sin(count)]))).notes
    assert "column 'c0' seems to count samples: with --counter 'c0:256' losses are exact." in notes


@settings(max_examples=150, deadline=None)
@given(st.lists(st.one_of(st.floats(), st.floats(0, 20), st.integers(0, 300).map(lambda n: n / 100)), max_size=60))
def test_any_stamps_are_accounted_for(stamps):
    """Whatever the stamps: each sample is in exactly one segment or rejected, and segments do not overlap (law 3)."""
    seen = inspect(recording(stamps))
    assert sum(s.n_samples for s in seen.segments) + sum(seen.rejected.values()) == len(stamps)
    ends = [s.first_sample + s.n_samples for s in seen.segments]
    assert all(end <= s.first_sample for end, s in zip(ends, seen.segments[1:], strict=False))
