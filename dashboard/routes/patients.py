"""Patients: a plain list of who was recorded here, and how each session stands."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query

from dashboard.files import Page, page
from dashboard.parts import Has
from dashboard.patients import PatientPage

router = APIRouter(tags=["patients"])

Search = Annotated[str, Query(max_length=32, description="Part of a pseudonym, in any case")]
Number = Annotated[int, Query(ge=1, le=1_000_000, description="Of the page, from 1")]


@router.get("/patients", include_in_schema=False)
async def patients_page() -> Page:
    """Show the list."""
    return page("patients.html")


@router.get("/api/v1/patients", summary="Patients who were recorded here, newest session first")
def list_patients(has: Has, search: Search = "", page: Number = 1) -> PatientPage:
    """Return a page of the patients whose pseudonym holds a text."""
    return has.patients.page(search, page)
