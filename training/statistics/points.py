"""Points: how far a run's networks were from the true Fugl-Meyer scores of patients that they had not seen.

What the bedside shows is the quality-weighted mean over a session, held within the scale (``inference.fugl_meyer``); so
is what is compared here, on whole sessions.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from inference.fugl_meyer import MOST_POINTS

if TYPE_CHECKING:
    from training.runs.predictions import Prediction

#: Share of patients whose true score the interval is to hold.
COVERAGE = 0.9

#: One session as one network saw it: patient, repeat, fold.
Session = tuple[str, int, int]


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
    rows = [row for row in predictions if row.unit == "window" and None not in (row.fma_predicted, row.fma)]
    true = {row.patient: row.fma or 0.0 for row in rows}
    said, n = session_points(rows), len(true)
    repeats = Counter(patient for patient, *_ in said)
    distances = np.array([abs(points - true[session[0]]) for session, points in said.items()])
    shares = np.array([1.0 / repeats[patient] for patient, *_ in said])
    needed = (n + 1) * coverage
    if needed > n:
        return None
    order = np.argsort(distances)
    # A hair below, so that sums of thirds and fifths reach a whole number.
    last = int(np.searchsorted(np.cumsum(shares[order]), needed - 1e-9))
    return {"half_width": float(f"{distances[order][last]:.4g}"), "coverage": coverage, "n": n}


def session_points(rows: Sequence[Prediction]) -> dict[Session, float]:
    """Return the points that each session shows, from its windows."""
    means = session_means(rows, "fma_predicted")
    return {session: float(np.clip(points, 0.0, MOST_POINTS)) for session, points in means.items()}


def session_means(rows: Sequence[Prediction], column: str) -> dict[Session, float]:
    """Return the quality-weighted mean of a column over each session."""
    windows: dict[Session, list[Prediction]] = defaultdict(list)
    for row in rows:
        windows[row.patient, row.repeat, row.fold].append(row)
    return {
        session: float(np.average([getattr(row, column) for row in of_one], weights=[row.weight for row in of_one]))
        for session, of_one in windows.items()
    }
