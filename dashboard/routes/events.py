"""Events of a bed: server-sent, numbered, lossless; a reader that comes back hears what it lacks (law 7)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import APIRouter, Header
from fastapi.responses import StreamingResponse

from dashboard.hub import Hub
from dashboard.parts import Has
from dashboard.routes.beds import BedName

#: Milliseconds after which a browser comes back when the stream ended.
RETRY_MS = 1000
#: What a proxy in between must not do: keep, or collect.
HEADERS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}

router = APIRouter(tags=["beds"])


@router.get(
    "/api/v1/beds/{bed}/events",
    summary="All that is said of a bed, as it is said",
    response_class=StreamingResponse,
    responses={200: {"content": {"text/event-stream": {"schema": {"type": "string"}}}}},
)
async def events(bed: BedName, has: Has, last_event_id: Annotated[str | None, Header()] = None) -> StreamingResponse:
    """Return server-sent events: a snapshot or what a reader lacks, then everything, and once a second the ages."""
    await has.hub.ready()
    return StreamingResponse(_stream(has.hub, bed, last_event_id), media_type="text/event-stream", headers=HEADERS)


async def _stream(hub: Hub, bed: str, last_event_id: str | None) -> AsyncIterator[bytes]:
    viewer = hub.watch_events(bed, last_event_id)
    try:
        yield f"retry: {RETRY_MS}\n\n".encode()
        while (messages := await viewer.next()) is not None:
            yield messages
    finally:
        hub.leave_events(bed, viewer)
