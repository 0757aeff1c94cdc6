"""Who may ask, and the headers of every answer.

The pages have no access control yet, so they serve this machine alone: the address is loopback, the name that a browser
asked for must be too (a foreign name that leads here would let any web site read the pages), and a WebSocket must come
from one of these pages, because browsers let every site open one.
"""

from __future__ import annotations

import ipaddress
from http import HTTPStatus
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from dashboard.errors import NotLoopback
from dashboard.problems import problem

#: Everything comes from here; no page may stand in a frame of another.
POLICY = "default-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'; object-src 'none'"
#: Headers of every answer.
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}


def is_loopback(host: str) -> bool:
    """Tell whether a name or address is this machine's own.

    Examples
    --------
    >>> [is_loopback(host) for host in ("127.0.0.1", "localhost", "::1", "[::1]", "0.0.0.0", "ward-1")]
    [True, True, True, True, False, False]
    """
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:  # a name, not an address
        return False


def check_host(host: str) -> str:
    """Return the host if only this machine reaches it.

    Raises
    ------
    NotLoopback
        If other machines would.
    """
    if is_loopback(host):
        return host
    raise NotLoopback(
        f"The pages would be served on {host!r}, which other machines reach; expected a loopback address.",
        subject="dashboard.host",
        remedy="Use 127.0.0.1; from another machine, come through ssh -L.",
    )


class Gate:
    """Refuse strangers; add the headers.

    Parameters
    ----------
    app : ASGIApp
        What is behind it.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request, or one WebSocket."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
        elif not self._admits(scope):
            await self._refuse(scope, receive, send)
        else:
            await self._app(scope, receive, _with_headers(send))

    def _admits(self, scope: Scope) -> bool:
        headers = Headers(scope=scope)
        asked = urlsplit(f"//{headers.get('host', '')}")
        origin = headers.get("origin")
        if not is_loopback(asked.hostname or ""):
            return False
        return scope["type"] != "websocket" or origin is None or urlsplit(origin).netloc == asked.netloc

    async def _refuse(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            await receive()
            await send({"type": "websocket.close", "code": 1008, "reason": "not from a page of this dashboard"})
            return
        answer = problem(
            HTTPStatus.MISDIRECTED_REQUEST,
            "These pages answer to this machine's own names alone.",
            remedy="Ask for 127.0.0.1 or localhost.",
        )
        await answer(scope, receive, send)


def _with_headers(send: Send) -> Send:
    async def send_with_headers(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in HEADERS.items():
                headers.setdefault(name, value)
        await send(message)

    return send_with_headers
