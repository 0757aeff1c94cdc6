"""Maps from sums are those of the whole course at once: numpy and scipy as oracles."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import signal

from inference.fmri.maps import RESTING_HZ, Fluctuations, Moments, weights

SHAPE = (3, 4, 5)


def course(n_volumes: int, seed: int, level: float = 900.0, drift: float = 0.2) -> NDArray[np.float32]:
    """Return volumes over time, shape (n, 3, 4, 5), which drift and fluctuate."""
    rng = np.random.default_rng(seed)
    t = np.arange(n_volumes).reshape(-1, 1, 1, 1)
    slope = drift * rng.standard_normal((1, *SHAPE))
    return (level + slope * t + 10 * rng.standard_normal((n_volumes, *SHAPE))).astype(np.float32)


def moments(volumes: NDArray[np.float32]) -> Moments:
    """Return the moments of volumes."""
    found = Moments(len(volumes))
    for volume in volumes:
        found.push(volume)
    return found


@given(st.integers(3, 40), st.integers(0, 1000), st.sampled_from([0.0, 900.0, 30_000.0]))
def test_mean_and_noise_are_those_of_the_whole_course(n_volumes: int, seed: int, level: float) -> None:
    """The straight line is taken out of the noise; digits are kept at any level."""
    volumes = course(n_volumes, seed, level)
    flat = volumes.reshape(n_volumes, -1).astype(np.float64)
    found = moments(volumes)
    np.testing.assert_allclose(found.mean().ravel(), flat.mean(axis=0), rtol=1e-5, atol=1e-3)
    noise = np.sqrt((signal.detrend(flat, axis=0) ** 2).sum(axis=0) / (n_volumes - 2))
    np.testing.assert_allclose(found.tsnr().ravel(), flat.mean(axis=0) / noise, rtol=1e-3, atol=1e-3)


def test_what_is_told_to_come_takes_no_memory() -> None:
    """As many volumes as may be claimed cost nothing before they come; a hundred million would be a gigabyte."""
    tracemalloc.start()
    try:
        Moments(10**8)
        assert tracemalloc.get_traced_memory()[1] < 1e6
    finally:
        tracemalloc.stop()


def test_a_drift_is_no_noise() -> None:
    """A scanner that warms up does not spoil a scan."""
    steady, drifting = moments(course(60, 1, drift=0.0)), moments(course(60, 1, drift=3.0))
    np.testing.assert_allclose(np.median(drifting.tsnr()), np.median(steady.tsnr()), rtol=0.15)


def test_what_never_changes_has_no_signal_to_noise() -> None:
    """Then nothing was measured: 0, no division by it."""
    volumes = np.full((10, *SHAPE), 7.0, np.float32)
    volumes[:, 0] += np.arange(10, dtype=np.float32).reshape(-1, 1, 1)
    assert not moments(volumes).tsnr().any()


@pytest.mark.parametrize("n_volumes", [40, 48, 115])
def test_alff_is_that_of_the_whole_course(n_volumes: int) -> None:
    """As a Fourier transform of the detrended course has it, over the mean."""
    tr_s, volumes = 2.0, course(n_volumes, 3)
    mask = np.random.default_rng(0).random(SHAPE) < 0.6
    mean = volumes.mean(axis=0)
    found = Fluctuations(mask, n_volumes, tr_s)
    for volume in volumes:
        found.push(volume)
    alff = found.alff(mean)
    flat = signal.detrend(volumes[:, mask].astype(np.float64), axis=0)
    hz = np.fft.rfftfreq(n_volumes, tr_s)
    band = (hz >= RESTING_HZ[0]) & (hz <= RESTING_HZ[1])
    amplitude = 2 / n_volumes * np.abs(np.fft.rfft(flat, axis=0))[band].mean(axis=0)
    np.testing.assert_allclose(alff[mask], amplitude / mean[mask], rtol=2e-3)
    assert not alff[~mask].any() and alff.dtype == np.float32


@pytest.mark.parametrize(("hz", "inside"), [(0.05, True), (0.2, False)])
def test_alff_sees_its_band_alone(hz: float, inside: bool) -> None:
    """A slow swing of 2 % is found as such, shared among the band's frequencies; a faster one is not."""
    n_volumes, tr_s = 100, 2.0
    mask = np.ones(SHAPE, bool)
    found = Fluctuations(mask, n_volumes, tr_s)
    for n in range(n_volumes):
        found.push(np.full(SHAPE, 1000 + 20 * np.cos(2 * np.pi * hz * tr_s * (n - 49.5)), np.float32))
    expected = 0.02 / (len(weights(n_volumes, tr_s)) // 2)
    alff = found.alff(np.full(SHAPE, 1000, np.float32))
    np.testing.assert_allclose(alff, expected if inside else 0.0, rtol=0.05, atol=0.05 * expected)


def test_a_dark_voxel_has_no_fluctuations() -> None:
    """A share of nothing is 0."""
    found = Fluctuations(np.ones(SHAPE, bool), 40, 2.0)
    for volume in course(40, 0, level=0.0):
        found.push(volume)
    assert not found.alff(np.zeros(SHAPE, np.float32)).any()


@given(st.integers(20, 120), st.floats(0.5, 3.0))
def test_weights_take_out_level_and_slope(n_volumes: int, tr_s: float) -> None:
    """Whatever the number of volumes and their time, a straight course gives nothing."""
    line = 5.0 - 0.3 * np.arange(n_volumes)
    assert np.abs(weights(n_volumes, tr_s) @ line).max() < 1e-8 * n_volumes


def test_a_course_without_the_band_is_refused() -> None:
    """Four seconds hold no slow fluctuation."""
    with pytest.raises(ValueError, match="20 volumes of 0.3 s have no frequency between 0.01 and 0.1 Hz"):
        weights(20, 0.3)
