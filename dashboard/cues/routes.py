"""The page of the cues, what is shown as server-sent events, and what the operator can ask for."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Annotated, Any, Literal, cast

from fastapi import APIRouter, Depends
from fastapi.responses import StreamingResponse
from starlette.requests import HTTPConnection

from acquisition.cue_desk import CueDesk
from acquisition.cues import COMMANDS
from dashboard.cues.bell import Bell, rung
from dashboard.files import Page, page
from dashboard.routes.events import HEADERS, RETRY_MS

#: Seconds after which what is shown is told again: a page that hears nothing for three of them says so.
TELL_AGAIN_S = 1.0

router = APIRouter(tags=["cues"])

Command = Literal["start", "pause", "go-on", "stop"]


@dataclass(frozen=True)
class Parts:
    """What the routes may use.

    Parameters
    ----------
    desk : CueDesk
        Runs the cues.
    language : {"en", "zh"}
        Of the page.
    heard : callable
        Tells whether anybody receives the markers.
    bell : Bell
        Rung when something else is shown.
    """

    desk: CueDesk
    language: str
    heard: Callable[[], bool]
    bell: Bell

    def message(self) -> dict[str, Any]:
        """Return what is shown now, and whether anybody records it."""
        return {**self.desk.shown().to_json(), "heard": self.heard()}


def parts_of(connection: HTTPConnection) -> Parts:
    """Return the parts of the application that a request came to."""
    return cast(Parts, connection.app.state.parts)


#: What a route asks for to get the parts.
Has = Annotated[Parts, Depends(parts_of)]


@router.get("/", include_in_schema=False)
async def cues_page(has: Has) -> Page:
    """Return the page, in the language of its operator's choice."""
    return page("cues.html", language=has.language)


@router.get("/healthz", summary="The process lives")
async def healthz() -> dict[str, str]:
    """Return at once."""
    return {"status": "ok"}


@router.get("/api/v1/cues", summary="What is shown now")
async def cues(has: Has) -> dict[str, Any]:
    """Return the same as a message of the events."""
    return has.message()


@router.get("/api/v1/cues/events", summary="What is shown, whenever it changes and every second")
async def events(has: Has) -> StreamingResponse:
    """Return server-sent events; each says how much time is left, so that the page counts down by itself."""
    return StreamingResponse(_stream(has), media_type="text/event-stream", headers=HEADERS)


@router.post("/api/v1/cues/{command}", summary="Start, pause after this trial, go on, or end")
def command(command: Command, has: Has) -> dict[str, Any]:
    """Do it at once; what means nothing now changes nothing."""
    has.desk.command(COMMANDS[command])
    return has.message()


async def _stream(has: Parts) -> AsyncIterator[str]:
    with has.bell.ear() as ear:
        yield f"retry: {RETRY_MS}\n\n"
        while not has.bell.closed:
            yield f"data: {json.dumps(has.message())}\n\n"
            await rung(ear, TELL_AGAIN_S)
