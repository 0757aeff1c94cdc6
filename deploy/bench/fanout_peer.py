"""The peer of ``flexion bench fanout``: a relay as it is commonly written, a JSON object for each frame.

``python -m deploy.bench.fanout_peer REDIS PORT``. In its favour: one pattern subscription for all beds, each frame is
made into JSON once for all viewers, and nobody's queue is bounded or looked at.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import redis.asyncio
import uvicorn
from fastapi import FastAPI, WebSocket
from starlette.websockets import WebSocketDisconnect

from streaming import keys
from streaming.sessions import Registry
from streaming.waves import WaveFrame

#: Decimal places of a microvolt: what the int16 of the binary frame holds.
PLACES = 1


def create_peer(url: str) -> FastAPI:
    """Return the relay."""
    viewers: dict[str, set[WebSocket]] = defaultdict(set)

    async def relay() -> None:
        async with redis.asyncio.Redis.from_url(url) as client, client.pubsub() as listening:
            await listening.psubscribe(keys.wave("*").replace("{", "[{]").replace("}", "[}]"))
            async for message in listening.listen():
                if message["type"] == "pmessage":
                    await tell(message["channel"].decode(), message["data"])

    async def tell(channel: str, data: bytes) -> None:
        frame = WaveFrame.decode(data)
        text = json.dumps(
            {
                "first_sample": frame.first_sample,
                "segment": frame.segment,
                "sent": frame.stamp_s,
                "x_uv": [[round(value, PLACES) for value in row] for row in frame.x_uv.tolist()],
            }
        )
        for viewer in [*viewers[channel]]:
            try:
                await viewer.send_text(text)
            except (WebSocketDisconnect, RuntimeError):  # it left
                viewers[channel].discard(viewer)

    @asynccontextmanager
    async def life(_: FastAPI) -> AsyncIterator[None]:
        task = asyncio.create_task(relay())
        yield
        task.cancel()

    app = FastAPI(lifespan=life)

    @app.get("/healthz")
    async def healthz() -> dict[str, str]:
        return {"status": "ok"}

    @app.websocket("/api/v1/beds/{bed}/wave")
    async def wave(socket: WebSocket, bed: str) -> None:
        await socket.accept()
        with redis.Redis.from_url(url) as client:
            entry = Registry(client).on_bed(bed)
        if entry is not None:
            viewers[keys.wave(entry.session)].add(socket)
        while (await socket.receive())["type"] != "websocket.disconnect":
            pass

    return app


if __name__ == "__main__":
    uvicorn.run(create_peer(sys.argv[1]), port=int(sys.argv[2]), log_level="warning", ws_per_message_deflate=False)
