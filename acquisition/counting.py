"""Columns that count samples: with one, what was lost is known exactly (law 3)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from acquisition.errors import RecordingError

#: A column of whole numbers counts samples if so many of its steps are 1 ...
COUNTING = 0.9
#: ... and there are so many of them.
LEAST_STEPS = 20
#: A column that is said to count samples has at least so many steps of 1, however many samples were lost.
MOSTLY_COUNTING = 0.5


def counters(labels: Sequence[str], samples: NDArray[Any]) -> list[tuple[str, int | None]]:
    """Return the columns that count samples: label, and the count at which it begins again.

    Parameters
    ----------
    labels : sequence of str
    samples : ndarray, shape (n_samples, n_channels)
    """
    found: list[tuple[str, int | None]] = []
    with np.errstate(invalid="ignore"):  # a NaN that signals is one like any other
        values = np.asarray(samples, np.float64)
    for label, column in zip(labels, values.T, strict=True):
        if len(column) <= LEAST_STEPS or not np.isfinite(column).all() or (column != np.round(column)).any():
            continue
        steps = np.diff(column)
        if np.mean(steps == 1) >= COUNTING:
            found.append((label, round(column.max()) + 1 if (steps < 0).any() else None))
    return found


def check_counts(path: Path, label: str, counts: NDArray[np.float64], modulo: int | None) -> None:
    """Refuse a column that does not count samples: hardly a step of it would be a regular one.

    Parameters
    ----------
    path : Path
        For the refusal.
    label : str
    counts : ndarray, shape (n_samples,), float64
    modulo : int or None
        The count at which it begins again.

    Raises
    ------
    RecordingError
        If fewer than half of its steps are 1.
    """
    with np.errstate(invalid="ignore"):  # a damaged count may be any float
        steps = np.diff(counts)
        ones = np.mod(steps, modulo) == 1 if modulo is not None else steps == 1
    if len(steps) >= LEAST_STEPS and np.mean(ones) < MOSTLY_COUNTING:
        where = "" if modulo is None else f", beginning again at {modulo}"
        message = f"{path}: column {label!r} does not count samples{where}: {np.mean(ones):.0%} of its steps are 1."
        remedy = "Name the column that counts, and where it begins again: --counter NAME:N"
        raise RecordingError(message, subject=str(path), remedy=remedy)
