"""Each state of a bed once, and each page, in a real browser: what is said, what axe finds, what can be pressed.

Every state has another theme, size and language, so that each of those is seen too; all of them together are looked at
by ``make states``. A picture of each is kept in ``artifacts/states``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from dashboard.catalogue import words_of
from tests.browser.states import BOTH, LANGUAGES, SIZES, SOON_MS, STATES, THEMES, dressed, faults, open_state, played
from tests.dashboard.recorded import SESSION, record

pytestmark = pytest.mark.browser

ARTIFACTS = Path(__file__).parents[2] / "artifacts" / "states"
#: Pages that are no bed, and what shows that they are there.
PAGES = {
    "ward": "/",
    "patients": "/patients",
    "session": f"/sessions/{SESSION}",
    "docs": "/docs",
    "missing": "/nowhere",
}


def spread(n: int) -> tuple[str, str, str]:
    """Return the n-th theme, size and language; neighbours differ in each."""
    return THEMES[n % 3], list(SIZES)[(n // 3 + n) % 3], LANGUAGES[n % 2]


@pytest.fixture(scope="module")
def recorded(data_dir: Path) -> None:
    """Lay down the folder of a session that is over."""
    record(data_dir)


@pytest.fixture
def page_of(browser: Browser, site: str, request: pytest.FixtureRequest) -> Iterator[tuple[Page, str]]:
    """Return a page dressed as its test asks, and its language; its console must stay empty."""
    theme, size, language = request.param
    context = dressed(browser, site, theme, size, language)
    page = context.new_page()
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: said.append(str(error)))
    yield page, language
    context.close()
    assert [words for words in said if "404" not in words] == []


def kept(page: Page, name: str) -> None:
    """Keep a picture of the page."""
    ARTIFACTS.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=ARTIFACTS / f"{name}.png")


@pytest.mark.parametrize(
    ("name", "page_of"),
    [pytest.param(name, spread(n), id="-".join((name, *spread(n)))) for n, name in enumerate(STATES)],
    indirect=["page_of"],
)
def test_a_state_is_named_and_can_be_read_and_pressed_by_everybody(
    page_of: tuple[Page, str], site: str, redis_alone: str, name: str
) -> None:
    """State first, number second, what is missing by name (law 8); no violation, all on one screen, all for a glove."""
    page, language = page_of
    words, state = words_of(language), STATES[name]
    late = state.code == "STALE"
    with played(redis_alone, name) as bed:
        open_state(page, site, bed, name)
        expect(page.locator("#state-word")).to_have_text(words[f"states.{state.code}"])
        expect(page.locator(".ribbon")).to_have_text(words["page.ribbon"])
        # How long the scorer was silent depends on how long this machine took to play the signal before.
        expect(page.locator("#number")).to_have_text(re.compile(f"^({state.number}|---)$") if late else state.number)
        expect(page.locator("#number")).to_be_visible(visible=bool(state.number))
        expect(page.locator("#outcome-name")).to_have_text(words["outcomeName"])
        expect(page.locator("#points")).to_be_visible(visible=state.number == BOTH)
        expect(page.locator("#synthetic")).to_be_visible(visible=state.plan is not None and state.plan.scored)
        if state.plan is not None and state.plan.scored and state.number != BOTH:
            assert words["told.noScan"] in page.locator("#outcome").inner_text()
        kept(page, name)
        assert faults(page) == []


@pytest.mark.parametrize(
    ("name", "page_of"),
    [pytest.param(name, spread(n + 1), id=name) for n, name in enumerate(PAGES)],
    indirect=["page_of"],
)
def test_every_other_page_can_be_read_and_pressed_by_everybody(
    page_of: tuple[Page, str], site: str, redis_alone: str, recorded: None, name: str
) -> None:
    """The ward with its beds, the list, a recorded session, the interface, and what is not there."""
    page, language = page_of
    with played(redis_alone, "ready"):
        page.goto(f"{site}{PAGES[name]}")
        expect(page.locator(".ribbon")).to_have_text(words_of(language)["page.ribbon"])
        page.wait_for_timeout(1500)
        kept(page, name)
        assert faults(page, whole=False) == []


def test_theme_and_language_change_by_a_press_and_stay(browser: Browser, site: str) -> None:
    """No white flash: the next page is dark from its first byte; its words are Chinese without a script."""
    context = dressed(browser, site, "light", "tablet", "en")
    page = context.new_page()
    page.goto(site)
    ground = page.evaluate("() => getComputedStyle(document.body).backgroundColor")
    page.locator("#theme").click()
    page.locator("#theme").click()
    expect(page.locator("html")).to_have_attribute("data-theme", "night")
    assert page.evaluate("() => getComputedStyle(document.body).backgroundColor") == "rgb(0, 0, 0)" != ground
    page.locator("#language").click()
    expect(page.locator("html")).to_have_attribute("lang", "zh", timeout=SOON_MS)
    expect(page).to_have_url(f"{site}/")
    bare = context.browser.new_context(java_script_enabled=False, storage_state=context.storage_state())
    still = bare.new_page()
    still.goto(site)
    assert still.evaluate("() => getComputedStyle(document.body).backgroundColor") == "rgb(0, 0, 0)"
    expect(still.locator(".ribbon")).to_have_text(words_of("zh")["page.ribbon"])
    bare.close()
    context.close()


def test_what_opens_can_be_read_and_pressed_by_everybody(browser: Browser, site: str, redis_alone: str) -> None:
    """Frozen traces, notes, the keys, the question before an end, the scan: opened by keys, each without a fault."""
    context = dressed(browser, site, "dark", "tablet", "zh")
    page = context.new_page()
    found: dict[str, list[str]] = {}
    with played(redis_alone, "ready") as bed:
        open_state(page, site, bed, "ready")
        page.locator("#marks").focus()
        page.keyboard.press("Home")
        expect(page.locator("#marks")).to_have_attribute("aria-valuenow", "0")
        for opened, key, shut in [
            ("frozen", " ", "Escape"),
            ("notes", "n", "Escape"),
            ("keys", "?", "Escape"),
            ("end", "s", "Escape"),
        ]:
            page.evaluate("() => document.activeElement?.blur()")
            page.keyboard.press(key)
            page.wait_for_timeout(300)
            kept(page, f"opened-{opened}")
            found[opened] = faults(page)
            page.keyboard.press(shut)
            page.wait_for_timeout(200)
        page.locator("#fmri > summary").click()
        page.wait_for_timeout(300)
        kept(page, "opened-fmri")
        found["fmri"] = faults(page)
    context.close()
    assert {opened: said for opened, said in found.items() if said} == {}
