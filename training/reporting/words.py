"""How a figure, an interval and a missing value read. What is missing is named, never shown as 0."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

#: What stands where a figure could not be had.
MISSING = "not available"
#: Models by the words of a reader.
MODELS = {
    "lstm-bands": "three LSTMs on band power",
    "lstm-raw": "three LSTMs on the raw signal",
    "majority": "always the more frequent outcome",
    "baseline-fma": "the score at baseline alone",
    "band-power": "a logistic regression",
    "epos": "sitting balance and leg strength",
    "cnn-shufflenet": "ShuffleNetV2 x1.0 on slices",
    "cnn-fbnet": "FBNet-C on slices",
    "cnn-ghostnet": "GhostNet x1.0 on slices",
    "cnn-regnet": "RegNetY-400MF on slices",
    "cnn-resnet50": "ResNet50 on slices",
    "cnn-chosen": "in each fold the network that its own stopping patients chose",
}


def number(value: Any, digits: int = 2) -> str:
    """Return a number, or an interval's value, with so many digits; what is none says so."""
    value = value_of(value)
    # No minus before a zero.
    return MISSING if value is None else f"{round(value, digits) + 0.0:.{digits}f}"


def figure(value: Any, digits: int = 2) -> str:
    """Return a figure with its interval, where it has one: ``0.78 (0.66 to 0.89)``."""
    words, bounds = number(value, digits), interval_of(value)
    if words == MISSING or bounds is None:
        return words
    return f"{words} {interval(bounds, digits)}"


def interval(bounds: Sequence[Any], digits: int = 2) -> str:
    """Return both ends of an interval as words that no line break parts."""
    low, high = (number(bound, digits) for bound in bounds)
    return f"({low}\N{NO-BREAK SPACE}to\N{NO-BREAK SPACE}{high})"


def count(value: Any) -> str:
    """Return a whole number with thousands set apart."""
    value = value_of(value)
    return MISSING if value is None else f"{round(value):,}"


def p_value(value: Any) -> str:
    """Return a p value; below a thousandth no more is claimed."""
    value = value_of(value)
    if value is None:
        return MISSING
    return "below 0.001" if value < 0.001 else f"{value:.3f}"


def value_of(value: Any) -> float | None:
    """Return the number of a figure, bare or with an interval; None where there is no finite one."""
    if isinstance(value, Mapping):
        value = value.get("value", value.get("mean"))
    return float(value) if isinstance(value, int | float) and math.isfinite(value) else None


def interval_of(value: Any) -> tuple[float, float] | None:
    """Return both ends of a figure's interval; None where one is missing."""
    if not isinstance(value, Mapping):
        return None
    low, high = value_of(value.get("low")), value_of(value.get("high"))
    return None if low is None or high is None else (low, high)


def text(value: Any) -> str:
    """Return a word of the cohort; an empty or missing one is named."""
    return MISSING if value in (None, "") else str(value)


def model(name: str) -> str:
    """Return a model's name with what it is."""
    return f"{name} ({MODELS[name]})" if name in MODELS else name


def listed(names: list[str]) -> str:
    """Return names as a list in a sentence."""
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def dealt(permuted: Mapping[str, Any]) -> str:
    """Return what each AUC of a control is of: a fit, or a deal of the labels where nothing is fitted."""
    return "deals" if permuted.get("stays") == "scores" else "fits"
