"""The table of patients, ``participants.tsv``: one row per patient, "n/a" for what is not known (law 9).

Columns with a meaning are the fields of :class:`Participant`; any other is kept as it is.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from acquisition.durable import replace_file
from acquisition.errors import IdentityError
from acquisition.identity import check_name
from acquisition.simulator import GOOD_ABOVE_FMA
from training.cohort.errors import CohortError
from training.cohort.places import FOLDER, has_recording

#: Name of the table in a cohort's folder.
TABLE = "participants.tsv"
#: What stands in a cell without a value: BIDS writes "n/a", spreadsheets write the others.
MISSING = ("n/a", "", "na", "nan")
#: Days after the stroke at which the outcome is judged, and how far a follow-up may lie off: 90 +- 7 (the paper: three
#: months).
FOLLOW_UP_DAYS, WITHIN_DAYS = 90, 7
#: Columns of numbers, and of words, and the field of each; any `fma_le_<days>` goes to ``fma_by_day``.
NUMBERS = {
    "fma_le_baseline": "fma_baseline",
    "fma_le_3mo": "fma_3mo",
    "followup_days": "followup_days",
    "days_since_onset": "days_since_onset",
    "age": "age",
    "strength_grade": "strength_grade",
    "sitting_balance": "sitting_balance",
    "leg_strength": "leg_strength",
    "mains_hz": "mains_hz",
}
WORDS = {name: name for name in ("lesion_side", "infarct_territory", "comorbidity", "site", "sex")}
#: Known columns in the order in which they are written.
COLUMNS = (
    "participant_id",
    "fma_le_baseline",
    "fma_le_3mo",
    "followup_days",
    "days_since_onset",
    "lesion_side",
    "infarct_territory",
    "comorbidity",
    "site",
    "age",
    "sex",
    "strength_grade",
    "sitting_balance",
    "leg_strength",
    "mains_hz",
    "has_eeg",
)
#: After which column those of single days are written.
_BEFORE_DAYS = "fma_le_3mo"
_DAY = re.compile(r"fma_le_([0-9]{1,4})")
_YES, _NO = ("true", "yes", "1"), ("false", "no", "0")


@dataclass(frozen=True)
class Participant:
    """One patient of a cohort.

    Attributes
    ----------
    id : str
        Pseudonym, without the "sub-" of the folder.
    has_eeg : bool
        Whether there is a recording of EEG and EMG; where the table does not say, whether there is a file.
    fma_3mo, fma_baseline : float, optional
        Fugl-Meyer score of the lower limb, 0 to 34, three months after the stroke and at the recording.
    fma_by_day : mapping of int to float
        The same on other days after the stroke.
    followup_days : float, optional
        Days after the stroke at which ``fma_3mo`` was taken.
    days_since_onset, age : float, optional
        At the recording, in days and years.
    lesion_side, infarct_territory, comorbidity, site, sex : str, optional
    strength_grade, sitting_balance, leg_strength : float, optional
        At the bedside: of the Medical Research Council (0 to 5), and what a clinical model of walking takes.
    mains_hz : float, optional
        Of the site.
    extra : mapping of str to str
        Other columns, as they stand in the table.
    """

    id: str
    has_eeg: bool
    fma_3mo: float | None = None
    fma_baseline: float | None = None
    fma_by_day: Mapping[int, float] = field(default_factory=dict)
    followup_days: float | None = None
    days_since_onset: float | None = None
    lesion_side: str | None = None
    infarct_territory: str | None = None
    comorbidity: str | None = None
    site: str | None = None
    age: float | None = None
    sex: str | None = None
    strength_grade: float | None = None
    sitting_balance: float | None = None
    leg_strength: float | None = None
    mains_hz: float | None = None
    extra: Mapping[str, str] = field(default_factory=dict)

    @property
    def outcome_fma(self) -> float | None:
        """The score that is the outcome: at three months, else on the day nearest to that, at most a week off."""
        if self.fma_3mo is not None:
            return self.fma_3mo
        near = [(abs(day - FOLLOW_UP_DAYS), day) for day in self.fma_by_day if is_near(day)]
        return self.fma_by_day[min(near)[1]] if near else None

    @property
    def good(self) -> bool | None:
        """Whether the outcome is good; None where there is no follow-up."""
        return None if self.outcome_fma is None else self.outcome_fma > GOOD_ABOVE_FMA


@dataclass(frozen=True)
class CellProblem:
    """A cell or row that cannot be read: whose, what is wrong, and what to do."""

    patient: str | None
    what: str
    remedy: str


def is_near(day: float) -> bool:
    """Tell whether a day after the stroke counts as three months."""
    return abs(day - FOLLOW_UP_DAYS) <= WITHIN_DAYS


def read_participants(path: Path) -> tuple[Participant, ...]:
    """Read the table of patients, every cell of which must make sense.

    Parameters
    ----------
    path : Path
        Of ``participants.tsv``.

    Raises
    ------
    CohortError
        If it cannot be read; names all rows that are wrong.
    """
    participants, problems = examine_participants(path)
    if problems:
        words = " ".join(problem.what for problem in problems)
        raise CohortError(words, subject=str(path), remedy=problems[0].remedy)
    return participants


def examine_participants(path: Path) -> tuple[tuple[Participant, ...], tuple[CellProblem, ...]]:
    """Read the table as far as it can be read, and list what cannot.

    Parameters
    ----------
    path : Path
        Of ``participants.tsv``.

    Returns
    -------
    participants, problems : tuple
        A cell that makes no sense is left out of its row, a row without a name out of the table; a patient with two
        rows is there twice.

    Raises
    ------
    CohortError
        If it is no table with a column ``participant_id``.
    """
    head, rows = _cells(path)
    problems: list[CellProblem] = []
    participants = [made for number, row in rows if (made := _participant(path, number, head, row, problems))]
    problems += _doubled(path, participants)
    return tuple(participants), tuple(problems)


def write_participants(path: Path, participants: Sequence[Participant]) -> None:
    """Write the table so that a reader finds the old one or the new one.

    Parameters
    ----------
    path : Path
        Of ``participants.tsv``.
    participants : sequence of Participant
        In the order of the rows.

    Raises
    ------
    DiskFull
        If the disk does not take it; the old table stays.
    """
    days = sorted({day for participant in participants for day in participant.fma_by_day})
    extra = list(dict.fromkeys(name for participant in participants for name in participant.extra))
    after = COLUMNS.index(_BEFORE_DAYS) + 1
    head = [*COLUMNS[:after], *(f"fma_le_{day}" for day in days), *COLUMNS[after:], *extra]
    lines = [head, *([_cell(participant, name) for name in head] for participant in participants)]
    replace_file(path, "".join("\t".join(line) + "\n" for line in lines).encode())


def _cells(path: Path) -> tuple[list[str], list[tuple[int, list[str]]]]:
    """Return the names of the columns, and each row with its line's number."""
    try:
        lines = path.read_text(encoding="utf-8-sig").split("\n")
    except OSError as error:
        remedy = "Name a cohort's folder; `flexion cohort add` and `flexion cohort synth` make one."
        raise CohortError(f"{path} cannot be read: {error.strerror}.", subject=str(path), remedy=remedy) from error
    except UnicodeDecodeError as error:
        remedy = "Save it as UTF-8, with tabs between the columns."
        raise CohortError(f"{path} is no UTF-8 text.", subject=str(path), remedy=remedy) from error
    head = [_known(name.strip()) for name in lines[0].split("\t")]
    if "participant_id" not in head:
        remedy = "Save it with tabs between the columns, the first of which is participant_id."
        raise CohortError(f"{path} has no column participant_id.", subject=str(path), remedy=remedy)
    twice = [name for name, n in Counter(head).items() if n > 1]
    if twice:
        message = f"{path} has the column {', '.join(twice)} more than once."
        raise CohortError(message, subject=str(path), remedy="Keep one of them.")
    return head, [(number, line.split("\t")) for number, line in enumerate(lines[1:], 2) if line.strip()]


def _known(name: str) -> str:
    """Return a column's name as it is known here, whatever its case."""
    folded = name.casefold()
    return folded if folded in COLUMNS or _DAY.fullmatch(folded) else name


def _participant(
    path: Path, number: int, head: list[str], row: list[str], problems: list[CellProblem]
) -> Participant | None:
    """Return the patient of one row, adding to the list what is wrong with it."""
    cells = dict(zip(head, map(str.strip, row), strict=False))
    name = cells.get("participant_id", "").removeprefix(FOLDER)
    try:
        check_name("patient", name)
    except IdentityError as error:
        problems.append(CellProblem(None, f"{path} line {number}: {error.message}", error.remedy))
        return None
    if len(row) != len(head):
        what = f"{path} line {number} ({name}) has {len(row)} cells; there are {len(head)} columns."
        problems.append(CellProblem(name, what, "Write n/a where there is no value."))

    def refuse(column: str, text: str, expected: str) -> None:
        what = f"{path} line {number} ({name}) has {text!r} in column {column}; expected {expected}."
        problems.append(CellProblem(name, what, "Mend that cell, or write n/a."))

    return Participant(name, **_values(path, name, cells, refuse))


def _values(path: Path, name: str, cells: Mapping[str, str], refuse: Callable[[str, str, str], None]) -> dict[str, Any]:
    values: dict[str, Any] = {"has_eeg": None, "fma_by_day": {}, "extra": {}}
    for column, text in cells.items():
        missing, day = text.casefold() in MISSING, _DAY.fullmatch(column)
        if column in NUMBERS or day:
            number = None if missing else _number(text)
            if number is None and not missing:
                refuse(column, text, "a number, with a point before its decimals")
            if day and number is not None:
                values["fma_by_day"][int(day[1])] = number
            elif not day:
                values[NUMBERS[column]] = number
        elif column in WORDS:
            values[WORDS[column]] = None if missing else text
        elif column == "has_eeg" and not missing:
            values[column] = _truth(text)
            if values[column] is None:
                refuse(column, text, "true or false")
        elif column not in COLUMNS:
            values["extra"][column] = text
    if values["has_eeg"] is None:
        values["has_eeg"] = has_recording(path.parent, name)
    return values


def _number(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def _truth(text: str) -> bool | None:
    folded = text.casefold()
    return True if folded in _YES else False if folded in _NO else None


def _doubled(path: Path, participants: Sequence[Participant]) -> Iterator[CellProblem]:
    """Yield the patients that have more than one row; case does not tell names apart."""
    by_name: dict[str, list[Participant]] = {}
    for participant in participants:
        by_name.setdefault(participant.id.casefold(), []).append(participant)
    for rows in by_name.values():
        if len(rows) < 2:
            continue
        names = " and ".join(dict.fromkeys(row.id for row in rows))
        outcomes = sorted({row.outcome_fma for row in rows if row.outcome_fma is not None})
        conflict = f", with the outcomes {' and '.join(f'{fma:g}' for fma in outcomes)}" if len(outcomes) > 1 else ""
        what = f"{path} has {len(rows)} rows of patient {names}{conflict}."
        yield CellProblem(rows[0].id, what, "Keep one row of each patient; names differ by more than case.")


def _cell(participant: Participant, column: str) -> str:
    """Return what stands in one cell."""
    day = _DAY.fullmatch(column)
    if column == "participant_id":
        return FOLDER + participant.id
    if column == "has_eeg":
        return "true" if participant.has_eeg else "false"
    if day:
        value: Any = participant.fma_by_day.get(int(day[1]))
    elif column in NUMBERS or column in WORDS:
        value = getattr(participant, (NUMBERS | WORDS)[column])
    else:
        value = participant.extra.get(column)
    if isinstance(value, float):
        return repr(value).removesuffix(".0")
    return MISSING[0] if value is None else " ".join(str(value).split())
