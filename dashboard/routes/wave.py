"""The wave of a bed: binary frames as the bridge made them, newest wins; the relay does not decode them."""

from __future__ import annotations

from fastapi import APIRouter, WebSocket

from dashboard.parts import parts_of
from dashboard.routes.beds import BedName
from dashboard.sockets import relay

router = APIRouter()


@router.websocket("/api/v1/beds/{bed}/wave")
async def wave(socket: WebSocket, bed: BedName) -> None:
    """Send a text that names the session, then its frames; another session is another text."""
    hub = parts_of(socket).hub
    await socket.accept()
    await hub.ready()
    viewer = hub.watch_wave(bed)
    try:
        await relay(socket, viewer)
    finally:
        hub.leave_wave(bed, viewer)
