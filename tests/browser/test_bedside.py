"""The bedside page in a real browser: what a person at the bed sees."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from tests.browser.feeder import IMAGE_BUNDLE, SCAN, Feeder, Plan
from tests.browser.ink import INKED
from tests.dashboard.recorded import info

pytestmark = pytest.mark.browser

#: Milliseconds within which anything that must be seen is seen.
SOON_MS = 15_000
#: How many pixels of the sweep are hatched.
HATCHED = """() => {
    const ink = getComputedStyle(document.documentElement).getPropertyValue("--gap").trim();
    const [r, g, b] = [1, 3, 5].map((i) => parseInt(ink.slice(i, i + 2), 16));
    const sweep = document.getElementById("sweep");
    const pixels = sweep.getContext("2d").getImageData(0, 0, sweep.width, sweep.height).data;
    let hatched = 0;
    for (let i = 0; i < pixels.length; i += 4) hatched += pixels[i] === r && pixels[i + 1] === g && pixels[i + 2] === b;
    return hatched;
}"""


def count(page: Page, script: str, *, above: int) -> int:
    """Wait until a script counts more than this; the policy of the pages forbids Playwright's own way to wait."""
    for _ in range(SOON_MS // 100):
        counted = int(page.evaluate(script))
        if counted > above:
            return counted
        page.wait_for_timeout(100)
    raise AssertionError(f"counted {counted}, expected more than {above}")


def see(page: Page, id: str, words: str | re.Pattern[str]) -> None:
    """Wait until an element says these words."""
    expect(page.locator(f"#{id}")).to_have_text(words, timeout=SOON_MS)


def test_traces_move_and_lanes_are_named(page: Page, site: str, play: Any) -> None:
    """New columns are drawn as samples come; sixteen lanes, their scales in words."""
    with play(Plan(), skip_s=20):
        page.goto(f"{site}/beds/B4")
        expect(page.locator(".lane-label")).to_have_count(16, timeout=SOON_MS)
        before = count(page, INKED, above=40)
        count(page, INKED, above=before + 40)
    assert page.locator("#eeg-scale").evaluate("s => s.selectedOptions[0].text") == "100 µV per lane"
    assert page.locator(".ribbon").inner_text() == "Research use only. Not a medical device. Not for diagnosis."


def keep_scan(data_dir: Path, feeder: Feeder) -> None:
    """Lay the session's folder down, and the score of the scan that it uses: seven slices, each a grey of its own."""
    session, scan = data_dir / "sessions" / feeder.session, data_dir / "patients" / feeder.plan.patient / "fmri" / SCAN
    for folder in (session, scan):
        folder.mkdir(parents=True)
    about = info(feeder.session, patient=feeder.plan.patient, bundles={"fmri": IMAGE_BUNDLE}).to_json()
    (session / "session.json").write_text(json.dumps(about))
    attention = {"columns": 5, "cell_mm": 31.4, "sanity": {"correlation": 0.05, "n_slices": 20}}
    (scan / "score.json").write_text(json.dumps({"bundle_sha256": IMAGE_BUNDLE["sha256"], "attention": attention}))
    rows = [f"{i},{4 * i - 8},0.1,0.1,{7 - i},0.5" for i in range(7)]
    (scan / "slices.csv").write_text("\n".join(["slice,level_mm,logit,attention,rank,in_brain", *rows]))
    Image.new("RGB", (300, 200), (255, 140, 0)).save(scan / "attention.png")
    Image.new("L", (40, 16), 90).save(scan / "underlay.png")
    Image.new("RGBA", (40, 16), (255, 140, 0, 255)).save(scan / "focus.png")


def test_both_parts_the_scan_s_slices_and_where_the_model_looked(
    page: Page, site: str, play: Any, data_dir: Path
) -> None:
    """The slices come on press, the focus on another, in place of nothing else: the traces keep their height."""
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    with play(Plan(state="READY"), skip_s=30) as feeder:
        keep_scan(data_dir, feeder)
        page.goto(f"{site}/beds/B4")
        see(page, "state-word", "Ready")
        told = page.locator("#modalities").inner_text()
        assert "alone 69 %" in told and "31 slices, scanned 2026-11-10, alone 74 %" in told
        assert "EEG and EMG 0.61 (0.40 to 0.80), fMRI 0.42 (0.20 to 0.60)" in told
        see(page, "similarity", "Similar to the training patients: 72 of 100 lie farther out")
        rest = page.locator(".outcome-rest")
        assert rest.evaluate("rest => rest.scrollHeight - rest.clientHeight") <= 0, "all of it is seen at once"
        box = page.locator("#traces").bounding_box()
        page.locator("#fmri summary").click()
        see(page, "fmri-place", "Slice 4 of 7, level +4 mm")
        for kept in ("state-meaning", "points", "similarity", "modalities", "synthetic"):
            expect(page.locator(f"#{kept}")).to_be_visible()
        rest.evaluate("rest => rest.scrollTo(0, 0)")
        expect(page.locator("#points")).to_be_in_viewport()
        assert page.locator("#traces").bounding_box() == box
        page.locator("#fmri-slice").press("ArrowRight")
        see(page, "fmri-place", "Slice 5 of 7, level +8 mm")
        expect(page.locator("#fmri-focus")).to_be_hidden()
        assert not any("focus.png" in url for url in asked)
        page.locator("#fmri-show").press("Enter")
        expect(page.locator("#fmri-focus")).to_be_visible()
        see(page, "fmri-sanity", re.compile("One cell is 31 mm. .* correlate 0.05 with its own .20 slices."))
        page.locator("#fmri-opacity").press("Home")
        expect(page.locator("#fmri-focus")).to_have_css("opacity", "0")
        assert page.locator("#traces").bounding_box() == box
        expect(page.locator("#state-word")).to_be_visible()


def test_the_other_mains_is_named_and_a_notice_that_was_seen_stays_seen(page: Page, site: str, play: Any) -> None:
    """A room of 60 Hz in a session of 50: the channels and the remedy in words; seen once, seen after a reload."""
    with play(Plan(other_hum=("C4", "CP2")), skip_s=20):
        page.goto(f"{site}/beds/B4")
        see(page, "advice", re.compile("^C4, CP2 60 Hz: hum .* start anew with mains 60 Hz$"))
        see(page, "notice-words", re.compile("^Mains of 60 Hz in C4, CP2: this session filters 50 Hz alone"))
        page.locator("#notice-ok").click()
        expect(page.locator("#notice")).to_be_hidden()
        page.reload()
        see(page, "notices-open", "Notices: 1")
        expect(page.locator("#notice")).to_be_hidden()
        page.locator("#notices-open").press("Enter")
        expect(page.locator(".notice-line")).to_have_text(re.compile("Mains of 60 Hz.*seen"))
        see(page, "disk", "Disk 84 GB free")


#: Where that stands which is looked at, and pressed; null while a slow machine makes the page say that it hears none.
PLACES = """() => !document.getElementById("late").hidden ? null :
    ["traces", "number", "freeze", "windows-count", "work-mark", "help"].map((id) => {
        const { x, y, width, height } = document.getElementById(id).getBoundingClientRect();
        return [id, x, y, width, height];
    })"""


def places(page: Page) -> list[list[Any]]:
    """Return where things stand, once all is heard."""
    for _ in range(SOON_MS // 50):
        if found := page.evaluate(PLACES):
            return list(found)
        page.wait_for_timeout(50)
    raise AssertionError("nothing is heard")


@pytest.mark.parametrize("size", [(1280, 800), (1920, 1080), (390, 844)])
def test_nothing_moves_when_a_notice_comes_or_goes(page: Page, site: str, play: Any, size: tuple[int, int]) -> None:
    """Its line is always there: traces, number and presses stay where they are with it, and where it was seen."""
    page.set_viewport_size({"width": size[0], "height": size[1]})
    bed = f"Still{size[0]}"
    kept = 6 if size[0] > 900 else 4  # a phone has the presses below the windows' words, which have their own length
    with play(Plan(bed=bed, state="READY"), skip_s=15) as feeder:
        page.goto(f"{site}/beds/{bed}")
        see(page, "notices-none", "No technical notice")
        see(page, "number", "72 %")
        expect(page.locator("#work-mark")).to_be_visible()
        before = places(page)[:kept]
        feeder.events.append("notice", {"level": "technical", "text": "Words of a machine. " * 12, "remedy": ""})
        expect(page.locator("#notice-words")).to_be_visible(timeout=SOON_MS)
        assert places(page)[:kept] == before
        page.locator("#notice-ok").click()
        see(page, "notices-open", "Notices: 1")
        assert places(page)[:kept] == before
        assert page.evaluate("document.documentElement.scrollWidth") == size[0]


def test_bad_channels_are_named_with_the_remedy_and_windows_have_their_marks(page: Page, site: str, play: Any) -> None:
    """A technician reads what is wrong and what to do; each window is one mark that tells about itself."""
    with play(Plan(flat=("C3",), hum=("BF",)), skip_s=65):
        page.goto(f"{site}/beds/B4")
        see(page, "advice", re.compile("C3 flat: press the electrode and re-gel"))
        expect(page.locator('.mark[data-fate="scored"]')).to_have_count(6, timeout=SOON_MS)
        see(page, "windows-count", "6 of 53 planned")
        page.locator(".mark").nth(2).click()
        see(page, "window-words", re.compile(r"^Window 2: scored; signal quality \d+ %; C3 flat; BF mains hum;"))


def test_what_is_not_recorded_is_red(page: Page, site: str, play: Any) -> None:
    """If recording fails the screen says so in red (law 2)."""
    with play(Plan(recorded=False), skip_s=5):
        page.goto(f"{site}/beds/B4")
        see(page, "recording", "unrecorded")
        expect(page.locator("#recording")).to_have_css("background-color", "rgb(179, 32, 42)")


def test_silence_greys_the_lanes_then_the_number(page: Page, site: str, play: Any) -> None:
    """Never a fresh-looking stale number: lanes after 1 s, the number after 3 s, and who fell silent (law 7)."""
    with play(Plan(), skip_s=30) as feeder:
        page.goto(f"{site}/beds/B4")
        expect(page.locator("#traces")).to_have_attribute("data-silent", "false", timeout=SOON_MS)
        expect(page.locator("#outcome")).to_have_attribute("data-look", "fresh")
        place = page.locator("#number").bounding_box()
        feeder.halt()
        see(page, "silence", re.compile("No signal for [1-9]"))
        expect(page.locator("#outcome")).to_have_attribute("data-look", "grey", timeout=SOON_MS)
        see(page, "late", re.compile("^no word from the (bridge|scorer|aggregator) for [3-9] s$"))
        assert page.locator("#number").bounding_box() == place


def test_a_silent_scorer_makes_the_number_stale(page: Page, site: str, play: Any) -> None:
    """A number whose scorer is gone is struck through and called stale, though traces run on (law 7)."""
    with play(Plan(silent={"scorer"}), skip_s=30):
        page.goto(f"{site}/beds/B4")
        see(page, "state-word", "Stale")
        expect(page.locator("#outcome")).to_have_attribute("data-look", "struck")
        expect(page.locator("#number")).to_have_css("text-decoration-line", "line-through")
        see(page, "late", re.compile("^no word from the scorer for"))


def test_a_closed_session_is_final(page: Page, site: str, play: Any) -> None:
    """A closed session reads `final, HH:MM`, and does not age."""
    with play(Plan(state="READY"), skip_s=30) as feeder:
        page.goto(f"{site}/beds/B4")
        see(page, "state-word", "Ready")
        feeder.halt()
        feeder.end()
        see(page, "updated", re.compile(r"^final, \d\d:\d\d$"))
        page.wait_for_timeout(3500)
        expect(page.locator("#outcome")).to_have_attribute("data-look", "fresh")
        see(page, "silence", "Session ended")


def test_an_engine_that_is_not_the_first_choice_is_named_so(page: Page, site: str, play: Any) -> None:
    """Never silently something else: the system line has the engine and that it is a fallback, in its own look."""
    with play(Plan(state="READY", fallback=True), skip_s=30):
        page.goto(f"{site}/beds/B4")
        see(page, "engine", "Engine onnxruntime, cpu, fp32 (fallback)")
        expect(page.locator("#engine")).to_have_attribute("data-level", "degraded")


def test_a_gap_is_drawn_as_a_gap(page: Page, site: str, play: Any) -> None:
    """What was lost is hatched, never joined over, and the ledger tells how much (laws 3 and 4)."""
    with play(Plan(), skip_s=20) as feeder:
        page.goto(f"{site}/beds/B4")
        count(page, INKED, above=40)
        feeder.plan.gap_at_s = 0.0
        see(page, "ledger", re.compile("1.5 s lost"))
        count(page, HATCHED, above=100)


def test_a_page_that_was_open_before_the_session_shows_it(page: Page, site: str, play: Any) -> None:
    """A bed without a session says so, and follows when one begins."""
    page.goto(f"{site}/beds/B5")
    see(page, "state-word", "No session")
    with play(Plan(bed="B5"), skip_s=30):
        see(page, "state-word", "Partial")
        see(page, "patient", "Patient P-017")


def test_the_ward_lists_the_bed_and_leads_to_it(page: Page, site: str, play: Any) -> None:
    """Beds are links with state and age; the page of the interface lists the routes."""
    with play(Plan(state="READY"), skip_s=30):
        page.goto(site)
        card = page.locator(".card", has_text="Bed B4")
        expect(card).to_contain_text(re.compile("Bed B4.*Ready.*72 %.*last progress"), timeout=SOON_MS)
        card.click()
        see(page, "bed-name", "Bed B4")
        page.goto(f"{site}/docs")
        expect(page.locator("#routes")).to_contain_text("/api/v1/beds/{bed}/events")
