"""Learning curves out of ``metrics.csv``: the losses of every fit, and the epoch of its lowest stopping loss."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from training.errors import RunError

#: The column whose lowest value decides which epoch a fold keeps.
STOPS = "stop_loss"
#: Columns of losses, and what they are of (:class:`training.fitting.epochs.EpochReport`).
LOSSES = {"loss": "patients that train", STOPS: "patients that stop"}


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

    Raises
    ------
    RunError
        If a row has no such column, or no number in it.
    """
    folds: dict[str, list[Mapping[str, str]]] = {}
    for row in rows:
        folds.setdefault(row["fold"], []).append(row)
    if not folds:
        return None
    found: list[dict[str, Any]] = [
        {"label": label, "folds": [_losses(fold, column) for fold in folds.values()]}
        for column, label in LOSSES.items()
    ]
    return found, [epochs[losses.index(min(losses))] for epochs, losses in found[-1]["folds"]]


def _losses(fold: Sequence[Mapping[str, str]], column: str) -> tuple[list[int], list[float]]:
    return [int(row["epoch"]) for row in fold], [_loss(row, column) for row in fold]


def _loss(row: Mapping[str, str], column: str) -> float:
    try:
        return float(row[column])
    except (KeyError, ValueError) as error:
        message = f"metrics.csv has no number as {column} of fold {row['fold']}, epoch {row['epoch']}."
        remedy = "Restore it, or delete it: the report leaves the curves out."
        raise RunError(message, subject="metrics.csv", remedy=remedy) from error
