"""Beds: the bedside page, the list for the ward, one bed as JSON."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends
from pydantic import BaseModel

from acquisition.identity import check_name
from dashboard.card import BedCard
from dashboard.errors import UnknownBed
from dashboard.files import Page, page
from dashboard.parts import Has

router = APIRouter(tags=["beds"])


class Beds(BaseModel):
    """The beds that have a session."""

    beds: list[BedCard]


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
async def bedside(bed: BedName) -> Page:
    """Show one bed; one without a session says so."""
    return page("bed.html")


@router.get("/api/v1/beds", summary="Every bed that has a session")
async def list_beds(has: Has) -> Beds:
    """Return each bed's state and age."""
    await has.hub.ready()
    return Beds(beds=has.hub.cards())


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
