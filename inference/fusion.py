"""Fusion: two calibrated modalities become one number, with the spread of both and of the weights (pure).

Only with the very bundles that the weights were fitted on: with any other, fusion is refused and the outcome is PARTIAL
with that reason.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from inference.bundle import SHORT, Bundle, FusionBundle
from inference.calibration import Line, interval_of, sigmoid


@dataclass(frozen=True)
class Verdict:
    """Log-odds and their draws, shape (n_draws,), float64: of one modality or of both."""

    log_odds: float
    drawn: NDArray[np.float64]

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


def fuse(fusion: FusionBundle, eeg_emg: Verdict, fmri: Verdict) -> Verdict:
    """Return what both modalities say together.

    The draws are every pair of a draw of the weights and a draw of the calibrations; the calibrations' draws are taken
    side by side (the shorter list again from its start).
    """
    manifest = fusion.fusion
    n = max(len(eeg_emg.drawn), len(fmri.drawn))
    x, y = np.resize(eeg_emg.drawn, n), np.resize(fmri.drawn, n)
    drawn = [draw.eeg_emg * x + draw.fmri * y + draw.bias for draw in manifest.draws or (manifest.weights,)]
    weights = manifest.weights
    log_odds = weights.eeg_emg * eeg_emg.log_odds + weights.fmri * fmri.log_odds + weights.bias
    return Verdict(log_odds, np.concatenate(drawn))
