"""First view: a page opened with nothing kept from before, over a line as slow as a ward's: paint, trace, bytes.

Chromium itself slows the line down: 50 ms from a request to the first byte of its answer, 10 Mbit/s for all answers
together, WebSockets too. What it does not slow down is the opening of a connection.
"""

from __future__ import annotations

import base64
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from acquisition.errors import BadEnvironment

if TYPE_CHECKING:
    from playwright.sync_api import Browser, CDPSession, Page, ViewportSize

#: The line: bits a second, and milliseconds there and back.
LINE_BITS = 10_000_000
LINE_MS = 50
#: Size of the page: a tablet's.
VIEWPORT: ViewportSize = {"width": 1280, "height": 800}
#: Longest wait for what must appear, and between two looks.
PATIENCE_S = 60.0
LOOK_MS = 50
#: A live trace is there, and what Chromium says of the first paint.
LIVE = "window.flexionSeen?.liveMs ?? null"
PAINTED = "performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? null"
#: Opcode of a WebSocket's binary frames.
BINARY = 2


@dataclass(frozen=True)
class View:
    """One first view.

    Parameters
    ----------
    paint_ms, trace_ms : float
        From the press to the first words, and to the first live trace.
    page_bytes : int
        Of all answers up to then, heads and the beginning of the events included, as they went over the line.
    event_bytes : int
        Of these, what the events of the session so far take: the longer it lasts, the more.
    wave_bytes : int
        Of the live signal up to then.
    requests : int
        Asked up to then.
    """

    paint_ms: float
    trace_ms: float
    page_bytes: int
    event_bytes: int
    wave_bytes: int
    requests: int


class Wire:
    """What goes over the line, by what Chromium says of each request.

    Parameters
    ----------
    tools : CDPSession
        The browser's own on the page.
    """

    def __init__(self, tools: CDPSession) -> None:
        self._bytes: dict[str, int] = {}
        self._events: set[str] = set()
        self.wave_bytes = 0
        tools.on("Network.responseReceived", self._began)
        tools.on("Network.dataReceived", self._came)
        tools.on("Network.loadingFinished", self._finished)
        tools.on("Network.webSocketFrameReceived", self._wave)

    @property
    def requests(self) -> int:
        """Answers that began."""
        return len(self._bytes)

    @property
    def page_bytes(self) -> int:
        """Bytes of all answers, heads included."""
        return sum(self._bytes.values())

    @property
    def event_bytes(self) -> int:
        """Bytes of the streams of events."""
        return sum(self._bytes[request] for request in self._events)

    def _began(self, said: Mapping[str, Any]) -> None:
        if said["type"] == "EventSource":
            self._events.add(said["requestId"])
        self._bytes[said["requestId"]] = int(said["response"]["encodedDataLength"])

    def _came(self, said: Mapping[str, Any]) -> None:
        self._bytes[said["requestId"]] = self._bytes.get(said["requestId"], 0) + int(said["encodedDataLength"])

    def _finished(self, said: Mapping[str, Any]) -> None:
        self._bytes[said["requestId"]] = int(said["encodedDataLength"])

    def _wave(self, said: Mapping[str, Any]) -> None:
        frame = said["response"]
        text = frame["payloadData"]
        self.wave_bytes += len(base64.b64decode(text) if frame["opcode"] == BINARY else text.encode())


def first_view(browser: Browser, url: str, watch: Path) -> View:
    """Open a page for the first time, over the slow line.

    Parameters
    ----------
    browser : Browser
        Nothing of what it kept is used.
    url : str
        The page.
    watch : Path
        What watches the page from inside.
    """
    with fresh_page(browser, watch) as page:
        tools = page.context.new_cdp_session(page)
        wire = Wire(tools)
        tools.send("Network.enable")
        tools.send("Network.emulateNetworkConditions", line())
        page.goto(url, wait_until="commit")
        trace_ms, paint_ms = until_there(page, LIVE), until_there(page, PAINTED)
        return View(paint_ms, trace_ms, wire.page_bytes, wire.event_bytes, wire.wave_bytes, wire.requests)


def line() -> dict[str, Any]:
    """Return the slow line in Chromium's words."""
    return {
        "offline": False,
        "latency": LINE_MS,
        "downloadThroughput": LINE_BITS / 8,
        "uploadThroughput": LINE_BITS / 8,
    }


@contextmanager
def fresh_page(browser: Browser, watch: Path) -> Iterator[Page]:
    """Open an empty page that has nothing from before and is watched, while the block runs."""
    context = browser.new_context(viewport=VIEWPORT)
    try:
        context.add_init_script(path=watch)
        yield context.new_page()
    finally:
        context.close()


def until_there(page: Page, expression: str) -> float:
    """Return a number of a page once it has it.

    Playwright's own way to wait evaluates inside the page, which the policy of these pages forbids.

    Raises
    ------
    BadEnvironment
        If it never comes.
    """
    deadline = time.monotonic() + PATIENCE_S
    while (value := page.evaluate(expression)) is None:
        if time.monotonic() > deadline:
            raise BadEnvironment(
                f"The page shows no live signal within {PATIENCE_S:g} s.",
                subject=page.url,
                remedy="Run the demonstration and open its page: flexion demo.",
            )
        page.wait_for_timeout(LOOK_MS)
    return float(value)
