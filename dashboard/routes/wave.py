"""The wave of a bed: binary frames as the bridge made them, newest wins; the relay does not decode them."""

from __future__ import annotations

import asyncio

from fastapi import APIRouter, WebSocket
from starlette.websockets import WebSocketDisconnect

from dashboard.parts import parts_of
from dashboard.routes.beds import BedName
from dashboard.viewers import WaveViewer

#: The server goes away; the page comes back.
GOING_AWAY = 1001

router = APIRouter()


@router.websocket("/api/v1/beds/{bed}/wave")
async def wave(socket: WebSocket, bed: BedName) -> None:
    """Send a text that names the session, then its frames; another session is another text."""
    hub = parts_of(socket).hub
    await socket.accept()
    await hub.ready()
    viewer = hub.watch_wave(bed)
    sender = asyncio.create_task(_send(socket, viewer))
    try:
        await _until_left(socket)
    finally:
        viewer.close()
        hub.leave_wave(bed, viewer)
        await sender


async def _send(socket: WebSocket, viewer: WaveViewer) -> None:
    try:
        while (frame := await viewer.next()) is not None:
            await (socket.send_text(frame) if isinstance(frame, str) else socket.send_bytes(frame))
        await socket.close(GOING_AWAY)
    except (WebSocketDisconnect, RuntimeError):
        return  # the page left in the middle of a frame


async def _until_left(socket: WebSocket) -> None:
    """Wait until the page goes; what it sends means nothing."""
    while (await socket.receive())["type"] != "websocket.disconnect":
        pass
