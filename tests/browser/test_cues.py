"""The page of the cues in a real browser: what the patient sees, and what the operator can press."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from acquisition.cues import Event
from acquisition.paradigm import ParadigmPlan
from dashboard.cues import routes
from tests.dashboard.cueing import Cues, serving_cues

pytestmark = pytest.mark.browser

SOON_MS = 15_000
PLAN = ParadigmPlan(n_trials=3)
#: When each scene is looked at, in s of the plan, and its large words.
SCENES = {
    "en": {
        0.0: "Keep still",
        30.0: "Get ready",
        32.0: "Bend",
        35.0: "Rest",
        37.0: "Straighten",
        40.0: "Get ready",
        60.0: "Thank you",
    },
    "zh": {0.0: "保持不动", 30.0: "准备", 32.0: "屈腿", 35.0: "休息", 37.0: "伸腿", 40.0: "准备", 60.0: "谢谢"},
}
#: What a person must be able to read everywhere.
RESEARCH = {
    "en": "Research use only. Not a medical device. Not for diagnosis.",
    "zh": "仅供研究使用。非医疗器械，不用于诊断。",
}
#: Smallest target for a finger in a glove.
FINGER_PX = 44


@pytest.fixture
def cues() -> Iterator[Cues]:
    """Return cues in English whose time the test turns."""
    with serving_cues(PLAN) as cues:
        yield cues


def says(page: Page, id: str, words: str) -> None:
    """Wait until an element says these words."""
    expect(page.locator(f"#{id}")).to_have_text(words, timeout=SOON_MS)


@pytest.mark.parametrize("size", [(1280, 800), (390, 844)], ids=["tablet", "phone"])
@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_patient_is_led_through_the_exercise(page: Page, language: str, size: tuple[int, int]) -> None:
    """Each cue has its word; nothing lies outside the screen or moves when the words change; nothing is too small."""
    page.set_viewport_size({"width": size[0], "height": size[1]})
    with serving_cues(PLAN, language) as cues:
        page.goto(cues.url)
        page.locator("#start").click(timeout=SOON_MS)
        places = set()
        for t_s, words in SCENES[language].items():
            cues.at(t_s)
            says(page, "headline", words)
            says(page, "research", RESEARCH[language])
            assert page.evaluate("() => document.documentElement.scrollWidth - innerWidth") <= 0
            assert page.evaluate("() => document.documentElement.scrollHeight - innerHeight") <= 0
            box = page.locator("#headline").bounding_box()
            assert box is not None and box["x"] >= 0 and box["x"] + box["width"] <= size[0]
            places.add(round(box["y"]))
            for button in page.locator("button:visible").all():
                key = button.bounding_box()
                assert key is not None and min(key["width"], key["height"]) >= FINGER_PX
        assert len(places) == 1
        assert cues.markers == [text for _, text in PLAN.events()]


def test_the_page_counts_down_by_itself(page: Page, cues: Cues, monkeypatch: pytest.MonkeyPatch) -> None:
    """One message is enough: numbers and ring go on without another."""
    monkeypatch.setattr(routes, "TELL_AGAIN_S", 3600.0)
    page.goto(cues.url)
    says(page, "headline", "Welcome")
    cues.desk.command(Event.START)
    says(page, "seconds", "29")
    assert 0.9 < float(page.locator("#ring").get_attribute("stroke-dasharray").split()[0]) < 0.98


def test_lost_contact_is_shown_and_so_is_its_return(page: Page, cues: Cues, monkeypatch: pytest.MonkeyPatch) -> None:
    """A cue that may be old is not shown (law 7); the operator reads why, and nothing can be pressed meanwhile."""
    monkeypatch.setattr(routes, "TELL_AGAIN_S", 3600.0)
    page.goto(cues.url)
    cues.desk.command(Event.START)
    says(page, "headline", "Keep still")
    says(page, "headline", "One moment")
    expect(page.locator("#note")).to_contain_text("No contact with the computer for")
    expect(page.locator("button:visible")).to_have_count(0)
    cues.at(32.0)
    says(page, "headline", "Bend")
    says(page, "note", "")


def test_the_space_key_starts_pauses_and_goes_on(page: Page, cues: Cues) -> None:
    """The operator needs no mouse; a pause comes between two trials, a rest in the record."""
    page.goto(cues.url)
    says(page, "headline", "Welcome")
    page.keyboard.press("Space")
    says(page, "headline", "Keep still")
    cues.at(38.0)
    says(page, "headline", "Straighten")
    page.keyboard.press("Space")
    says(page, "note", "Pause after this repetition")
    says(page, "then", "Next: a pause")
    cues.at(40.0)
    says(page, "headline", "Pause")
    assert cues.markers[-1] == "rest"
    page.keyboard.press("Space")
    says(page, "headline", "Get ready")
    says(page, "trial", "Repetition 2 of 3")


def test_the_end_is_asked_for_twice(page: Page, cues: Cues) -> None:
    """A touch by accident ends nothing."""
    page.goto(cues.url)
    page.locator("#start").click(timeout=SOON_MS)
    page.locator("#end").click()
    says(page, "note", "End now?")
    page.locator("#end-no").click()
    says(page, "note", "")
    page.locator("#end").click()
    page.locator("#end-yes").click()
    says(page, "headline", "Thank you")
    assert cues.markers == ["session-start", "session-end"]


def test_markers_that_nobody_records_are_no_secret(page: Page, cues: Cues) -> None:
    """Before the start the operator can still mend it."""
    cues.heard = False
    page.goto(cues.url)
    says(page, "note", "Nobody records the markers")
    cues.heard = True
    says(page, "note", "")


def test_the_operator_can_change_the_language_before_the_start(page: Page, cues: Cues) -> None:
    """For the next patient; not in the middle of the exercise."""
    page.goto(cues.url)
    page.locator("#language").click(timeout=SOON_MS)
    says(page, "headline", "欢迎")
    page.locator("#start").click()
    says(page, "headline", "保持不动")
    expect(page.locator("#language")).to_be_hidden()


def test_reduced_motion_is_respected(browser: Browser, cues: Cues) -> None:
    """Whoever asked for less motion sees the leg where it is to go, and a ring that goes in whole seconds."""
    context = browser.new_context(viewport={"width": 1280, "height": 800}, reduced_motion="reduce")
    page = context.new_page()
    page.goto(cues.url)
    cues.desk.command(Event.START)
    cues.at(35.0)
    says(page, "headline", "Rest")
    bent = page.locator(".leg").get_attribute("d")
    cues.at(37.0)
    says(page, "headline", "Straighten")
    straight = page.locator(".leg").get_attribute("d")
    assert straight != bent
    assert straight == page.locator(".goal").get_attribute("d")
    assert page.locator(".leg").evaluate("leg => getComputedStyle(leg).transitionDuration") == "0s"
    context.close()


def test_nothing_flashes(page: Page, cues: Cues) -> None:
    """No animation runs by itself, and what fades takes its time."""
    page.goto(cues.url)
    cues.desk.command(Event.START)
    cues.at(32.0)
    says(page, "headline", "Bend")
    assert page.evaluate("() => document.getAnimations().filter((a) => !(a instanceof CSSTransition)).length") == 0
    assert page.locator("#ring").evaluate("ring => getComputedStyle(ring).transitionDuration") == "0.6s"
