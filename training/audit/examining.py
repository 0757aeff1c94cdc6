"""Everything that is seen of one patient: recordings opened and looked through, scans unpacked to the last byte."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from acquisition.errors import BadInput, FlexionError
from acquisition.identity import same_name
from acquisition.montage import Montage
from acquisition.session import SessionFolder
from training.audit.findings import Finding
from training.audit.inclusion import included
from training.audit.scan_check import Scan, look_at_scan
from training.audit.seen import Seen, see
from training.audit.signal_check import refusal, signal_findings
from training.audit.table_check import table_findings
from training.cohort.cohort import Cohort
from training.cohort.errors import CohortError
from training.cohort.inherited import inherited
from training.cohort.opening import Opened, open_place, recording_sha256
from training.cohort.participants import TABLE, Participant
from training.cohort.places import REST, Place, folder_of, is_at_rest


@dataclass(frozen=True)
class Row:
    """One patient's row of the audit's table.

    Attributes
    ----------
    patient, site, outcome_fma, good
        From the table of patients.
    included : bool or None
        Whether the paper would have included the patient; None where that is not known.
    recording : str or None
        The file that is learned from; None where there is none.
    n_recordings, n_scans : int
    seconds, nan_share, lost_share : float or None
        Of the recording; None where it cannot be opened.
    eeg_uv, emg_uv : float or None
        How far the median channel of each kind moves within a second; muscles while they work.
    mains_hz, mains_measured_hz : float or None
        What the notch is set to, and where the line stands.
    scan_shape : tuple of int
    repetition_s : float or None
    """

    patient: str
    site: str | None
    outcome_fma: float | None
    good: bool | None
    included: bool | None
    recording: str | None = None
    n_recordings: int = 0
    n_scans: int = 0
    seconds: float | None = None
    nan_share: float | None = None
    lost_share: float | None = None
    eeg_uv: float | None = None
    emg_uv: float | None = None
    mains_hz: float | None = None
    mains_measured_hz: float | None = None
    scan_shape: tuple[int, ...] = ()
    repetition_s: float | None = None

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON values."""
        return asdict(self)


@dataclass(frozen=True)
class Examined:
    """What was seen of one patient.

    Attributes
    ----------
    row : Row
    findings : tuple of Finding
    prints : tuple of (str, str)
        What copies of a recording or scan have in common, and the name of the file.
    """

    row: Row
    findings: tuple[Finding, ...]
    prints: tuple[tuple[str, str], ...]


def examine(cohort: Cohort, participant: Participant, montage: Montage) -> Examined:
    """Look at everything that a patient has.

    Parameters
    ----------
    cohort : Cohort
    participant : Participant
        Of it.
    montage : Montage
        The cohort's, loaded.
    """
    return _Examiner(cohort, participant, montage).examined()


class _Examiner:
    def __init__(self, cohort: Cohort, participant: Participant, montage: Montage) -> None:
        self._cohort, self._participant, self._montage = cohort, participant, montage
        self._findings = list(table_findings(participant))
        self._prints: list[tuple[str, str]] = []
        one = participant
        self._row: dict[str, Any] = {
            "patient": one.id,
            "site": one.site,
            "outcome_fma": one.outcome_fma,
            "good": one.good,
            "included": included(one),
        }

    def examined(self) -> Examined:
        self._recordings()
        scans = [self._scan(path) for path in self._cohort.scans(self._participant.id)]
        if scans:
            self._row |= {"n_scans": len(scans), "scan_shape": scans[0].shape, "repetition_s": scans[0].repetition_s}
            self._which([scan.path for scan in scans])
        return Examined(Row(**self._row), tuple(self._findings), tuple(self._prints))

    def _recordings(self) -> None:
        try:
            places = self._cohort.places(self._participant.id)
        except CohortError as error:
            self._find("sidecar", self._name(Path(error.subject)), error.message, error.remedy)
            return
        self._findings += self._eeg_as_said(places)
        if not places:
            return
        first, *others = places
        self._row |= {"recording": self._name(first.path), "n_recordings": len(places)}
        if others:
            names = ", ".join(self._name(place.path) for place in others)
            self._note("recordings", self._name(first.path), f"It is learned from; later ones are not: {names}.")
        for place in others:
            self._remember(place)
        if self._participant.has_eeg:
            self._look_through(first)
        else:
            self._remember(first)

    def _eeg_as_said(self, places: tuple[Place, ...]) -> Iterator[Finding]:
        one = self._participant
        if one.has_eeg and not places:
            what = f"has_eeg is true, and there is no recording in {folder_of(Path(), one.id)}."
            yield Finding("error", "has_eeg", one.id, TABLE, what, "Put it there, or write false.")
        if not one.has_eeg and places:
            what = f"has_eeg is false, and there is {self._name(places[0].path)}: it is not used."
            yield Finding("warning", "has_eeg", one.id, TABLE, what, "Write true, or take the file away.")

    def _look_through(self, place: Place) -> None:
        name = self._name(place.path)
        try:
            opened = open_place(place, self._montage)
            seen = see(opened.tape, opened.montage.n_channels, opened.rate_hz)
        except FlexionError as error:
            self._findings.append(refusal(place, name, error))
            return
        self._prints += [(print_, name) for print_ in (opened.sha256, seen.digest) if print_ is not None]
        self._row |= _measured(opened, seen)
        self._findings += signal_findings(place, name, opened, seen)
        self._findings += self._whose(place, name, opened)

    def _whose(self, place: Place, name: str, opened: Opened) -> Iterator[Finding]:
        """Yield where a recording is not of this patient, or not of such patients (law 9)."""
        simulated, synthetic = opened.origin == "simulated", self._cohort.origin == "synthetic"
        if simulated and not synthetic:
            what = "It is of a simulated patient; the cohort is clinical."
            yield Finding("error", "origin", place.patient, name, what, "Take it out of the cohort.")
        if not place.is_session:
            return
        if synthetic and not simulated:
            what = "It was recorded of a patient; the cohort is synthetic."
            yield Finding("error", "origin", place.patient, name, what, "Take it out of the cohort.")
        patient = SessionFolder.open(place.path).info.patient
        if not same_name(patient, place.patient):
            what = f"Its session is patient {patient}'s, not {place.patient}'s."
            yield Finding("error", "identity", place.patient, name, what, "Move it to the folder of its patient.")

    def _remember(self, place: Place) -> None:
        """Keep what a copy of a recording would share that is not looked through."""
        try:
            self._prints.append((recording_sha256(place), self._name(place.path)))
        except BadInput:
            return  # what cannot be read at all is said by whoever opens it

    def _scan(self, path: Path) -> Scan:
        try:
            said = inherited(self._cohort.folder, path)
        except CohortError as error:
            self._find("sidecar", self._name(Path(error.subject)), error.message, error.remedy)
            said = None
        scan = look_at_scan(path, self._participant.id, self._name(path), said)
        self._findings += scan.findings
        if scan.shape:  # those that cannot be read are alike in that alone
            self._prints.append((scan.sha256, self._name(path)))
        if scan.origin == "synthetic" and self._cohort.origin != "synthetic":
            what = "It is of a simulated patient; the cohort is clinical."
            self._find("origin", self._name(path), what, "Take it out of the cohort.")
        return scan

    def _which(self, scans: Sequence[Path]) -> None:
        """Say which of a patient's scans is learned from, and whether it says that it was taken at rest."""
        first, *others = scans
        if others:
            names = ", ".join(self._name(path) for path in others)
            self._note("scans", self._name(first), f"It is learned from; others are not: {names}.")
        if not is_at_rest(first):
            what = f"It is learned from, and its name does not say {REST}: none of this patient's does."
            remedy = "If it was taken at rest nothing needs to be done; else take it out of the cohort."
            self._findings.append(Finding("warning", "scans", self._participant.id, self._name(first), what, remedy))

    def _name(self, path: Path) -> str:
        """Return how a file is called in findings: its path below the cohort's folder."""
        folder = self._cohort.folder
        return path.relative_to(folder).as_posix() if path.is_relative_to(folder) else str(path)

    def _find(self, check: str, file: str, what: str, remedy: str) -> None:
        self._findings.append(Finding("error", check, self._participant.id, file, what, remedy))

    def _note(self, check: str, file: str, what: str) -> None:
        self._findings.append(Finding("note", check, self._participant.id, file, what))


def _measured(opened: Opened, seen: Seen) -> dict[str, Any]:
    montage = opened.montage
    return {
        "seconds": seen.seconds,
        "nan_share": float(seen.nan_share.mean()),
        "lost_share": seen.n_lost / max(1, seen.n_lost + seen.n_samples),
        "eeg_uv": _median(seen.size_uv[montage.eeg]),
        "emg_uv": _median(seen.working_uv[montage.emg]),
        "mains_hz": opened.mains_hz,
        "mains_measured_hz": seen.mains_hz,
    }


def _median(sizes: np.ndarray) -> float | None:
    numbers = sizes[np.isfinite(sizes)]
    return float(np.median(numbers)) if len(numbers) else None
