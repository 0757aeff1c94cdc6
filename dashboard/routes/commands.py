"""What a page may ask for: streams, the start of a session, its end, marks, notes, cues.

A request must come from one of these pages (`gate`), must be JSON, and small: a form of a foreign site is none of that.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from http import HTTPStatus
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Request, Response
from fastapi.routing import APIRoute
from pydantic import BaseModel, ConfigDict, Field

from dashboard.commands import ask
from dashboard.parts import Has
from dashboard.problems import problem
from dashboard.routes.beds import BedName
from dashboard.routes.sessions import Session
from streaming.errors import NoAnswer

#: Largest body in bytes: the longest note in any script, as JSON escapes it, and room around it.
MAX_BODY_BYTES = 64 * 1024
#: What keeps a name on one line.
ONE_LINE = r"^[^\x00-\x1f\x7f]*$"


class JsonRoute(APIRoute):
    """A route that reads a body only when it is JSON and says that it is small."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Return the handler of one request."""
        handle = super().get_route_handler()

        async def checked(request: Request) -> Response:
            return _refusal(request) or await handle(request)

        return checked


def _refusal(request: Request) -> Response | None:
    media, _, _ = request.headers.get("content-type", "").partition(";")
    if media.strip().lower() != "application/json":
        words = f"A command is JSON, this is {media or 'nothing that says what it is'}."
        return problem(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, words, remedy="Send application/json.")
    length = request.headers.get("content-length", "")
    if not length.isdecimal() or "transfer-encoding" in request.headers:  # chunks may say one length and bring another
        return problem(HTTPStatus.LENGTH_REQUIRED, "A command says how long it is.", remedy="Send Content-Length.")
    if int(length) > MAX_BODY_BYTES:
        words = f"A command has at most {MAX_BODY_BYTES:,} bytes, this one {int(length):,}."
        return problem(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, words, remedy="Shorten what was written.")
    return None


router = APIRouter(tags=["commands"], route_class=JsonRoute)

Line = Annotated[str, Field(max_length=200, pattern=ONE_LINE)]


class Asked(BaseModel):
    """Who asks."""

    model_config = ConfigDict(extra="forbid")

    author: Annotated[str, Field(max_length=64, pattern=ONE_LINE)] = ""


class Beginning(Asked):
    """A session to begin, and the stream or the two streams of the network that it takes its signal from."""

    patient: Line
    source_id: Line | None = None
    name: Line | None = None
    hostname: Line | None = None
    partner_source_id: Line | None = None
    partner_name: Line | None = None
    partner_hostname: Line | None = None
    minutes: Annotated[float, Field(gt=0, le=24 * 60)] | None = None
    montage: Annotated[str, Field(pattern="^[A-Za-z0-9_-]{1,64}$", description="A built-in montage")] | None = None
    mains_hz: Literal[50, 60] | None = None


class Ending(Asked):
    """A session to end; of the wrong patient, to be marked so."""

    entered_in_error: bool = False


class Written(Asked):
    """A mark or a note."""

    text: str


class Cueing(Asked):
    """What the cues are to do."""

    action: Literal["open", "show", "start", "pause", "go-on", "stop"]
    language: Literal["en", "zh"] = "en"


class Begun(BaseModel):
    """The session that was begun."""

    session: str


class Done(BaseModel):
    """At which sample of the session's grid it was done; null for one that had ended."""

    sample: int | None = None


@router.post("/api/v1/streams", summary="The streams that answer on the network now, and who has them")
def streams(asked: Asked, has: Has) -> dict[str, Any]:
    """Return streams, pairs, what open sessions have of them, and what a session begins with by default."""
    return ask(has.settings.redis_url, "streams", {}, asked.author)


@router.post("/api/v1/beds/{bed}/start", summary="Begin a session")
def start(bed: BedName, beginning: Beginning, has: Has) -> Begun:
    """Return when it has its folder; its bridge begins then."""
    args = {"bed": bed, **beginning.model_dump(exclude={"author"})}
    return Begun(**ask(has.settings.redis_url, "start", args, beginning.author))


@router.post("/api/v1/beds/{bed}/cue", summary="Open or run the cues of a bed")
def cue(bed: BedName, cueing: Cueing, has: Has) -> dict[str, Any]:
    """Return how they stand, and where the patient's page is; ``none`` where none is there to ``show``."""
    args = {"bed": bed, **cueing.model_dump(exclude={"author"})}
    try:
        return ask(has.settings.redis_url, "cue", args, cueing.author)
    except NoAnswer:
        if cueing.action != "show":
            raise
        return {"state": "none"}  # no fault: a page that looks every other second is answered


@router.post("/api/v1/sessions/{session}/stop", summary="End a session; or mark it as the wrong patient's")
def stop(session: Session, ending: Ending, has: Has) -> Done:
    """Return when its bridge has heard; the last windows get their scores after that."""
    args = {"session": session, "entered_in_error": ending.entered_in_error or None}
    return Done(**ask(has.settings.redis_url, "stop", args, ending.author))


@router.post("/api/v1/sessions/{session}/mark", summary="Mark this moment")
def mark(session: Session, written: Written, has: Has) -> Done:
    """Return the sample that it stands at."""
    return Done(**ask(has.settings.redis_url, "mark", {"session": session, "text": written.text}, written.author))


@router.post("/api/v1/sessions/{session}/note", summary="Write a note")
def note(session: Session, written: Written, has: Has) -> Done:
    """Return the sample that it was written at."""
    return Done(**ask(has.settings.redis_url, "note", {"session": session, "text": written.text}, written.author))
