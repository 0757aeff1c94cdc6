"""The work at the bed in a real browser: by keys alone, beside traces that go on, in words where it is refused."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.axe import violations
from tests.browser.conftest import watched
from tests.browser.feeder import Plan
from tests.browser.states import CUT, faults
from tests.dashboard.test_commands import BUSY, StandIn

pytestmark = pytest.mark.browser

SOON_MS = 15_000
AMP = {"name": "Amp16", "source_id": "AMP", "hostname": "bed4-pc", "channel_count": 16, "rate_hz": 1000.0}
NETWORK = {
    "streams": [
        AMP | {"fits": ["amp16"], "refused": None},
        AMP | {"source_id": "TAKEN", "hostname": "bed2-pc", "fits": ["amp16"], "refused": None},
    ],
    "pairs": [],
    "taken": {"TAKEN": {"session": "X", "bed": "B2"}},
    "usual": {"montage": "amp16", "minutes": 9.0, "mains_hz": 50.0},
}
#: Where a dialog stands, and where the traces do.
OVERLAP = """() => {
    const boxOf = (place) => document.querySelector(place).getBoundingClientRect();
    const [dialog, sweep] = ["dialog[open]", "#sweep"].map(boxOf);
    return Math.max(0, sweep.right - dialog.left) / sweep.width;
}"""


@pytest.fixture
def stand_in(redis_alone: str) -> Iterator[StandIn]:
    """Return somebody who answers commands."""
    one = StandIn(redis_alone)
    yield one
    one.leave()


@pytest.fixture
def bedside(browser: Browser) -> Iterator[Page]:
    """Return a page whose refusals may show in the console, and no other error."""
    with watched(browser, allowed="409") as page:
        yield page


def open_dialog(page: Page, key: str, name: str) -> None:
    """Press a key and wait for its dialog: it leaves the traces to be seen, and everybody can read it."""
    page.keyboard.press(key)
    expect(page.locator(f"#{name}-dialog")).to_be_visible()
    assert page.evaluate(OVERLAP) < 0.1
    assert violations(page) == []


def assert_fits_a_tablet(page: Page) -> None:
    """All is on one screen of 1024 x 768, no word above is cut from 901 px on; upright number and presses are seen."""
    for width in (901, 910, 1000, 1101, 1024):
        page.set_viewport_size({"width": width, "height": 768})
        assert page.evaluate(CUT) == [], width
    for seen in ("traces", "outcome", "number", "freeze", "work-mark", "work-stop", "ledger"):
        expect(page.locator(f"#{seen}")).to_be_in_viewport(ratio=1)
    assert faults(page) == []
    page.set_viewport_size({"width": 768, "height": 1024})
    for seen in ("number", "freeze", "work-mark", "work-stop"):
        expect(page.locator(f"#{seen}")).to_be_in_viewport(ratio=1)
    page.set_viewport_size({"width": 1280, "height": 800})


def test_a_session_is_begun_by_keys_alone(bedside: Page, site: str, stand_in: StandIn) -> None:
    """What is on the network is offered, what others use is not; a refusal is said where it was pressed."""
    stand_in.data = NETWORK
    bedside.goto(f"{site}/beds/B71")
    expect(bedside.locator("#work-start")).to_be_visible(timeout=SOON_MS)
    open_dialog(bedside, "s", "start")
    choices = bedside.locator("#start-choices label")
    expect(choices).to_have_count(2, timeout=SOON_MS)
    expect(choices.nth(1)).to_contain_text("In use by bed B2.")
    expect(choices.nth(1).locator("input")).to_be_disabled()
    stand_in.refusal = BUSY
    bedside.keyboard.type("P-021")
    bedside.keyboard.press("Enter")
    expect(bedside.locator("#start-trouble")).to_have_text(f"{BUSY['message']} {BUSY['remedy']}", timeout=SOON_MS)
    stand_in.refusal, stand_in.data = None, {"session": "01J"}
    bedside.keyboard.press("Enter")
    expect(bedside.locator("#work-said")).to_have_text("Session 01J has begun.", timeout=SOON_MS)
    (_, _, command) = stand_in.heard
    chosen = {"name": "Amp16", "source_id": "AMP", "hostname": "bed4-pc", "minutes": 9.0, "mains_hz": 50}
    assert command.args == {"bed": "B71", "patient": "P-021", **chosen}


def test_marks_notes_and_the_end_by_keys_alone(bedside: Page, site: str, play: Any, stand_in: StandIn) -> None:
    """A mark is one key; a note is text, whatever it looks like; the end is asked for once more; tablets show it."""
    stand_in.data = {"sample": 65_000}
    with play(Plan(bed="B72", mode="live"), skip_s=20) as feeder:
        bedside.goto(f"{site}/beds/B72")
        expect(bedside.locator("#work-stop")).to_be_visible(timeout=SOON_MS)
        assert_fits_a_tablet(bedside)
        bedside.keyboard.press("m")
        expect(bedside.locator("#work-said")).to_have_text("Marked “mark” at 1:05.", timeout=SOON_MS)
        open_dialog(bedside, "n", "notes")
        bedside.keyboard.insert_text("x" * 2001)
        bedside.keyboard.press("Tab")
        bedside.locator("#notes-form [type=submit]").press("Enter")
        expect(bedside.locator("#notes-trouble")).to_contain_text("2001 of 2000 characters: shorten it")
        feeder.events.append("note", {"text": "<b>knee</b> الركبة", "author": "ana", "sample": 12_000})
        expect(bedside.locator("#notes-list .said")).to_have_text("<b>knee</b> الركبة", timeout=SOON_MS)
        assert bedside.locator("#notes-list .said").evaluate("one => getComputedStyle(one).direction") == "ltr"
        bedside.keyboard.press("Escape")
        open_dialog(bedside, "s", "stop")
        bedside.locator("#stop-error").press("Space")
        expect(bedside.locator("#stop-go")).to_have_text("Stop and mark")
        bedside.locator("#stop-go").press("Enter")
        expect(bedside.locator("#work-said")).to_have_text(
            "The session ends: its last windows are being scored.", timeout=SOON_MS
        )
        open_dialog(bedside, "?", "help")
        expect(bedside.locator("#help-keys")).to_contain_text("mark this moment")
    assert [command.name for command in stand_in.heard] == ["mark", "stop"]
    assert stand_in.heard[1].args == {"session": feeder.session, "entered_in_error": True}
