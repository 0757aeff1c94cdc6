"""Health: does the process live, can it do its work, what did it count."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Response

from dashboard.metrics import MEDIA_TYPE
from dashboard.parts import Has

router = APIRouter(tags=["health"])


@router.get("/healthz", summary="The process lives")
async def healthz() -> dict[str, str]:
    """Return at once."""
    return {"status": "ok"}


@router.get("/api/v1/clock", summary="The clock by which ages are told")
async def clock(has: Has) -> dict[str, Any]:
    """Return it at once: who asks learns how long what is said here is on its way."""
    return has.hub.clock()


@router.get("/readyz", summary="It reads Redis and can show beds")
async def readyz(has: Has, response: Response) -> dict[str, Any]:
    """Return 503 while Redis does not answer or a reader has failed."""
    checks = {"redis": has.hub.redis_answers, "readers": has.hub.alive}
    ready = all(checks.values())
    response.status_code = 200 if ready else 503
    return {"status": "ready" if ready else "not ready", "checks": checks}


@router.get("/metrics", summary="Series for Prometheus", include_in_schema=False)
async def metrics(has: Has) -> Response:
    """Return what was counted."""
    return Response(has.metrics.text(has.hub.now_s()), media_type=MEDIA_TYPE)
