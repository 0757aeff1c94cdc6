"""The life of the process: take the port, serve until told to stop, let go of every stream, end.

Signals belong to the caller, which sets ``stop``: the server installs none.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import socket
from collections.abc import Callable, Iterator
from typing import Protocol

import uvicorn
from fastapi import FastAPI

from dashboard.app import create_app
from dashboard.errors import PortTaken
from dashboard.gate import check_host
from dashboard.settings import DashboardSettings

#: Seconds that open requests get to end.
GRACE_S = 3
#: Largest message that a page may send: pages send none.
MAX_MESSAGE_BYTES = 1024
#: Seconds after which the kernel ends a connection whose peer takes nothing any more: a page that stalled comes back,
#: and what it would hold here for ever is given back. Pings find out waves sooner; nothing else finds out events.
STALLED_S = 30.0
#: Seconds between pings of a wave, and for the answer: a page that vanished is found out within both.
PING_S = 5.0


class Stop(Protocol):
    """What tells the server to stop: a ``threading.Event`` or an ``asyncio.Event``."""

    def is_set(self) -> bool:
        """Whether to stop."""
        ...


def serve(settings: DashboardSettings, stop: Stop, on_ready: Callable[[str], object] = lambda url: None) -> None:
    """Serve the pages until told to stop.

    Parameters
    ----------
    settings : DashboardSettings
        What the dashboard is told.
    stop : Stop
        Set to stop; it is looked at ten times a second.
    on_ready : callable
        Called once with the URL of the first page, when it can be opened.

    Raises
    ------
    NotLoopback
        If other machines would reach the address.
    PortTaken
        If another process listens there.
    """
    listening = listen(check_host(settings.host), settings.port)
    app = create_app(settings)
    server = Server(app, stop, lambda: on_ready(url_of(listening)), app.state.parts.hub.release_viewers)
    with listening:
        asyncio.run(server.serve(sockets=[listening]))


def listen(host: str, port: int) -> socket.socket:
    """Take the port.

    Raises
    ------
    PortTaken
        If another process has it.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    taken = socket.socket(family, socket.SOCK_STREAM)
    taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if hasattr(socket, "TCP_USER_TIMEOUT"):  # Linux; those that are accepted inherit it
        taken.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, round(1000 * STALLED_S))
    try:
        taken.bind((host, port))
        taken.listen()
    except OSError as error:
        taken.close()
        if error.errno not in (errno.EADDRINUSE, errno.EACCES):
            raise
        raise PortTaken(
            f"Port {port} of {host} cannot be taken: {error.strerror}.",
            subject="dashboard.port",
            remedy="Stop the other process, or choose another port with --port.",
        ) from error
    return taken


def url_of(listening: socket.socket) -> str:
    """Return the address of the first page."""
    host, port = listening.getsockname()[:2]
    return f"http://[{host}]:{port}/" if ":" in host else f"http://{host}:{port}/"


class Server(uvicorn.Server):
    """Uvicorn that looks at ``stop``, and lets go of the streams before it waits for them.

    Parameters
    ----------
    app : FastAPI
        The application.
    stop : Stop
        Set to stop.
    on_ready : callable
        Called once, when requests are answered.
    release : callable
        Lets go of every stream of the application.
    """

    def __init__(self, app: FastAPI, stop: Stop, on_ready: Callable[[], object], release: Callable[[], object]) -> None:
        super().__init__(
            uvicorn.Config(
                app,
                log_config=None,
                access_log=False,
                server_header=False,
                proxy_headers=False,
                timeout_graceful_shutdown=GRACE_S,
                ws_max_size=MAX_MESSAGE_BYTES,
                ws_per_message_deflate=False,
                ws_ping_interval=PING_S,
                ws_ping_timeout=PING_S,
            )
        )
        self._release = release
        self._stop = stop
        self._on_ready = on_ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to listen."""
        await super().startup(sockets)
        self._on_ready()

    async def on_tick(self, counter: int) -> bool:
        """Look at ``stop``, ten times a second."""
        if self._stop.is_set():
            self._release()
            self.should_exit = True
        return await super().on_tick(counter)

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave the signals to the caller."""
        yield
