"""Sessions: what a folder says, and where its image model looked; only ``flexion replay`` scores one anew (law 2).

Traces and measures take seconds the first time: until they are made the answer is 202 with the share that is.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Query
from fastapi.responses import FileResponse, JSONResponse, Response

from acquisition.identity import check_session_id
from dashboard import cuts
from dashboard.archive import Told
from dashboard.errors import BadStretch
from dashboard.files import FRESH, Page, page
from dashboard.folder import attention_of
from dashboard.parts import Has
from inference.calibration import sigmoid

router = APIRouter(tags=["sessions"])

#: Windows of one page.
MAX_WINDOWS = 200
#: Farthest sample that may be asked for: thirty years of them, and no sum overflows.
MAX_SAMPLE = 1 << 40
#: Keys of a result that no page shows.
UNSEEN = ("embedding", "stages_s")


def session_id(session: str) -> str:
    """Return the session of the URL.

    Raises
    ------
    IdentityError
        If it is no id: nothing else may become part of a path.
    """
    return check_session_id(session)


Session = Annotated[str, Depends(session_id)]
Scan = Annotated[str, Path(pattern="^[0-9a-f]{64}$", description="SHA-256 of the scan's file")]
From = Annotated[int, Query(alias="from", ge=0, le=MAX_SAMPLE, description="first sample of the session's grid")]
To = Annotated[int, Query(ge=1, le=MAX_SAMPLE, description="one past the last sample")]
Columns = Annotated[int, Query(ge=0, le=cuts.MAX_COLUMNS, description="columns of an envelope; 0 for every sample")]


@router.get("/sessions/{session}", include_in_schema=False)
async def session_page(session: str) -> Page:
    """Show one session."""
    return page("session.html")


@router.get("/api/v1/sessions/{session}", summary="What the folder of a session says, and its outcome")
def one_session(session: Session, has: Has) -> JSONResponse:
    """Return session.json, ledger.json, notes, scored scans, counts, the last outcome and the hash over all windows."""
    told = has.archive.told(session)
    course = told.course
    problems = [*told.folder.problems]
    if told.n_strange:
        problems.append({"file": "results.jsonl", "kind": "not_results", "n": told.n_strange})
    about = {"outcome": told.last, "lack": course.lack, "digest": course.digest or None, "problems": problems}
    more = {"in_error": told.folder.in_error, "no_traces": has.archive.obstacle(session)}
    return JSONResponse({**told.folder.to_json(), **about, **more})


@router.get("/api/v1/sessions/{session}/course", summary="Every window of a session in a few columns")
def course(session: Session, has: Has) -> JSONResponse:
    """Return a column for each fact of the windows, and of the outcomes after them."""
    return JSONResponse(_columns(has.archive.told(session)))


@router.get("/api/v1/sessions/{session}/windows", summary="Some windows of a session, with the outcome after each")
def windows(
    session: Session,
    has: Has,
    first: Annotated[int, Query(ge=0, description="place of the first one, from 0")] = 0,
    n: Annotated[int, Query(ge=1, le=MAX_WINDOWS, description="how many at most")] = 50,
) -> JSONResponse:
    """Return results in the order of their indices."""
    told = has.archive.told(session)
    results = told.course.results
    rows = [_row(told, place) for place in range(first, min(first + n, len(results)))]
    return JSONResponse({"total": len(results), "first": first, "windows": rows})


@router.get("/api/v1/sessions/{session}/signal", summary="Segments, phases, windows and quality of a session")
def signal(session: Session, has: Has) -> JSONResponse:
    """Return what the chain says of the recording; 202 while it is at work."""
    traces = has.archive.traces(session)
    if isinstance(traces, float):
        return _at_work(traces)
    spans = [[run.segment, run.first_sample, run.stop] for run in traces.runs]
    return JSONResponse({**traces.about, "spans": spans})


@router.get(
    "/api/v1/sessions/{session}/wave", summary="A stretch of a session's traces: FXW2 frames, or an FXC1 envelope"
)
def wave(session: Session, has: Has, first: From, to: To, px: Columns = 0) -> Response:
    """Return samples as live frames had them, or the least and greatest of each column; 202 while they are made."""
    _check_stretch(first, to, px)
    traces = has.archive.traces(session)
    if isinstance(traces, float):
        return _at_work(traces)
    content = cuts.envelope(traces, first, to, px) if px else cuts.raw(traces, first, to)
    return Response(content, media_type="application/octet-stream", headers=FRESH)


@router.get("/api/v1/sessions/{session}/measures", summary="Descriptive measures of a session; not part of the score")
def measures(session: Session, has: Has) -> JSONResponse:
    """Return what ``flexion sessions report`` says; 202 while it is made."""
    made = has.archive.measures(session)
    return _at_work(made) if isinstance(made, float) else JSONResponse(made)


@router.get(
    "/api/v1/sessions/{session}/scans/{scan}/attention.png",
    summary="Where the session's model of scans looked",
    response_class=FileResponse,
)
def attention(session: Session, scan: Scan, has: Has) -> FileResponse:
    """Return the picture of a scan's slices, that with the strongest attention first."""
    path = attention_of(has.settings.data_dir, session, scan)
    return FileResponse(path, media_type="image/png", headers=FRESH)


def _at_work(share: float) -> JSONResponse:
    return JSONResponse({"share": share}, HTTPStatus.ACCEPTED, {"Retry-After": "1", **FRESH})


def _check_stretch(first: int, stop: int, n_columns: int) -> None:
    """Refuse a stretch that is empty, or more than one answer holds."""
    n = stop - first
    if n < max(1, n_columns) or (not n_columns and n > cuts.MAX_SAMPLES):
        raise BadStretch(
            f"The stretch from {first} to {stop} has {n} samples; expected {max(1, n_columns)} or more"
            + (" (one for each column)." if n_columns else f", and {cuts.MAX_SAMPLES} at most."),
            subject="to",
            remedy="Ask for less, or for an envelope with px.",
        )


def _columns(told: Told) -> dict[str, Any]:
    results, hidden = told.course.results, told.folder.in_error
    outcomes = told.outcomes
    return {
        "index": [r.index for r in results],
        "first_sample": [r.first_sample for r in results],
        "segment": [r.segment for r in results],
        "state": [r.state for r in results],
        "weight": [r.weight for r in results],
        "sqi": [r.sqi for r in results],
        "p": [None if r.logit is None or hidden else sigmoid(r.logit) for r in results],
        "outcomes": {
            "index": list(outcomes),
            "state": [outcome["state"] for outcome in outcomes.values()],
            "probability": [outcome["probability"] for outcome in outcomes.values()],
            "interval": [outcome["interval"] for outcome in outcomes.values()],
        },
    }


def _row(told: Told, place: int) -> dict[str, Any]:
    """Return one window; after it the outcome, or the last that was told before."""
    result = told.course.results[place]
    row = {key: value for key, value in result.to_json().items() if key not in UNSEEN}
    row["p"] = None if result.logit is None else sigmoid(result.logit)
    if told.folder.in_error:
        row |= {"logit": None, "p": None, "fma": None}
    at = next((r.index for r in told.course.results[place::-1] if r.index in told.outcomes), None)
    return {**row, "outcome_at": at, "outcome": None if at is None else told.outcomes[at]}
