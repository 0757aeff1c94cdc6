"""Choice: which backbone a fold takes, by the patients that stopped its training; the tested have no say (law 9)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from training.fitting.checkpoints import BEST, read_checkpoint
from training.imaging.fold import SliceTask, model_name
from training.runs.predictions import CHOSEN, Prediction


@dataclass(frozen=True)
class Choice:
    """What a fold chose.

    Parameters
    ----------
    backbone : str
        With the lowest loss of the stopping patients; of equals the one that is named first.
    stop_losses : mapping of str to float
        Of every backbone.
    """

    backbone: str
    stop_losses: Mapping[str, float]

    def to_json(self) -> dict[str, object]:
        """Return plain values."""
        return {"backbone": self.backbone, "stop_losses": dict(self.stop_losses)}


def choose(stop_losses: Mapping[str, float]) -> Choice:
    """Return the choice among backbones by the loss of the stopping patients.

    Examples
    --------
    >>> choose({"shufflenet": 0.61, "fbnet": 0.58, "resnet50": 0.58}).backbone
    'fbnet'
    """
    return Choice(min(stop_losses, key=stop_losses.__getitem__), stop_losses)


def choices(tasks: Sequence[SliceTask]) -> dict[str, Choice]:
    """Return what each fold chose, by its name; all its tasks are done.

    Raises
    ------
    RunError
        If a network cannot be read.
    """
    losses: dict[str, dict[str, float]] = {}
    for task in tasks:
        facts = read_checkpoint(task.folder / BEST)["facts"]
        losses.setdefault(task.fold.name, {})[task.spec.backbone] = float(facts["stop_loss"])
    return {fold: choose(of_one) for fold, of_one in losses.items()}


def chosen_rows(rows: Sequence[Prediction], chosen: Mapping[tuple[int, int], str]) -> list[Prediction]:
    """Return what the chosen network of each fold says of its patients, under a name of its own.

    Parameters
    ----------
    rows : sequence of Prediction
        Of all backbones.
    chosen : mapping of (repeat, fold) to str
        The backbone of each fold.
    """
    return [
        replace(row, model=CHOSEN)
        for row in rows
        if row.unit == "patient" and row.model == model_name(chosen[row.repeat, row.fold])
    ]
