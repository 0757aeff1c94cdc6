"""The ward and the list of patients in a real browser."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.axe import violations
from tests.browser.feeder import Feeder, Plan
from tests.browser.ink import CARD_INKED
from tests.browser.test_bedside import SOON_MS, count
from tests.dashboard.test_patients import BOUND, record

pytestmark = pytest.mark.browser


def test_all_beds_of_the_ward_live_on_one_page(page: Page, site: str, redis_url: str, play: Any) -> None:
    """States, qualities and moving traces of each; what falls silent says so; a card leads to its bed."""
    over = Feeder(redis_url, Plan(bed="B6", patient="P-019"))
    over.open()
    over.end()
    beds = Plan(bed="B4"), Plan(bed="B5", patient="P-018", state="ABSTAINED", flat=("C3", "RF"))
    with play(beds[0], skip_s=20) as first, play(beds[1], skip_s=20):
        page.goto(f"{site}/")
        cards = page.locator(".card")
        expect(cards).to_have_count(3, timeout=SOON_MS)
        expect(cards.nth(0).locator(".card-number")).to_have_text("69 %", timeout=SOON_MS)
        expect(cards.nth(1).locator(".card-state")).to_have_text("Abstained")
        words = re.compile("14 of 16 channels can be scored; bad: C3, RF")
        expect(cards.nth(1).locator(".card-channels")).to_have_text(words, timeout=SOON_MS)
        expect(cards.nth(1).locator('.dot[data-grade="bad"]')).to_have_count(2)
        expect(cards.nth(2).locator(".card-age")).to_have_text(re.compile(r"^final, \d\d:\d\d$"))
        seen = count(page, CARD_INKED, above=10)
        count(page, CARD_INKED, above=seen)
        assert violations(page) == []
        first.halt()
        expect(cards.nth(0).locator(".card-silence")).to_have_text(re.compile("^No signal for"), timeout=SOON_MS)
        expect(cards.nth(0)).to_have_attribute("data-look", "grey", timeout=SOON_MS)
        expect(cards.nth(1).locator(".card-silence")).to_be_hidden()
        expect(cards.nth(1)).to_have_attribute("data-look", "fresh")
    cards.nth(1).press("Enter")
    expect(page).to_have_url(f"{site}/beds/B5")


def test_patients_are_found_by_their_pseudonym(page: Page, site: str, data_dir: Path) -> None:
    """Each session by itself, the newest first; a search that finds nobody says so."""
    record(data_dir, "P-017", 1, n=3, bundle=BOUND)
    record(data_dir, "P-017", 2)
    record(data_dir, "P-021", 3, n=1, bundle=BOUND)
    page.goto(f"{site}/patients")
    expect(page.locator(".patient h2")).to_have_text(["P-021", "P-017"], timeout=SOON_MS)
    expect(page.locator(".row-state")).to_have_text(["Abstained", "Not scored", "Partial"])
    expect(page.locator(".row-number").nth(2)).to_have_text(re.compile(r"^\d\d % \(\d\d % to \d\d %\)$"))
    assert violations(page) == []
    page.get_by_role("searchbox").fill("p-02")
    page.keyboard.press("Enter")
    expect(page.locator(".patient h2")).to_have_text(["P-021"])
    page.get_by_role("searchbox").fill("nobody")
    page.keyboard.press("Enter")
    expect(page.locator("#said")).to_have_text("No session of this patient was recorded here.")


def test_the_ward_and_the_patients_say_which_keys_they_have(page: Page, site: str, play: Any) -> None:
    """`?` lists the keys that work there; arrows go from card to card, `/` to the search."""
    with play(Plan(bed="Keys1"), skip_s=2), play(Plan(bed="Keys2"), skip_s=2):
        page.goto(site)
        expect(page.locator(".card", has_text="Keys2")).to_be_visible(timeout=SOON_MS)
        page.keyboard.press("?")
        expect(page.locator("#help-keys dt")).to_have_text(["T", "L", "arrows", "Enter", "?"])
        page.keyboard.press("Escape")
        first, second = page.locator(".card").nth(0), page.locator(".card").nth(1)
        first.focus()
        page.keyboard.press("ArrowDown")
        expect(second).to_be_focused()
        page.goto(f"{site}/patients")
        page.keyboard.press("/")
        expect(page.locator("#wanted")).to_be_focused()
        page.locator("#help").click()
        expect(page.locator("#help-keys dt")).to_have_text(["T", "L", "/", "arrows", "Enter", "?"])
