"""A sample evaluation, as ``evaluation.json`` holds it, drawn from made-up patients."""

from __future__ import annotations

from typing import Any

import numpy as np

N_PATIENTS = 24


def figure(value: float, half: float = 0.1) -> dict[str, Any]:
    """Return a figure with an interval."""
    return {"value": value, "low": max(0.0, value - half), "high": value + half, "method": "bootstrap"}


def sample(origin: str = "synthetic", n: int = N_PATIENTS, seed: int = 7) -> dict[str, Any]:
    """Return a whole evaluation of so many made-up patients."""
    rng = np.random.default_rng(seed)
    good = np.arange(n) % 2 == 0
    logits = {
        "lstm-bands": 0.7 * (2 * good - 1) + rng.normal(0, 1, n),
        "band-power": 0.8 * (2 * good - 1) + rng.normal(0, 1, n),
        "baseline-fma": 0.3 * (2 * good - 1) + rng.normal(0, 1, n),
        "majority": np.zeros(n),
    }
    models = [_model(name, good, values) for name, values in logits.items()]
    return {
        "schema": "flexion.evaluation/1",
        "run": {
            "name": "20261122-sample",
            "made_utc": "2026-11-22T10:00:00Z",
            "origin": origin,
            "profile": "nested",
            "model": "bands",
            "seed": 1,
            "repeats": 2,
            "folds": 5,
            "parameters": 161_569,
            "cohort": {"name": "sample", "sha256": "ab" * 32, "patients": n + 4, "with_eeg": n, "good": n // 2},
            "versions": {"python": "3.11.9", "numpy": "2.4.6", "torch": "2.13.0"},
            "git": "0" * 40,
            "host": "ward-pc",
        },
        "models": models,
        "paired": [
            {"a": "lstm-bands", "b": name, "auc_difference": _difference(models, name), "p_delong": 0.2,
             "p_permutation": 0.21}
            for name in ("band-power", "baseline-fma", "majority")
        ],
        "permuted": {"model": "band-power", "n": 200, "mean": 0.5, "sd": 0.06, "observed": 0.74, "z": 4.0},
        "groups": [
            {"by": "site", "value": "north", "model": "lstm-bands", "n": 21, "n_good": 11, "auc": figure(0.75)},
            {"by": "site", "value": "south", "model": "lstm-bands", "n": 3, "n_good": 3, "auc": None},
        ],
        "paper_table": [
            {"model": "LSTM", "unit": "not stated", "n": None, "accuracy": 0.68, "recall": 0.6833, "precision": 0.6763,
             "f1": 0.6753, "source": "paper", "note": "fits only N = a multiple of 25"},
            {"model": "lstm-bands", "unit": "patient", "n": n, "accuracy": 0.7, "recall": 0.71, "precision": 0.7,
             "f1": 0.7, "source": "here", "note": "macro"},
        ],
        "fma": {"n": n, "mae": figure(4.1, 0.6), "interval_half_width": 8.0, "coverage": figure(0.9), "r": figure(0.4)},
        "ordinal": {
            "n": n,
            "steps": [{"above": cut, "n_above": n // 2, "auc": figure(0.7), "brier": 0.2} for cut in (9, 17)]
            + [{"above": 25, "n_above": 0, "auc": None, "brier": 0.1}],
        },
        "patients": [_patient(row, bool(good[row]), logits, row) for row in range(n)],
        "training": {"epochs": 12, "windows_per_s": 900.0, "waiting_share": 0.01, "seconds": 300.0,
                     "peak_anonymous_mb": 700.0},
    }  # fmt: skip


def metrics() -> str:
    """Return a ``metrics.csv`` of two folds."""
    rows = ["fold,epoch,loss,stop_loss"]
    for fold in ("r0f0", "r0f1"):
        rows += [
            f"{fold},{epoch},{0.7 - 0.05 * epoch:.3f},{0.7 - 0.02 * epoch * (4 - epoch):.3f}" for epoch in range(5)
        ]
    return "\n".join(rows) + "\n"


def _model(name: str, good: np.ndarray, logits: np.ndarray) -> dict[str, Any]:
    n = len(good)
    p = 1 / (1 + np.exp(-logits))
    area = _area(good, logits)
    interval = {**figure(area), "method": "DeLong"}
    order = np.sort(np.unique(np.r_[-np.inf, logits, np.inf]))[::-1]
    fpr = [float(np.mean(logits[~good] >= cut)) for cut in order]
    tpr = [float(np.mean(logits[good] >= cut)) for cut in order]
    accuracy = float(np.mean((p >= 0.5) == good))
    network = name.startswith("lstm")
    return {
        "name": name,
        "kind": "network" if network else "baseline",
        "unit": "patient",
        "n": n,
        "n_good": int(good.sum()),
        "figures": {
            "auc": interval,
            "auc_bootstrap": {**interval, "method": "bootstrap"},
            "auc_within_fold": {"mean": area, "n_folds": 10},
            "auc_per_repeat": [area, area],
            "accuracy": figure(accuracy),
            "accuracy_by_chance": 0.65,
            **{name: figure(accuracy) for name in ("recall_macro", "precision_macro", "f1_macro", "recall", "f1")},
            "precision": None if name == "majority" else figure(accuracy),
            "brier": figure(float(np.mean((p - good) ** 2)), 0.03),
            "calibration_intercept": None if name == "majority" else figure(0.02),
            "calibration_slope": None if name == "majority" else figure(0.95),
        },
        "by_windows": [
            {"n_windows": count, "patients": n, "auc": figure(area), "brier": 0.2,
             "calibration_intercept": 0.01, "calibration_slope": 0.9}
            for count in (1, 3, 12, "all")
        ] if network else [],
        "window_level": {"n": 53 * n, "auc": figure(0.66), "note": "secondary: windows are not independent"}
        if network else None,
        "roc": {"fpr": fpr, "tpr": tpr, "low": [max(0, t - 0.1) for t in tpr], "high": [min(1, t + 0.1) for t in tpr]},
        "reliability": [
            {"p": middle, "observed": min(1.0, middle + 0.05), "n": n // 4, "low": middle - 0.1, "high": middle + 0.2}
            for middle in (0.2, 0.4, 0.6, 0.8)
        ],
        "decision": [
            {"threshold": cut, "net_benefit": 0.3 - 0.2 * cut, "all": 0.5 - cut, "none": 0.0, "low": 0.2 - 0.2 * cut,
             "high": 0.4 - 0.2 * cut}
            for cut in (0.1, 0.3, 0.5, 0.7)
        ],
    }  # fmt: skip


def _area(good: np.ndarray, logits: np.ndarray) -> float:
    return float(np.mean((np.sign(logits[good][:, None] - logits[~good]) + 1) / 2))


def _difference(models: list[dict[str, Any]], name: str) -> dict[str, float]:
    of = {model["name"]: model["figures"]["auc"]["value"] for model in models}
    value = of["lstm-bands"] - of[name]
    return {"value": value, "low": value - 0.12, "high": value + 0.12}


def _patient(number: int, good: bool, logits: dict[str, np.ndarray], row: int) -> dict[str, Any]:
    by_model = {name: float(1 / (1 + np.exp(-values[row]))) for name, values in logits.items()}
    p = by_model["lstm-bands"]
    return {
        "patient": f"{number + 1:03d}",
        "label": int(good),
        "fma": 25.0 if good else 9.0,
        "site": ("north", "south")[number % 2],
        "p": p,
        "interval": [max(0.0, p - 0.2), min(1.0, p + 0.2)],
        "logit": float(logits["lstm-bands"][row]),
        "n_windows": 53,
        "weight": 0.9,
        "by_model": by_model,
        "by_windows": [{"n": count, "p": 0.5 + (p - 0.5) * count / 53} for count in (1, 3, 12, 53)],
        "flags": ["uncalibrated: 3 windows"] if number % 3 == 0 else [],
    }  # fmt: skip
