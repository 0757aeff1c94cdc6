"""Learning curves out of ``metrics.csv``: the losses of every fold, and the epoch that each kept."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

#: Columns of losses, and what they are of.
LOSSES = {"train_loss": "patients that train", "stop_loss": "patients that stop"}


def curves(rows: Sequence[Mapping[str, str]]) -> tuple[list[dict[str, Any]], list[int]] | None:
    """Return each loss over the epochs of every fold, and the epoch with the lowest stopping loss of each.

    Parameters
    ----------
    rows : sequence of mapping
        Of ``metrics.csv``: ``fold``, ``epoch`` and the columns of ``LOSSES``.

    Returns
    -------
    tuple of list, list of int, or None
        Curves with ``label`` and ``folds``, a list of (epochs, losses); None where there is no row.
    """
    folds: dict[str, list[Mapping[str, str]]] = {}
    for row in rows:
        folds.setdefault(row["fold"], []).append(row)
    if not folds:
        return None
    found = [
        {"label": label, "folds": [_losses(fold, column) for fold in folds.values()]}
        for column, label in LOSSES.items()
    ]
    best = [int(min(fold, key=lambda row: float(row["stop_loss"]))["epoch"]) for fold in folds.values()]
    return found, best


def _losses(fold: Sequence[Mapping[str, str]], column: str) -> tuple[list[int], list[float]]:
    return [int(row["epoch"]) for row in fold], [float(row[column]) for row in fold]
