"""The browser that measures: Chromium without a window, driven by playwright; said plainly where either is missing."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from acquisition.errors import BadEnvironment
from deploy.bench.machine import installed

if TYPE_CHECKING:
    from playwright.sync_api import Browser

#: What the browser is called where it is installed.
NAMES = ("chromium", "chromium-browser", "google-chrome")
#: What keeps it to itself: no GPU, no network of its own, no sandbox inside a container.
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def find_chromium() -> str:
    """Return the browser's path.

    Raises
    ------
    BadEnvironment
        If there is none, or nothing to drive it with.
    """
    if not installed("playwright"):
        message = "This bench drives a browser with playwright, which this machine lacks."
        raise BadEnvironment(message, subject="playwright", remedy="Install it: pip install 'flexion[dev]'")
    for name in NAMES:
        if found := shutil.which(name):
            return found
    message = f"This bench needs a browser; none of {', '.join(NAMES)} is on PATH."
    raise BadEnvironment(message, subject=NAMES[0], remedy="On Debian and Ubuntu: apt install chromium")


@contextmanager
def chromium() -> Iterator[Browser]:
    """Run the browser while the block runs.

    Raises
    ------
    BadEnvironment
        If there is none, or nothing to drive it with.
    """
    executable = find_chromium()
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=ARGUMENTS)
        try:
            yield browser
        finally:
            browser.close()
