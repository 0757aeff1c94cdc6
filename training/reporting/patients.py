"""A report for each patient: the probability and what it rests on, for whoever knows the patient."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from training.evaluation.figures import THRESHOLD
from training.reporting.tables import Table
from training.reporting.words import interval, number, text, value_of

#: Patients whose probabilities differ by no more than this count as similar.
SIMILAR_WITHIN = 0.1
#: Below so many of them a share of good outcomes says nothing.
FEW_SIMILAR = 10
#: Why nobody in a report of fusions has an interval.
NO_INTERVALS = (
    "No intervals: a fused number of this run is calibrated and weighed by the other folds, and no draws of those were "
    "kept. The bedside shows one, from the draws of both calibrations and of the weights that the bundle holds."
)
#: Size of a trace, in pixels of its own view box, with room for its words.
WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 320, 130, 34, 10, 8, 30


@dataclass(frozen=True)
class Dot:
    """One point of a trace: how many windows, the probability after them, and where it lies in the picture."""

    n: str
    p: str
    x: float
    y: float


@dataclass(frozen=True)
class Patient:
    """One patient's report, in words.

    Attributes
    ----------
    name, site, outcome : str
        From the cohort; the outcome with its score.
    p : str
        Probability of a good outcome by a model that had not seen the patient, with its interval.
    said : str
        Whether that fell on the side of the outcome.
    quality : str
        Windows and their mean weight or signal quality.
    flags : tuple of str
        What the data showed.
    similar : str
        How many patients of this cohort had a like probability, and what became of them.
    by_model : Table
        Each model's probability.
    trace : tuple of Dot
        The probability over the number of windows; empty where there is none.
    """

    name: str
    site: str
    outcome: str
    p: str
    said: str
    quality: str
    flags: tuple[str, ...]
    similar: str
    by_model: Table
    trace: tuple[Dot, ...]

    @property
    def line(self) -> str:
        """Return the trace's points for an SVG line."""
        return " ".join(f"{dot.x:.1f},{dot.y:.1f}" for dot in self.trace)

    @property
    def trace_words(self) -> str:
        """Return the trace for whoever cannot see it."""
        return "; ".join(f"after {dot.n} windows {dot.p}" for dot in self.trace)


def patients(rows: Sequence[Mapping[str, Any]]) -> list[Patient]:
    """Return a report for each patient of an evaluation.

    Parameters
    ----------
    rows : sequence of mapping
        ``patients`` of ``evaluation.json``.
    """
    return [_patient(row, rows) for row in rows]


def overview(reports: Sequence[Patient], modality: str = "eeg_emg") -> Table:
    """Return all patients, a row each; of fusions with why there is no interval."""
    return Table(
        "Every patient once: probability of a good outcome, by models that did not see the patient",
        ("patient", "site", "outcome at 3 months", "probability (interval)", "side", "signal", "flags"),
        tuple(
            (
                report.name,
                report.site,
                report.outcome,
                report.p,
                report.said,
                report.quality,
                "; ".join(report.flags) or "none",
            )
            for report in reports
        ),
        NO_INTERVALS if modality == "fusion" else "",
    )


def _patient(row: Mapping[str, Any], rows: Sequence[Mapping[str, Any]]) -> Patient:
    return Patient(
        name=text(row["patient"]),
        site=text(row.get("site")),
        outcome=_outcome(row),
        p=_probability(row),
        said=_side(row),
        quality=_quality(row),
        flags=tuple(str(flag) for flag in row.get("flags") or ()),
        similar=_similar(row, rows),
        by_model=_by_model(row),
        trace=_trace(row.get("by_windows") or ()),
    )


def _outcome(row: Mapping[str, Any]) -> str:
    fma = value_of(row.get("fma"))
    score = "score not available" if fma is None else f"Fugl-Meyer {fma:g} of 34"
    return f"{'good' if row['label'] else 'poor'} ({score})"


def _probability(row: Mapping[str, Any]) -> str:
    words, bounds = number(row.get("p")), row.get("interval")
    return f"{words} {interval(bounds)}" if bounds and None not in bounds else f"{words} (no interval)"


def _side(row: Mapping[str, Any]) -> str:
    p = value_of(row.get("p"))
    if p is None:
        return "no probability"
    return "same side as the outcome" if (p >= THRESHOLD) == bool(row["label"]) else "other side"


def _quality(row: Mapping[str, Any]) -> str:
    windows, slices = value_of(row.get("n_windows")), value_of(row.get("n_slices"))
    words = ["windows not counted" if windows is None else f"{windows:g} windows"]
    if slices is not None:
        words = [f"{slices:g} slices"]
    for key, name in (("sqi", "signal quality"), ("weight", "mean weight")):
        if value_of(row.get(key)) is not None:
            words.append(f"{name} {number(row[key])}")
    return ", ".join(words)


def _similar(row: Mapping[str, Any], rows: Sequence[Mapping[str, Any]]) -> str:
    p = value_of(row.get("p"))
    if p is None:
        return "No probability, so nobody is similar."
    others = [other for other in rows if other is not row and _near(value_of(other.get("p")), p)]
    good = sum(bool(other["label"]) for other in others)
    words = (
        f"{len(others)} other patients of this cohort had a probability within {SIMILAR_WITHIN:g}; {good} were good."
    )
    return f"{words} Too few to say more." if len(others) < FEW_SIMILAR else words


def _near(other: float | None, p: float) -> bool:
    return other is not None and abs(other - p) <= SIMILAR_WITHIN


def _by_model(row: Mapping[str, Any]) -> Table:
    rows = tuple((name, number(p)) for name, p in (row.get("by_model") or {}).items())
    return Table("Probability by model", ("model", "probability"), rows)


def _trace(points: Sequence[Mapping[str, Any]]) -> tuple[Dot, ...]:
    found = [(int(point["n"]), p) for point in points if (p := value_of(point["p"])) is not None]
    if not found:
        return ()
    last = max(math.log(found[-1][0]), 1.0)
    return tuple(
        Dot(
            n=str(n),
            p=number(p),
            x=LEFT + (WIDTH - LEFT - RIGHT) * math.log(n) / last,
            y=TOP + (HEIGHT - TOP - BOTTOM) * (1 - p),
        )
        for n, p in found
    )
