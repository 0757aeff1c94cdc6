"""Similarity: how far a session lies from the patients that its model learned from, by what the model reads of them.

A bundle keeps the mean and the covariance of its training patients' embeddings, each patient's being the mean over the
windows weighted by quality. The same mean of a session is held against them by Mahalanobis's distance. Far away means
that the model never met the like. Near means less: noise may come to lie among the patients, since a network that
learned to tell two groups apart has no place for what is neither.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inference.manifest import Embedding
from streaming.records import ResultRecord

#: Share by which the covariance is drawn towards a ball of the same size. Some of its directions are a million times
#: narrower than others, so that two windows would always lie outside: of 86 simulated patients all did at two windows
#: without it, 5 % with it.
SHRINKAGE = 0.2
#: Share of training-like patients that lie nearer, from which on a session is unlike them.
LIMIT = 0.99
#: Distance that stands for all beyond: past it the share is 1 to the last bit.
FARTHEST = 1e6
#: How the reason of a session begins that is.
UNLIKE = "Unlike training data"


@dataclass(frozen=True)
class Similarity:
    """How far a session lies from the middle of the training patients.

    Attributes
    ----------
    distance : float
        Mahalanobis's, with the covariance drawn towards a ball by :data:`SHRINKAGE`.
    percentile : float
        Share of patients like those of the training that lie nearer, 0 to 1, if their embeddings were normal.
    modality : str
        Whose embedding it is.
    """

    distance: float
    percentile: float
    modality: str = "eeg_emg"

    @property
    def unlike(self) -> bool:
        """Whether it lies beyond the limit."""
        return self.percentile > LIMIT

    def to_json(self) -> dict[str, Any]:
        """Return the ``similarity`` object of the outcome."""
        return {
            "modality": self.modality,
            "distance": self.distance,
            "percentile": self.percentile,
            "limit": LIMIT,
            "unlike": self.unlike,
        }


def similarity_of(scored: Sequence[ResultRecord], training: Embedding | None) -> Similarity | None:
    """Return how far the scored windows of a session lie from the training patients.

    Parameters
    ----------
    scored : sequence of ResultRecord
        In index order, each with a weight above 0.
    training : Embedding or None
        Of the bundle that scored them.

    Returns
    -------
    Similarity or None
        None for a bundle without embeddings or whose covariance says nothing, and where no window has an embedding.
    """
    spread = None if training is None else _spread(training)
    if training is None or spread is None:
        return None
    mean = _mean(scored, len(training.mean))
    if mean is None:
        return None
    with np.errstate(over="ignore"):
        distance = float(np.linalg.norm(np.linalg.solve(spread.factor, mean - np.array(training.mean))))
    distance = min(distance, FARTHEST)
    return Similarity(distance, spread.nearer(distance))


def reason_of(similarity: Similarity) -> str:
    """Return the reason of a session that is unlike the training patients."""
    return (
        f"{UNLIKE}: the model reads these windows otherwise than those of {LIMIT:.0%} of its training patients. "
        "Check electrodes and montage; do not lean on the number."
    )


def notice_of(similarity: Similarity | None) -> dict[str, str] | None:
    """Return the notice that a session deserves which is unlike the training patients, or None."""
    if similarity is None or not similarity.unlike:
        return None
    return {
        "level": "warning",
        "text": f"{UNLIKE}: this session lies outside what the model learned from.",
        "remedy": "Check electrodes and montage; do not lean on the number.",
    }


@dataclass(frozen=True, eq=False)
class _Spread:
    """The shrunk covariance and the law of squared distances under it.

    A normal patient's squared distance is a sum of squares of unequal weight, because the covariance was drawn towards
    a ball. It has the mean and the variance of ``scale`` times chi-square with ``freedom`` degrees (Satterthwaite
    1946).
    """

    factor: NDArray[np.float64]
    scale: float
    freedom: float

    def nearer(self, distance: float) -> float:
        """Return the share of normal patients that lie nearer."""
        return gamma_share(self.freedom / 2, distance * distance / self.scale / 2)


def gamma_share(a: float, x: float) -> float:
    """Return the regularised lower incomplete gamma function P(a, x), which is chi-square's share for 2a and 2x.

    By its series, without scipy: the processes that need it would load a whole library for this one function.
    """
    if x <= 0.0 or x > 2 * a + 600:  # from there on 1 to the last bit
        return float(x > 0.0)
    term = math.exp(a * math.log(x) - x - math.lgamma(a + 1))
    total, n = 0.0, a
    while term > total * 1e-17:
        total, n = total + term, n + 1
        term *= x / n
    return min(total, 1.0)


@lru_cache(maxsize=8)
def _spread(training: Embedding) -> _Spread | None:
    """Return the law of distances from a bundle's training patients; None where its covariance is of no patients."""
    covariance = np.array(training.covariance, np.float64)
    covariance = (covariance + covariance.T) / 2
    size = float(np.trace(covariance)) / len(covariance)
    if not (math.isfinite(size) and size > 0.0):
        return None
    shrunk = (1.0 - SHRINKAGE) * covariance + SHRINKAGE * size * np.eye(len(covariance))
    try:
        factor = np.asarray(np.linalg.cholesky(shrunk), np.float64)
    except np.linalg.LinAlgError:  # what has directions of negative width is the covariance of nothing
        return None
    weights = np.linalg.solve(shrunk, covariance)
    mean, squares = float(np.trace(weights)), float(np.sum(weights * weights.T))
    return _Spread(factor, squares / mean, mean * mean / squares)


def _mean(scored: Sequence[ResultRecord], size: int) -> NDArray[np.float64] | None:
    """Return the mean embedding of a session, weighted by quality, in index order; None without one of this size."""
    known = [result for result in scored if result.embedding is not None and len(result.embedding) == size]
    if not known:
        return None
    rows = np.array([result.embedding for result in known], np.float64)
    weights = np.array([result.weight for result in known])
    return np.asarray((rows * weights[:, np.newaxis]).sum(axis=0) / weights.sum())
