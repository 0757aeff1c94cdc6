"""What is said of the filters, against the filters themselves."""

import numpy as np
import pytest
from scipy import signal

from acquisition.conditioning import ConditioningSpec, FilterSpec, design
from acquisition.passband import DELAY_HZ, delay_s, passbands


@pytest.mark.parametrize("mains_hz", [50.0, 60.0])
@pytest.mark.parametrize("at_hz", [5.0, DELAY_HZ, 80.0])
def test_the_delay_is_the_one_that_scipy_finds(mains_hz: float, at_hz: float) -> None:
    """Section by section, in samples, by another way."""
    sos = design(1000.0, mains_hz, FilterSpec())
    each = [signal.group_delay((section[:3], section[3:]), [at_hz], fs=1000.0)[1][0] for section in sos]
    assert delay_s(FilterSpec(), 1000.0, mains_hz, at_hz) == pytest.approx(sum(each) / 1000, rel=1e-4)


def test_a_burst_comes_out_as_late_as_is_said() -> None:
    """The envelope of a burst at the frequency of which the delay is told moves by that much."""
    t_s = np.arange(4000) / 1000
    burst = np.exp(-(((t_s - 2) / 0.2) ** 2)) * np.sin(2 * np.pi * DELAY_HZ * t_s)
    late = signal.sosfilt(design(1000.0, 50.0, FilterSpec()), burst)
    centres_s = [(np.abs(signal.hilbert(x)) ** 2 * t_s).sum() / (x**2).sum() / 2 for x in (burst, late)]
    assert centres_s[1] - centres_s[0] == pytest.approx(delay_s(FilterSpec(), 1000.0, 50.0), abs=3e-4)


def test_each_kind_says_its_own_band_and_notches() -> None:
    """In hertz and milliseconds, ready for the screen."""
    told = passbands(ConditioningSpec(emg=FilterSpec(low_hz=20.0)), 1000.0, 60.0)
    assert (told["eeg"]["low_hz"], told["emg"]["low_hz"]) == (0.5, 20.0)
    assert told["eeg"]["notch_hz"] == [60.0, 120.0] and told["eeg"]["delay_at_hz"] == DELAY_HZ
    assert 1.0 < told["eeg"]["delay_ms"] < 10.0
