"""Refusals: what is wrong, what was expected, what to do; problem+json for machines, a page for people (law 10)."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from starlette.exceptions import HTTPException

from acquisition.errors import BadInput, FlexionError
from dashboard.errors import CommandRefused, NoTraces, UnknownBed, UnknownScan, UnknownSession
from dashboard.files import page

#: Media type of a refusal (RFC 9457).
MEDIA_TYPE = "application/problem+json"
#: The status of a refusal: the first class that fits.
STATUS: tuple[tuple[type[FlexionError], HTTPStatus], ...] = (
    (UnknownBed, HTTPStatus.NOT_FOUND),
    (UnknownScan, HTTPStatus.NOT_FOUND),
    (UnknownSession, HTTPStatus.NOT_FOUND),
    (NoTraces, HTTPStatus.CONFLICT),
    (CommandRefused, HTTPStatus.CONFLICT),
    (BadInput, HTTPStatus.UNPROCESSABLE_ENTITY),
    (FlexionError, HTTPStatus.SERVICE_UNAVAILABLE),
)


def problem(status: HTTPStatus, detail: str, **more: Any) -> JSONResponse:
    """Return a refusal for machines."""
    body = {"type": "about:blank", "title": status.phrase, "status": int(status), "detail": detail, **more}
    return JSONResponse(body, status_code=status, media_type=MEDIA_TYPE)


def install(app: FastAPI) -> None:
    """Make every refusal of the application one of these."""
    app.add_exception_handler(FlexionError, _refused)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(Exception, _failed)


async def _refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, FlexionError)
    status = next(status for kind, status in STATUS if isinstance(error, kind))
    return problem(status, error.message, kind=error.kind, subject=error.subject, remedy=error.remedy)


async def _http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    if error.status_code == HTTPStatus.NOT_FOUND and "text/html" in request.headers.get("accept", ""):
        return page("missing.html", HTTPStatus.NOT_FOUND)
    refusal = problem(HTTPStatus(error.status_code), str(error.detail))
    refusal.headers.update(error.headers or {})
    return refusal


async def _invalid(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    return problem(HTTPStatus.UNPROCESSABLE_ENTITY, "; ".join(str(e["msg"]) for e in error.errors()))


async def _failed(request: Request, error: Exception) -> Response:
    """A fault of ours: the server logs it, and the page is told no more than that."""
    return problem(
        HTTPStatus.INTERNAL_SERVER_ERROR,
        "The dashboard failed at this.",
        kind="fault",
        remedy="Its log says more; try again, and tell whoever keeps it.",
    )
