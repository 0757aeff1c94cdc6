"""One bed in a few facts, for the ward: the same as JSON for machines, and once a second for every ward page (pure)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import BaseModel

from dashboard.record import SessionRecord
from streaming.sessions import SessionEntry

#: Channels that a card draws, where the montage has them: both motor cortices, a muscle that flexes, one that extends.
DRAWN = ("C3", "C4", "RF", "BF")
#: The state of a session of the wrong patient.
IN_ERROR = "IN_ERROR"
#: How many channels a card draws.
N_DRAWN = 4


class CardWave(BaseModel):
    """How far the wave of a bed has come: one past its newest sample, and how old that is."""

    end: int
    age_s: float


class BedCard(BaseModel):
    """A bed for the ward: its state, and how old that is at this moment."""

    bed: str
    session: str
    patient: str
    mode: str
    origin: str | None
    source: str | None
    recorded: bool
    scored: bool
    state: str | None
    probability: float | None
    interval: tuple[float, float] | None
    provisional: bool
    modalities: list[str]
    synthetic: bool
    labels: list[str]
    kinds: list[str]
    quality: list[float | None]
    drawn: list[str]
    wave_key: int
    segment_first: int
    phase: str | None
    trial: int | None
    windows: int
    wave: CardWave | None
    contact_age_s: float
    bridge_age_s: float
    progress_age_s: float
    cause: str
    ended_utc: str | None


def drawn_of(labels: Sequence[str], kinds: Sequence[str]) -> list[int]:
    """Return which channels a card draws: those of `DRAWN`; in another montage two of each kind, else the first.

    Examples
    --------
    >>> drawn_of(["FC1", "C3", "C4", "RF", "BF"], ["eeg"] * 3 + ["emg"] * 2)
    [1, 2, 3, 4]
    >>> drawn_of(["A", "B", "X", "Y", "Z"], ["eeg", "eeg", "emg", "emg", "emg"])
    [0, 1, 2, 3]
    """
    if set(DRAWN) <= set(labels):
        return [labels.index(label) for label in DRAWN]
    eeg = [i for i, kind in enumerate(kinds) if kind == "eeg"]
    emg = [i for i, kind in enumerate(kinds) if kind != "eeg"]
    chosen = sorted(eeg[: max(N_DRAWN // 2, N_DRAWN - len(emg))] + emg[: max(N_DRAWN // 2, N_DRAWN - len(eeg))])
    return chosen[:N_DRAWN]


def bare_card(entry: SessionEntry, contact: Mapping[str, Any], wave_key: int) -> BedCard:
    """Return the card of a bed of which nothing but its ages can be told."""
    return card_of(entry, SessionRecord(), {**contact, "bridge": {}, "wave": None}, wave_key)


def card_of(entry: SessionEntry, record: SessionRecord, contact: Mapping[str, Any], wave_key: int) -> BedCard:
    """Return the card of a bed.

    Parameters
    ----------
    entry : SessionEntry
        Of its newest session.
    record : SessionRecord
        What was said of that.
    contact : mapping
        The data of its contact message as it is now.
    wave_key : int
        Names the session in the envelopes of the ward.
    """
    session = record.last("session") or {}
    # Of the wrong patient: nobody's result, so that none is shown.
    outcome: Mapping[str, Any] = (
        {"state": IN_ERROR} if session.get("entered_in_error") else record.last("outcome") or {}
    )
    bridge = contact["bridge"] or record.last("source") or {}
    labels, kinds = list(session.get("labels", ())), list(session.get("kinds", ()))
    quality = bridge.get("quality") or {}
    bundles = session.get("bundles") or {}
    return BedCard(
        bed=str(entry.bed),
        session=entry.session,
        patient=entry.patient,
        mode=entry.mode,
        origin=session.get("origin"),
        source=bridge.get("state"),
        recorded=bridge.get("recorded", True),
        scored=not session or any(bundles.get(kind) for kind in ("eeg_emg", "fmri")),
        state=outcome.get("state"),
        probability=outcome.get("probability"),
        interval=outcome.get("interval"),
        provisional=bool(outcome.get("provisional", False)),
        modalities=list(outcome.get("modalities", ())),
        synthetic=any((bundle or {}).get("origin") == "synthetic" for bundle in bundles.values()),
        labels=labels,
        kinds=kinds,
        quality=[quality.get(label) for label in labels],
        drawn=[labels[i] for i in drawn_of(labels, kinds)],
        wave_key=wave_key,
        segment_first=record.newest("segment").get("first_sample", 0),
        phase=bridge.get("phase") or None,
        trial=bridge.get("trial"),
        windows=record.count("result"),
        wave=contact["wave"],
        contact_age_s=max(role["age_s"] for role in contact["roles"].values()),
        bridge_age_s=contact["roles"]["bridge"]["age_s"],
        progress_age_s=contact["progress"]["age_s"],
        cause=contact["progress"]["cause"],
        ended_utc=entry.closed_utc,
    )
