"""The application of the cues: its page, what is shown, what can be asked for, and who may ask."""

from __future__ import annotations

import json
from collections.abc import Iterator

import httpx
import pytest

from acquisition.cues import Event
from acquisition.paradigm import ParadigmPlan
from dashboard.cues import routes
from tests.dashboard.conftest import SOON_S
from tests.dashboard.cueing import Cues, serving_cues


@pytest.fixture
def cues() -> Iterator[Cues]:
    """Return cues that are served on a port of their own."""
    with serving_cues(ParadigmPlan(still_s=1.0, n_trials=2)) as cues:
        yield cues


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_page_comes_in_its_language_with_its_policy(language: str) -> None:
    """One page, its scripts beside it; nothing from another host."""
    with serving_cues(ParadigmPlan(), language) as cues:
        page = httpx.get(cues.url)
        assert f'<html lang="{language}" data-theme="auto">' in page.text
        assert "default-src 'self'" in page.headers["content-security-policy"]
        assert httpx.get(f"{cues.url}static/cues/cues.js").status_code == 200
        assert httpx.get(f"{cues.url}healthz").json() == {"status": "ok"}


def test_commands_take_effect_at_once(cues: Cues) -> None:
    """The answer is what is shown now; the marker is out by then."""
    assert httpx.get(f"{cues.url}api/v1/cues").json()["state"] == "ready"
    shown = cues.ask("start").json()
    assert (shown["state"], shown["left_s"], shown["next"], shown["heard"]) == ("running", 1.0, "preparation", True)
    assert cues.markers == ["session-start"]
    cues.at(3.5)
    assert [cues.ask(word).json()["state"] for word in ("pause", "go-on", "pause", "pause")] == [
        "pausing",
        "running",
        "pausing",
        "pausing",
    ]
    assert cues.ask("stop").json()["state"] == "ended"
    assert cues.markers[-1] == "session-end"


def test_a_command_that_there_is_not_is_refused(cues: Cues) -> None:
    """Said with the ones that there are."""
    refusal = cues.ask("dance")
    assert refusal.status_code == 422
    assert refusal.json()["detail"] == "Input should be 'start', 'pause', 'go-on' or 'stop'"


def test_another_site_may_not_press_the_buttons(cues: Cues) -> None:
    """A browser lets every site send a form here; where it comes from is looked at. A command line has no page."""
    refusal = cues.ask("start", origin="http://evil.example")
    assert (refusal.status_code, refusal.json()["detail"]) == (403, "Only one of these pages may change anything here.")
    assert cues.ask("start", origin="null").status_code == 403
    assert cues.markers == []
    assert cues.ask("start", origin=cues.url.rstrip("/")).status_code == 200
    foreign = httpx.get(f"{cues.url}api/v1/cues", headers={"host": "evil.example"})
    assert (foreign.status_code, foreign.json()["remedy"]) == (421, "Ask for 127.0.0.1 or localhost.")


def test_every_change_is_told_with_the_time_that_is_left(cues: Cues, monkeypatch: pytest.MonkeyPatch) -> None:
    """A change is told when it happens, whoever brought it about; the stream ends with the server."""
    monkeypatch.setattr(routes, "TELL_AGAIN_S", 3600.0)
    with httpx.stream("GET", f"{cues.url}api/v1/cues/events", timeout=SOON_S) as answer:
        lines = (json.loads(line[6:]) for line in answer.iter_lines() if line.startswith("data: "))
        assert next(lines)["state"] == "ready"
        cues.desk.command(Event.START)
        assert (first := next(lines))["state"] == "running" and first["number"] == 1
        cues.at(3.25)
        told = next(lines)
        assert (told["phase"], told["trial"], told["length_s"], told["left_s"]) == ("flexion", 0, 3.0, 2.75)
        cues.desk.command(Event.STOP)
        assert next(lines)["state"] == "ended"
        cues.stop.set()
        assert list(lines) == []


def test_what_is_shown_is_told_again_though_nothing_changes(cues: Cues, monkeypatch: pytest.MonkeyPatch) -> None:
    """So that silence means that contact is lost (law 7)."""
    monkeypatch.setattr(routes, "TELL_AGAIN_S", 0.01)
    with httpx.stream("GET", f"{cues.url}api/v1/cues/events", timeout=SOON_S) as answer:
        lines = (line for line in answer.iter_lines() if line.startswith("data: "))
        assert len({next(lines) for _ in range(3)}) == 1
