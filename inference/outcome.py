"""Outcome: the state first, the number second (law 8). A pure function of results and the fMRI event.

Each modality has a status, the session one state: the first row of :func:`state_of` that fits. A probability exists in
PARTIAL, PROVISIONAL and READY alone. What is missing is named, never imputed; an abstention says why and what to do.
The order of arrival leaves no trace. ``STALE`` is no state: the reader makes it from the value's age (law 7).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from inference.aggregation import Evidence, mean_logit, weigh
from inference.bundle import SHORT, Bundle, FusionBundle
from inference.errors import FmriRefused
from inference.fmri_event import FmriEvent
from inference.fugl_meyer import Fma, fma_of
from inference.fusion import Verdict, fuse, refusal, verdict, weighing
from inference.reasons import too_few, unusable
from inference.similarity import Similarity, reason_of, similarity_of
from streaming.records import ResultRecord

#: Windows' worth of signal with a fate before eeg_emg may abstain: a minute, in which electrodes settle.
ABSTAIN_FROM = 6
#: It abstains when the weights of those windows sum to less than their number divided by this.
ABSTAIN_DIVISOR = 3
#: First word of the reason of a window that a scorer refused because its bundle does not fit.
MISMATCH = "bundle_mismatch"
#: What is said of a recording that is played over and over.
REPEATED = "The recording is played over and over, so that its windows repeat: this is nobody's outcome."


class Status(StrEnum):
    """What one modality has to say."""

    ABSENT = "absent"
    COLLECTING = "collecting"
    OK = "ok"
    ABSTAINED = "abstained"
    REFUSED = "refused"


class State(StrEnum):
    """What the session has to say."""

    INVALID = "INVALID"
    COLLECTING = "COLLECTING"
    ABSTAINED = "ABSTAINED"
    PARTIAL = "PARTIAL"
    PROVISIONAL = "PROVISIONAL"
    READY = "READY"


@dataclass(frozen=True)
class Part:
    """One modality's share.

    Attributes
    ----------
    modality : str
        ``eeg_emg`` or ``fmri``.
    status : Status
        What it has to say.
    reason : str
        Why it is not ok, in words; empty when it is.
    facts : dict
        The other keys of its part in the JSON, without logit and probability.
    logit : float or None
        Its uncalibrated logit, when ok.
    verdict : Verdict or None
        Its calibrated number, when ok.
    """

    modality: str
    status: Status
    reason: str
    facts: dict[str, Any]
    logit: float | None = None
    verdict: Verdict | None = None

    def to_json(self, *, told: bool) -> dict[str, Any]:
        """Return the part's object; without its numbers where nothing may be ``told``."""
        number = self.verdict if told else None
        return {
            "status": str(self.status),
            **self.facts,
            "logit": None if number is None else self.logit,
            "probability": None if number is None else number.probability,
        }


@dataclass(frozen=True)
class Outcome:
    """The session's outcome, at one set of results.

    Attributes
    ----------
    state : State
        First match of the table.
    number : Verdict or None
        The probability and its draws; only in PARTIAL, PROVISIONAL and READY.
    provisional : bool
        Whether more signal is still to change it.
    modalities : tuple of str
        Those that the number is made of.
    missing : tuple of (str, str)
        Modality, or ``fusion``, and why it is missing.
    reasons : tuple of str
        Why there is no number, or why not to lean on it, each with what to do.
    parts : tuple of Part
        eeg_emg and fmri.
    fates : dict of str to int
        How many windows were scored, not scored, dead-lettered.
    fma : Fma or None
        Points at 3 months, by the windows alone; only where they are part of the number and their model expects points.
    fusion : FusionBundle or None
        What weighed both modalities, where the number is of both.
    similarity : Similarity or None
        How far the windows lie from the training patients; only where they are part of the number.
    """

    state: State
    number: Verdict | None
    provisional: bool
    modalities: tuple[str, ...]
    missing: tuple[tuple[str, str], ...]
    reasons: tuple[str, ...]
    parts: tuple[Part, ...]
    fates: dict[str, int]
    fma: Fma | None = None
    fusion: FusionBundle | None = None
    similarity: Similarity | None = None

    def to_json(self) -> dict[str, Any]:
        """Return the ``outcome`` object of the contract."""
        told = self.number is not None
        return {
            "state": str(self.state),
            "probability": None if self.number is None else self.number.probability,
            "interval": None if self.number is None else list(self.number.interval),
            "provisional": self.provisional,
            "modalities": list(self.modalities),
            "missing": [{"modality": modality, "reason": reason} for modality, reason in self.missing],
            "reasons": list(self.reasons),
            "parts": {part.modality: part.to_json(told=told) for part in self.parts},
            "fma": None if self.fma is None else self.fma.to_json(),
            "fusion": None if self.fusion is None else weighing(self.fusion.fusion),
            "similarity": None if self.similarity is None else self.similarity.to_json(),
        }


def outcome_of(
    results: Iterable[ResultRecord],
    bundle: Bundle | None,
    fusion: FusionBundle | None = None,
    fmri: FmriEvent | FmriRefused | None = None,
    ended: bool = False,
    *,
    fmri_bundle: Bundle | None = None,
    mismatch: str = "",
) -> Outcome:
    """Return the outcome of a session.

    Parameters
    ----------
    results : iterable of ResultRecord
        All results of the session so far, in any order, repeats allowed.
    bundle : Bundle or None
        The eeg_emg bundle that the session is bound to; None for a session without.
    fusion : FusionBundle, optional
        The fusion bundle that it is bound to.
    fmri : FmriEvent or FmriRefused, optional
        What :func:`inference.fmri_event.choose` made of the session's fMRI events.
    ended : bool
        Whether the session is over.
    fmri_bundle : Bundle, optional
        The fMRI bundle that it is bound to; its calibration is needed once there is an event.
    mismatch : str
        Why the bundle does not fit the session's stream, in words; empty when it fits.

    Returns
    -------
    Outcome
    """
    evidence = weigh(results, bundle.signal.n_samples if bundle else 1)
    mismatch = mismatch or _mismatch(evidence, bundle)
    eeg_emg = eeg_emg_part(evidence, bundle, ended, mismatch)
    scan = fmri_part(fmri, fmri_bundle, ended)
    refused = _fusion_refusal(fusion, bundle, fmri_bundle, evidence)
    ready = bundle is not None and evidence.worth_scored >= _n_ready(bundle, fusion, refused)
    state = state_of(eeg_emg.status, scan.status, invalid=bool(mismatch), refused=refused is not None, ready=ready)
    used = _used(state, eeg_emg, scan, refused)
    similarity = similarity_of(evidence.scored, bundle.model.embedding) if bundle and eeg_emg in used else None
    return Outcome(
        state=state,
        number=_number(used, fusion),
        provisional=_provisional(state, eeg_emg.status, ready),
        modalities=tuple(part.modality for part in used),
        missing=_missing(eeg_emg, scan, refused),
        reasons=_reasons(state, eeg_emg, scan, similarity),
        parts=(eeg_emg, scan),
        fates=evidence.fates(),
        fma=fma_of(evidence.scored, bundle.model.fma) if bundle and eeg_emg in used else None,
        fusion=fusion if len(used) == 2 else None,
        similarity=similarity,
    )


def repeated(outcome: Outcome) -> Outcome:
    """Return the outcome of windows of which many are the same: it is never final, and says why."""
    return replace(outcome, provisional=outcome.number is not None, reasons=(*outcome.reasons, REPEATED))


def state_of(eeg_emg: Status, fmri: Status, *, invalid: bool, refused: bool, ready: bool) -> State:
    """Return the first row of the contract's table that fits.

    Parameters
    ----------
    eeg_emg, fmri : Status
        Of the modalities.
    invalid : bool
        Bundle and stream do not fit.
    refused : bool
        Fusion is refused.
    ready : bool
        There are n_ready windows' worth of scored signal.
    """
    statuses = (eeg_emg, fmri)
    n_ok = statuses.count(Status.OK)
    rows = (
        (invalid, State.INVALID),
        (not n_ok and Status.COLLECTING in statuses, State.COLLECTING),
        (not n_ok, State.ABSTAINED),
        (n_ok == 1 or refused, State.PARTIAL),
        (not ready, State.PROVISIONAL),
        (True, State.READY),
    )
    return next(state for fits, state in rows if fits)


def eeg_emg_part(evidence: Evidence, bundle: Bundle | None, ended: bool, mismatch: str = "") -> Part:
    """Return what the windows have to say; see :class:`Part`."""
    facts = {"windows": len(evidence.scored), "weight": evidence.weight}
    if mismatch:
        return Part("eeg_emg", Status.REFUSED, mismatch, facts)
    if bundle is None:
        return Part("eeg_emg", Status.ABSENT, "No model for EEG and EMG is bound to this session.", facts)
    status, reason = _eeg_emg_status(evidence, bundle, ended)
    if status is not Status.OK:
        return Part("eeg_emg", status, reason, facts)
    model = bundle.model
    logit = mean_logit(evidence.scored, model.aggregation)
    line = model.calibration[model.aggregation].at(evidence.worth_scored)
    return Part("eeg_emg", status, "", facts, logit, verdict(logit, line))


def fmri_part(fmri: FmriEvent | FmriRefused | None, bundle: Bundle | None, ended: bool) -> Part:
    """Return what the scan has to say; see :class:`Part`."""
    if not isinstance(fmri, FmriEvent):
        empty = {"slices": 0, "scan_sha256": None, "scanned_on": None}
        if fmri is None:
            return Part("fmri", Status.ABSENT, "There is no scored scan of this patient.", empty)
        return Part("fmri", Status.REFUSED, str(fmri), empty)
    day = fmri.scanned_on.isoformat()
    facts = {"slices": fmri.slices, "scan_sha256": fmri.scan_sha256, "scanned_on": day}
    if fmri.problems:
        return Part("fmri", Status.ABSTAINED, f"The scan of {day} cannot be used: {'; '.join(fmri.problems)}.", facts)
    if fmri.logit is None or bundle is None:
        words = f"The scan of {day} was not scored in time." if ended else f"The scan of {day} is being scored."
        return Part("fmri", Status.ABSENT if ended else Status.COLLECTING, words, facts)
    model = bundle.model
    line = model.calibration[model.aggregation].at(fmri.slices)
    return Part("fmri", Status.OK, "", facts, fmri.logit, verdict(fmri.logit, line))


def _eeg_emg_status(evidence: Evidence, bundle: Bundle, ended: bool) -> tuple[Status, str]:
    if evidence.worth >= ABSTAIN_FROM and evidence.weight * ABSTAIN_DIVISOR < len(evidence.results):
        return Status.ABSTAINED, unusable(evidence, bundle.signal.labels, ended=ended)
    if evidence.worth_scored >= bundle.model.n_min:
        return Status.OK, ""
    why = too_few(evidence, bundle.signal.labels, bundle.model.n_min, ended=ended)
    return Status.ABSTAINED if ended else Status.COLLECTING, why


def _mismatch(evidence: Evidence, bundle: Bundle | None) -> str:
    """Return why a result says that bundle and stream do not fit, or an empty text; the earliest window speaks."""
    for result in evidence.results:
        if result.state == "not_scored" and result.reason and result.reason.startswith(MISMATCH):
            return f"Window {result.index}: {result.reason.removeprefix(MISMATCH).lstrip(': ')}"
        if result.state == "scored" and bundle and result.bundle_sha256 != bundle.sha256:
            return f"Window {result.index} was scored by bundle {result.bundle_sha256[:SHORT]}, not by {bundle.words}."
    return ""


def _fusion_refusal(
    fusion: FusionBundle | None, bundle: Bundle | None, fmri_bundle: Bundle | None, evidence: Evidence
) -> str | None:
    refused = refusal(fusion, bundle, fmri_bundle)
    if refused or fusion is None or evidence.worth_scored >= fusion.fusion.n_min:
        return refused
    return f"Fusion bundle {fusion.words} needs {fusion.fusion.n_min} scored windows."


def _n_ready(bundle: Bundle, fusion: FusionBundle | None, refused: str | None) -> int:
    return bundle.model.n_ready if fusion is None or refused else fusion.fusion.n_ready


def _used(state: State, eeg_emg: Part, scan: Part, refused: str | None) -> tuple[Part, ...]:
    """Return the parts that the number is made of; of two that must not be fused, eeg_emg alone."""
    if state is State.INVALID:
        return ()
    ok = tuple(part for part in (eeg_emg, scan) if part.status is Status.OK)
    return ok[:1] if refused else ok


def _number(used: tuple[Part, ...], fusion: FusionBundle | None) -> Verdict | None:
    verdicts = [part.verdict for part in used if part.verdict is not None]
    if len(verdicts) == 2 and fusion is not None:
        return fuse(fusion, *verdicts)
    return verdicts[0] if verdicts else None


def _provisional(state: State, eeg_emg: Status, ready: bool) -> bool:
    if state is State.PARTIAL:
        return eeg_emg is Status.COLLECTING or (eeg_emg is Status.OK and not ready)
    return state is State.PROVISIONAL


def _missing(eeg_emg: Part, scan: Part, refused: str | None) -> tuple[tuple[str, str], ...]:
    missing = tuple((part.modality, part.reason) for part in (eeg_emg, scan) if part.status is not Status.OK)
    return missing or ((("fusion", refused),) if refused else ())


def _reasons(state: State, eeg_emg: Part, scan: Part, similarity: Similarity | None) -> tuple[str, ...]:
    """Return why there is no number; a modality that nobody expected is a reason only where there is no other.

    Where there is one, why not to lean on it: it is shown all the same.
    """
    if state is State.INVALID:
        return (f"The model and the stream do not fit: {eeg_emg.reason}",)
    if state not in (State.COLLECTING, State.ABSTAINED):
        return (reason_of(similarity),) if similarity is not None and similarity.unlike else ()
    parts = [part for part in (eeg_emg, scan) if part.status in (Status.COLLECTING, Status.ABSTAINED, Status.REFUSED)]
    return tuple(part.reason for part in parts or (eeg_emg, scan))
