"""A WebSocket on which a page only listens: what it is sent, and how one that talks is shown out.

Pages send nothing. A message, be it empty, is against the rules and closes the socket (1008); one of over a kilobyte
never gets here (1009, by the server); so nothing that a page sends piles up.
"""

from __future__ import annotations

import asyncio

from fastapi import WebSocket
from starlette.websockets import WebSocketDisconnect

from dashboard.viewers import WaveViewer

#: The server goes away; the page comes back.
GOING_AWAY = 1001
#: The page sent something.
AGAINST_THE_RULES = 1008
#: What it is told then.
REASON = "pages only listen here"


async def relay(socket: WebSocket, viewer: WaveViewer) -> None:
    """Send a viewer all it gets until the page leaves, talks, or the viewer is let go.

    A page that stalls in the middle of a message holds up nobody: its sender is given up with it.
    """
    sender, listener = asyncio.create_task(_send(socket, viewer)), asyncio.create_task(_talked(socket))
    try:
        await asyncio.wait({sender, listener}, return_when=asyncio.FIRST_COMPLETED)
        if listener.done() and listener.result():
            await _close(socket, AGAINST_THE_RULES, REASON)
        elif sender.done():
            sender.result()
    finally:
        sender.cancel()
        listener.cancel()
        await asyncio.wait({sender, listener})


async def _send(socket: WebSocket, viewer: WaveViewer) -> None:
    try:
        while (message := await viewer.next()) is not None:
            await (socket.send_text(message) if isinstance(message, str) else socket.send_bytes(message))
    except (WebSocketDisconnect, RuntimeError):
        return  # the page left in the middle of a message
    await _close(socket, GOING_AWAY)


async def _talked(socket: WebSocket) -> bool:
    """Wait until the page leaves or sends something; return whether it did."""
    message = await socket.receive()
    return bool(message["type"] != "websocket.disconnect")


async def _close(socket: WebSocket, code: int, reason: str = "") -> None:
    try:
        await socket.close(code, reason)
    except RuntimeError:
        return  # it is closed already
