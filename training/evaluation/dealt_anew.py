"""Outcomes dealt anew: what the scores of networks, and of their fusions, reach when there is nothing to find."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from training.evaluation.scores import Scores
from training.fusion.methods import fit_weights, fused
from training.permuted import Control, Parts, control_of
from training.statistics.metrics import Floats


def dealt_anew(scores: Scores, n: int, seed: int) -> dict[str, Any]:
    """Return the control of a network: its out-of-fold scores stay, who is called good is dealt among the patients."""
    repeats, parts = _parts(scores)
    logits = scores.logits()
    control = control_of(lambda _, k: logits[repeats[k], parts[k][1]], scores.good, parts, n, seed)
    return _told(scores.model, control, "scores of the network as they are, outcomes dealt anew among the patients")


def weighed_anew(fusion: Scores, eeg_emg: Scores, fmri: Scores, method: str, n: int, seed: int) -> dict[str, Any]:
    """Return the control of a fusion: its weights are fitted anew to each deal of the outcomes, the heads stay.

    Parameters
    ----------
    fusion, eeg_emg, fmri : Scores
        Of the same patients, calibrated.
    method : str
    n, seed : int
        Deals, and of what.
    """
    repeats, parts = _parts(fusion)
    x, y = eeg_emg.log_odds(), fmri.log_odds()

    def scored(dealt: NDArray[np.bool_], k: int) -> Floats:
        repeat, (train, test) = repeats[k], parts[k]
        weights = fit_weights(method, x[repeat, train], y[repeat, train], dealt[:, train])
        return np.array([fused(method, one, x[repeat, test], y[repeat, test]) for one in weights])

    control = control_of(scored, fusion.good, parts, n, seed)
    return _told(fusion.model, control, "weights fitted anew to outcomes dealt anew, heads as they are")


def _parts(scores: Scores) -> tuple[list[int], list[Parts]]:
    """Return the repeat of each fold, and the positions of who is not judged in it and who is."""
    folds = [np.array([row.fold for row in rows]) for rows in scores.rows]
    each = [(repeat, of == fold) for repeat, of in enumerate(folds) for fold in np.unique(of)]
    return [repeat for repeat, _ in each], [(np.flatnonzero(~mine), np.flatnonzero(mine)) for _, mine in each]


def _told(model: str, control: Control, how: str) -> dict[str, Any]:
    z = control.z if np.isfinite(control.z) else None
    return {"model": model, **vars(control), "z": z, "values": list(control.values), "how": how}
