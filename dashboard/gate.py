"""Who may ask, and the headers of every answer.

The pages have no access control yet, so they serve this machine alone: the address is loopback, the name that a browser
asked for must be too (a foreign name that leads here would let any web site read the pages), and a WebSocket, or a
request that changes something, must come from one of these pages, because browsers let every site send one.
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
#: Methods that change nothing: a foreign site may send them, and cannot read the answer.
READING = ("GET", "HEAD", "OPTIONS")
#: Headers of every answer.
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
#: Headers of a script or style: there are many, and the others are for documents.
PART_HEADERS = {name: HEADERS[name] for name in ("X-Content-Type-Options", "Cross-Origin-Resource-Policy")}
#: What begins its type.
PARTS = ("text/javascript", "text/css")
#: What is refused, why, and the way out.
STRANGE_NAME = (
    HTTPStatus.MISDIRECTED_REQUEST,
    "These pages answer to this machine's own names alone.",
    "Ask for 127.0.0.1 or localhost.",
)
FOREIGN_PAGE = (
    HTTPStatus.FORBIDDEN,
    "Only one of these pages may change anything here.",
    "Open the page itself and press there.",
)


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
        elif not is_loopback(_asked(scope)[0]):
            await self._refuse(scope, receive, send, *STRANGE_NAME)
        elif not _from_own_page(scope):
            await self._refuse(scope, receive, send, *FOREIGN_PAGE)
        else:
            await self._app(scope, receive, _with_headers(send))

    async def _refuse(
        self, scope: Scope, receive: Receive, send: Send, status: HTTPStatus, words: str, remedy: str
    ) -> None:
        if scope["type"] == "websocket":
            await receive()
            await send({"type": "websocket.close", "code": 1008, "reason": "not from a page of this dashboard"})
            return
        await problem(status, words, remedy=remedy)(scope, receive, send)


def _asked(scope: Scope) -> tuple[str, str]:
    """Return name, and name with port, that a request asked for."""
    return _named(f"//{Headers(scope=scope).get('host', '')}")


def _named(url: str) -> tuple[str, str]:
    """Return name, and name with port, of an address; of one that is none, two empty texts."""
    try:
        parts = urlsplit(url)
    except ValueError:  # a bracket that nothing closes
        return "", ""
    return parts.hostname or "", parts.netloc


def _from_own_page(scope: Scope) -> bool:
    """Tell whether a request is harmless, or sent by one of these pages, or by no page at all."""
    origin = Headers(scope=scope).get("origin")
    reads = scope["type"] == "http" and scope["method"] in READING
    return reads or origin is None or _named(origin)[1] == _asked(scope)[1]


def _with_headers(send: Send) -> Send:
    async def send_with_headers(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            is_part = headers.get("content-type", "").startswith(PARTS)
            for name, value in (PART_HEADERS if is_part else HEADERS).items():
                headers.setdefault(name, value)
        await send(message)

    return send_with_headers
