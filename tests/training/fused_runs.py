"""Runs of EEG and EMG and of fMRI whose logits are made up: a cohort without recordings, both runs, their bundles."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from inference.bundle import Bundle
from tests.inference import tiny
from training.cohort.cohort import Cohort
from training.cohort.opening import SPEC
from training.cohort.participants import TABLE, Participant, write_participants
from training.runs.config import load_config
from training.runs.image_config import load_image_config
from training.runs.predictions import Prediction, write_predictions
from training.runs.run_folder import RunFolder
from training.splitting.splits import Splits, splits_of

#: Windows and slices of each patient.
N_WINDOWS, N_SLICES = 4, 5
#: How far apart the outcomes lie in the heads' logits, and how much one network differs from another.
APART, NETWORK_SD = 1.2, 0.3
#: Draws of an interval, as few as a run may ask for: how wide it comes out is shown where intervals are tested.
N_BOOTSTRAP = 100


def cohort_of(folder: Path, n: int = 40, without_eeg: int = 6, effect: float = 2.0, seed: int = 0) -> Cohort:
    """Write the table of a simulated cohort and return it; some patients have no EEG."""
    folder.mkdir(parents=True)
    rng = np.random.default_rng(seed)
    good = rng.permutation(np.arange(n) % 2 == 0)
    people = [
        Participant(
            id=f"{i + 1:03d}", has_eeg=i >= without_eeg, fma_3mo=25.0 if good[i] else 9.0,
            fma_baseline=float(5 + i % 9), site=("north", "south")[i % 2],
        )
        for i in range(n)
    ]  # fmt: skip
    write_participants(folder / TABLE, people)
    described = {"Name": "made-up", "BIDSVersion": "1.9.0", "Flexion": {"origin": "synthetic", "effect": effect}}
    (folder / "dataset_description.json").write_text(json.dumps(described))
    return Cohort.open(folder)


def latent(cohort: Cohort, apart: float, correlation: float, seed: int) -> dict[str, tuple[float, float]]:
    """Return the logit that either head tends to for each patient."""
    rng = np.random.default_rng(seed)
    found = {}
    for one in cohort.participants:
        x, z = rng.standard_normal(2)
        y = correlation * x + (1 - correlation**2) ** 0.5 * z
        shift = apart * (float(bool(one.good)) - 0.5)
        found[one.id] = (shift + x, shift + y)
    return found


def said(
    cohort: Cohort,
    splits: Splits,
    model: str,
    unit: Any,
    means: dict[str, float],
    patients: Sequence[str],
    n: int,
    scale: float = 2.0,
) -> list[Prediction]:
    """Return what a network says of the windows or slices of each tested patient, too sure by `scale`."""
    rng = np.random.default_rng(len(model))
    rows = []
    for fold in splits.folds:
        for patient in (one for one in fold.test if one in patients):
            who = cohort.participant(patient)
            middle = scale * (means[patient] + NETWORK_SD * rng.standard_normal())
            logits = middle + 0.5 * rng.standard_normal(n)
            parts = [(unit, k, float(x)) for k, x in enumerate(logits)]
            whole = [("patient", None, float(logits.mean()))] if unit == "slice" else []
            rows += [
                Prediction(model, fold.repeat, fold.fold, patient, kind, k, 1.0, x, float(1 / (1 + np.exp(-x))),
                           bool(who.good), who.outcome_fma)
                for kind, k, x in (*parts, *whole)
            ]  # fmt: skip
    return rows


def baseline(cohort: Cohort, splits: Splits, patients: Sequence[str]) -> list[Prediction]:
    """Return what the majority says of each tested patient."""
    return [
        Prediction("majority", fold.repeat, fold.fold, patient, "patient", None, 1.0, 0.1, 0.525,
                   bool(cohort.participant(patient).good), cohort.participant(patient).outcome_fma)
        for fold in splits.folds for patient in fold.test if patient in patients
    ]  # fmt: skip


def runs_of(
    folder: Path,
    cohort: Cohort,
    profile: Any = "nested",
    *,
    backbones: Sequence[str] = ("cnn-shufflenet", "cnn-resnet50"),
    apart: float = APART,
    repeats: tuple[int, int] = (2, 2),
    seed: int = 0,
) -> tuple[RunFolder, RunFolder]:
    """Write both runs, done, with bundles; the image networks of all but the first know nothing."""
    made = []
    for make, n in zip((load_config, load_image_config), repeats, strict=True):
        splits = splits_of(cohort, profile, 0, repeats=n, folds=4)
        flags = {"split.profile": profile, "split.repeats": n, "split.folds": 4, "evaluation.bootstrap": N_BOOTSTRAP}
        made.append(RunFolder.create(folder / "runs", make(flags=flags), cohort, splits, ()))
    eeg, fmri = made
    eeg.note(fingerprint=SPEC.fingerprint)
    everybody = [one.id for one in cohort.participants]
    fmri.note(fingerprint=fmri.image_config.preparation.fingerprint, scans=dict.fromkeys(everybody, "0" * 64))
    with_eeg = [one.id for one in cohort.participants if one.has_eeg]
    tends = latent(cohort, apart, 0.2, seed)
    rows = said(cohort, eeg.splits, "lstm-bands", "window", {p: x for p, (x, _) in tends.items()}, with_eeg, N_WINDOWS)
    write_predictions(eeg.predictions_path, [*rows, *baseline(cohort, eeg.splits, with_eeg)])
    rows = []
    for number, backbone in enumerate(backbones):
        means = {p: y if not number else 0.0 for p, (_, y) in tends.items()}
        rows += said(cohort, fmri.splits, backbone, "slice", means, everybody, N_SLICES)
    write_predictions(fmri.predictions_path, [*rows, *baseline(cohort, fmri.splits, everybody)])
    bundles_of(eeg, fmri, backbones[0])
    for run in made:
        run.note(state="done", parameters=1000)
    return eeg, fmri


def bundles_of(eeg: RunFolder, fmri: RunFolder, backbone: str) -> None:
    """Write tiny bundles, never run, into both runs."""
    tiny.write(eeg.bundle_path, tiny.manifest())
    tiny.write(fmri.bundle_path, {**tiny.fmri_manifest(), "backbone": backbone.removeprefix("cnn-")})


def bundle_of(run: RunFolder) -> Bundle:
    """Return a run's bundle."""
    return Bundle.load(run.bundle_path)
