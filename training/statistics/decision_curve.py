"""The decision curve: what acting on a probability is worth, beside acting on everybody and on nobody.

Net benefit counts a good patient who is found as 1 and a poor one who is taken for good by the odds of the threshold
(Vickers and Elkin, Med Decis Making 2006): whoever acts from 20 % on holds one such mistake worth a quarter of a find.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from training.statistics.metrics import N_BOOTSTRAP, PERCENTILES, Floats, resamples

#: Probabilities from which someone might act.
THRESHOLDS = tuple(round(0.05 * k, 2) for k in range(1, 20))


def net_benefit(labels: ArrayLike, probabilities: ArrayLike, threshold: float) -> Floats:
    """Return the net benefit of acting from `threshold` on, in finds per patient.

    Parameters
    ----------
    labels, probabilities : array, shape (..., n_patients)
        Outcomes, and what was promised.
    threshold : float
        Between 0 and 1, both excluded.
    """
    good, acted = np.asarray(labels, bool), np.asarray(probabilities, np.float64) >= threshold
    return np.mean(good & acted, axis=-1) - np.mean(~good & acted, axis=-1) * threshold / (1.0 - threshold)


def decision_curve(
    labels: ArrayLike, probabilities: ArrayLike, seed: int, n: int = N_BOOTSTRAP
) -> list[dict[str, float]]:
    """Return net benefit at every threshold with its bootstrap band, and that of acting on ``all`` and on ``none``."""
    good, p = np.asarray(labels, bool), np.asarray(probabilities, np.float64)
    chosen = resamples(good, seed, n)
    rows = []
    for threshold in THRESHOLDS:
        low, high = np.percentile(net_benefit(good[chosen], p[chosen], threshold), PERCENTILES)
        everybody = float(net_benefit(good, np.ones_like(p), threshold))
        row = {"threshold": threshold, "net_benefit": float(net_benefit(good, p, threshold)), "all": everybody}
        rows.append(row | {"none": 0.0, "low": float(low), "high": float(high)})
    return rows
