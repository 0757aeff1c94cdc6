"""What a network must beat, fitted and judged on the same patients and folds (law 9).

``majority`` says one number to everybody, the share of good outcomes of all, those that it is judged on too;
``baseline-fma`` knows the score at the recording, ``epos`` sitting balance and leg strength (what the EPOS rule for
walking takes), ``band-power`` mean and spread of the signal's bands. Nothing that is missing is made up: who
lacks a column is neither fitted nor judged by it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from training.band_power import band_power_logits, band_powers
from training.runs.predictions import Prediction
from training.statistics.logistic import sigmoid

if TYPE_CHECKING:
    from training.cohort.cohort import Cohort
    from training.cohort.participants import Participant
    from training.data.batches import Dealt
    from training.data.windows import PatientWindows
    from training.splitting.splits import Fold, Splits

#: Baselines that know columns of the table of patients, and which.
COLUMNS = {"baseline-fma": ("fma_baseline",), "epos": ("sitting_balance", "leg_strength")}
#: All of them, in the order of the report.
NAMES = ("majority", *COLUMNS, "band-power")

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Table:
    """What the baselines know of each patient.

    Parameters
    ----------
    patients : tuple of str
        Sorted.
    good : ndarray, shape (n,), bool
        Outcomes.
    fma : tuple of float or None
        Points at follow-up.
    columns : mapping of str to ndarray, shape (n, n_columns)
        By baseline, NaN where a value is missing.
    powers : ndarray, shape (n, n_features)
        Band powers; no feature where there is no signal, and then no such baseline.
    """

    patients: tuple[str, ...]
    good: NDArray[np.bool_]
    fma: tuple[float | None, ...]
    columns: Mapping[str, Floats]
    powers: Floats

    @classmethod
    def of(cls, participants: Iterable[Participant], windows: Mapping[str, PatientWindows]) -> Table:
        """Collect what is known of the patients that have windows."""
        known = {participant.id: participant for participant in participants}
        patients = tuple(sorted(windows))
        return cls(
            patients,
            np.array([windows[patient].good for patient in patients], bool),
            tuple(windows[patient].fma for patient in patients),
            _columns(known, patients),
            np.array([band_powers(windows[patient]) for patient in patients]),
        )

    @classmethod
    def without_signal(cls, participants: Iterable[Participant], patients: Mapping[str, Dealt]) -> Table:
        """Collect what is known of patients without a look at a signal: there are no band powers."""
        known = {participant.id: participant for participant in participants}
        names = tuple(sorted(patients))
        return cls(
            names,
            np.array([patients[name].good for name in names], bool),
            tuple(patients[name].fma for name in names),
            _columns(known, names),
            np.empty((len(names), 0)),
        )

    def positions(self, patients: Iterable[str]) -> NDArray[np.intp]:
        """Return where patients stand; those without windows are left out."""
        wanted = set(patients)
        return np.array([i for i, patient in enumerate(self.patients) if patient in wanted], np.intp)

    def parts(self, fold: Fold) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        """Return who fits a baseline, all but the tested, and who judges it."""
        return self.positions((*fold.train, *fold.stop)), self.positions(fold.test)


def baseline_predictions(cohort: Cohort, windows: Mapping[str, PatientWindows], splits: Splits) -> list[Prediction]:
    """Return the out-of-fold logits of every baseline, a row for each patient and repeat.

    Parameters
    ----------
    cohort : Cohort
        Its table of patients.
    windows : mapping of str to PatientWindows
        Of each patient with EEG and an outcome.
    splits : Splits
        Each baseline is fitted to the patients that train or stop a network, and judged by those that test it.
    """
    return fold_predictions(Table.of(cohort.participants, windows), splits.with_eeg(windows).folds)


def known_predictions(cohort: Cohort, patients: Mapping[str, Dealt], splits: Splits) -> list[Prediction]:
    """Return the same of the baselines that know the table of patients alone, for those without a signal.

    Parameters
    ----------
    cohort : Cohort
    patients : mapping of str to Dealt
        Each with an outcome.
    splits : Splits
        Of these patients.
    """
    return fold_predictions(Table.without_signal(cohort.participants, patients), splits.folds)


def fold_predictions(table: Table, folds: Sequence[Fold]) -> list[Prediction]:
    """Return the out-of-fold logits of every baseline that has its columns; see ``baseline_predictions``."""
    return [row for name in NAMES for fold in folds for row in _rows(table, name, fold)]


def _rows(table: Table, name: str, fold: Fold) -> list[Prediction]:
    train, test = table.parts(fold)
    if name == "band-power" and not table.powers.shape[1]:
        return []
    if name in COLUMNS:
        known = ~np.isnan(table.columns[name].sum(axis=1))
        train, test = train[known[train]], test[known[test]]
    if len(test) == 0 or len(np.unique(table.good[train])) < 2:
        return []
    return [
        Prediction(
            model=name,
            repeat=fold.repeat,
            fold=fold.fold,
            patient=table.patients[i],
            unit="patient",
            index=None,
            weight=1.0,
            logit=float(logit),
            p=float(sigmoid(logit)),
            label=bool(table.good[i]),
            fma=table.fma[i],
        )
        for i, logit in zip(test, _logits(table, name, train, test), strict=True)
    ]


def _logits(table: Table, name: str, train: NDArray[np.intp], test: NDArray[np.intp]) -> Floats:
    if name == "band-power":
        return band_power_logits(table.powers, table.good, train, test)
    if name == "majority":
        # Of all patients: a fold's own share is lower where more of the good are tested, and would rank them backwards.
        share = table.good.mean()
        return np.full(len(test), np.log(share / (1.0 - share)))
    model = make_pipeline(StandardScaler(), LogisticRegression())
    model.fit(table.columns[name][train], table.good[train])
    return np.asarray(model.decision_function(table.columns[name][test]), np.float64)


def _columns(known: Mapping[str, Participant], patients: Iterable[str]) -> dict[str, Floats]:
    return {
        name: np.array([[_number(getattr(known[patient], key)) for key in keys] for patient in patients])
        for name, keys in COLUMNS.items()
    }


def _number(value: float | None) -> float:
    return np.nan if value is None else float(value)
