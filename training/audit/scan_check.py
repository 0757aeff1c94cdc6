"""What is wrong with a functional scan: what the bedside would refuse, and what it would take for granted.

The bedside's own reader opens it and goes through it to its last byte, volume by volume, so that no scan that passes
here is refused there.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from inference.bundle import sha256_of_file
from inference.errors import ScanError
from inference.fmri.volume import open_scan
from training.audit.findings import Finding
from training.cohort.inherited import with_sidecar

#: What to do about something that was taken for granted.
_SAY = "If that is right nothing needs to be done; else convert the series from DICOM again."


@dataclass(frozen=True)
class Scan:
    """What was seen of a scan.

    Attributes
    ----------
    path : Path
    sha256 : str
        Of the file; empty where it cannot be read at all.
    shape : tuple of int
        Columns, rows, slices, volumes, the patient's right, front and top up; empty where the header was refused.
    repetition_s : float or None
    origin : str
        ``synthetic`` for a simulated scan, else ``clinical``.
    findings : tuple of Finding
    """

    path: Path
    sha256: str
    shape: tuple[int, ...]
    repetition_s: float | None
    origin: str
    findings: tuple[Finding, ...]


def look_at_scan(path: Path, patient: str, name: str, said: bytes | None = None) -> Scan:
    """Look at one scan.

    Parameters
    ----------
    path : Path
    patient, name : str
        Whose it is, and what the file is called in findings.
    said : bytes, optional
        Its sidecar with what those at the cohort's top add.
    """
    with with_sidecar(path, said) as linked:
        return replace(_looked_at(linked, patient, name), path=path)


def _looked_at(path: Path, patient: str, name: str) -> Scan:
    try:
        scan = open_scan(path)
    except ScanError as error:
        return Scan(path, _sha256(path), (), None, "clinical", (_refusal(error, patient, name),))
    findings = [Finding("warning", "scan", patient, name, what, _SAY) for what in scan.assumed]
    try:
        for _ in scan.volumes():
            pass
    except ScanError as error:
        findings.append(_refusal(error, patient, name))
    parameters = scan.parameters
    shape = (*parameters.matrix, parameters.n_slices, parameters.n_volumes)
    return Scan(path, scan.sha256, shape, parameters.tr_s, scan.origin, tuple(findings))


def _refusal(error: ScanError, patient: str, name: str) -> Finding:
    return Finding("error", "scan", patient, name, error.message, error.remedy)


def _sha256(path: Path) -> str:
    try:
        return sha256_of_file(path)
    except OSError:
        return ""
