"""The viewers of ``flexion bench fanout``: many pages at once, as far as a server can tell."""

from __future__ import annotations

import asyncio
import json
import socket
import struct
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field

from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from streaming.framing import FRAME_SAMPLES

#: Where a binary frame has its first sample, and where the moment at which it was sent.
_FIRST, _SENT = struct.Struct("<q"), struct.Struct("<d")
_FIRST_AT, _SENT_AT = 12, 28
#: Bytes that a stalled viewer takes before it takes no more; the kernel doubles it.
SMALL = 4096
#: Seconds after which a stalled viewer is replaced by another: the server has let it go by then.
STALLED_S = 8.0
#: What a request says that asks for a wave, and for events.
UPGRADE = (
    "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
    "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA=="
)
LISTEN = "Accept: text/event-stream"
#: Bytes that one read of an event stream takes at most.
CHUNK = 1 << 16


@dataclass(frozen=True)
class Crowd:
    """How many watch what.

    Attributes
    ----------
    waves, events : int
        Viewers of each bed's wave, and of its events.
    stalled : int
        Viewers in all that ask and never read, half of them for waves.
    """

    waves: int
    events: int = 0
    stalled: int = 0


@dataclass
class Heard:
    """What the viewers of one round heard.

    Attributes
    ----------
    delays_s : list of float
        From the moment at which a frame was sent to Redis to its receipt.
    frames, lost, size : int
        Received; missing between two that were; bytes of those received.
    events : int
        Bytes of events.
    ended : int
        Sockets that the server ended.
    """

    delays_s: list[float] = field(default_factory=list)
    frames: int = 0
    lost: int = 0
    size: int = 0
    events: int = 0
    ended: int = 0


async def watch(url: str, beds: list[str], crowd: Crowd, warm_s: float, seconds: float) -> Heard:
    """Watch all beds for a while, beside viewers that stall, and return what was heard after the warm-up.

    Parameters
    ----------
    url : str
        ``http://HOST:PORT`` of a server.
    beds : list of str
        Whose waves and events are watched.
    crowd : Crowd
        How many watch what.
    warm_s, seconds : float
        Before it counts, and while.
    """
    heard = Heard()
    from_s = time.monotonic() + warm_s
    lives = [_wave(url, bed, heard, from_s) for bed in beds for _ in range(crowd.waves)]
    lives += [_events(url, bed, heard, from_s) for bed in beds for _ in range(crowd.events)]
    lives += [_stall(url, beds[n % len(beds)], n) for n in range(crowd.stalled)]
    tasks = [asyncio.create_task(life) for life in lives]
    await asyncio.sleep(warm_s + seconds)
    for task in tasks:
        task.cancel()
    for result in await asyncio.gather(*tasks, return_exceptions=True):
        if isinstance(result, Exception):
            raise result
    return heard


async def _wave(url: str, bed: str, heard: Heard, from_s: float) -> None:
    expected = None
    address = f"{url.replace('http', 'ws', 1)}/api/v1/beds/{bed}/wave"
    with suppress(ConnectionClosed):
        async with connect(address, compression=None, max_queue=None) as page:
            async for message in page:
                now_s = time.monotonic()
                placed = place(message)
                if placed is None or now_s < from_s:
                    continue
                first, sent_s = placed
                heard.delays_s.append(now_s - sent_s)
                heard.frames += 1
                heard.size += len(message)
                heard.lost += 0 if expected is None else (first - expected) // FRAME_SAMPLES
                expected = first + FRAME_SAMPLES
    heard.ended += 1


def place(message: str | bytes) -> tuple[int, float] | None:
    """Return the first sample of a frame and when it was sent, from our binary one or the peer's text; else None."""
    if isinstance(message, bytes):
        return _FIRST.unpack_from(message, _FIRST_AT)[0], _SENT.unpack_from(message, _SENT_AT)[0]
    said = json.loads(message)
    return (int(said["first_sample"]), float(said["sent"])) if "sent" in said else None


async def _events(url: str, bed: str, heard: Heard, from_s: float) -> None:
    async with _asked(url, f"/api/v1/beds/{bed}/events", LISTEN) as reader:
        while piece := await reader.read(CHUNK):
            if time.monotonic() >= from_s:
                heard.events += len(piece)


async def _stall(url: str, bed: str, number: int) -> None:
    """Ask for a wave or for events, over and over, and never read."""
    path, headers = ("wave", UPGRADE) if number % 2 else ("events", LISTEN)
    while True:
        async with AsyncExitStack() as stack:
            reader = await stack.enter_async_context(_asked(url, f"/api/v1/beds/{bed}/{path}", headers, SMALL))
            reader._transport.pause_reading()  # type: ignore[attr-defined]
            await asyncio.sleep(STALLED_S)


@asynccontextmanager
async def _asked(url: str, path: str, headers: str, buffer: int | None = None) -> AsyncIterator[asyncio.StreamReader]:
    """Send a request on a connection of its own, with a receive buffer of this size."""
    host, port = url.removeprefix("http://").split(":")
    plug = socket.socket()
    if buffer is not None:
        plug.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
    plug.setblocking(False)
    await asyncio.get_running_loop().sock_connect(plug, (host, int(port)))
    reader, writer = await asyncio.open_connection(sock=plug, limit=CHUNK)
    try:
        writer.write(f"GET {path} HTTP/1.1\r\nHost: {host}:{port}\r\n{headers}\r\n\r\n".encode())
        yield reader
    finally:
        writer.transport.abort()
