"""Every state in every theme, size and language: what axe finds, what does not fit, and a picture of each.

``make states`` looks at all of them; ``python -m tests.browser.matrix --states ready --sizes phone`` at some. The
pictures are kept in ``artifacts/matrix``. The exit code is 1 if anything was found.
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

from playwright.sync_api import Browser, sync_playwright

from dashboard.settings import DashboardSettings
from streaming.server import PrivateServer
from tests.browser.conftest import ARGUMENTS
from tests.browser.states import LANGUAGES, SIZES, STATES, THEMES, dressed, faults, open_state, played
from tests.dashboard.conftest import serving

ARTIFACTS = Path(__file__).parents[2] / "artifacts" / "matrix"
#: A theme, a size and a language.
Dress = tuple[str, str, str]


def main() -> int:
    """Look at what was asked for; say each fault as it is found, and in the end how often."""
    args = _arguments()
    dresses = list(itertools.product(args.themes, args.sizes, args.languages))
    found: Counter[str] = Counter()
    ARTIFACTS.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as data, PrivateServer(Path(data) / "redis") as redis, sync_playwright() as play:
        browser = play.chromium.launch(executable_path=_chromium(), args=ARGUMENTS)
        with serving(DashboardSettings(redis.url, Path(data), port=0)) as site:
            for name in args.states:
                for dress, fault in look(browser, site, redis.url, name, dresses):
                    print(f"{name} {' '.join(dress)}: {fault}", file=sys.stderr)
                    found[f"{name}: {fault}"] += 1
        browser.close()
    print("\n".join(f"{n:3d} x {fault}" for fault, n in found.most_common()) or "Nothing was found.")
    return 1 if found else 0


def look(
    browser: Browser, site: str, redis_url: str, name: str, dresses: Sequence[Dress]
) -> Iterator[tuple[Dress, str]]:
    """Play a state once, keep a picture of each dress, and yield what is wrong with it."""
    with played(redis_url, name) as bed:
        for dress in dresses:
            context = dressed(browser, site, *dress)
            page = context.new_page()
            open_state(page, site, bed, name)
            page.screenshot(path=ARTIFACTS / f"{name}-{'-'.join(dress)}.png")
            for fault in faults(page):
                yield dress, fault
            context.close()


def _chromium() -> str | None:
    return shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Look at states of a bed in themes, sizes and languages.")
    parser.add_argument("--states", nargs="*", choices=list(STATES), default=list(STATES))
    parser.add_argument("--themes", nargs="*", choices=THEMES, default=THEMES)
    parser.add_argument("--sizes", nargs="*", choices=list(SIZES), default=list(SIZES))
    parser.add_argument("--languages", nargs="*", choices=LANGUAGES, default=LANGUAGES)
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
