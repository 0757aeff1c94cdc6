"""Fusion: two calibrated modalities become one number, with the spread of both and of the weights (pure).

Only with the very bundles that the weights were fitted on: with any other, fusion is refused and the outcome is PARTIAL
with that reason. :func:`combine` is also what the weights are fitted and judged with, so that the bedside fuses exactly
as was fitted.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from inference.bundle import SHORT, Bundle, FusionBundle
from inference.calibration import INTERVAL_PERCENT, Line, interval_of, sigmoid
from inference.manifest import FusionDraw, FusionManifest

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Verdict:
    """Log-odds and their draws, shape (n_draws,), float64: of one modality or of both."""

    log_odds: float
    drawn: Floats

    @property
    def probability(self) -> float:
        """The number."""
        return sigmoid(self.log_odds)

    @property
    def interval(self) -> tuple[float, float]:
        """Its 5th and 95th percentile over the draws."""
        return interval_of(self.drawn)


def verdict(logit: float, line: Line) -> Verdict:
    """Return what one modality says by itself."""
    return Verdict(line.log_odds(logit), line.drawn(logit))


def refusal(fusion: FusionBundle | None, eeg_emg: Bundle | None, fmri: Bundle | None) -> str | None:
    """Return why these two models must not be fused, or None if they may."""
    if fusion is None:
        return "No fusion bundle of this session is at hand."
    for modality, bundle in (("eeg_emg", eeg_emg), ("fmri", fmri)):
        fitted = fusion.fusion.fitted_on[modality]
        bound = None if bundle is None else bundle.sha256
        if fitted is None:
            return f"Fusion bundle {fusion.words} was made without a bundle for {modality}."
        if fitted != bound:
            has = "none" if bundle is None else bundle.words
            return f"Fusion bundle {fusion.words} was fitted on {modality} {fitted[:SHORT]}, this session has {has}."
    return None


def combine(method: str, weights: FusionDraw, eeg_emg: ArrayLike, fmri: ArrayLike) -> Floats:
    """Return the log-odds that both modalities have together.

    Parameters
    ----------
    method : str
        ``equal`` and ``logit_stack``: the weighted sum of both log-odds, and the bias. ``mean_prob``: the log-odds of
        the weighted mean of both probabilities, without the rounding that a probability near 1 would bring.
    weights : FusionDraw
        At least 0 each.
    eeg_emg, fmri : array, of one shape
        Calibrated log-odds.
    """
    x, y = np.asarray(eeg_emg, np.float64), np.asarray(fmri, np.float64)
    if method != "mean_prob":
        return np.asarray(weights.eeg_emg * x + weights.fmri * y + weights.bias)
    with np.errstate(divide="ignore"):
        # The logarithm of a weight of 0 is minus infinity: that modality then has no part in either sum.
        of_x, of_y = np.log(weights.eeg_emg), np.log(weights.fmri)
    good = np.logaddexp(of_x - np.logaddexp(0.0, -x), of_y - np.logaddexp(0.0, -y))
    poor = np.logaddexp(of_x - np.logaddexp(0.0, x), of_y - np.logaddexp(0.0, y))
    return np.asarray(good - poor)


def fuse(fusion: FusionBundle, eeg_emg: Verdict, fmri: Verdict) -> Verdict:
    """Return what both modalities say together.

    The draws are every pair of a draw of the weights and a draw of the calibrations; the calibrations' draws are taken
    side by side (the shorter list again from its start).
    """
    manifest = fusion.fusion
    n = max(len(eeg_emg.drawn), len(fmri.drawn))
    x, y = np.resize(eeg_emg.drawn, n), np.resize(fmri.drawn, n)
    drawn = [combine(manifest.method, draw, x, y) for draw in manifest.draws or (manifest.weights,)]
    log_odds = combine(manifest.method, manifest.weights, eeg_emg.log_odds, fmri.log_odds)
    return Verdict(float(log_odds), np.concatenate(drawn))


def weighing(manifest: FusionManifest) -> dict[str, Any]:
    """Return the ``fusion`` object of the outcome: method, whether anybody had a say, and the weights."""
    weights = weights_told(manifest.weights, manifest.draws)
    return {"method": manifest.method, "untrained": manifest.untrained, "weights": weights}


def weights_told(weights: FusionDraw, draws: Sequence[FusionDraw]) -> dict[str, dict[str, Any]]:
    """Return each modality's weight, and its 5th and 95th percentile over the draws; null where there are none."""
    return {modality: _told(modality, weights, draws) for modality in ("eeg_emg", "fmri")}


def _told(modality: str, weights: FusionDraw, draws: Sequence[FusionDraw]) -> dict[str, Any]:
    drawn = [getattr(draw, modality) for draw in draws]
    interval = [float(bound) for bound in np.percentile(drawn, INTERVAL_PERCENT)] if drawn else None
    return {"value": getattr(weights, modality), "interval": interval}
