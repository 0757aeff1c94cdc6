"""The traces in a real browser: what is done with them, and what a wave may not do to them."""

from __future__ import annotations

import re
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from streaming import keys
from streaming.waves import WaveFrame
from tests.browser.feeder import Plan

pytestmark = pytest.mark.browser

#: Milliseconds within which anything that must be seen is seen.
SOON_MS = 15_000
#: The picture of the traces.
PICTURE = "document.getElementById('sweep').toDataURL()"


def live(page: Page, url: str) -> None:
    """Open a bed, and wait until its traces are live."""
    page.goto(url)
    expect(page.locator("#traces")).to_have_attribute("data-silent", "false", timeout=SOON_MS)
    expect(page.locator(".lane-label")).to_have_count(16, timeout=SOON_MS)


def test_traces_stand_still_when_frozen_and_everything_else_goes_on(page: Page, site: str, play: Any) -> None:
    """Space freezes, arrows scroll back, the wave goes on behind; a press tells values; a lane has its own gain."""
    with play(Plan(bed="Frozen"), skip_s=20):
        live(page, f"{site}/beds/Frozen")
        said = "10 s per page = one window · bars 50 µV EEG, 500 µV EMG · "
        filters = "0.5–150 Hz, notch 50 and 100 Hz, causal, delay 2 ms at 20 Hz"
        expect(page.locator("#page-words")).to_have_text(said + filters)
        page.wait_for_timeout(2000)
        page.keyboard.press("Space")
        expect(page.locator("#frozen-words")).to_have_text(re.compile(r"^Frozen: \d\d:\d\d:\d\d to .* Live goes on\.$"))
        page.mouse.click(800, 300)
        expect(page.locator("#cursor-values li")).to_have_count(16)
        expect(page.locator("#cursor-values li").first).to_have_text(re.compile(r"^[+−][\d.]+ µV$"))
        elapsed = page.locator("#elapsed").inner_text()
        still = page.evaluate(PICTURE)
        expect(page.locator("#elapsed")).not_to_have_text(elapsed)
        assert page.evaluate(PICTURE) == still
        expect(page.locator("#silence")).to_be_hidden()
        page.locator(".lane-label").nth(5).click()
        page.keyboard.press("+")
        expect(page.locator(".lane-gain").nth(5)).to_have_text("×2")
        expect(page.locator("#gain-words")).to_have_text("FC2 · 50 µV per lane · ×2")
        page.keyboard.press("Escape")
        expect(page.locator("#traces")).to_have_attribute("data-frozen", "false")
        expect(page.locator("#frozen-words")).to_be_hidden()
        drawn = page.wait_for_function("flexion.drawn()").json_value()  # it sweeps again with the next frame
        page.wait_for_function("before => flexion.drawn() > before", arg=drawn)


def test_what_is_no_frame_of_this_session_is_counted_and_said(page: Page, site: str, play: Any) -> None:
    """Garbage, too much and other channels never stop the traces; the page says what it refused."""
    with play(Plan(bed="Garbage"), skip_s=5) as feeder:
        live(page, f"{site}/beds/Garbage")
        other = WaveFrame.from_uv([[1.0, 2.0]] * 20, segment=0, first_sample=0, stamp_s=0.0).encode()
        for data in (b"", b"garbage", bytes(70_000), other):
            feeder.redis.publish(keys.wave(feeder.session), data)
        said = "Frames with another number of channels than the session: 1"
        expect(page.locator("#trouble")).to_have_text(said, timeout=SOON_MS)
        page.wait_for_timeout(600)  # figures stand for half a second
        refused = page.evaluate("flexion.stats().refused")
        assert refused == {"unreadable": 2, "oversized": 1, "channels": 1, "session": 0, "flood": 0}
        expect(page.locator("#traces")).to_have_attribute("data-silent", "false")


def test_where_little_may_move_whole_pages_follow_each_other(browser: Browser, site: str, play: Any) -> None:
    """No sweep for those who asked their device for reduced motion: a page stands until the next one is full."""
    with play(Plan(bed="Calm"), skip_s=5):
        context = browser.new_context(viewport={"width": 1280, "height": 800}, reduced_motion="reduce")
        page = context.new_page()
        live(page, f"{site}/beds/Calm")
        expect(page.locator("#page-words")).to_have_text(re.compile("whole pages"))
        pictures = set()
        for _ in range(5):
            page.wait_for_timeout(300)
            pictures.add(page.evaluate(PICTURE))
        assert len(pictures) <= 2
        context.close()
