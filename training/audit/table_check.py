"""What is wrong with a cohort's table: follow-ups, scores, classes, and folders that do not fit it (law 9)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from acquisition.simulator import GOOD_ABOVE_FMA
from inference.fugl_meyer import MOST_POINTS
from training.audit.findings import Finding, Level
from training.audit.inclusion import named
from training.cohort.participants import FOLLOW_UP_DAYS, TABLE, WITHIN_DAYS, Participant, is_near
from training.cohort.places import FOLDER

#: With fewer patients of one outcome a fold of five has none of it.
FEW = 5
#: Two of an outcome at least: one to learn from and one to be judged on.
TOO_FEW = 2
_WITHIN = f"{FOLLOW_UP_DAYS} +- {WITHIN_DAYS} days"


def table_findings(participant: Participant) -> Iterator[Finding]:
    """Yield what is wrong with one patient's row."""
    yield from _scores(participant)
    yield from _follow_up(participant)
    yield from _conflicts(participant)


def class_findings(participants: Sequence[Participant], scanned: bool = False) -> Iterator[Finding]:
    """Yield what is wrong with the number of patients of each outcome: of all, then of those with EEG.

    Where there are scans too, few with EEG are a warning: the scans can be learned from all the same.
    """
    judged = [one for one in participants if one.good is not None]
    found = _classes(judged, "patients with a follow-up")
    with_eeg = [one for one in judged if one.has_eeg]
    if found is None and with_eeg:
        found = _classes(with_eeg, "patients with EEG and a follow-up")
        if found is not None and found.level == "error" and scanned:
            found = replace(found, level="warning", what=f"{found.what} Scans can be learned from.")
    if found is not None:
        yield found


def _classes(judged: Sequence[Participant], who: str) -> Finding | None:
    good = sum(bool(one.good) for one in judged)
    poor = len(judged) - good
    counts, fewest = f"Of the {who} {good} did well and {poor} poorly", min(good, poor)
    if fewest >= FEW:
        return None
    if not fewest:
        what = f"{counts}: with one outcome alone there is nothing to tell apart."
    elif fewest < TOO_FEW:
        what = f"{counts}: a single patient cannot both teach and be judged."
    else:
        what = f"{counts}: with fewer than {FEW} of an outcome, a fold of five has none of it."
    remedy = f"Add patients on both sides of {GOOD_ABOVE_FMA:g} points: flexion cohort add."
    return Finding("error" if fewest < TOO_FEW else "warning", "classes", None, TABLE, what, remedy)


def folder_findings(folder: Path, participants: Sequence[Participant]) -> Iterator[Finding]:
    """Yield the folders of patients that no row names; a patient's name has one spelling."""
    known = {one.id for one in participants}
    spelled = {one.id.casefold(): one.id for one in participants}
    unnamed = []
    for path in sorted(folder.glob(f"{FOLDER}*")):
        name = path.name.removeprefix(FOLDER)
        if not path.is_dir() or name in known:
            continue
        if name.casefold() in spelled:
            own = spelled[name.casefold()]
            what = f"The folder {path.name} is spelled otherwise than patient {own} of the table."
            yield Finding("error", "folder", own, path.name, what, f"Rename one of the two to {FOLDER}{own}.")
        else:
            unnamed.append(path.name)
    if unnamed:
        what = f"No row names the folders {named(unnamed)}; nothing is learned from them."
        yield Finding("warning", "folder", None, TABLE, what, "Add a row for each, or move the folders away.")


def _scores(one: Participant) -> Iterator[Finding]:
    days = {f"fma_le_{day}": fma for day, fma in one.fma_by_day.items()}
    scores = {"fma_le_baseline": one.fma_baseline, "fma_le_3mo": one.fma_3mo, **days}
    for column, fma in scores.items():
        if fma is not None and not 0 <= fma <= MOST_POINTS:
            what = f"{column} is {fma:g}; the lower limb's score goes from 0 to {MOST_POINTS:g}."
            yield _of(one, "error", "score", what, "Mend that cell: only the lower limb's part of the score counts.")


def _follow_up(one: Participant) -> Iterator[Finding]:
    days = sorted(one.fma_by_day)
    if one.outcome_fma is None:
        other = f"; those of day {', '.join(map(str, days))} are none" if days else ""
        what = f"There is no follow-up at {_WITHIN}{other}: the patient is left out of training."
        yield _of(one, "warning", "follow-up", what, "Write fma_le_3mo, or fma_le_<days> of a day near it.")
    elif one.fma_3mo is not None and one.followup_days is not None and not is_near(one.followup_days):
        what = (
            f"The follow-up was {one.followup_days:g} days after the stroke; expected {_WITHIN}. It is used as it is."
        )
        yield _of(
            one, "warning", "follow-up", what, "Mend followup_days, or write n/a into fma_le_3mo to leave it out."
        )


def _conflicts(one: Participant) -> Iterator[Finding]:
    """Yield the days near three months whose score is not that of three months."""
    for day, fma in sorted(one.fma_by_day.items()):
        if one.fma_3mo is None or not is_near(day) or fma == one.fma_3mo:
            continue
        opposite = (fma > GOOD_ABOVE_FMA) is not one.good
        what = f"fma_le_3mo is {one.fma_3mo:g} and fma_le_{day} is {fma:g}"
        what += f", on the two sides of {GOOD_ABOVE_FMA:g}." if opposite else "; the first is used."
        yield _of(one, "error" if opposite else "warning", "label", what, "Keep the one that holds, n/a in the other.")


def _of(one: Participant, level: Level, check: str, what: str, remedy: str) -> Finding:
    return Finding(level, check, one.id, TABLE, what, remedy)
