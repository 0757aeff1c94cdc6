"""Who may be trained on: the patient is the unit, and windows are of one make (law 9)."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from tests.training.patients import patients
from training.errors import FingerprintMismatch, TrainingError
from training.fitting.admission import check_patients
from training.fitting.fit import fit
from training.fitting.windows import FitSpec

GOOD = {"train": patients(6, 0), "stop": patients(4, 1000), "held_out": ("2000", "2001")}


def test_three_sets_that_share_nobody_are_admitted():
    """Nothing is said."""
    check_patients(**GOOD)


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"stop": patients(5, 3)}, "Patients 0003, 0004, 0005 are in both train and stop"),
        ({"held_out": ("0001", "0009")}, "Patients 0001 are in both train and test"),
        ({"held_out": ("1000",)}, "Patients 1000 are in both stop and test"),
        ({"train": []}, "There is no patient with windows in train"),
        ({"stop": []}, "There is no patient with windows in stop"),
        ({"train": [replace(p, good=True) for p in patients(3, 0)]}, "All 3 training patients have a good outcome"),
        ({"train": [replace(p, good=False) for p in patients(3, 0)]}, "All 3 training patients have a poor outcome"),
    ],
)
def test_sets_that_cannot_be_judged_honestly_are_refused(changed, words):
    """By the fit itself, before anything is learned; the patients are named."""
    given = GOOD | changed
    with pytest.raises(TrainingError, match=words):
        fit(given["train"], given["stop"], FitSpec(seed=0), held_out=given["held_out"])


def test_windows_of_two_conditionings_are_refused():
    """Each fingerprint is named with one of its patients."""
    other = [*patients(3, 1000), replace(patients(1, 1003)[0], fingerprint="f" * 64)]
    with pytest.raises(FingerprintMismatch, match=r"0123456789ab \(patient 0000\), ffffffffffff \(patient 1003\)"):
        check_patients(GOOD["train"], other)


def test_windows_with_what_is_no_number_are_refused():
    """Before an epoch is spent."""
    train = patients(4, 0)
    train[1].tokens[0, 0, 0] = math.nan
    train[2].tokens[1, 2, 3] = math.inf
    with pytest.raises(TrainingError, match="Windows of patients 0001, 0002 hold values that are not finite"):
        check_patients(train, GOOD["stop"])
