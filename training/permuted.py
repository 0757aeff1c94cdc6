"""The control for leaks: a model on outcomes that were dealt anew, on the same splits (law 9).

On permuted outcomes there is nothing to find; if the mean AUC is not one half, patients leak from what is fitted into
what is judged. The spread of those AUCs is what chance does in a cohort of this size, and where the AUC on the true
outcomes lies in it (z) is what the model has found. The band-power baseline and the weights of a fusion are fitted anew
to each deal; networks cannot be, so that their scores stay and only who is called good is dealt.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from training.band_power import band_power_logits
from training.statistics.auc import aucs
from training.statistics.metrics import Floats

#: Deals of the outcomes.
N_PERMUTED = 200
#: Positions of the patients that fit and of those that judge, of one fold.
Parts = tuple[NDArray[np.intp], NDArray[np.intp]]


@dataclass(frozen=True)
class Control:
    """AUCs within folds, averaged over the folds.

    Parameters
    ----------
    n : int
        Deals; in a small cohort one may leave no fold with both outcomes, and is not counted.
    mean, sd : float
        Of the AUC over the deals.
    observed : float
        On the true outcomes.
    z : float
        How many of those deviations `observed` lies above `mean`; NaN where there is none.
    values : tuple of float
        Every deal's.
    """

    n: int
    mean: float
    sd: float
    observed: float
    z: float
    values: tuple[float, ...]


def permuted_control(
    features: Floats, labels: ArrayLike, folds: Sequence[Parts], n: int = N_PERMUTED, seed: int = 0
) -> Control:
    """Fit the band-power baseline to permuted outcomes, and once to the true ones.

    Every deal is one cohort: the same in all folds. 5,000 fits of 69 patients and 128 features take about a second.

    Parameters
    ----------
    features : ndarray, shape (n_patients, n_features)
        See ``band_power.band_powers``.
    labels : array, shape (n_patients,)
        True outcomes.
    folds : sequence of (train, test)
        Positions of patients.
    n, seed : int
        Deals, and of what.
    """
    return control_of(lambda dealt, k: band_power_logits(features, dealt, *folds[k]), labels, folds, n, seed)


def control_of(
    scored: Callable[[NDArray[np.bool_], int], Floats],
    labels: ArrayLike,
    folds: Sequence[Parts],
    n: int = N_PERMUTED,
    seed: int = 0,
) -> Control:
    """Judge a model on permuted outcomes, and once on the true ones.

    Parameters
    ----------
    scored : callable
        Takes outcomes, shape (n_deals, n_patients), and the number of a fold; returns the scores of those that judge
        in it, shape (n_deals, n_test), or (n_test,) where they are the same in every deal.
    labels, folds, n, seed
        As in ``permuted_control``.
    """
    good, rng = np.asarray(labels, bool), np.random.default_rng(seed)
    dealt = np.stack([good, *(rng.permutation(good) for _ in range(n))])
    found = np.array([aucs(dealt[:, test], scored(dealt, k)) for k, (_, test) in enumerate(folds)])
    judged = np.isfinite(found).sum(axis=0)
    observed, *permuted = np.where(judged > 0, np.nansum(found, axis=0) / np.maximum(judged, 1), np.nan).tolist()
    kept = [auc for auc in permuted if not math.isnan(auc)]
    mean, sd = float(np.mean(kept)), float(np.std(kept, ddof=1))
    return Control(len(kept), mean, sd, observed, (observed - mean) / sd if sd > 0.0 else math.nan, tuple(kept))
