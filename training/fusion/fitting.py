"""Fitting: what two heads say of patients that they never saw becomes one number, for patients who had no say in it.

Order: logits of windows or slices -> a patient's logit -> calibration of each head -> weights. Who is in one part is
fused by calibrations that everybody else had a say in, in every repeat of the splits, and by weights of the repeat's
other parts. The weights are always fitted behind the very lines that they will be used behind. Each head is calibrated
on all of its own patients; the weights need those that have both.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from inference.calibration import Calibration, Line
from inference.manifest import FusionDraw
from training.errors import TrainingError
from training.evaluation.scores import Scores
from training.fusion.methods import draws_of, fit_weights, fused
from training.runs.predictions import Prediction
from training.splitting.dealing import STRATA
from training.statistics.logistic import sigmoid
from training.statistics.weighting import N_DRAWS, curve_of, fit_curve, resampled, shares_of

Floats = NDArray[np.float64]

#: Parts into which patients are dealt where the splits have one fold: nobody is fused by weights that he chose.
N_PARTS = 5


@dataclass(frozen=True, eq=False)
class Pair:
    """Two heads, of the patients that both have judged in every repeat.

    Parameters
    ----------
    eeg_emg, fmri : Scores
        Of the same patients in the same order, calibrated as among all patients of each head.
    """

    eeg_emg: Scores
    fmri: Scores

    @classmethod
    def of(cls, eeg_emg: Scores, fmri: Scores) -> Pair:
        """Return both heads on the patients that they share.

        Raises
        ------
        TrainingError
            If no patient of either outcome is left.
        """
        common = set(eeg_emg.patients) & set(fmri.patients)
        both = [one.select(np.array([p in common for p in one.patients], bool)) for one in (eeg_emg, fmri)]
        if not common or not both[0].both_outcomes:
            raise TrainingError(
                f"{eeg_emg.model} and {fmri.model} share {len(common)} patients, not of both outcomes.",
                subject="fusion",
                remedy="Train both on the same cohort, with patients of both outcomes that have EEG and a scan.",
            )
        return cls(*both)

    @property
    def patients(self) -> tuple[str, ...]:
        """Who has both, sorted."""
        return self.eeg_emg.patients

    @property
    def good(self) -> NDArray[np.bool_]:
        """Outcomes, shape (n,)."""
        return self.eeg_emg.good

    @cached_property
    def parts(self) -> NDArray[np.intp]:
        """The part of each patient in each repeat, shape (n_repeats, n)."""
        return np.array([[row.fold for row in rows] for rows in self.eeg_emg.rows])

    def cross_fitted(self, method: str) -> Floats:
        """Return the fused log-odds of everybody, by weights of the other parts, shape (n_repeats, n)."""
        both = np.empty(self.parts.shape)
        for repeat, part in self._each_part():
            x, y = (_without(one, repeat, part) for one in (self.eeg_emg, self.fmri))
            mine = self.parts[repeat] == part
            weights = fit_weights(method, x[~mine], y[~mine], self.good[~mine])
            both[repeat, mine] = fused(method, weights, x[mine], y[mine])
        return both

    def alone(self) -> tuple[Floats, Floats]:
        """Return the log-odds of each head by itself, calibrated on the other parts, shapes (n_repeats, n)."""
        both = np.empty((2, *self.parts.shape))
        for repeat, part in self._each_part():
            mine = self.parts[repeat] == part
            for head, one in zip(both, (self.eeg_emg, self.fmri), strict=True):
                head[repeat, mine] = _without(one, repeat, part)[mine]
        return both[0], both[1]

    def weigh(
        self,
        method: str,
        curves: tuple[Calibration | None, Calibration | None] = (None, None),
        *,
        seed: int = 0,
        n_draws: int = N_DRAWS,
    ) -> tuple[FusionDraw, tuple[FusionDraw, ...]]:
        """Return the weights of all patients, and those of resampled ones.

        Parameters
        ----------
        method : str
        curves : tuple of Calibration or None
            Of the two bundles that will be fused; a head without one gets the curve that its bundle would have.
        seed, n_draws : int
            Of the draws; a draw resamples the patients of one repeat. None for ``equal``, in which nobody has a say.
        """
        x, y = (
            np.concatenate([_log_odds(one, rows, curve or whole_curve(one)) for rows in one.rows])
            for one, curve in zip((self.eeg_emg, self.fmri), curves, strict=True)
        )
        rows = [row for of_one in self.eeg_emg.rows for row in of_one]
        good = np.array([row.good for row in rows], bool)
        [weights] = draws_of(fit_weights(method, x, y, good, shares_of(rows)[np.newaxis]))
        if method == "equal":
            return weights, ()
        return weights, draws_of(fit_weights(method, x, y, good, resampled(rows, seed, n_draws)))

    def _each_part(self) -> Iterator[tuple[int, int]]:
        return ((repeat, int(part)) for repeat, of in enumerate(self.parts) for part in np.unique(of))


def whole_curve(scores: Scores) -> Calibration:
    """Return the calibration of a head on all rows that it has, as its bundle holds it; without draws."""
    rows = [row for of_one in scores.rows for row in scores.shown(of_one)]
    return curve_of(fit_curve(rows, 0, scores.aggregation, n_draws=0))


def dealt(strata: Mapping[str, Sequence[str]], patients: Sequence[str], seed: int) -> dict[str, int]:
    """Deal patients to parts, evenly within each stratum.

    Parameters
    ----------
    strata : mapping of str to sequence of str
        Of the splits: by outcome and EEG.
    patients : sequence of str
        Those who were judged.
    seed : int
        Of the dealing.
    """
    rng = np.random.default_rng(seed)
    part_of: dict[str, int] = {}
    # Those without EEG come last in STRATA: they have nothing to be fused, and the parts of the others stay even.
    for name in STRATA.values():
        members = sorted(set(strata[name]) & set(patients))
        for place in rng.permutation(len(members)):
            part_of[members[place]] = len(part_of) % N_PARTS
    return part_of


def in_parts(predictions: Sequence[Prediction], part_of: Mapping[str, int]) -> list[Prediction]:
    """Return predictions whose fold is the part that their patient was dealt to; others are left out."""
    return [replace(row, fold=part_of[row.patient]) for row in predictions if row.patient in part_of]


def predictions_of(model: str, log_odds: Floats, pair: Pair, fma: Mapping[str, float | None]) -> Iterator[Prediction]:
    """Yield a row for each patient and repeat of log-odds of shape (n_repeats, n)."""
    for repeat, (parts, values) in enumerate(zip(pair.parts, log_odds, strict=True)):
        for i, patient in enumerate(pair.patients):
            row = pair.eeg_emg.rows[repeat][i]
            logit = float(values[i])
            yield Prediction(model, row.repeat, int(parts[i]), patient, "patient", None, 1.0, logit,
                             float(sigmoid(logit)), row.good, fma.get(patient))  # fmt: skip


def _without(scores: Scores, repeat: int, part: int) -> Floats:
    """Return everybody's log-odds in a repeat by the calibration that had no patient of the part in it."""
    rows = scores.rows[repeat]
    return _log_odds(scores, rows, scores.curves[rows[0].repeat, part], part)


def _log_odds(scores: Scores, rows: Sequence, curve: Calibration | None, part: int | None = None) -> Floats:
    if curve is None:
        # One number for everybody has no slope: it is worth the share of good outcomes, and no more.
        others = [row.good for row in rows if row.fold != part]
        share = (sum(others) + 1.0) / (len(others) + 2.0)
        return np.full(len(rows), np.log(share / (1.0 - share)))
    lines: dict[int, Line] = {n: curve.at(n) for n in {len(row.logits) for row in rows}}
    return np.array([lines[len(row.logits)].log_odds(scores.logit(row)) for row in rows])
