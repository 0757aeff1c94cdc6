"""Beds: the bedside page, the list for the ward, one bed as JSON."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends
from fastapi.responses import FileResponse
from pydantic import BaseModel

from acquisition.identity import check_name
from dashboard.errors import UnknownBed
from dashboard.files import page
from dashboard.hub import Bed
from dashboard.parts import Has

router = APIRouter(tags=["beds"])


class BedSummary(BaseModel):
    """A bed for the ward: its state, and how old that is at this moment."""

    bed: str
    session: str
    patient: str
    mode: str
    origin: str | None
    source: str | None
    state: str | None
    probability: float | None
    interval: tuple[float, float] | None
    synthetic: bool
    contact_age_s: float
    progress_age_s: float
    cause: str
    ended_utc: str | None


class Beds(BaseModel):
    """The beds that have a session."""

    beds: list[BedSummary]


def bed_name(bed: str) -> str:
    """Return the bed of the URL.

    Raises
    ------
    IdentityError
        If no bed may be called so.
    """
    return check_name("bed", bed)


BedName = Annotated[str, Depends(bed_name)]


@router.get("/beds/{bed}", include_in_schema=False)
async def bedside(bed: BedName) -> FileResponse:
    """Show one bed; one without a session says so."""
    return page("bed.html")


@router.get("/api/v1/beds", summary="Every bed that has a session")
async def list_beds(has: Has) -> Beds:
    """Return each bed's state and age."""
    await has.hub.ready()
    return Beds(beds=[_summary(bed, has.hub.contact(bed)) for bed in has.hub.beds()])


@router.get("/api/v1/beds/{bed}", summary="One bed: all that was said of its session")
async def one_bed(bed: BedName, has: Has) -> dict[str, Any]:
    """Return the same as the first messages of its events."""
    await has.hub.ready()
    found = next((b for b in has.hub.beds() if b.name.casefold() == bed.casefold()), None)
    if found is None or found.feed is None:
        raise UnknownBed(
            f"Bed {bed!r} had no session in the last 24 hours.",
            subject=bed,
            remedy=f"Begin one: flexion live --bed {bed}.",
        )
    return {"snapshot": found.feed.snapshot()["data"], "contact": has.hub.contact(found)}


def _summary(bed: Bed, contact: dict[str, Any]) -> BedSummary:
    assert bed.feed is not None and bed.entry is not None
    record = bed.feed.record
    session, outcome = record.last("session") or {}, record.last("outcome") or {}
    bridge = contact["bridge"] or record.last("source") or {}
    ages = [role["age_s"] for role in contact["roles"].values()]
    return BedSummary(
        bed=bed.name,
        session=bed.entry.session,
        patient=bed.entry.patient,
        mode=bed.entry.mode,
        origin=session.get("origin"),
        source=bridge.get("state"),
        state=outcome.get("state"),
        probability=outcome.get("probability"),
        interval=outcome.get("interval"),
        synthetic=any((b or {}).get("origin") == "synthetic" for b in session.get("bundles", {}).values()),
        contact_age_s=max(ages),
        progress_age_s=contact["progress"]["age_s"],
        cause=contact["progress"]["cause"],
        ended_utc=bed.entry.closed_utc,
    )
