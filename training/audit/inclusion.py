"""Whom the paper included: who would not have been is a note, never left out (Shi et al. 2025, section 2.1.1)."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from training.audit.findings import Finding
from training.cohort.participants import TABLE, Participant

#: Pseudonyms that are named; the others are counted.
NAMED = 8


@dataclass(frozen=True)
class Criterion:
    """A range that a column must lie in, both ends included."""

    column: str
    low: float
    high: float
    words: str

    def met_by(self, participant: Participant) -> bool | None:
        """Tell whether a patient meets it; None where that is not known."""
        value = getattr(participant, self.column)
        return None if value is None else self.low <= value <= self.high


#: Those of the paper's criteria that a table can tell.
CRITERIA = (
    Criterion("age", 40, 79, "40 to 79 years old"),
    Criterion("days_since_onset", 14, math.inf, "14 days or more after the stroke"),
    Criterion("strength_grade", 3, math.inf, "a strength of the leg of grade 3 or more"),
)


def included(participant: Participant) -> bool | None:
    """Tell whether the paper would have included a patient; None where that hangs on what is not known."""
    met = [criterion.met_by(participant) for criterion in CRITERIA]
    return False if False in met else None if None in met else True


def inclusion_findings(participants: Sequence[Participant]) -> Iterator[Finding]:
    """Yield a note on each criterion that some do not meet, and one on how many remain."""
    for criterion in CRITERIA:
        outside = [one for one in participants if criterion.met_by(one) is False]
        if outside:
            values = [f"{one.id} ({getattr(one, criterion.column):g})" for one in outside]
            yield _note(f"Not {criterion.words}, as the paper's patients were: {named(values)}.")
    met = [included(one) for one in participants]
    n, unknown = met.count(True), met.count(None)
    words = f"{n} of {len(met)} patients meet the paper's criteria that a table can tell"
    if n < len(met):
        yield _note(words + (f"; of {unknown} that is not known." if unknown else "."))


def named(names: Sequence[str]) -> str:
    """Return names in a sentence: the first ones, and how many more there are."""
    more = len(names) - NAMED
    return ", ".join(names[:NAMED]) + (f" and {more} more" if more > 0 else "")


def _note(what: str) -> Finding:
    return Finding("note", "inclusion", None, TABLE, what)
