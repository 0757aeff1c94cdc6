"""Findings: what is wrong with a cohort, whose it is, and what to mend."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal

#: Training refuses a cohort with an error; a warning changes what its figures mean; a note is to be known.
Level = Literal["error", "warning", "note"]
LEVELS: tuple[Level, ...] = ("error", "warning", "note")


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong.

    Attributes
    ----------
    level : {"error", "warning", "note"}
    check : str
        What was looked at, in a word: findings of one check are shown together.
    patient : str or None
        None where it is about the whole cohort.
    file : str or None
        Path below the cohort's folder.
    what : str
        A sentence, with the value and what was expected.
    remedy : str
        What to do; empty where nothing needs to be done.
    """

    level: Level
    check: str
    patient: str | None
    file: str | None
    what: str
    remedy: str = ""

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON values."""
        return asdict(self)
