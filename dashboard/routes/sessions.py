"""Sessions: what a folder says, and where its image model looked; only ``flexion replay`` scores one anew (law 2)."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Path
from fastapi.responses import FileResponse

from acquisition.identity import check_session_id
from dashboard.files import FRESH, Page, page
from dashboard.folder import attention_of, read_folder
from dashboard.parts import Has

router = APIRouter(tags=["sessions"])

Scan = Annotated[str, Path(pattern="^[0-9a-f]{64}$", description="SHA-256 of the scan's file")]


@router.get("/sessions/{session}", include_in_schema=False)
async def session_page(session: str) -> Page:
    """Show one session."""
    return page("session.html")


@router.get("/api/v1/sessions/{session}", summary="What the folder of a session says")
def one_session(session: str, has: Has) -> dict[str, Any]:
    """Return session.json, ledger.json and the lines of results.jsonl."""
    return read_folder(has.settings.data_dir, check_session_id(session))


@router.get(
    "/api/v1/sessions/{session}/scans/{scan}/attention.png",
    summary="Where the session's model of scans looked",
    response_class=FileResponse,
)
def attention(session: str, scan: Scan, has: Has) -> FileResponse:
    """Return the picture of a scan's slices, that with the strongest attention first."""
    path = attention_of(has.settings.data_dir, check_session_id(session), scan)
    return FileResponse(path, media_type="image/png", headers=FRESH)
