"""The application: what it is made of, and its life. Settings are handed in."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI

from dashboard import problems
from dashboard.archive import Archive
from dashboard.files import scripts
from dashboard.gate import Gate
from dashboard.hub import Hub
from dashboard.metrics import Metrics
from dashboard.openapi import document
from dashboard.parts import Parts
from dashboard.patients import Patients
from dashboard.routes import beds, commands, events, health, patients, scans, sessions, ward, wave
from dashboard.settings import DashboardSettings


def create_app(settings: DashboardSettings) -> FastAPI:
    """Return the application; it reads Redis while it lives.

    Parameters
    ----------
    settings : DashboardSettings
        What it is told.

    Raises
    ------
    TransportDown
        If the URL is none that Redis knows; a Redis that is away is waited for.
    """
    metrics = Metrics()
    archive = Archive(settings.data_dir, settings.bundles)
    parts = Parts(settings, Hub(settings.redis_url, metrics), metrics, archive, Patients(settings.data_dir, archive))

    @asynccontextmanager
    async def life(app: FastAPI) -> AsyncIterator[None]:
        parts.hub.start()
        await asyncio.to_thread(parts.archive.tidy)
        yield
        parts.archive.close()
        await parts.hub.stop()

    app = FastAPI(title="Flexion", version="1", lifespan=life, docs_url=None, redoc_url=None)
    app.openapi = lambda: document(app)  # type: ignore[method-assign]
    app.state.parts = parts
    for module in (ward, beds, commands, events, wave, patients, sessions, scans, health):
        app.include_router(module.router)
    app.mount("/static", scripts())
    problems.install(app)
    app.add_middleware(Gate)
    return app
