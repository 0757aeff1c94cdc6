"""The audit: everything that is wrong with a cohort, found before an epoch is spent (law 10).

A cohort with an error is refused by training; each finding names its file and what to mend. Recordings are opened as
training opens them and looked through once; nothing is conditioned.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from acquisition.montage import load_montage
from training.audit.examining import Examined, Row, examine
from training.audit.findings import LEVELS, Finding, Level
from training.audit.inclusion import inclusion_findings, named
from training.audit.table_check import class_findings, folder_findings
from training.cohort.cohort import Cohort
from training.cohort.errors import CohortError
from training.cohort.participants import TABLE, CellProblem
from training.watching import NOBODY

#: Name and version of the audit's JSON.
SCHEMA = "flexion.audit/1"
#: Errors that a refusal names; the audit lists all.
TOLD = 3


class Watcher(Protocol):
    """Hears how far an audit is."""

    def begins(self, n_patients: int) -> None:
        """Hear how many patients there are."""

    def finished(self, patient: str) -> None:
        """Hear that one more was looked at."""


@dataclass(frozen=True)
class Audit:
    """What was found.

    Attributes
    ----------
    cohort : Cohort
    rows : tuple of Row
        One per patient, in the order of the table.
    findings : tuple of Finding
        Errors first.
    """

    cohort: Cohort
    rows: tuple[Row, ...]
    findings: tuple[Finding, ...]

    def of(self, level: Level) -> tuple[Finding, ...]:
        """Return the findings of one level."""
        return tuple(finding for finding in self.findings if finding.level == level)

    @property
    def errors(self) -> tuple[Finding, ...]:
        """Findings for which training refuses the cohort."""
        return self.of("error")

    def require(self) -> None:
        """Refuse a cohort with an error.

        Raises
        ------
        CohortError
            Names the first ones, and the command that lists all.
        """
        if not self.errors:
            return
        first = " ".join(f"{error.patient or 'Cohort'}, {error.file}: {error.what}" for error in self.errors[:TOLD])
        n = len(self.errors)
        message = f"{self.cohort.folder} has {n} error{'s' if n > 1 else ''}. {first}"
        remedy = f"See all, and what to mend: flexion cohort check {self.cohort.folder}"
        raise CohortError(message, subject=str(self.cohort.folder), remedy=remedy)

    def to_json(self) -> dict[str, Any]:
        """Return the audit as the JSON object of the command line."""
        cohort = self.cohort
        return {
            "schema": SCHEMA,
            "cohort": {
                "name": cohort.name,
                "folder": str(cohort.folder),
                "origin": cohort.origin,
                "montage": cohort.montage,
                "sha256": cohort.sha256,
                "patients": len(cohort.participants),
                "with_eeg": sum(one.has_eeg for one in cohort.participants),
                "good": sum(bool(one.good) for one in cohort.participants),
                "poor": sum(one.good is False for one in cohort.participants),
                "counts": {level: len(self.of(level)) for level in LEVELS},
            },
            "patients": [row.to_json() for row in self.rows],
            "findings": [finding.to_json() for finding in self.findings],
        }


def check(folder: Path, watcher: Watcher = NOBODY) -> Audit:
    """Audit a cohort's folder, also one whose table has cells that make no sense.

    Parameters
    ----------
    folder : Path
    watcher : Watcher
        Told how far it is.

    Raises
    ------
    CohortError, MontageError
        If there is no table of patients, or the cohort's description or montage cannot be read.
    """
    cohort, problems = Cohort.examine(folder)
    return audit(cohort, watcher, problems)


def audit(cohort: Cohort, watcher: Watcher = NOBODY, problems: Sequence[CellProblem] = ()) -> Audit:
    """Look at everything that a cohort has.

    Parameters
    ----------
    cohort : Cohort
    watcher : Watcher
        Told how far it is.
    problems : sequence of CellProblem
        What could not be read of its table.

    Raises
    ------
    MontageError
        If the cohort's montage cannot be read.
    """
    montage = load_montage(cohort.montage)
    participants = list({one.id.casefold(): one for one in reversed(cohort.participants)}.values())[::-1]
    watcher.begins(len(participants))
    examined = []
    for participant in participants:
        examined.append(examine(cohort, participant, montage))
        watcher.finished(participant.id)
    findings = [Finding("error", "table", problem.patient, TABLE, problem.what, problem.remedy) for problem in problems]
    findings += [finding for one in examined for finding in one.findings]
    findings += _copies(examined)
    rows = tuple(one.row for one in examined)
    findings += class_findings(participants, scanned=any(row.scan_shape for row in rows))
    findings += folder_findings(cohort.folder, participants)
    findings += [*_mains(rows), *_geometries(rows), *inclusion_findings(participants)]
    findings.sort(key=lambda finding: LEVELS.index(finding.level))
    return Audit(cohort, rows, tuple(findings))


def _copies(examined: Iterable[Examined]) -> Iterator[Finding]:
    """Yield the recordings and scans that are there more than once, by their bytes or by their samples."""
    owners: dict[str, list[tuple[str, str]]] = {}
    for one in examined:
        for print_, name in one.prints:
            owners.setdefault(print_, []).append((one.row.patient, name))
    told = set()
    for files in owners.values():
        names = tuple(dict.fromkeys(name for _, name in files))
        if len(names) < 2 or names in told:
            continue
        told.add(names)
        patients = dict.fromkeys(patient for patient, _ in files)
        what = f"It is the same as {', '.join(names[1:])}"
        remedy = "Keep it where it belongs, and take the copies away."
        if len(patients) > 1:
            what += f": patients {', '.join(patients)} cannot have one in common."
            yield Finding("error", "copy", files[0][0], names[0], what, remedy)
        else:
            yield Finding("warning", "copy", files[0][0], names[0], f"{what}.", remedy)


def _mains(rows: Sequence[Row]) -> Iterator[Finding]:
    """Yield how many patients of which site have which mains, where there is more than one."""
    sites: dict[float, Counter[str]] = {}
    for row in rows:
        if row.mains_hz is not None:
            sites.setdefault(row.mains_hz, Counter())[row.site or "no site"] += 1
    if len(sites) < 2:
        return
    words = "; ".join(f"{mains_hz:g} Hz at {_counted(counts)}" for mains_hz, counts in sorted(sites.items()))
    what = f"Sites differ in their mains: {words}. Each is conditioned with its own notch, and tells its site by it."
    yield Finding("warning", "mains", None, TABLE, what, "Look at the figures by site.")
    both = sorted(set.intersection(*(set(counts) for counts in sites.values())) - {"no site"})
    if both:
        what = f"One site has one mains frequency; both are stated at {named(both)}."
        yield Finding("warning", "mains", None, TABLE, what, "Mend site or mains_hz of the patients that are wrong.")


def _counted(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{site} ({n})" for site, n in sorted(counts.items()))


def _geometries(rows: Sequence[Row]) -> Iterator[Finding]:
    """Yield the scans that are not of the shape that most have."""
    shapes = Counter(row.scan_shape for row in rows if row.scan_shape)
    if len(shapes) < 2:
        return
    (most, n), *_ = shapes.most_common(1)
    others = [f"{row.patient} ({_shape(row.scan_shape)})" for row in rows if row.scan_shape not in ((), most)]
    what = f"{n} scans are of shape {_shape(most)}; others are not: {named(others)}."
    yield Finding("note", "scan", None, None, what)


def _shape(shape: tuple[int, ...]) -> str:
    return "x".join(map(str, shape))
