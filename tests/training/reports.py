"""A sample evaluation, as ``evaluation.json`` holds it: a real one, of made-up patients; and a table of epochs."""

from __future__ import annotations

from copy import deepcopy
from functools import cache
from typing import Any

from tests.training import evaluations

N_PATIENTS = 24
#: What the sample run is said to have taken.
TRAINING = {"epochs": 12, "windows_per_s": 900.0, "waiting_share": 0.01, "seconds": 300.0, "peak_anonymous_mb": 700.0}


def sample(origin: str = "synthetic", profile: str = "nested") -> dict[str, Any]:
    """Return a whole evaluation of made-up patients, the caller's own to change."""
    return deepcopy(_sample(origin, profile))


@cache
def _sample(origin: str, profile: str) -> dict[str, Any]:
    made = evaluations.paper_sample if profile == "paper" else evaluations.sample
    return {**made(N_PATIENTS, origin), "training": TRAINING}


def metrics() -> str:
    """Return a ``metrics.csv`` of two folds."""
    rows = ["fold,epoch,loss,stop_loss"]
    for fold in ("r0f0", "r0f1"):
        rows += [
            f"{fold},{epoch},{0.7 - 0.05 * epoch:.3f},{0.7 - 0.02 * epoch * (4 - epoch):.3f}" for epoch in range(5)
        ]
    return "\n".join(rows) + "\n"
