"""The application of the cues, and its life on a port that was taken before."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from fastapi import FastAPI

from acquisition.cue_desk import CueDesk
from dashboard import problems
from dashboard.cues import routes
from dashboard.cues.bell import Bell
from dashboard.cues.routes import Parts
from dashboard.files import scripts
from dashboard.gate import Gate
from dashboard.server import Server, Stop, url_of


def create_app(desk: CueDesk, language: str = "en", heard: Callable[[], bool] = lambda: True) -> FastAPI:
    """Return the application.

    Parameters
    ----------
    desk : CueDesk
        Runs the cues; other threads may turn it.
    language : {"en", "zh"}
        Of the page.
    heard : callable
        Tells whether anybody receives the markers.
    """
    parts = Parts(desk, language, heard, Bell())

    @asynccontextmanager
    async def life(app: FastAPI) -> AsyncIterator[None]:
        loop = asyncio.get_running_loop()
        with desk.listening(lambda: loop.call_soon_threadsafe(parts.bell.ring)):
            yield

    app = FastAPI(title="Flexion cues", lifespan=life, docs_url=None, redoc_url=None)
    app.state.parts = parts
    app.include_router(routes.router)
    app.mount("/static", scripts())
    problems.install(app)
    app.add_middleware(Gate)
    return app


def serve(app: FastAPI, listening: socket.socket, stop: Stop, on_ready: Callable[[str], object]) -> None:
    """Serve the page until told to stop.

    Parameters
    ----------
    app : FastAPI
        From ``create_app``.
    listening : socket
        From ``dashboard.server.listen``.
    stop : Stop
        Set to stop; it is looked at ten times a second.
    on_ready : callable
        Called once with the URL of the page, when it can be opened.
    """
    server = Server(app, stop, lambda: on_ready(url_of(listening)), app.state.parts.bell.close)
    asyncio.run(server.serve(sockets=[listening]))
