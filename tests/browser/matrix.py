"""Every state in every theme, size and language: what axe finds, what does not fit, and a picture of each.

``make states`` looks at all of them; ``python -m tests.browser.matrix --states ready --sizes phone`` at some. The exit
code is 1 if anything was found.
"""

from __future__ import annotations

import argparse
import itertools
import shutil
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

from dashboard.settings import DashboardSettings
from streaming.server import PrivateServer
from tests.browser.axe import violations
from tests.browser.conftest import ARGUMENTS
from tests.browser.states import LANGUAGES, SIZES, STATES, THEMES, TOO_SMALL, TOO_WIDE, dressed, open_state, played
from tests.dashboard.conftest import serving

ARTIFACTS = Path(__file__).parents[2] / "artifacts" / "matrix"


def main() -> int:
    """Look at what was asked for; print what was found, the same of many once."""
    args = _arguments()
    found: Counter[str] = Counter()
    with sync_playwright() as playwright, tempfile.TemporaryDirectory() as data:
        executable = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
        browser = playwright.chromium.launch(executable_path=executable, args=ARGUMENTS)
        with (
            PrivateServer(Path(data) / "redis") as redis,
            serving(DashboardSettings(redis.url, Path(data), port=0)) as site,
        ):
            dresses = list(itertools.product(args.themes, args.sizes, args.languages))
            for name in args.states:
                for dress, fault in look(browser, site, redis.url, name, dresses):
                    found[f"{name}: {fault}"] += 1
                    print(f"{name} {' '.join(dress)}: {fault}", file=sys.stderr)
        browser.close()
    print("\n".join(f"{n:3d} x {fault}" for fault, n in found.most_common()) or "Nothing was found.")
    return 1 if found else 0


def look(
    browser: Browser, site: str, redis_url: str, name: str, dresses: Sequence[tuple[str, str, str]]
) -> Iterator[tuple[tuple[str, str, str], str]]:
    """Play a state once, and yield what is wrong with it in each dress."""
    with played(redis_url, name) as bed:
        for dress in dresses:
            context = dressed(browser, site, *dress)
            page = context.new_page()
            open_state(page, site, bed, name)
            ARTIFACTS.mkdir(parents=True, exist_ok=True)
            page.screenshot(path=ARTIFACTS / f"{name}-{'-'.join(dress)}.png")
            for fault in faults(page):
                yield dress, fault
            context.close()


def faults(page: Page) -> list[str]:
    """Return what is wrong with a page as it is now."""
    wide = page.evaluate(TOO_WIDE)
    small = [f"too small: {one}" for one in page.evaluate(TOO_SMALL)]
    return [*violations(page), *small, *([f"too wide by {wide} px"] if wide > 0 else [])]


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Look at states of a bed in themes, sizes and languages.")
    parser.add_argument("--states", nargs="*", choices=list(STATES), default=list(STATES))
    parser.add_argument("--themes", nargs="*", choices=THEMES, default=THEMES)
    parser.add_argument("--sizes", nargs="*", choices=list(SIZES), default=list(SIZES))
    parser.add_argument("--languages", nargs="*", choices=LANGUAGES, default=LANGUAGES)
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
