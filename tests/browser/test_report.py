"""A run's report in a real browser, from a file: it asks for nothing, fits a phone, reads in the dark and on paper."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from tests.training.reporting.conftest import facts_of
from training.reporting.page import write_page

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Return the address of a report on this disk."""
    folder = tmp_path_factory.mktemp("report")
    write_page(facts_of(), folder / "report.html", folder / "figures")
    return Path(folder, "report.html").as_uri()


def test_it_asks_no_network_for_anything(page: Page, report: str) -> None:
    """One request, for itself; `page` fails on any error of the console."""
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(report, wait_until="networkidle")
    page.locator("details").evaluate_all("all => all.forEach(one => one.open = true)")
    assert asked == [report]


@pytest.mark.parametrize("width", [390, 768, 1280])
def test_it_fits_the_screen(page: Page, report: str, width: int) -> None:
    """Wide tables scroll in their own frame, the page never sideways, also with everything unfolded."""
    page.set_viewport_size({"width": width, "height": 844})
    page.goto(report)
    page.locator("details").evaluate_all("all => all.forEach(one => one.open = true)")
    assert page.evaluate("() => document.documentElement.scrollWidth") <= width


def test_what_must_not_be_missed_is_on_the_first_screen_of_a_phone(page: Page, report: str) -> None:
    """Research use, the origin and the verdict are seen without scrolling."""
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto(report)
    for selector in (".research", ".origin", ".verdict"):
        box = page.locator(selector).bounding_box()
        assert box is not None
        assert box["y"] + box["height"] <= 844


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_words_can_be_read_by_day_and_by_night(browser: Browser, report: str, scheme: str) -> None:
    """Page, band and the words inside figures have a contrast of at least 4.5 to what lies behind them."""
    context = browser.new_context(color_scheme=scheme)
    page = context.new_page()
    page.goto(report)
    pairs = [
        ("body", "color", "body"), (".origin", "color", ".origin"), (".research", "color", ".research"),
        (".note", "color", "section"), ("figcaption", "color", "section"), ("nav a", "color", "body"),
        ("figure svg text", "fill", "section"),
    ]  # fmt: skip
    for words, what, ground in pairs:
        colours = page.evaluate(
            """([words, what, ground]) => [
                getComputedStyle(document.querySelector(words))[what],
                getComputedStyle(document.querySelector(ground)).backgroundColor]""",
            [words, what, ground],
        )
        assert contrast(*colours) >= 4.5, (words, colours)
    context.close()


def test_on_paper_it_is_light_and_whole(page: Page, report: str) -> None:
    """Who prints by night does not print a black page, and secondary figures stay folded up."""
    page.emulate_media(media="print", color_scheme="dark")
    page.goto(report)
    assert page.evaluate("() => getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert page.evaluate("() => getComputedStyle(document.body).color") == "rgb(26, 33, 48)"
    assert not page.locator("#secondary table").is_visible()
    assert page.locator("#headline table").is_visible()


def contrast(one: str, other: str) -> float:
    """Return the contrast of two colours by WCAG 2."""
    low, high = sorted(luminance(colour) for colour in (one, other))
    return (high + 0.05) / (low + 0.05)


def luminance(colour: str) -> float:
    """Return the relative luminance of ``rgb(r, g, b)``."""
    parts = [int(part) / 255 for part in colour[colour.index("(") + 1 : -1].split(",")[:3]]
    linear = [part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
