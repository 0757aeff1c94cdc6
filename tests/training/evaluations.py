"""Runs of known answer: predictions drawn so that AUC and calibration are known, and the evaluation of such a run."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np

from training.cohort.participants import Participant
from training.data.windows import PatientWindows
from training.evaluation.document import SCHEMA
from training.evaluation.evaluation import Material, Sureness, evaluation_of
from training.runs.predictions import Prediction
from training.splitting.splits import Fold
from training.statistics.logistic import sigmoid

#: What a simulated network scores: repeats, folds, windows of a patient.
N_REPEATS, N_FOLDS, N_WINDOWS = 2, 5, 12
#: Deviation of a window's logit from its patient's, and of a network's from another's.
WINDOW_SD, NETWORK_SD = 2.0, 0.3


def names(n: int) -> list[str]:
    """Return pseudonyms."""
    return [f"{i + 1:03d}" for i in range(n)]


def outcomes(n: int, seed: int, spread: float) -> tuple[np.ndarray, np.ndarray]:
    """Return log-odds and the outcomes that are drawn by them."""
    rng = np.random.default_rng(seed)
    log_odds = spread * rng.standard_normal(n) + 0.2
    return log_odds, rng.random(n) < sigmoid(log_odds)


def folds_of(n: int, repeat: int, n_folds: int = N_FOLDS) -> np.ndarray:
    """Return which fold tests each patient."""
    return np.random.default_rng(100 + repeat).permutation(n) % n_folds


def predictions(
    n: int = 40, seed: int = 0, spread: float = 2.0, scale: float = 1.0, n_windows: int = N_WINDOWS
) -> list[Prediction]:
    """Return what a network and two baselines say; a network's logits are `scale` times honest ones."""
    rng = np.random.default_rng(seed + 1)
    log_odds, good = outcomes(n, seed, spread)
    rows: list[Prediction] = []
    for repeat in range(N_REPEATS):
        fold = folds_of(n, repeat)
        of_network = log_odds + NETWORK_SD * rng.standard_normal(n)
        for i, patient in enumerate(names(n)):
            who = (repeat, int(fold[i]), patient)
            known = {"label": bool(good[i]), "fma": float(np.clip(np.round(18 + 3 * log_odds[i]), 0, 34))}
            windows = scale * (of_network[i] + WINDOW_SD * rng.standard_normal(n_windows))
            rows += _windows(who, windows, known, rng)
            rows.append(_baseline("band-power", who, 0.4 * log_odds[i] + rng.standard_normal(), known))
            rows.append(_baseline("majority", who, 0.2, known))
    return rows


def _windows(who: Any, logits: np.ndarray, known: dict[str, Any], rng: np.random.Generator) -> Iterator[Prediction]:
    for index, logit in enumerate(logits):
        points = float(np.clip(known["fma"] + 3 * rng.standard_normal(), 0, 34))
        steps = {f"above_{cut}": (points - cut) / 2 for cut in (9, 17, 25)}
        yield Prediction(
            "lstm-bands", who[0], who[1], who[2], "window", index, 1.0, float(logit), float(sigmoid(logit)),
            **known, fma_predicted=points, **steps,
        )  # fmt: skip


def _baseline(model: str, who: Any, logit: float, known: dict[str, Any]) -> Prediction:
    return Prediction(model, who[0], who[1], who[2], "patient", None, 1.0, logit, float(sigmoid(logit)), **known)


def participants(n: int = 40, seed: int = 0, spread: float = 2.0) -> dict[str, Participant]:
    """Return the same patients as the table has them, of two sites; one in seven has no baseline score."""
    log_odds, good = outcomes(n, seed, spread)
    return {
        patient: Participant(
            id=patient,
            has_eeg=True,
            fma_3mo=25.0 if good[i] else 9.0,
            fma_baseline=None if i % 7 == 0 else float(np.clip(round(12 + 2 * log_odds[i]), 0, 34)),
            days_since_onset=(10.0, 20.0, 40.0)[i % 3],
            infarct_territory=("MCA", "ACA")[i % 2],
            site=("north", "south")[i // (n // 2) % 2],
        )
        for i, patient in enumerate(names(n))
    }


def windows(n: int = 40, seed: int = 0, spread: float = 2.0, effect: float = 1.0) -> dict[str, PatientWindows]:
    """Return three windows of each, with eight band tokens of which two know the outcome by `effect`."""
    rng = np.random.default_rng(seed + 2)
    log_odds, good = outcomes(n, seed, spread)
    found = {}
    for i, patient in enumerate(names(n)):
        tokens = rng.standard_normal(8) + 0.1 * rng.standard_normal((3, 5, 8))
        tokens[..., :2] += effect * log_odds[i]
        found[patient] = PatientWindows(
            patient, bool(good[i]), 25.0 if good[i] else 9.0, np.ones(3), np.arange(3), 3, 3,
            tokens.astype(np.float32), None, "0" * 64, 50.0, "0" * 64, "synthetic",
        )  # fmt: skip
    return found


def folds(n: int = 40) -> list[Fold]:
    """Return the folds in which ``predictions`` were made."""
    made = []
    for repeat in range(N_REPEATS):
        of = folds_of(n, repeat)
        for fold in range(N_FOLDS):
            parts = [tuple(np.array(names(n))[which].tolist()) for which in (of != fold, of == fold)]
            made.append(Fold(f"r{repeat}f{fold}", repeat, fold, parts[0], (), parts[1]))
    return made


def material(n: int = 40, seed: int = 0, spread: float = 2.0, effect: float = 1.0) -> Material:
    """Return everything that an evaluation is made from."""
    rows = predictions(n, seed, spread)
    return Material(rows, participants(n, seed, spread), windows(n, seed, spread, effect), folds(n))


def sample(n: int = 40, origin: str = "synthetic", **drawn: Any) -> dict[str, Any]:
    """Return a whole ``evaluation.json`` of simulated predictions, with few draws."""
    return _whole(material(n, **drawn), n, origin, profile="nested", repeats=N_REPEATS, folds=N_FOLDS)


def paper_sample(n: int = 40, origin: str = "synthetic") -> dict[str, Any]:
    """Return that of one split: half of the patients are tested, and no other fold is there to calibrate them."""
    made, people = material(n), names(n)
    train, test = tuple(people[1::2]), tuple(people[::2])
    rows = [replace(row, fold=0) for row in made.predictions if row.repeat == 0 and row.patient in test]
    fold = Fold("paper", 0, 0, train, (), test)
    one = replace(made, predictions=rows, folds=[fold])
    return _whole(one, n, origin, profile="paper", repeats=1, folds=1)


def _whole(made: Material, n: int, origin: str, **split: Any) -> dict[str, Any]:
    said = {
        "name": "20261122T100000Z_sample", "made_utc": "2026-11-22T10:00:00+00:00", "origin": origin, "effect": 2.0,
        "model": "bands", "parameters": 161_569, "seed": 0, "versions": {"python": "3.11"}, "git": None,
        "host": {"cpu": "a processor"},
        "cohort": {"name": "sample", "sha256": "0" * 64, "patients": n, "with_eeg": n, "good": n // 2},
    }  # fmt: skip
    found = evaluation_of(made, origin, Sureness(permutations=20, bootstrap=100))
    return {"schema": SCHEMA, "run": said | split, **found, "training": None}
