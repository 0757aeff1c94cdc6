"""The page of a recorded session in a real browser: as at the bed, at any moment of it, and on paper."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from acquisition.session import SessionFolder
from tests.browser.axe import violations
from tests.browser.ink import INKED
from tests.dashboard.recorded import SESSION, info, record

pytestmark = pytest.mark.browser

#: Milliseconds within which anything that must be seen is seen; the chain runs over the recording meanwhile.
SOON_MS = 30_000
MARKUP = "<img src=x onerror=alert(1)> <b>tired</b>"
HEBREW = "המטופל עייף"
LONG = "01JDA0000000000000000000CD"


@pytest.fixture(scope="module")
def recorded(data_dir: Path) -> SessionFolder:
    """Lay a session of 45 s with a hole into the dashboard's folder, with notes of every kind."""
    folder = record(data_dir, 45.0, (26_000, 27_000))
    for text in (MARKUP, HEBREW):
        folder.append_note({"text": text, "author": "AB", "utc": "2026-11-22T09:31:00+00:00"})
    return folder


def inked(page: Page) -> int:
    """Wait until a page of traces is drawn, and return how many of its columns carry one."""
    for _ in range(SOON_MS // 100):
        if (n := int(page.evaluate(INKED))) > 40:
            return n
        page.wait_for_timeout(100)
    raise AssertionError("nothing was drawn")


def test_a_session_is_seen_as_at_the_bed_at_any_moment_of_it(page: Page, site: str, recorded: SessionFolder) -> None:
    """Traces, channels and the outcome as it was; keys, the strip and the table all go to a page of it."""
    page.goto(f"{site}/sessions/{SESSION}")
    expect(page.locator("#place")).to_have_text("Window 0 (1 of 3), 0:04 to 0:14", timeout=SOON_MS)
    expect(page.locator("#traces")).to_have_attribute("data-silent", "false", timeout=SOON_MS)
    expect(page.locator(".lane-label")).to_have_count(16)
    assert inked(page) > 500
    expect(page.locator("#state-word")).to_have_text("Collecting")
    expect(page.locator("#number")).to_be_hidden()
    page.keyboard.press("ArrowRight")
    expect(page.locator("#place")).to_have_text("Window 1 (2 of 3), 0:14 to 0:24")
    assert inked(page) > 500  # on a slow machine its traces come later than its place
    page.locator("#sweep").click(position={"x": 300.0, "y": 40.0})
    expect(page.locator("#cursor-time")).to_have_text(re.compile(r"^0:(1[4-9]|2[0-4])\.\d{3}$"))
    expect(page.locator("#cursor-values li")).to_have_count(16)
    expect(page.locator("#cursor-values li").first).to_have_text(re.compile(r"^[+−][\d.]+ µV$"))
    expect(page.locator("#state-word")).to_have_text("Partial")
    expect(page.locator("#number")).to_have_text(re.compile(r"^\d\d %$"))
    expect(page.locator("#updated")).to_have_text("as it was after window 1")
    strip = page.get_by_role("slider", name=re.compile("The whole session"))
    strip.press("End")
    expect(page.locator("#updated")).to_have_text(re.compile(r"^final, \d\d:\d\d$"))
    assert strip.get_attribute("aria-valuetext") == "No whole window, 0:41 to 0:45"
    strip.press("Home")
    expect(page.locator("#place")).to_have_text("No whole window, 0:00 to 0:04")
    page.locator("#sweep").click(position={"x": 100.0, "y": 40.0})
    expect(page.locator("#cursor")).to_be_hidden()  # there the session had not begun
    page.get_by_role("button", name="2", exact=True).click()
    expect(page.locator("#place")).to_have_text("Window 2 (3 of 3), 0:31 to 0:41")
    strip.click(position={"x": float(strip.evaluate("strip => strip.clientWidth * 16 / 45")), "y": 30.0})
    expect(page.locator("#place")).to_have_text("Window 1 (2 of 3), 0:14 to 0:24")
    assert page.locator(".note-text").all_inner_texts() == ["patient tired", MARKUP, HEBREW]
    assert page.locator("#notes img").count() == 0
    assert page.evaluate("document.documentElement.scrollWidth") == 1280
    assert violations(page) == []


def test_a_session_plays_by_the_clock_and_is_paused_by_whoever_goes_elsewhere(
    page: Page, site: str, recorded: SessionFolder
) -> None:
    """To its end at ten times the speed, each page asked for once; a lane has its gain; the keys are told."""
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url) if re.search("wave|windows", request.url) else None)
    page.goto(f"{site}/sessions/{SESSION}")
    play, place = page.locator("#play"), page.locator("#place")
    expect(page.locator("#traces")).to_have_attribute("data-silent", "false", timeout=SOON_MS)
    page.locator("#speed").select_option("10")
    page.keyboard.press("Space")
    expect(play).to_have_attribute("data-playing", "true")
    expect(place).to_have_text(re.compile(r"^0:\d\d · Window 1 "), timeout=SOON_MS)
    expect(page.locator("#updated")).to_have_text("as it was after window 0")
    expect(page.locator("#updated")).to_have_text(re.compile("^final"), timeout=SOON_MS)
    expect(play).to_have_attribute("data-playing", "false")
    assert len(asked) == len(set(asked)) >= 9
    play.click()
    expect(place).to_have_text(re.compile(r"^0:\d\d · No whole window"))
    page.locator("#scrubber").press("ArrowRight")
    expect(play).to_have_attribute("data-playing", "false")
    expect(place).to_have_text(re.compile("^Window"))
    page.get_by_role("button", name="C1", exact=True).click()
    page.keyboard.press("+")
    expect(page.locator("#gain-words")).to_have_text("C1 · 50 µV per lane · ×2")
    assert violations(page) == []
    page.locator("#gain-close").click()
    expect(page.locator(".lane-gain").nth(1)).to_have_text("×2")
    page.keyboard.press("?")
    expect(page.get_by_role("dialog")).to_contain_text("play the session, or pause")
    assert violations(page) == []


def test_where_little_may_move_playing_turns_pages(page: Page, site: str, recorded: SessionFolder) -> None:
    """A page stands whole until the next one is; nothing sweeps."""
    page.emulate_media(reduced_motion="reduce")
    page.goto(f"{site}/sessions/{SESSION}")
    expect(page.locator("#traces")).to_have_attribute("data-silent", "false", timeout=SOON_MS)
    page.locator("#speed").select_option("2")
    page.locator("#play").click()
    expect(page.locator("#place")).to_have_text("Window 1 (2 of 3), 0:14 to 0:24", timeout=SOON_MS)
    expect(page.locator("#updated")).to_have_text("as it was after window 1")
    assert inked(page) > 500
    page.locator("#play").click()
    expect(page.locator("#play")).to_have_attribute("data-playing", "false")


def test_on_paper_stand_the_ribbon_the_facts_the_tables_and_the_figure(
    page: Page, site: str, recorded: SessionFolder
) -> None:
    """What moves, and what is pressed, stays on the screen; paper is light by night too."""
    page.emulate_media(media="print", color_scheme="dark")
    page.goto(f"{site}/sessions/{SESSION}")
    for shown in (".ribbon", "#facts", "#trend canvas", "#rows-table", "#quality-table", "#ledger-table", "#notes"):
        expect(page.locator(shown)).to_be_visible(timeout=SOON_MS)
    for hidden in ("#scrubber", "#sweep", "#print", "#theme", "#measures-ask"):
        expect(page.locator(hidden)).to_be_hidden()
    expect(page.locator("body")).to_have_css("background-color", "rgb(255, 255, 255)")
    assert page.locator("#rows tr").count() == 3


@pytest.mark.timeout(180)
def test_ten_thousand_windows_stay_usable(page: Page, site: str, recorded: SessionFolder, data_dir: Path) -> None:
    """A recording that is gone and 27 hours of windows: a bounded page that says what is missing, and is quick."""
    long = SessionFolder.create(data_dir, info(LONG))
    line = recorded.results()[0] | {"session": LONG}
    lines = ({**line, "index": i, "first_sample": 4_000 + 10_000 * i} for i in range(10_000))
    (long.path / "results.jsonl").write_text("".join(json.dumps(one) + "\n" for one in lines))
    page.goto(f"{site}/sessions/{LONG}?lang=en")
    expect(page.locator("#place")).to_have_text(re.compile(r"^Window 0 \(1 of 10000\)"), timeout=SOON_MS)
    expect(page.locator("#silence")).to_have_text(re.compile("holds no recording"), timeout=SOON_MS)
    page.get_by_role("slider").press("End")
    expect(page.locator("#rows-of")).to_have_text("9901 to 10000 of 10000", timeout=SOON_MS)
    expect(page.locator("#number")).to_be_visible()
    assert page.locator("#rows tr").count() == 100
    assert page.evaluate("document.querySelectorAll('*').length") < 2_500
    page.get_by_role("button", name="Earlier windows").click()
    expect(page.locator("#rows-of")).to_have_text("9801 to 9900 of 10000", timeout=SOON_MS)
