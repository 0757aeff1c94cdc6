"""Points: how far a run's networks were from the true Fugl-Meyer scores of patients that they had not seen.

What the bedside shows is the quality-weighted mean over a session, held within the scale (``inference.fugl_meyer``); so
is what is compared here, on whole sessions.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inference.fugl_meyer import MOST_POINTS
from training.runs.predictions import Prediction

#: Share of patients whose true score the interval is to hold.
COVERAGE = 0.9


def points_of(predictions: Sequence[Prediction], coverage: float = COVERAGE) -> dict[str, Any] | None:
    """Return what a manifest says under ``fma``, from out-of-fold windows.

    The half width is split-conformal: so many points that a new patient of the same kind lies within them with at
    least that chance. One network's distance is a row, as one network speaks at the bedside; the rows of a patient
    share its one vote.

    Parameters
    ----------
    predictions : sequence of Prediction
        Of a run; windows with points, of patients whose score is known, are taken.
    coverage : float
        Between 0 and 1.

    Returns
    -------
    dict or None
        ``half_width``, ``coverage`` and ``n``; None where there are too few patients for that coverage.
    """
    distances, shares, n = _distances(predictions)
    needed = (n + 1) * coverage
    if needed > n:
        return None
    order = np.argsort(distances)
    # A hair below, so that sums of thirds and fifths reach a whole number.
    last = int(np.searchsorted(np.cumsum(shares[order]), needed - 1e-9))
    return {"half_width": float(f"{distances[order][last]:.4g}"), "coverage": coverage, "n": n}


def _distances(predictions: Sequence[Prediction]) -> tuple[NDArray[np.float64], NDArray[np.float64], int]:
    """Return how far each session's points lay from the true ones, its share of its patient, and how many patients."""
    sessions: dict[tuple[str, int], list[Prediction]] = {}
    for row in predictions:
        if row.unit == "window" and row.fma_predicted is not None and row.fma is not None:
            sessions.setdefault((row.patient, row.repeat), []).append(row)
    repeats = Counter(patient for patient, _ in sessions)
    distances = np.array([_distance(rows) for rows in sessions.values()], np.float64)
    return distances, np.array([1.0 / repeats[patient] for patient, _ in sessions], np.float64), len(repeats)


def _distance(rows: Sequence[Prediction]) -> float:
    said = np.average([row.fma_predicted or 0.0 for row in rows], weights=[row.weight for row in rows])
    return abs(float(np.clip(said, 0.0, MOST_POINTS)) - (rows[0].fma or 0.0))
