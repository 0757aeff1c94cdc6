"""The hub: Redis may come, go and come back; pages stay and tell the truth (law 7)."""

import asyncio
import json
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import numpy as np
import pytest
from structlog.testing import capture_logs

from dashboard.hub import Bed, Hub
from dashboard.metrics import Metrics
from dashboard.settings import DashboardSettings
from streaming import keys
from streaming.connection import connect
from streaming.errors import TransportDown
from streaming.waves import WaveFrame
from tests.conftest import lacking
from tests.dashboard.conftest import SOON_S, Reader, Teller, serving


@contextmanager
def redis_in(folder: Path) -> Iterator[str]:
    """Run an empty Redis on a socket of this folder while the block runs, then kill it."""
    binary = shutil.which("redis-server") or lacking("redis-server on PATH")
    socket = folder / "redis.sock"
    options = ["--port", "0", "--unixsocket", str(socket), "--save", "", "--dir", str(folder)]
    server = subprocess.Popen([binary, *options], stdout=subprocess.DEVNULL)
    try:
        wait_for(f"unix://{socket}")
        yield f"unix://{socket}"
    finally:
        server.kill()
        server.wait()


def wait_for(url: str) -> None:
    """Wait until a Redis answers."""
    deadline = time.monotonic() + SOON_S
    while time.monotonic() < deadline:
        try:
            connect(url, "test").ping()
            return
        except TransportDown:
            time.sleep(0.01)
    raise TimeoutError(url)


@pytest.fixture
def reader(tmp_path: Path) -> Iterator[tuple[Reader, Path]]:
    """Return a reader of bed B4 whose dashboard began before any Redis ran."""
    settings = DashboardSettings(f"unix://{tmp_path}/redis.sock", tmp_path, port=0)
    with serving(settings) as url:
        reader = Reader(f"{url}/api/v1/beds/B4/events")
        yield reader, tmp_path
        reader.close()


@pytest.mark.faults
def test_a_redis_that_dies_ages_everything_and_is_named(reader: tuple[Reader, Path]) -> None:
    """A page that was there first hears of the session, of the loss, and of the next session, on one stream."""
    page, folder = reader
    with redis_in(folder) as url:
        first = Teller(url).open()
        while page.until("snapshot")["data"]["session"] != first.session:
            pass
        message = page.until("contact")["data"]
        while not message["roles"]["bridge"]["heard"]:
            first.beat()
            message = page.until("contact")["data"]
    while (message := page.until("contact")["data"])["redis"]["age_s"] < 3.0:
        pass
    assert message["session"] == first.session
    assert message["progress"]["cause"].startswith("Redis does not answer")
    assert message["roles"]["bridge"]["age_s"] > 2.0
    with redis_in(folder) as url:
        second = Teller(url).open()
        assert page.until("snapshot")["data"]["session"] == second.session
        second.window(0)
        assert page.until("window")["data"]["index"] == 0


BEAT = {"role": "x", "name": "x", "session": None, "host": "h", "pid": 1, "at_monotonic": 1.0, "n": 0, "info": {}}
#: Heartbeats that are JSON and not what ours are.
UNREADABLE = (
    BEAT | {"role": ["x"]},
    BEAT | {"info": [1]},
    BEAT | {"info": {"latency_s": float("nan")}},
    BEAT | {"at_monotonic": "noon"},
    BEAT | {"at_monotonic": 10**400},
)


def test_a_heartbeat_that_cannot_be_read_is_passed_over(teller: Teller, served: str) -> None:
    """Rubbish on the channel stops nobody from being heard."""
    page = Reader(f"{served}/api/v1/beds/B4/events")
    told = page.until("contact")["data"]
    while not told["roles"]["bridge"]["heard"]:
        for message in (b"no heartbeat", *map(json.dumps, UNREADABLE)):
            teller.redis.publish(keys.HEARTBEATS, message)
        teller.beat()
        told = page.until("contact")["data"]
    assert httpx.get(f"{served}/readyz").json()["checks"] == {"redis": True, "readers": True}
    page.close()


def test_a_bed_that_nobody_watches_and_that_has_no_session_is_forgotten(redis_url: str) -> None:
    """Names that somebody once asked for do not pile up."""
    hub = Hub(redis_url, Metrics())

    async def scenario() -> None:
        viewer = hub.watch_events("X1", None)
        hub.leave_events("x1", viewer)

    asyncio.run(scenario())
    assert hub._beds == {}


def test_frames_that_waited_are_as_old_as_they_are() -> None:
    """What a bridge sent before it died, and this process reads after it stood still, is no live wave (law 7)."""
    bed = Bed("X1")
    frames = [
        (sent_s, WaveFrame(0, round(1000 * sent_s), sent_s - 0.02, np.zeros((20, 2), np.int16), 0).encode(sent_s))
        for sent_s in (1.0, 2.0, 3.0)
    ]
    for (_, frame), now_s in zip(frames, (1.1, 2.1, 11.0), strict=True):
        came_s = bed.came_s(frame, 100.0 + now_s, now_s)
    assert came_s == pytest.approx(103.1)
    assert bed.wave(112.0) == {"end": 3020, "age_s": pytest.approx(8.92)}
    assert bed.came_s(b"rubbish", 113.0, 13.0) == 113.0
    assert bed.wave(113.0) == {"end": 3020, "age_s": pytest.approx(9.92)}


def test_a_wave_that_is_wanted_while_redis_is_away_is_no_fault(redis_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is listened to when Redis is back; the pages are served meanwhile."""
    hub = Hub(redis_url, Metrics())

    async def away(channels: object) -> None:
        raise TransportDown("Redis is out of reach.", subject="redis")

    monkeypatch.setattr(hub._waves, "follow", away)
    asyncio.run(hub._follow_waves())


def test_a_reader_that_fails_is_seen(redis_url: str) -> None:
    """A fault of ours is logged and makes the dashboard not ready; it does not pass for a quiet bed."""
    hub = Hub(redis_url, Metrics())

    async def fail() -> None:
        raise KeyError("index")

    async def scenario() -> None:
        hub.start()
        assert hub.alive
        task = hub._spawn(fail())
        await asyncio.wait([task])
        await asyncio.sleep(0)
        assert not hub.alive
        await hub.stop()

    with capture_logs() as logs:
        asyncio.run(scenario())
    assert [line["event"] for line in logs if line["log_level"] == "error"] == ["task_failed"]


@pytest.mark.parametrize("after_s", [0.0, 0.001, 0.002, 0.005, 0.02])
def test_the_hub_ends_whenever_it_is_told_to(redis_url: str, after_s: float) -> None:
    """A cancellation that is lost on the way is sent again: no task outlives the hub."""

    async def scenario() -> None:
        hub = Hub(redis_url, Metrics())
        hub.start()
        hub.watch_wave("B4")
        await asyncio.sleep(after_s)
        await hub.stop()
        assert not hub.alive

    asyncio.run(scenario())
