"""Outcomes dealt anew: what the scores of networks, and of their fusions, reach when there is nothing to find."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from training.evaluation.scores import Scores
from training.fusion.methods import fit_weights, fused
from training.permuted import Control, Parts, control_of
from training.statistics.metrics import Floats
from training.statistics.weighting import lines_of


def dealt_anew(scores: Scores, n: int, seed: int) -> dict[str, Any]:
    """Return the control of a network: its out-of-fold scores stay, who is called good is dealt among the patients."""
    repeats, parts = _parts(scores)
    logits = scores.logits()
    control = control_of(lambda _, k: logits[repeats[k], parts[k][1]], scores.good, parts, n, seed)
    how = "scores of the network as they are, outcomes dealt anew among the patients"
    return _told(scores.model, control, how, "scores")


def weighed_anew(fusion: Scores, eeg_emg: Scores, fmri: Scores, method: str, n: int, seed: int) -> dict[str, Any]:
    """Return the control of a fusion: calibrations and weights are fitted anew to each deal, the networks stay.

    Outcomes are dealt among the patients who have both; who has one alone keeps his own, and has a say in the
    calibration of that head, as ever. A calibration that stayed would remember the true outcomes: those of everybody
    but the patients who are judged by it.

    Parameters
    ----------
    fusion : Scores
        Who is judged, and in which part.
    eeg_emg, fmri : Scores
        What each network said, not calibrated, of all its patients, those of `fusion` among them.
    method : str
    n, seed : int
        Deals, and of what.
    """
    repeats, parts = _parts(fusion)
    heads = [_Head.of(one, fusion) for one in (eeg_emg, fmri)]

    def scored(dealt: NDArray[np.bool_], k: int) -> Floats:
        repeat, (train, test) = repeats[k], parts[k]
        x, y = (head.log_odds(dealt, train)[:, repeat] for head in heads)
        weights = fit_weights(method, x[:, train], y[:, train], dealt[:, train])
        deals = zip(weights, x[:, test], y[:, test], strict=True)
        return np.array([fused(method, row, one, other) for row, one, other in deals])

    control = control_of(scored, fusion.good, parts, n, seed)
    how = "calibrations and weights fitted anew to outcomes dealt anew, networks as they are"
    return _told(fusion.model, control, how, "networks")


@dataclass(frozen=True, eq=False)
class _Head:
    """What a network said: of the patients who have both, shape (n_repeats, n), and of those who have it alone."""

    both: Floats
    alone: Floats
    good: NDArray[np.bool_]

    @classmethod
    def of(cls, scores: Scores, fusion: Scores) -> _Head:
        wanted = [rows[0].repeat for rows in fusion.rows]
        said = dict(zip([rows[0].repeat for rows in scores.rows], scores.logits(), strict=True))
        logits = np.array([said[repeat] for repeat in wanted])
        place = {patient: i for i, patient in enumerate(scores.patients)}
        both = [place[patient] for patient in fusion.patients]
        alone = [i for patient, i in place.items() if patient not in set(fusion.patients)]
        return cls(logits[:, both], logits[:, alone], scores.good[alone])

    def log_odds(self, dealt: NDArray[np.bool_], train: NDArray[np.intp]) -> Floats:
        """Return what a line that is fitted to each deal makes of the logits, shape (n_deals, n_repeats, n)."""
        n_repeats, n_deals = len(self.both), len(dealt)
        x = np.concatenate([self.both[:, train], self.alone], axis=1).ravel()
        good = np.concatenate([dealt[:, train], np.tile(self.good, (n_deals, 1))], axis=1)
        rows = np.tile(x, (n_deals, 1))
        a, b = lines_of(rows, np.tile(good, (1, n_repeats)), np.full(rows.shape, 1.0 / n_repeats))
        return np.asarray(a[:, np.newaxis, np.newaxis] * self.both + b[:, np.newaxis, np.newaxis])


def _parts(scores: Scores) -> tuple[list[int], list[Parts]]:
    """Return the repeat of each fold, and the positions of who is not judged in it and who is."""
    folds = [np.array([row.fold for row in rows]) for rows in scores.rows]
    each = [(repeat, of == fold) for repeat, of in enumerate(folds) for fold in np.unique(of)]
    return [repeat for repeat, _ in each], [(np.flatnonzero(~mine), np.flatnonzero(mine)) for _, mine in each]


def _told(model: str, control: Control, how: str, stays: str) -> dict[str, Any]:
    z = control.z if np.isfinite(control.z) else None
    return {"model": model, **vars(control), "z": z, "values": list(control.values), "how": how, "stays": stays}
