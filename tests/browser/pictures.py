"""The pictures of the pages in the docs, taken of the real pages: ``python -m tests.browser.pictures``."""

from __future__ import annotations

import argparse
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, Page, expect, sync_playwright

from dashboard.settings import DashboardSettings
from streaming.server import PrivateServer
from tests.browser.conftest import ARGUMENTS
from tests.browser.feeder import Feeder, Plan
from tests.browser.states import dressed
from tests.dashboard.conftest import serving
from tests.dashboard.recorded import SESSION, record

IMAGES = Path(__file__).parents[2] / "docs" / "images"
#: Milliseconds in which a sweep has gone once over its page.
SWEEP_MS = 11_500
#: Milliseconds in which the traces of a recording are made, on a machine that is busy besides.
TRACES_MS = 60_000
#: Colours of a picture: enough for its letters and lines, and half the bytes.
COLOURS = 96

READY = Plan(bed="B4", state="READY", flat=("C3",))
ABSTAINED = Plan(bed="B2", patient="P-021", state="ABSTAINED", flat=("C3", "P3"), hum=("RF",), seed=9)
PARTIAL = Plan(bed="B7", patient="P-030", state="PARTIAL", seed=12)


def main() -> None:
    """Take those that are asked for."""
    parser = argparse.ArgumentParser(description="Take the pictures of the docs.")
    parser.add_argument("names", nargs="*", default=list(PICTURES))
    names = parser.parse_args().names
    with ExitStack() as stack:
        data = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        redis = stack.enter_context(PrivateServer(data / "redis"))
        play = stack.enter_context(sync_playwright())
        browser = play.chromium.launch(executable_path=shutil.which("chromium"), args=ARGUMENTS)
        record(data, seconds=164.0, hole=(90_000, 91_400))
        site = stack.enter_context(serving(DashboardSettings(redis.url, data, port=0)))
        for name in names:
            plans, path, theme, size, language = PICTURES[name]
            with playing(redis.url, plans), showing(browser, site, theme, size, language) as page:
                page.goto(f"{site}{path}")
                settle(page, name)
                keep(page, name)
        browser.close()


#: What is played, which page, theme, size and language.
PICTURES: dict[str, tuple[tuple[Plan, ...], str, str, str, str]] = {
    "bedside": ((READY,), "/beds/B4", "light", "tablet", "en"),
    "bedside-night": ((ABSTAINED,), "/beds/B2", "night", "tablet", "zh"),
    "bedside-phone": ((READY,), "/beds/B4", "light", "phone", "en"),
    "ward": ((READY, ABSTAINED, PARTIAL), "/", "dark", "tablet", "en"),
    "session": ((), f"/sessions/{SESSION}", "light", "tablet", "en"),
    "patients": ((), "/patients", "light", "tablet", "en"),
}


@contextmanager
def playing(url: str, plans: tuple[Plan, ...]) -> Iterator[None]:
    """Play sessions that are some minutes old while the block runs."""
    feeders = [Feeder(url, plan) for plan in plans]
    for feeder in feeders:
        feeder.open()
        feeder.skip(148.0)
        feeder.begin()
    try:
        yield
    finally:
        for feeder in feeders:
            feeder.leave()


@contextmanager
def showing(browser: Browser, site: str, theme: str, size: str, language: str) -> Iterator[Page]:
    """Return an empty page in this dress."""
    context = dressed(browser, site, theme, size, language)
    try:
        yield context.new_page()
    finally:
        context.close()


def settle(page: Page, name: str) -> None:
    """Wait until the page shows what it is for: a whole sweep, or a window in the middle of a recording."""
    if name == "session":
        expect(page.locator("#traces")).to_have_attribute("data-silent", "false", timeout=TRACES_MS)
        page.locator("#scrubber").focus()
        for _ in range(9):
            page.keyboard.press("ArrowRight")
        page.wait_for_timeout(3000)
    else:
        page.wait_for_timeout(SWEEP_MS)
    if name.startswith("bedside"):
        expect(page.locator("#outcome")).to_have_attribute("data-look", "fresh")


def keep(page: Page, name: str) -> None:
    """Write the page's picture among the docs', in few bytes."""
    path = IMAGES / f"{name}.png"
    page.screenshot(path=path)
    with Image.open(path) as picture:
        small = picture.convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE)
    small.save(path, optimize=True)


if __name__ == "__main__":
    main()
