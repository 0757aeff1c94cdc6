"""Fusion: two calibrated modalities to one number."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from inference.bundle import Bundle, FusionBundle
from inference.calibration import sigmoid
from inference.fusion import Verdict, fuse, refusal
from tests.inference import tiny

EEG_EMG = Verdict(1.0, np.linspace(0.0, 2.0, 20))
FMRI = Verdict(3.0, np.linspace(2.0, 4.0, 20))


def test_equal_is_the_mean_of_the_log_odds(fusion: FusionBundle) -> None:
    """Untrained, the interval holds the spread of the calibrations alone."""
    both = fuse(fusion, EEG_EMG, FMRI)
    assert both.log_odds == 2.0 and both.probability == sigmoid(2.0)
    np.testing.assert_allclose(both.drawn, np.linspace(1.0, 3.0, 20))
    low, high = both.interval
    assert low < both.probability < high


def test_each_draw_of_the_weights_meets_each_draw_of_the_calibrations(
    tmp_path: Path, bundle: Bundle, fmri_bundle: Bundle
) -> None:
    """Weighted, the interval holds both spreads."""
    weighted = tiny.fused(tmp_path, bundle, fmri_bundle, draws=5)
    both = fuse(weighted, EEG_EMG, FMRI)
    assert both.log_odds == pytest.approx(0.6 * 1.0 + 0.4 * 3.0)
    assert both.drawn.shape == (100,)
    np.testing.assert_allclose(both.drawn[20:40], 0.61 * EEG_EMG.drawn + 0.39 * FMRI.drawn)


def test_the_shorter_list_of_draws_starts_again(fusion: FusionBundle) -> None:
    """Two bundles need not have as many draws as each other."""
    both = fuse(fusion, EEG_EMG, Verdict(3.0, np.array([2.0, 4.0])))
    np.testing.assert_allclose(both.drawn, 0.5 * EEG_EMG.drawn + np.tile([1.0, 2.0], 10))


def test_only_the_bundles_that_it_was_fitted_on_are_fused(
    tmp_path: Path, bundle: Bundle, fmri_bundle: Bundle, fusion: FusionBundle
) -> None:
    """Any other is refused, with both sides named."""
    assert refusal(fusion, bundle, fmri_bundle) is None
    words = refusal(fusion, fmri_bundle, fmri_bundle)
    assert words and f"was fitted on eeg_emg {bundle.sha256[:12]}, this session has tiny-fmri 1.0.0" in words
    words = refusal(fusion, bundle, None)
    assert words and f"was fitted on fmri {fmri_bundle.sha256[:12]}, this session has none" in words
    words = refusal(tiny.fused(tmp_path, bundle, None), bundle, fmri_bundle)
    assert words and "was made without a bundle for fmri" in words
    assert refusal(None, bundle, fmri_bundle) == "No fusion bundle of this session is at hand."
