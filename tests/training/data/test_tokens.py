"""The bank measures what it says, looks back only, and leaves mains alone."""

import numpy as np
import pytest

from training.data.tokens import BANDS_HZ, FLOOR, MAINS_HZ, N_BANDS, BankSpec, log_powers, tokens

SPEC = BankSpec()


def tone(hz: float, n: int = 10_000) -> np.ndarray:
    """Return one window of one channel: a tone of variance 1."""
    return np.sqrt(2) * np.sin(2 * np.pi * hz * np.arange(n) / 1000)[np.newaxis, :, np.newaxis]


@pytest.mark.parametrize(("hz", "band"), [(6.0, 0), (10.0, 1), (20.0, 2), (37.0, 3), (75.0, 3)])
def test_a_tone_fills_its_band_and_no_other(hz: float, band: int):
    """A band holds the share of the variance that lies in it, but what a bin on the edge leaks into its neighbour."""
    power = np.exp(log_powers(tone(hz)))[0, 10:-10].mean(axis=0) - FLOOR
    assert power.sum() == pytest.approx(1.0, abs=0.05)
    assert power[band] > 0.8


@pytest.mark.parametrize("hz", MAINS_HZ)
def test_mains_fill_no_band(hz: float):
    """Where one country's notch was and the other's was not, nothing is counted."""
    assert (np.exp(log_powers(tone(hz)))[0, 10:-10] - FLOOR).max() < 1e-3


def test_white_noise_is_shared_by_the_width_of_the_bands():
    """Flat noise gives each band its bins' share of 500 Hz."""
    x = np.random.default_rng(0).standard_normal((1, 10_000, 8))
    power = (np.exp(log_powers(x)) - FLOOR).reshape(100, 8, N_BANDS)[5:].mean(axis=(0, 1))
    np.testing.assert_allclose(power, SPEC.sums().sum(axis=1) / 2 * 2.5 / 500, rtol=0.1)


def test_a_token_knows_only_what_is_behind_it():
    """Changing a sample changes tokens from its own step on, for 400 samples (causal)."""
    x = np.random.default_rng(1).standard_normal((1, 10_000, 2))
    y = x.copy()
    y[0, 5050, 1] += 10
    changed = np.flatnonzero(np.any(log_powers(x) != log_powers(y), axis=(0, 2)))
    assert changed.tolist() == [50, 51, 52, 53]
    assert np.array_equal(log_powers(x)[..., :N_BANDS], log_powers(y)[..., :N_BANDS])


def test_a_zeroed_channel_is_silent_and_finite():
    """A bad channel is zeros before the bank and the floor after it."""
    assert np.all(log_powers(np.zeros((1, 10_000, 3))) == np.log(FLOOR))


def test_a_window_of_ten_seconds_gives_a_hundred_steps():
    """One token per 100 samples, the first after 100."""
    assert SPEC.n_steps(10_000) == 100
    assert tokens(np.zeros((2, 10_000, 16), np.float32)).shape == (2, 100, 64)
    assert tokens(np.zeros((2, 10_000, 16))).dtype == np.float32


def test_every_bin_is_in_exactly_one_band_and_clear_of_mains():
    """The bands are disjoint and lie where they say."""
    bins = SPEC.bins_hz()
    assert np.array_equal(SPEC.sums().sum(axis=0), np.ones(2 * len(bins)))
    assert bins[0] >= BANDS_HZ[0][0]
    assert bins[-1] <= BANDS_HZ[-1][1]
    assert all(np.abs(bins - mains).min() > 5 for mains in MAINS_HZ)
