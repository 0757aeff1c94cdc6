"""Every patient of an evaluation: what was said, how sure, and what the recording was like."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

import numpy as np

from training.cohort.participants import Participant
from training.data.windows import PatientWindows
from training.evaluation.scores import Scores
from training.statistics.weighting import FITTED

#: Share of a recording's windows below which so few were scored that it is said.
FEW_SCORED = 2 / 3
#: Mean quality weight below which it is said.
LOW_WEIGHT = 0.8


def patients(
    models: Sequence[Scores],
    participants: Mapping[str, Participant],
    windows: Mapping[str, PatientWindows],
    n_slices: Mapping[str, int] = MappingProxyType({}),
) -> list[dict[str, Any]]:
    """Return a row for each patient of the first model.

    Parameters
    ----------
    models : sequence of Scores
        Networks first; the others' probabilities stand under ``by_model``.
    participants : mapping of str to Participant
        By pseudonym.
    windows : mapping of str to PatientWindows
        By pseudonym; may lack patients.
    n_slices : mapping of str to int
        Of each patient's scan, where a run is of scans.
    """
    first = models[0]
    by_model = [dict(zip(one.patients, one.probabilities().tolist(), strict=True)) for one in models]
    logits, intervals = first.logits().mean(axis=0), first.intervals()
    windowed = first.unit == "window"
    ways = _ways(first) if windowed else [[] for _ in first.patients]
    return [
        {
            "patient": patient,
            "label": int(first.good[i]),
            "fma": participants[patient].outcome_fma,
            "site": participants[patient].site,
            "p": by_model[0][patient],
            "interval": list(interval) if (interval := intervals[i]) else None,
            "logit": float(logits[i]),
            "n_windows": int(first.n_windows[i]) if windowed else None,
            "n_slices": n_slices.get(patient),
            "weight": float(first.rows[0][i].weights.mean()) if windowed else None,
            "by_model": {
                one.model: p[patient] for one, p in zip(models, by_model, strict=True) if patient in p
            },
            "by_windows": ways[i],
            "flags": flags(windows[patient]) if patient in windows else [],
        }
        for i, patient in enumerate(first.patients)
    ]  # fmt: skip


def _ways(scores: Scores) -> list[list[dict[str, Any]]]:
    """Return what was said of each patient after so many windows; after the last it is the probability itself."""
    said, whole = {n: scores.probabilities(n) for n in FITTED}, scores.probabilities()
    return [
        [{"n": n, "p": float(p[i])} for n, p in said.items() if n < own] + [{"n": int(own), "p": float(whole[i])}]
        for i, own in enumerate(scores.n_windows)
    ]


def flags(windows: PatientWindows) -> list[str]:
    """Return what a reader should know of a recording."""
    found = []
    if len(windows) < FEW_SCORED * windows.n_made:
        found.append(f"{len(windows)} of {windows.n_made} windows good enough to be scored")
    if (weight := float(np.mean(windows.weights))) < LOW_WEIGHT:
        found.append(f"mean weight {weight:.2f} by signal quality")
    if windows.n_uncalibrated > len(windows) / 2:
        found.append(f"{windows.n_uncalibrated} windows before the artifact stage was calibrated")
    return found
