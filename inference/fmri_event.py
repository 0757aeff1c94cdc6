"""FmriEvent: a score that came from the patient's scan before the session, accepted or refused as a whole (law 8).

The bridge copies it into the session's events. It is refused when it is another patient's, another bundle's or no
number; what is refused never displaces what was accepted. Of several, the newest scan wins.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from acquisition.fields import Fields
from inference.bundle import SHORT, Bundle
from inference.errors import FmriRefused

#: Days between scan and session beyond which people are told: the brain of the first weeks changes by the week.
NOTICE_DAYS = 30
#: What to do about a score that cannot be read.
REMEDY = "Score the scan again: flexion fmri score."


@dataclass(frozen=True)
class FmriEvent:
    """One scan's score.

    Attributes
    ----------
    patient : str
        Whose scan it is.
    scan_sha256 : str
        The scan file.
    scanned_on : date
        The day of the scan.
    bundle_sha256 : str
        The bundle that scored it.
    logit : float or None
        The patient's logit; None while the scan is known but not yet scored.
    slices : int
        How many slices the logit is the mean of (``quality.slices``).
    problems : tuple of str
        Why the scan must not be used, in words (``quality.problems``); empty when it may.
    """

    patient: str
    scan_sha256: str
    scanned_on: date
    bundle_sha256: str
    logit: float | None
    slices: int
    problems: tuple[str, ...]


def read_fmri_event(value: object, patient: str, bundle: Bundle | None) -> FmriEvent:
    """Return the event that ``value``, the parsed data of an ``fmri`` event, holds.

    Parameters
    ----------
    value : object
        ``patient, scan_sha256, scanned_on, bundle_sha256, logit, quality {slices, problems}``.
    patient : str
        The session's patient.
    bundle : Bundle or None
        The fMRI bundle that the session is bound to; without one every score is refused.

    Raises
    ------
    FmriRefused
        If it cannot be read, is no finite number, or is another patient's or another bundle's.
    """
    event = read_of_patient(value, patient)
    if bundle is None or event.bundle_sha256 != bundle.sha256:
        bound = "no fMRI bundle at hand" if bundle is None else bundle.words
        raise FmriRefused(
            f"The fMRI score was made by bundle {event.bundle_sha256[:SHORT]}, this session has {bound}.",
            subject=event.scan_sha256,
            remedy="Score the scan with the session's bundle, or start a session that is bound to the other.",
        )
    return event


def read_of_patient(value: object, patient: str) -> FmriEvent:
    """Return the event that ``value`` holds, whichever bundle made it.

    Raises
    ------
    FmriRefused
        If it cannot be read, is no finite number, or is another patient's.
    """
    event = _read(value)
    if event.patient.casefold() != patient.casefold():
        raise FmriRefused(
            f"The fMRI score is of patient {event.patient}, this session is of {patient}.",
            subject=event.scan_sha256,
            remedy="Score this patient's own scan; if the session is the wrong one, end it and mark it.",
        )
    return event


def age(event: FmriEvent) -> tuple[date, bool, str, bool, float, int]:
    """Return what the newest scan has the most of; of two of one day, one that may be used goes before a spoiled one.

    The order of arrival leaves no trace: further ties are broken by the scan's hash, and a score goes before its
    announcement.
    """
    scored = event.logit is not None
    return event.scanned_on, not event.problems, event.scan_sha256, scored, event.logit or 0.0, event.slices


def choose(values: Iterable[object], patient: str, bundle: Bundle | None) -> FmriEvent | FmriRefused | None:
    """Return the newest scan's event among ``values``, or a refusal if all were refused, or None if there are none."""
    accepted, refused = judge(values, patient, bundle)
    if accepted:
        return max(accepted, key=age)
    return max(refused, key=str, default=None)


def judge(values: Iterable[object], patient: str, bundle: Bundle | None) -> tuple[list[FmriEvent], list[FmriRefused]]:
    """Return the events among ``values`` that may be used, and why the others may not, each in their order."""
    accepted: list[FmriEvent] = []
    refused: list[FmriRefused] = []
    for value in values:
        try:
            accepted.append(read_fmri_event(value, patient, bundle))
        except FmriRefused as error:
            refused.append(error)
    return accepted, refused


def refusal_notice(error: FmriRefused) -> dict[str, str]:
    """Return the notice that a refused score deserves: it changes nothing, and people are told."""
    return {"level": "warning", "text": error.message, "remedy": error.remedy}


def notice_of(event: FmriEvent, session_on: date) -> dict[str, str] | None:
    """Return the notice that a scan far from the session deserves, or None."""
    days = abs((session_on - event.scanned_on).days)
    if days <= NOTICE_DAYS:
        return None
    return {
        "level": "warning",
        "text": f"The fMRI scan of {event.scanned_on.isoformat()} is {days} days away from this session.",
        "remedy": "Prefer a newer scan, or read the fused number with that in mind.",
    }


def _read(value: object) -> FmriEvent:
    fields = Fields(value, "fmri event", "", FmriRefused, REMEDY)
    quality = fields.object("quality")
    event = FmriEvent(
        patient=fields.text("patient"),
        scan_sha256=fields.text("scan_sha256"),
        scanned_on=fields.day("scanned_on"),
        bundle_sha256=fields.text("bundle_sha256"),
        logit=fields.number("logit") if fields.has("logit") else None,
        slices=quality.count("slices"),
        problems=quality.texts("problems") if quality.has("problems") else (),
    )
    quality.end()
    fields.end()
    if event.logit is not None and not event.slices:
        raise quality.refuse("slices", "is 0, but there is a logit")
    return event


def to_json(event: FmriEvent) -> Mapping[str, Any]:
    """Return the data of the ``fmri`` event; the inverse of :func:`read_fmri_event`."""
    return {
        "patient": event.patient,
        "scan_sha256": event.scan_sha256,
        "scanned_on": event.scanned_on.isoformat(),
        "bundle_sha256": event.bundle_sha256,
        "logit": event.logit,
        "quality": {"slices": event.slices, "problems": list(event.problems)},
    }
