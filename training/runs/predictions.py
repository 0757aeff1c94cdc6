"""``predictions.csv``: what every model said of every window, slice or patient that it had not seen (law 9).

One row per model, fold and unit. Numbers are written so that reading them gives the very same bits.
"""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Literal, cast

from acquisition.durable import replace_file
from training.errors import RunError

Unit = Literal["window", "slice", "patient"]
_UNITS = ("window", "slice", "patient")


@dataclass(frozen=True)
class Prediction:
    """One logit.

    Parameters
    ----------
    model : str
        ``lstm-bands``, ``cnn-shufflenet``, ``majority`` ...
    repeat, fold : int
        Of the fold whose test patients these are; see :class:`training.splitting.splits.Fold`.
    patient : str
        Identifier.
    unit : {"window", "slice", "patient"}
        What the logit is about. A network of slices has rows of both: its patients' are made of their slices'.
    index : int or None
        Window index in the session, or slice from below; None for a patient.
    weight : float
        Quality weight of the window; 1 for a slice or a patient.
    logit : float
        Of a good outcome, before calibration.
    p : float
        Sigmoid of the logit.
    label : bool
        Whether the outcome is good.
    fma : float or None
        Points at follow-up, where they are known.
    fma_predicted : float or None
        Points that the model expects, where it has that head.
    above_9, above_17, above_25 : float or None
        Logits of having more points than that, where the model has the ordinal head.
    """

    model: str
    repeat: int
    fold: int
    patient: str
    unit: Unit
    index: int | None
    weight: float
    logit: float
    p: float
    label: bool
    fma: float | None = None
    fma_predicted: float | None = None
    above_9: float | None = None
    above_17: float | None = None
    above_25: float | None = None


#: What a run on scans calls the networks that its folds chose, one each; they have rows of patients alone.
CHOSEN = "cnn-chosen"
#: Steps of the ordinal head in points; a column each.
STEPS_FMA = (9, 17, 25)
#: Columns, in the order of the file.
COLUMNS = tuple(field.name for field in fields(Prediction))


def write_predictions(path: Path, rows: Iterable[Prediction]) -> None:
    """Write all predictions of a run; a reader finds the old file or the new one.

    Raises
    ------
    RunError
        If a number of a row is not finite.
    DiskFull
        If the disk does not take it.
    """
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    for row in rows:
        writer.writerow([_text(row, column) for column in COLUMNS])
    replace_file(path, text.getvalue().encode())


def read_predictions(path: Path) -> tuple[Prediction, ...]:
    """Read them.

    Raises
    ------
    RunError
        If the file is missing, has other columns, or a value does not fit; names its line and column.
    """
    try:
        with path.open(encoding="utf-8", newline="") as file:
            header, *rows = list(csv.reader(file, strict=True)) or [[]]
    except (OSError, ValueError, csv.Error) as error:
        raise _refusal(path, f"cannot be read: {error}") from error
    if tuple(header) != COLUMNS:
        raise _refusal(path, f"has the columns {', '.join(header)}; expected {', '.join(COLUMNS)}")
    return tuple(_parsed(path, number, row) for number, row in enumerate(rows, start=2))


def _text(row: Prediction, column: str) -> str:
    value = getattr(row, column)
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(int(value))
    if isinstance(value, str):
        return value
    if not math.isfinite(value):
        where = f"{row.model} of patient {row.patient}, repeat {row.repeat}, fold {row.fold}"
        message = f"The prediction of {where} has {column} {value}, which is no number."
        raise RunError(message, subject=row.patient, remedy="Train again with a smaller fit.learning_rate.")
    # An own type of numpy writes itself with its name.
    return repr(float(value)) if isinstance(value, float) else str(int(value))


def _parsed(path: Path, line: int, row: list[str]) -> Prediction:
    if len(row) != len(COLUMNS):
        raise _refusal(path, f"line {line} has {len(row)} values, not {len(COLUMNS)}")
    values: dict[str, object] = {}
    for column, text in zip(COLUMNS, row, strict=True):
        try:
            values[column] = _READERS[column](text)
        except (ValueError, KeyError) as error:
            raise _refusal(path, f"line {line} has {text!r} as {column}") from error
    return Prediction(**values)  # type: ignore[arg-type]


def _number(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(text)
    return value


def _number_or_none(text: str) -> float | None:
    return _number(text) if text else None


def _unit(text: str) -> Unit:
    return cast(Unit, _UNITS[_UNITS.index(text)])


_READERS: dict[str, Callable[[str], object]] = {
    "model": str,
    "repeat": int,
    "fold": int,
    "patient": str,
    "unit": _unit,
    "index": lambda text: int(text) if text else None,
    "weight": _number,
    "logit": _number,
    "p": _number,
    "label": {"0": False, "1": True}.__getitem__,
    "fma": _number_or_none,
    "fma_predicted": _number_or_none,
    "above_9": _number_or_none,
    "above_17": _number_or_none,
    "above_25": _number_or_none,
}


def _refusal(path: Path, why: str) -> RunError:
    return RunError(f"{path} {why}.", subject=str(path), remedy="Restore it, or train the run again.")
