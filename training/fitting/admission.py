"""Admission: on whom a network may be trained, stopped and tested, so that its figures mean something (law 9)."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import numpy as np

from training.data.batches import Dealt
from training.data.windows import PatientWindows
from training.errors import FingerprintMismatch, TrainingError


def check_patients(
    train: Sequence[PatientWindows], stop: Sequence[PatientWindows], held_out: Collection[str] = ()
) -> None:
    """Refuse patients that a network cannot be trained, stopped and tested on.

    Parameters
    ----------
    train, stop : sequence of PatientWindows
        On whom it is trained, and who stop its training.
    held_out : collection of str
        Patients who are to test it.

    Raises
    ------
    TrainingError
        If a patient is in two sets, one of the first two is empty, all training patients have one outcome, or a window
        holds what is no number; names the patients.
    FingerprintMismatch
        If windows come from several conditionings.
    """
    check_parts(train, stop, held_out)
    _refuse_several_conditionings([*train, *stop])
    _refuse_not_finite([*train, *stop])


def check_parts(
    train: Sequence[Dealt], stop: Sequence[Dealt], held_out: Collection[str] = (), what: str = "windows"
) -> None:
    """Refuse parts of patients that share one, are empty, or have nothing to tell apart.

    Parameters
    ----------
    train, stop, held_out
        As for ``check_patients``.
    what : str
        Of which each patient has some.

    Raises
    ------
    TrainingError
        Names the patients.
    """
    parts = {"train": {p.patient for p in train}, "stop": {p.patient for p in stop}, "test": set(held_out)}
    for one, other in (("train", "stop"), ("train", "test"), ("stop", "test")):
        _refuse_shared(one, other, sorted(parts[one] & parts[other]))
    for part, members in (("train", train), ("stop", stop)):
        if not members:
            raise TrainingError(
                f"There is no patient with {what} in {part}.", subject=part, remedy="Add patients to the cohort."
            )
    if len({p.good for p in train}) < 2:
        word = "good" if train[0].good else "poor"
        raise TrainingError(
            f"All {len(train)} training patients have a {word} outcome; a network learns from both.",
            subject="train",
            remedy="Add patients of the other outcome to the cohort.",
        )


def _refuse_shared(one: str, other: str, patients: Sequence[str]) -> None:
    if patients:
        raise TrainingError(
            f"Patients {', '.join(patients)} are in both {one} and {other}; the patient is the unit of a split.",
            subject=patients[0],
            remedy="Deal the patients again: delete the cohort's splits.json and begin a new run.",
        )


def _refuse_several_conditionings(patients: Sequence[PatientWindows]) -> None:
    example = {p.fingerprint: p.patient for p in reversed(patients)}
    if len(example) > 1:
        told = ", ".join(f"{fingerprint[:12]} (patient {name})" for fingerprint, name in sorted(example.items()))
        raise FingerprintMismatch(
            f"Windows come from several conditionings: {told}.",
            subject=patients[0].patient,
            remedy="Delete the cohort's derivatives folder, so that all windows are made anew.",
        )


def _refuse_not_finite(patients: Sequence[PatientWindows]) -> None:
    bad = [p.patient for p in patients if not np.isfinite(p.tokens).all()]
    if bad:
        raise TrainingError(
            f"Windows of patients {', '.join(bad)} hold values that are not finite numbers.",
            subject=bad[0],
            remedy="Delete the cohort's derivatives folder; if it comes back: flexion cohort check.",
        )
