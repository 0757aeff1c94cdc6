"""A real browser on a real dashboard on a real Redis."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, sync_playwright
from redis import Redis

from dashboard.settings import DashboardSettings
from deploy.bench.browser import ARGUMENTS
from tests.browser.feeder import Feeder, Plan
from tests.dashboard.conftest import serving

Play = Callable[..., AbstractContextManager[Feeder]]


@pytest.fixture(scope="module")
def browser(chromium: str) -> Iterator[Browser]:
    """Return one browser for the tests of a file; it would keep an event loop running, so it does not outlive them."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def data_dir() -> Iterator[Path]:
    """Return the folder of the sessions of a file's tests."""
    with tempfile.TemporaryDirectory() as data:
        yield Path(data)


@pytest.fixture(scope="module")
def redis_alone(redis_server: str) -> str:
    """Return the URL of a Redis that was emptied once for the tests of a file: each plays on beds of its own."""
    with Redis.from_url(redis_server) as client:
        client.flushall()
    return redis_server


@pytest.fixture(scope="module")
def site(redis_alone: str, data_dir: Path) -> Iterator[str]:
    """Return the URL of a dashboard that serves the tests of a file."""
    with serving(DashboardSettings(redis_alone, data_dir, port=0)) as url:
        yield url


@contextmanager
def watched(browser: Browser, *, allowed: str | None = None) -> Iterator[Page]:
    """Yield an empty page of 1280 x 800; its console must have no error, but for such as hold what is allowed."""
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    page = context.new_page()
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: said.append(str(error)))
    yield page
    context.close()
    assert [words for words in said if allowed is None or allowed not in words] == []


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """Return an empty page of 1280 x 800; the test fails if its console ever has an error."""
    with watched(browser) as page:
        yield page


@pytest.fixture
def play(redis_alone: str) -> Play:
    """Return a way to play a session: opened, some seconds at once, the rest as they pass while the block runs."""

    @contextmanager
    def begin(plan: Plan, skip_s: float = 0.0) -> Iterator[Feeder]:
        feeder = Feeder(redis_alone, plan)
        feeder.open()
        feeder.skip(skip_s)
        feeder.begin()
        try:
            yield feeder
        finally:
            feeder.leave()

    return begin
