"""A session told to a real Redis, and a dashboard that shows it, served on a port of its own."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from redis import Redis

from acquisition.identity import new_session_id
from dashboard.server import serve
from dashboard.settings import DashboardSettings
from streaming import keys
from streaming.connection import connect
from streaming.events import EventLog
from streaming.heartbeat import Heartbeat
from streaming.records import ResultRecord
from streaming.sessions import Registry, SessionEntry

#: Seconds within which anything that must happen has happened; nothing waits this long when all is well.
SOON_S = 10.0


class Teller:
    """Says to Redis what bridge, scorer and aggregator would."""

    def __init__(self, url: str, bed: str = "B4") -> None:
        self.redis: Redis = connect(url, "teller")
        self.bed = bed
        self.session = new_session_id()
        self.log = EventLog(self.redis, self.session)
        self.bridge = Heartbeat(self.redis, "bridge", self.session, session=self.session)

    def open(self) -> Teller:
        """Enter the session in the registry and say what it is."""
        entry = SessionEntry(self.session, self.bed, "P-017", "demo", "2026-11-22T12:00:00Z")
        Registry(self.redis).open(entry)
        bundle = {"name": "lstm-bands", "version": "1", "sha256": "ab", "origin": "synthetic"}
        bundles = {"eeg_emg": bundle, "fmri": None, "fusion": None}
        self.tell("session", {"session": self.session, "origin": "simulated", "bundles": bundles})
        return self

    def close(self) -> None:
        """Close the session in the registry."""
        Registry(self.redis).close(self.session, "planned")

    def tell(self, type: str, data: dict[str, Any]) -> str:
        """Append an event."""
        return self.log.append(type, data)

    def window(self, index: int) -> None:
        """Say that a window was made."""
        self.tell("window", {"index": index, "sqi": 1.0, "weight": 1.0})

    def result(self, index: int) -> None:
        """Commit a result."""
        self.redis.xadd(keys.results(self.session), result(self.session, index).encode())  # type: ignore[arg-type]

    def beat(self, **info: Any) -> None:
        """Send a heartbeat of the bridge."""
        self.bridge.beat({"state": "LIVE", "cause": "", **info})

    def wave(self, frame: bytes) -> int:
        """Publish a frame; return how many listen."""
        return int(self.redis.publish(keys.wave(self.session), frame))


def result(session: str, index: int) -> ResultRecord:
    """Return a scored result."""
    return ResultRecord(
        session=session,
        index=index,
        segment=0,
        first_sample=4000 + 10_000 * index,
        state="scored",
        reason=None,
        logit=0.5,
        embedding=(1.0, 2.0),
        sqi=1.0,
        weight=1.0,
        flags=(),
        phases=(),
        channel_quality=(1.0,),
        bundle_sha256="ab",
        fingerprint="",
        calibration="",
        engine=None,
        stamp_s=float("nan"),
        stages_s={},
    )


@pytest.fixture
def teller(redis_url: str) -> Teller:
    """Return a session on bed B4 that is open."""
    return Teller(redis_url).open()


@pytest.fixture
def settings(redis_url: str, tmp_path: Path) -> DashboardSettings:
    """Return the settings of a dashboard of this test alone."""
    return DashboardSettings(redis_url, tmp_path, port=0)


@contextmanager
def serving(settings: DashboardSettings) -> Iterator[str]:
    """Serve a dashboard in a thread while the block runs; yield its URL."""
    stop, ready, urls = threading.Event(), threading.Event(), []
    thread = threading.Thread(target=serve, args=(settings, stop, lambda url: (urls.append(url), ready.set())))
    thread.start()
    try:
        assert ready.wait(SOON_S)
        yield urls[0].rstrip("/")
    finally:
        stop.set()
        thread.join(SOON_S)
        assert not thread.is_alive()


@pytest.fixture
def served(settings: DashboardSettings) -> Iterator[str]:
    """Return the URL of a dashboard."""
    with serving(settings) as url:
        yield url


@pytest.fixture
def client(served: str) -> Iterator[httpx.Client]:
    """Return a client of a dashboard."""
    with httpx.Client(base_url=served) as client:
        yield client


class Reader:
    """Reads a bed's events as a browser does."""

    def __init__(self, url: str, last_event_id: str | None = None) -> None:
        headers = {"Last-Event-ID": last_event_id} if last_event_id else {}
        self._client = httpx.Client(timeout=SOON_S)
        self._stream = self._client.stream("GET", url, headers=headers)
        self.response = self._stream.__enter__()
        self._lines = self.response.iter_lines()
        self.last_id: str | None = last_event_id

    def next(self) -> dict[str, Any]:
        """Return the next message."""
        for line in self._lines:
            if line.startswith("id: "):
                self.last_id = line.removeprefix("id: ")
            if line.startswith("data: "):
                message: dict[str, Any] = json.loads(line.removeprefix("data: "))
                return message
        raise EOFError("the stream ended")

    def until(self, type: str) -> dict[str, Any]:
        """Return the next message of a type."""
        while (message := self.next())["type"] != type:
            pass
        return message

    def close(self) -> None:
        """Leave."""
        self._client.close()


@pytest.fixture
def read(served: str) -> Iterator[Any]:
    """Return a function that begins to read a bed's events."""
    readers: list[Reader] = []

    def begin(bed: str = "B4", last_event_id: str | None = None) -> Reader:
        readers.append(Reader(f"{served}/api/v1/beds/{bed}/events", last_event_id))
        return readers[-1]

    yield begin
    for reader in readers:
        reader.close()
