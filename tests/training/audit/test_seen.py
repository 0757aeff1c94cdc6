"""What one pass over a recording sees, whatever pieces it comes in."""

from __future__ import annotations

import numpy as np
import pytest

from acquisition.decisions import Decision
from acquisition.tape import Block
from tests.training.cohort.wards import noise
from training.audit.mains import MainsMeter
from training.audit.seen import see

BEGIN = Decision("segment", 1, 0, 0, {"segment": 0, "first_sample": 0, "reason": "start"})


def tape(samples, sizes):
    """Yield samples in pieces of these sizes, over and over."""
    yield BEGIN
    at = 0
    while at < len(samples):
        for size in sizes:
            yield Block(1, at, samples[at : at + size].astype(np.float64))
            at += size


@pytest.mark.parametrize("sizes", [[16_000], [1], [7, 993, 2_500]], ids=["whole", "one by one", "ragged"])
def test_what_is_seen_does_not_depend_on_pieces(sizes):
    """The same samples look the same, however they arrive, down to the digest."""
    samples = noise(3, 5)
    samples[2_200, 4] = np.nan
    seen, whole = (see(tape(samples, pieces), 16, 1000.0) for pieces in (sizes, [5_000]))
    assert seen.digest == whole.digest
    for name in ("nan_share", "flat_share", "size_uv", "working_uv"):
        np.testing.assert_array_equal(getattr(seen, name), getattr(whole, name))
    assert (seen.n_samples, seen.mains_hz, seen.nan_share[4]) == (5_000, 50.0, 1 / 5_000)


def test_no_stretch_spans_a_gap():
    """A step between two segments is no size of the signal (law 4)."""
    samples = np.zeros((3_000, 2))
    samples[1_500:] = 1e6
    items = [BEGIN, Block(1, 0, samples[:1_500]), Decision("lost", 1, 0, 1_500, {"n": 7}), BEGIN]
    seen = see([*items, Block(1, 1_500, samples[1_500:])], 2, 1000.0)
    assert seen.size_uv.tolist() == [0.0, 0.0] and seen.flat_share.tolist() == [1.0, 1.0]
    assert (seen.n_lost, seen.n_samples) == (7, 3_000)


def test_less_than_a_second_has_no_size():
    """Sizes are NaN, and no line is seen."""
    seen = see(tape(noise(0, 0.5), [100]), 16, 1000.0)
    assert np.isnan(seen.size_uv).all() and seen.mains_hz is None and seen.flat_share.tolist() == [0.0] * 16


@pytest.mark.parametrize("samples", [noise(0, 0.5), np.full((3_000, 16), np.nan), np.zeros((3_000, 16))])
def test_where_nothing_was_measured_there_is_nothing_to_be_a_copy_of(samples):
    """All such recordings are alike: they share no digest."""
    assert see(tape(samples, [1_000]), 16, 1000.0).digest is None


@pytest.mark.parametrize("mains_hz", [50.0, 60.0])
@pytest.mark.parametrize("uv", [3.0, 300.0])
def test_a_line_is_found(mains_hz, uv):
    """A weak one in a minute of noise, and one that drowns everything."""
    assert see(tape(noise(1, 30, mains_hz, uv), [1_000]), 16, 1000.0).mains_hz == mains_hz


@pytest.mark.parametrize("seed", range(5))
def test_noise_has_no_line(seed):
    """Nothing is seen where nothing is, also in a recording of a few seconds."""
    assert see(tape(noise(seed, 14, mains_uv=0.0), [1_000]), 16, 1000.0).mains_hz is None


def test_two_lines_are_not_told_apart():
    """Equally strong ones: neither is the site's."""
    both = noise(1, 20) + noise(2, 20, mains_hz=60.0)
    assert see(tape(both, [1_000]), 16, 1000.0).mains_hz is None


def test_a_line_above_the_signal_s_band_cannot_be_seen():
    """At 100 Hz there is no 50 Hz; flat and empty channels tell nothing either."""
    slow = MainsMeter(100, 100.0)
    slow.add(noise(0, 0.1), np.ones(16))
    assert slow.line_hz() is None
    meter = MainsMeter(1_000, 1000.0)
    meter.add(np.zeros((1_000, 2)), np.array([0.0, np.nan]))
    assert meter.line_hz() is None
    meter.add(np.zeros((1_000, 2)), np.array([1.0, 1.0]))
    assert meter.line_hz() is None
