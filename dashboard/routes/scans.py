"""Scans: the slices of a scored scan and where the session's model looked, as separate pictures."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query
from fastapi.responses import FileResponse

from dashboard.files import FRESH
from dashboard.parts import Has
from dashboard.routes.sessions import Scan, Session
from dashboard.scan import hash_of, read_scan, sheet_of

router = APIRouter(tags=["sessions"])

#: A sheet that is asked for by its hash never changes; but a browser at a bed keeps no patient's slices past a visit.
KEPT = {"Cache-Control": "private, max-age=3600, immutable"}


@router.get("/api/v1/sessions/{session}/scans/{scan}", summary="A scored scan: its slices, and how far to trust them")
def one_scan(session: Session, scan: Scan, has: Has) -> dict[str, Any]:
    """Return the slices from below, the addresses of their sheets, and the sanity check of the maps."""
    return read_scan(has.settings.data_dir, session, scan)


@router.get(
    "/api/v1/sessions/{session}/scans/{scan}/{sheet}.png",
    summary="All slices of a scan on one sheet, or where the model looked on another",
    response_class=FileResponse,
)
def one_sheet(
    session: Session,
    scan: Scan,
    sheet: Literal["underlay", "focus"],
    has: Has,
    v: Annotated[str, Query(description="start of the sheet's SHA-256, as the scan's own answer gives it")] = "",
) -> FileResponse:
    """Return the slices from below, as many side by side as the scan's own answer says."""
    path = sheet_of(has.settings.data_dir, session, scan, sheet)
    kept = v == hash_of(path)
    return FileResponse(path, media_type="image/png", headers=KEPT if kept else FRESH)
