"""The z-score: the last step before an engine."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from inference.normalisation import FLAT_SD_UV, zscore


def noise(n_channels: int, scale: float = 20.0, n_samples: int = 500) -> np.ndarray:
    """Return noise in microvolts with an offset."""
    return (np.random.RandomState(n_channels).normal(3.0, scale, (n_samples, n_channels))).astype(np.float32)


def test_each_channel_has_mean_0_and_deviation_1() -> None:
    """The mean and the population's deviation go, in float64."""
    z = zscore(noise(4), (1.0,) * 4)
    assert z.dtype == np.float32 and z.flags.c_contiguous
    np.testing.assert_allclose(z.mean(axis=0), 0.0, atol=1e-6)
    np.testing.assert_allclose(z.std(axis=0), 1.0, atol=1e-6)


@given(
    st.lists(st.floats(0.01, 1e4), min_size=1, max_size=5), st.floats(-5e3, 5e3), st.integers(2, 300), st.integers(0, 9)
)
def test_it_is_the_textbook_formula(scales: list[float], offset: float, n_samples: int, seed: int) -> None:
    """Whatever scale and offset, the result is (x - mean) / sd in float64, rounded once."""
    x_uv = np.random.RandomState(seed).normal(offset, scales, (n_samples, len(scales))).astype(np.float32)
    exact = x_uv.astype(np.float64)
    sd = exact.std(axis=0)
    expected = np.where(sd >= FLAT_SD_UV, (exact - exact.mean(axis=0)) / np.where(sd > 0, sd, 1.0), 0.0)
    np.testing.assert_allclose(zscore(x_uv, (1.0,) * len(scales)), expected, rtol=1e-5, atol=1e-5)


def test_a_flat_channel_becomes_zeros() -> None:
    """A deviation below a nanovolt is no signal, and 0/0 never occurs."""
    x_uv = noise(3)
    x_uv[:, 1] = 7.0
    with np.errstate(all="raise"):
        z = zscore(x_uv, (1.0, 1.0, 1.0))
    assert not z[:, 1].any() and z[:, 0].any() and z[:, 2].any()


def test_a_bad_channel_becomes_zeros_and_an_even_one_does_not() -> None:
    """A channel below half quality is emptied after the z-score; one at half is kept."""
    z = zscore(noise(2), (0.49, 0.5))
    assert not z[:, 0].any() and z[:, 1].any()


def test_a_channel_does_not_depend_on_its_neighbours_or_the_batch() -> None:
    """One channel's bits are the same alone, in a window and in a batch (law 1)."""
    x_uv = noise(5)
    whole = zscore(x_uv, (1.0,) * 5)
    batch = zscore(np.stack([x_uv * 2, x_uv]), np.ones((2, 5)))
    alone = np.concatenate([zscore(x_uv[:, [i]], (1.0,)) for i in range(5)], axis=1)
    assert whole.tobytes() == batch[1].tobytes() == alone.tobytes()


def test_the_window_is_left_as_it_is() -> None:
    """Windows are read-only and stay what they were."""
    x_uv = noise(2)
    before = x_uv.tobytes()
    x_uv.flags.writeable = False
    zscore(x_uv, (1.0, 0.0))
    assert x_uv.tobytes() == before


def test_one_quality_per_channel_is_needed() -> None:
    """A caller that lost count is told both numbers."""
    with pytest.raises(ValueError, match=r"shape \(3,\) for windows of shape \(500, 2\)"):
        zscore(noise(2), (1.0, 1.0, 1.0))
