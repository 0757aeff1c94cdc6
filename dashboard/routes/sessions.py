"""Sessions: what a session's folder says; only ``flexion replay`` scores one anew (law 2)."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter
from fastapi.responses import FileResponse

from acquisition.identity import check_session_id
from dashboard.files import page
from dashboard.folder import read_folder
from dashboard.parts import Has

router = APIRouter(tags=["sessions"])


@router.get("/sessions/{session}", include_in_schema=False)
async def session_page(session: str) -> FileResponse:
    """Show one session."""
    return page("session.html")


@router.get("/api/v1/sessions/{session}", summary="What the folder of a session says")
def one_session(session: str, has: Has) -> dict[str, Any]:
    """Return session.json, ledger.json and the lines of results.jsonl."""
    return read_folder(has.settings.data_dir, check_session_id(session))
