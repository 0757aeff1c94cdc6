"""A model's out-of-fold logits, patient by patient, and the probabilities that calibration makes of them.

Calibration is cross-fitted: the patients of a fold are calibrated by a curve fitted to all others, in every repeat, as
the bundle's is fitted to all patients in every repeat. A profile of one fold has no others: its logits stay as they
are, and ``Scores.calibrated`` says so. A model that says one number to everybody has nothing to calibrate. Windows come
one after the other, so that a curve has a line for each number of them; slices come all at once and have one line.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from inference.calibration import Calibration, Line, interval_of
from inference.manifest import AGGREGATIONS
from training.runs.predictions import CHOSEN, Prediction
from training.statistics.logistic import sigmoid
from training.statistics.metrics import Floats
from training.statistics.weighting import N_DRAWS, Scored, curve_of, fit_curve, scored_session

#: A probability that nothing was done to: slope 1, offset 0, no draws.
AS_IT_IS = Line(1.0, 0.0, np.zeros(0), np.zeros(0))
#: The curve of log-odds that others have calibrated already.
CALIBRATED = Calibration((1.0,), (1.0,), (0.0,), ((),), ((),))
#: Units of which a patient has many; a network scores them, and they outweigh its own row of the whole patient.
PARTS = ("window", "slice")


@dataclass(frozen=True, eq=False)
class Scores:
    """What one model says of patients that it never saw.

    Parameters
    ----------
    model : str
        Its name.
    unit : {"window", "slice", "patient"}
        What it scores; what scores patients counts as one window.
    patients : tuple of str
        Sorted; those whom every repeat has scored.
    good : ndarray, shape (n,), bool
        Outcomes.
    rows : tuple of tuple of Scored
        By repeat, then patient.
    aggregation : str
        How a patient's logit comes of those of its windows or slices; see ``inference.aggregation.mean_logit``.
    """

    model: str
    unit: str
    patients: tuple[str, ...]
    good: NDArray[np.bool_]
    rows: tuple[tuple[Scored, ...], ...]
    aggregation: str = AGGREGATIONS[0]

    @classmethod
    def of(cls, predictions: Sequence[Prediction], model: str, aggregation: str = AGGREGATIONS[0]) -> Scores:
        """Collect a model's predictions, in whatever order they come."""
        mine = [row for row in predictions if row.model == model]
        unit = next((unit for unit in PARTS if any(row.unit == unit for row in mine)), "patient")
        sessions: dict[tuple[int, str], list[Prediction]] = {}
        for row in mine:
            if row.unit == unit:
                sessions.setdefault((row.repeat, row.patient), []).append(row)
        repeats = sorted({repeat for repeat, _ in sessions})
        everybody = {patient for _, patient in sessions}
        patients = tuple(sorted(p for p in everybody if all((repeat, p) in sessions for repeat in repeats)))
        rows = tuple(tuple(scored_session(sessions[repeat, patient]) for patient in patients) for repeat in repeats)
        good = np.array([row.good for row in rows[0]], bool)
        return cls(model, unit, patients, good, rows, aggregation)

    @classmethod
    def calibrated_before(cls, predictions: Sequence[Prediction], model: str) -> Scores:
        """Collect a model's predictions that are calibrated log-odds already, on other folds; they stay as they are."""
        made = cls.of(predictions, model)
        made.__dict__["curves"] = {(row.repeat, row.fold): CALIBRATED for rows in made.rows for row in rows}
        return made

    @property
    def network(self) -> bool:
        """Whether it is a network, and no baseline."""
        return self.unit in PARTS or self.model == CHOSEN

    @property
    def both_outcomes(self) -> bool:
        """Whether there is anything to tell apart."""
        return bool(self.good.any() and not self.good.all())

    @cached_property
    def n_windows(self) -> NDArray[np.intp]:
        """Windows of each patient."""
        return np.array([len(row.logits) for row in self.rows[0]], np.intp)

    @cached_property
    def curves(self) -> dict[tuple[int, int], Calibration | None]:
        """The calibration of each (repeat, fold), from everybody who is not in it; None where that cannot be."""
        n_draws = N_DRAWS // len(self.rows) if self.network else 0
        everybody = [row for rows in self.rows for row in self.shown(rows)]
        found: dict[tuple[int, int], Calibration | None] = {}
        for rows in self.rows:
            for fold in sorted({row.fold for row in rows}):
                judged = {row.patient for row in rows if row.fold == fold}
                others = [row for row in everybody if row.patient not in judged]
                found[rows[0].repeat, fold] = _curve(others, self.aggregation, n_draws)
        return found

    @property
    def calibrated(self) -> bool | None:
        """Whether every probability is calibrated on other folds; None where one number is said to everybody.

        One number has no slope, however many folds there are: it is left as it is, and not for want of other folds.
        """
        if len({row.logit() for rows in self.rows for row in rows}) < 2:
            return None
        return None not in self.curves.values()

    def select(self, wanted: NDArray[np.bool_]) -> Scores:
        """Return some of the patients, calibrated as they were among all."""
        chosen = np.flatnonzero(wanted)
        rows = tuple(tuple(of_one[i] for i in chosen) for of_one in self.rows)
        patients = tuple(self.patients[i] for i in chosen)
        part = Scores(self.model, self.unit, patients, self.good[chosen], rows, self.aggregation)
        part.__dict__["curves"] = self.curves
        return part

    def shown(self, rows: Sequence[Scored]) -> list[Scored]:
        """Return rows as a calibration is fitted to them: a patient's slices are one look at it."""
        if self.unit != "slice":
            return list(rows)
        one = np.ones(1)
        return [replace(row, logits=np.array([row.logit(None, self.aggregation)]), weights=one) for row in rows]

    def logits(self, n_windows: int | None = None) -> Floats:
        """Return the sessions' logits after so many windows, or after all, shape (n_repeats, n)."""
        return np.array([[self.logit(row, n_windows) for row in rows] for rows in self.rows])

    def logit(self, row: Scored, n_windows: int | None = None) -> float:
        """Return a session's logit after so many windows, or after all."""
        return row.logit(n_windows, self.aggregation)

    def log_odds(self, n_windows: int | None = None) -> Floats:
        """Return what calibration makes of ``logits``, shape (n_repeats, n)."""
        return np.array(
            [[self.line(row, n_windows).log_odds(self.logit(row, n_windows)) for row in rows] for rows in self.rows]
        )

    def probabilities(self, n_windows: int | None = None) -> Floats:
        """Return the one probability of each patient, shape (n,): that of the mean of its calibrated log-odds."""
        return sigmoid(self.log_odds(n_windows).mean(axis=0))

    def intervals(self) -> list[tuple[float, float] | None]:
        """Return the interval that the bedside would show for each patient, over the draws of all repeats."""
        return [self._interval(i) for i in range(len(self.patients))]

    def line(self, row: Scored, n_windows: int | None = None) -> Line:
        """Return the line that calibrates a session after so many windows, or after all."""
        curve = self.curves[row.repeat, row.fold]
        n = len(row.logits) if n_windows is None else min(n_windows, len(row.logits))
        return AS_IT_IS if curve is None else curve.at(n)

    def _interval(self, i: int) -> tuple[float, float] | None:
        drawn = np.concatenate([self.line(rows[i]).drawn(self.logit(rows[i])) for rows in self.rows])
        return interval_of(drawn) if len(drawn) else None


def models_of(predictions: Sequence[Prediction], aggregation: str = AGGREGATIONS[0]) -> list[Scores]:
    """Return the scores of every model that has judged patients of both outcomes, by name.

    Networks come first, before all others those that the folds chose.
    """
    found = [Scores.of(predictions, model, aggregation) for model in sorted({row.model for row in predictions})]
    return sorted((one for one in found if one.both_outcomes), key=lambda one: (not one.network, one.model != CHOSEN))


def _curve(others: list[Scored], aggregation: str, n_draws: int) -> Calibration | None:
    """Return a curve; a network's has draws, as many over all repeats as a bundle, for the intervals.

    There is none to be had from patients of one outcome, nor for a model that says one number to everybody.
    """
    if len({row.good for row in others}) < 2 or len({row.logit(None, aggregation) for row in others}) < 2:
        return None
    return curve_of(fit_curve(others, 0, aggregation, n_draws))
