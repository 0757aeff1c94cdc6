"""The states of a bed that a person may find, each played by the feeder on a bed of its own."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.browser.axe import violations
from tests.browser.feeder import Feeder, Plan

#: Seconds of signal before a page is looked at: two windows.
BEFORE_S = 26.0
SOON_MS = 15_000
#: The sizes of the screens: a phone, a tablet beside the bed, a wall.
SIZES = {"phone": (390, 844), "tablet": (1280, 800), "wall": (1920, 1080)}
LANGUAGES = ("en", "zh")
THEMES = ("light", "dark", "night")


@dataclass(frozen=True)
class State:
    """A state of a bed.

    Parameters
    ----------
    code : str
        What the outcome's panel shows.
    plan : Plan, optional
        What is played; None for a bed without a session.
    number : str
        What stands there as the number.
    ended : bool
        Whether the session is over.
    """

    code: str
    plan: Plan | None
    number: str = ""
    ended: bool = False


#: The number of the signals alone, and that of both modalities, as the feeder plays them.
ALONE, BOTH = "69 %", "72 %"
#: Faults that fill every place where words of a fault stand.
SPOILT = {"flat": ("C3", "CP1"), "hum": ("BF",)}
STATES = {
    "collecting": State("COLLECTING", Plan(state="COLLECTING")),
    "abstained": State("ABSTAINED", Plan(state="ABSTAINED", **SPOILT)),
    "partial": State("PARTIAL", Plan(state="PARTIAL"), ALONE),
    "provisional": State("PROVISIONAL", Plan(state="PROVISIONAL"), BOTH),
    "ready": State("READY", Plan(state="READY"), BOTH),
    "invalid": State("INVALID", Plan(state="INVALID")),
    "stale": State("STALE", Plan(state="PARTIAL", silent={"scorer"}), ALONE),
    "none": State("NONE", None),
    "unscored": State("UNSCORED", Plan(scored=False)),
    "ended": State("READY", Plan(state="READY"), BOTH, ended=True),
    "unrecorded": State("PARTIAL", Plan(recorded=False), ALONE),
}


@contextmanager
def played(redis_url: str, name: str) -> Iterator[str]:
    """Play a state while the block runs; yield its bed."""
    state, bed = STATES[name], f"B-{name}"
    if state.plan is None:
        yield bed
        return
    feeder = Feeder(redis_url, replace(state.plan, bed=bed))
    feeder.open()
    feeder.skip(BEFORE_S)
    feeder.begin()
    try:
        if state.ended:
            feeder.halt()
            feeder.end()
        yield bed
    finally:
        feeder.leave()


def dressed(browser: Browser, site: str, theme: str, size: str, language: str) -> BrowserContext:
    """Return a browser whose pages have this theme, size and language."""
    width, height = SIZES[size]
    context = browser.new_context(viewport={"width": width, "height": height})
    names = {"flexion-theme": theme, "flexion-language": language}
    context.add_cookies([{"name": name, "value": value, "url": site} for name, value in names.items()])
    return context


def open_state(page: Page, site: str, bed: str, name: str) -> None:
    """Open a bed's page and wait until it shows the state, in whichever language."""
    page.goto(f"{site}/beds/{bed}")
    expect(page.locator("#outcome")).to_have_attribute("data-state", STATES[name].code, timeout=SOON_MS)
    if STATES[name].plan is not None:
        expect(page.locator("#lanes .lane")).to_have_count(16, timeout=SOON_MS)
    if name not in ("none", "ended"):
        expect(page.locator("#traces")).to_have_attribute("data-silent", "false", timeout=SOON_MS)


#: How far a page goes beyond its screen sideways, and downwards where all of it has to be seen at once: itself, or the
#: column of the traces, which scrolls.
TOO_WIDE = "() => document.documentElement.scrollWidth - innerWidth"
TOO_TALL = """() => innerWidth < 900 ? 0 : Math.max(document.documentElement.scrollHeight - innerHeight,
    ...[...document.querySelectorAll(".bedside .signal")].map((one) => one.scrollHeight - one.clientHeight))"""
#: What stands above and is cut: words that are wider than their place, or have more lines.
CUT = """() => [...document.querySelectorAll(".top > *")]
    .filter((one) => one.scrollWidth > one.clientWidth || one.scrollHeight > one.clientHeight + 1)
    .map((one) => `${one.id}: ${one.textContent}`)
"""
#: What can be pressed and is too small for a glove: 44 px, but for the names of the lanes, of which sixteen share the
#: height of the traces; keys do the same.
TOO_SMALL = """() => [...document.querySelectorAll("button, select, summary, a.switch, a.away, [role=slider], input")]
    .map((one) => [one, (one.closest("label:has([type=checkbox], [type=radio])") ?? one).getBoundingClientRect()])
    .filter(([one, box]) => one.checkVisibility() && box.width * box.height > 0)
    .filter(([one, box]) => Math.min(box.width, box.height) < (one.matches(".lane-label") ? 24 : 43.5))
    .map(([one, box]) => `${one.id || one.className || one.outerHTML}: ${box.width | 0} x ${box.height | 0}`)
"""


def faults(page: Page, *, whole: bool = True) -> list[str]:
    """Return what is wrong with a page as it is now: nothing is, where everybody can read it and press all of it.

    The page of a bed must be seen as a ``whole`` on anything larger than a phone.
    """
    wide, tall = page.evaluate(TOO_WIDE), page.evaluate(TOO_TALL) if whole else 0
    beyond = [f"too wide by {wide} px"] * (wide > 0) + [f"too tall by {tall} px"] * (tall > 0)
    return [*violations(page), *beyond, *(f"too small: {one}" for one in page.evaluate(TOO_SMALL))]
