"""Why the patient is the unit of a split, with figures (law 9): ``python -m training.splitting.leakage COHORT``.

Outcomes are dealt to patients by lot, so that nothing can be learned of them. A split by windows shows the model other
windows of the patients that it is judged on; it knows them again, and seems to tell their outcomes. A split by
patients shows that there was nothing.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.model_selection import StratifiedGroupKFold
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from acquisition.errors import FlexionError
from training.cohort.cohort import Cohort
from training.data.windows import PatientWindows, prepare
from training.errors import SplitError
from training.statistics.auc import auc

#: Folds of either split: few, so that each holds patients of both outcomes in a small cohort too.
FOLDS = 3
#: Windows whose outcomes are averaged: other windows of one patient are the nearest there are.
NEIGHBOURS = 3
#: Deals of outcomes that a figure is the mean of.
DEALS = 20


def window_level_auc(windows: Mapping[str, PatientWindows], labels: Mapping[str, bool], seed: int) -> float:
    """Return the AUC over windows when the windows are split, whosever they are: too good, and here to show it.

    Parameters
    ----------
    windows : mapping of str to PatientWindows
        By patient.
    labels : mapping of str to bool
        Outcome of each of these patients, by lot or not.
    seed : int
        Of the split.
    """
    return _auc(_features(windows), _whose(windows), labels, np.arange(sum(map(len, windows.values()))), seed)


def patient_level_auc(windows: Mapping[str, PatientWindows], labels: Mapping[str, bool], seed: int) -> float:
    """Return the AUC over windows, of the same model, when the patients are split; see :func:`window_level_auc`."""
    whose = _whose(windows)
    return _auc(_features(windows), whose, labels, whose, seed)


def by_lot(labels: Mapping[str, bool], seed: int) -> dict[str, bool]:
    """Return the same outcomes, dealt to the patients by lot."""
    patients = sorted(labels)
    dealt = np.random.default_rng(seed).permutation([labels[patient] for patient in patients])
    return dict(zip(patients, dealt.tolist(), strict=True))


def inflation(windows: Mapping[str, PatientWindows], n_deals: int = DEALS) -> tuple[float, float]:
    """Return the mean AUC over deals of outcomes by lot, split by windows and split by patients.

    Raises
    ------
    SplitError
        If there are fewer patients of an outcome than folds.
    """
    labels = {patient: own.good for patient, own in windows.items()}
    if (least := min(sum(labels.values()), sum(not good for good in labels.values()))) < FOLDS:
        message = f"{least} patients with windows have one of the outcomes, too few for {FOLDS} folds."
        raise SplitError(message, remedy="Add patients of that outcome.")
    deals = [by_lot(labels, seed) for seed in range(n_deals)]
    x, whose = _features(windows), _whose(windows)
    by_windows = [_auc(x, whose, deal, np.arange(len(x)), seed) for seed, deal in enumerate(deals)]
    by_patients = [_auc(x, whose, deal, whose, seed) for seed, deal in enumerate(deals)]
    return float(np.mean(by_windows)), float(np.mean(by_patients))


def _features(windows: Mapping[str, PatientWindows]) -> NDArray[np.floating]:
    """Return the mean tokens of every window, patient after patient."""
    return np.concatenate([windows[patient].tokens.mean(axis=1) for patient in sorted(windows)])


def _whose(windows: Mapping[str, PatientWindows]) -> NDArray[np.str_]:
    """Return the patient of every window, patient after patient."""
    return np.repeat(sorted(windows), [len(windows[patient]) for patient in sorted(windows)])


def _auc(
    x: NDArray[np.floating], whose: NDArray[np.str_], labels: Mapping[str, bool], groups: NDArray[Any], seed: int
) -> float:
    """Return the mean over folds, which no group of windows straddles, of the AUC within the fold.

    One AUC over all folds would be biased low where there is nothing to be learned.
    """
    y = np.array([labels[patient] for patient in whose])
    model = make_pipeline(StandardScaler(), KNeighborsClassifier(NEIGHBOURS, weights="distance"))
    folds = StratifiedGroupKFold(FOLDS, shuffle=True, random_state=seed).split(x, y, groups)
    aucs = [
        auc(y[test], model.fit(x[train], y[train]).predict_proba(x[test])[:, 1])
        for train, test in folds
        if len(set(y[test])) == 2
    ]
    return float(np.mean(aucs))


def main(arguments: Sequence[str] | None = None) -> None:
    """Print both figures of a cohort."""
    parser = argparse.ArgumentParser(prog="python -m training.splitting.leakage", description=__doc__.split("\n")[0])
    parser.add_argument("cohort", type=Path, help="folder of a cohort")
    try:
        windows = prepare(Cohort.open(parser.parse_args(arguments).cohort))
        by_windows, by_patients = inflation(windows)
    except FlexionError as error:
        parser.exit(error.exit_code, f"{error}\n")
    print(f"Outcomes by lot, {len(windows)} patients, {len(_whose(windows))} windows, mean AUC of {DEALS} deals:")
    print(f"  split by windows   {by_windows:.2f}")
    print(f"  split by patients  {by_patients:.2f}")


if __name__ == "__main__":
    main()
