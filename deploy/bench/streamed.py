"""Streamed: a wave, recorded once from the simulator through our own framing, and served alone to whoever draws it.

Nothing else runs in the serving process: no Redis, no signal chain, no dashboard. The recording is played over and over
with stamps and places that go on, so that it lasts as long as anybody looks.
"""

from __future__ import annotations

import asyncio
import math
import struct
import threading
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from fastapi import FastAPI, Request, Response, WebSocket, WebSocketDisconnect
from fastapi.responses import FileResponse
from numpy.typing import NDArray
from starlette.staticfiles import StaticFiles

from acquisition.chain import Chain
from acquisition.decisions import Decision
from acquisition.montage import load_montage
from acquisition.paradigm import ParadigmPlan
from acquisition.simulator import Patient, stream
from dashboard.files import STATIC
from dashboard.server import Server, listen, url_of
from deploy.bench.recorded import MAINS_HZ, MONTAGE, SEED
from streaming.framing import FRAME_SAMPLES, Framer

#: Seconds of the paradigm before the recording begins: the patient lies still at first.
STILL_S = 30.0
#: The page that draws, and its script.
PAGES = Path(__file__).parent / "pages"
#: Names the session, as the dashboard's wave does.
HELLO = '{"session": "recorded"}'
#: A page that is isolated like this reads its clock to 5 µs instead of 100.
ISOLATED = {"Cross-Origin-Opener-Policy": "same-origin", "Cross-Origin-Embedder-Policy": "require-corp"}
#: Where a frame says its place, the stamp of its last sample and when it was sent.
_PLACE, _TIMES = struct.Struct("<q"), struct.Struct("<dd")
_PLACE_AT, _TIMES_AT = 12, 20


@dataclass(frozen=True)
class Wave:
    """The frames of a recording, 20 ms each, without a gap between its end and its beginning.

    Parameters
    ----------
    frames : tuple of bytes
    rate_hz : float
    """

    frames: tuple[bytes, ...]
    rate_hz: float

    @property
    def frame_s(self) -> float:
        """Seconds of a frame."""
        return FRAME_SAMPLES / self.rate_hz

    def frame(self, n: int, stamp_s: float) -> bytes:
        """Return the n-th frame of the endless wave, taken and sent at a moment."""
        frame = bytearray(self.frames[n % len(self.frames)])
        _PLACE.pack_into(frame, _PLACE_AT, n * FRAME_SAMPLES)
        _TIMES.pack_into(frame, _TIMES_AT, stamp_s, stamp_s)
        return bytes(frame)


def record(seconds: float) -> Wave:
    """Return a simulated patient's wave: conditioned by the chain, framed as the bridge frames it."""
    montage = load_montage(MONTAGE)
    chain, framer = Chain(montage, MAINS_HZ), Framer(montage.rate_hz)
    chain.obey(Decision("segment", 1, 0, 0, {"segment": 0, "first_sample": 0, "reason": "start"}))
    still, n_frames = (round(length_s * montage.rate_hz / FRAME_SAMPLES) for length_s in (STILL_S, seconds))
    frames: list[bytes] = []
    for block in stream(Patient.draw(SEED, mains_hz=MAINS_HZ), ParadigmPlan(), montage):
        for x_uv in np.array_split(block.samples.astype(float), math.ceil(len(block.samples) / 1000)):
            frames += _framed(chain, framer, x_uv)
        if len(frames) >= still + n_frames:
            break
    return Wave(tuple(frames[still : still + n_frames]), montage.rate_hz)


def _framed(chain: Chain, framer: Framer, x_uv: NDArray[np.float64]) -> Iterator[bytes]:
    """Yield the frames that samples complete; the screen's samples come before what a calibration changes."""
    while len(x_uv):
        step = chain.push(x_uv)
        x_uv = x_uv[step.n_taken :]
        if step.calibration is not None:
            chain.obey(Decision("calibration", 1, 0, 0, step.calibration.to_json()))
        for traces in step.traces:
            yield from (frame.encode() for frame in framer.push(traces, math.nan))


def application(wave: Wave) -> FastAPI:
    """Return what serves the page, the dashboard's own scripts and the wave."""
    app = FastAPI()

    @app.get("/")
    def page() -> FileResponse:
        return FileResponse(PAGES / "drawing.html")

    @app.websocket("/wave")
    async def send(viewer: WebSocket) -> None:
        await viewer.accept()
        with suppress(WebSocketDisconnect):  # the page left
            await viewer.send_text(HELLO)
            async for frame in _paced(wave):
                await viewer.send_bytes(frame)

    @app.middleware("http")
    async def isolate(request: Request, answer: Callable[[Request], Awaitable[Response]]) -> Response:
        response = await answer(request)
        response.headers.update(ISOLATED)
        return response

    app.mount("/static", StaticFiles(directory=STATIC))
    app.mount("/bench", StaticFiles(directory=PAGES))
    return app


async def _paced(wave: Wave) -> AsyncIterator[bytes]:
    """Yield the frames as their time comes."""
    begun_s, n = time.monotonic(), 0
    while True:
        await asyncio.sleep(max(0.0, begun_s + n * wave.frame_s - time.monotonic()))
        yield wave.frame(n, time.monotonic())
        n += 1


@contextmanager
def served(wave: Wave) -> Iterator[str]:
    """Serve a wave on a port of its own while the block runs; yield the page's URL."""
    stop, ready = threading.Event(), threading.Event()
    with listen("127.0.0.1", 0) as listening:
        server = Server(application(wave), stop, ready.set, lambda: None)
        thread = threading.Thread(target=lambda: asyncio.run(server.serve(sockets=[listening])))
        thread.start()
        try:
            ready.wait()
            yield url_of(listening)
        finally:
            stop.set()
            thread.join()
