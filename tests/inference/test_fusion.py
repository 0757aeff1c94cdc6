"""Fusion: two calibrated modalities to one number."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from inference.bundle import Bundle, FusionBundle
from inference.calibration import sigmoid
from inference.fusion import Verdict, combine, fuse, refusal, weighing
from inference.manifest import METHODS, FusionDraw
from tests.inference import tiny

EEG_EMG = Verdict(1.0, np.linspace(0.0, 2.0, 20))
FMRI = Verdict(3.0, np.linspace(2.0, 4.0, 20))

log_odds = st.floats(-40, 40)
shares = st.floats(0, 1)


def weights_of(method: str, share: float, gain: float = 1.0, bias: float = 0.0) -> FusionDraw:
    """Return weights that the method may have."""
    if method == "equal":
        return FusionDraw(0.5, 0.5, 0.0)
    return (
        FusionDraw(gain * share, gain * (1.0 - share), bias)
        if method == "logit_stack"
        else FusionDraw(share, 1.0 - share, 0.0)
    )


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
    """Fitted, the interval holds both spreads."""
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


@given(log_odds, log_odds, shares)
def test_a_mean_of_probabilities_is_one(x: float, y: float, share: float) -> None:
    """As far as probabilities can be added without rounding; log-odds of 40 leave none of it."""
    p = share * sigmoid(x) + (1.0 - share) * sigmoid(y)
    together = float(combine("mean_prob", FusionDraw(share, 1.0 - share, 0.0), x, y))
    assert sigmoid(together) == pytest.approx(p, rel=1e-9, abs=1e-300)
    assert min(x, y) - 1e-9 <= together <= max(x, y) + 1e-9


@given(st.sampled_from(METHODS), log_odds, log_odds, st.floats(0, 20), shares, st.floats(0, 2), st.floats(-3, 3))
def test_more_of_either_never_makes_it_less(
    method: str, x: float, y: float, more: float, share: float, gain: float, bias: float
) -> None:
    """No modality speaks against itself, by any method."""
    weights = weights_of(method, share, gain, bias)
    before = combine(method, weights, x, y)
    assert combine(method, weights, x + more, y) >= before - 1e-9
    assert combine(method, weights, x, y + more) >= before - 1e-9


@given(st.sampled_from(METHODS), log_odds, log_odds, shares)
def test_the_sides_can_be_exchanged_with_their_weights(method: str, x: float, y: float, share: float) -> None:
    """Nothing but its weight tells one modality from the other."""
    weights = weights_of(method, share)
    other = FusionDraw(weights.fmri, weights.eeg_emg, weights.bias)
    assert combine(method, weights, x, y) == pytest.approx(float(combine(method, other, y, x)), abs=1e-9)
    assert combine(method, weights, -x, -y) == pytest.approx(-float(combine(method, weights, x, y)), abs=1e-9)


@pytest.mark.parametrize("method", ["logit_stack", "mean_prob"])
def test_a_weight_of_one_is_that_modality_alone(method: str) -> None:
    """A weight of 0 takes no part and makes nothing infinite."""
    x, y = np.array([-30.0, 0.0, 5.0]), np.array([700.0, -700.0, 2.0])
    np.testing.assert_allclose(combine(method, FusionDraw(1.0, 0.0, 0.0), x, y), x, rtol=1e-12)
    np.testing.assert_allclose(combine(method, FusionDraw(0.0, 1.0, 0.0), x, y), y, rtol=1e-12)


def test_a_mean_of_probabilities_is_fused_at_the_bedside(tmp_path: Path, bundle: Bundle, fmri_bundle: Bundle) -> None:
    """By its own method: a mean of probabilities, not of log-odds."""
    fusion = tiny.fused(tmp_path, bundle, fmri_bundle, draws=4, method="mean_prob")
    both = fuse(fusion, EEG_EMG, FMRI)
    assert both.probability == pytest.approx(0.6 * EEG_EMG.probability + 0.4 * FMRI.probability)
    assert both.drawn.shape == (80,)


def test_weights_are_told_with_their_interval(
    tmp_path: Path, bundle: Bundle, fmri_bundle: Bundle, fusion: FusionBundle
) -> None:
    """The 5th and 95th percentile over the draws; where no patient had a say there is none."""
    told = weighing(tiny.fused(tmp_path, bundle, fmri_bundle, draws=21).fusion)
    assert (told["method"], told["untrained"]) == ("logit_stack", False)
    assert told["weights"]["eeg_emg"] == {"value": 0.6, "interval": pytest.approx([0.61, 0.79])}
    assert told["weights"]["fmri"] == {"value": 0.4, "interval": pytest.approx([0.21, 0.39])}
    assert weighing(fusion.fusion)["weights"]["fmri"] == {"value": 0.5, "interval": None}
