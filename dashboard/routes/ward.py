"""The first page, all beds over one socket, and the page of the interface."""

from __future__ import annotations

from fastapi import APIRouter, WebSocket

from dashboard.files import Page, page
from dashboard.parts import parts_of
from dashboard.sockets import relay

router = APIRouter(include_in_schema=False)


@router.get("/")
async def ward() -> Page:
    """Show a card for every bed."""
    return page("ward.html")


@router.get("/docs")
async def docs() -> Page:
    """List the routes, from this server alone."""
    return page("docs.html")


@router.websocket("/api/v1/ward")
async def all_beds(socket: WebSocket) -> None:
    """Send the cards of all beds once a second, and four traces of each ten times a second."""
    hub = parts_of(socket).hub
    await socket.accept()
    await hub.ready()
    viewer = hub.watch_ward()
    try:
        await relay(socket, viewer)
    finally:
        hub.leave_ward(viewer)
