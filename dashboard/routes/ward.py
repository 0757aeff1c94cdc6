"""The first page, and the page of the interface."""

from __future__ import annotations

from fastapi import APIRouter
from fastapi.responses import FileResponse

from dashboard.files import page

router = APIRouter(include_in_schema=False)


@router.get("/")
async def ward() -> FileResponse:
    """Show every bed as a link."""
    return page("ward.html")


@router.get("/docs")
async def docs() -> FileResponse:
    """List the routes, from this server alone."""
    return page("docs.html")
