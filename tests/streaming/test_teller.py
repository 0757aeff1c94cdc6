"""The teller: what the screen must not miss, said once."""

from __future__ import annotations

from typing import Any

import pytest

from acquisition.chain import Chain
from acquisition.decisions import Decision
from streaming.teller import Teller

from .bridging import MONTAGE, make_info


@pytest.fixture
def told() -> list[tuple[str, dict[str, Any]]]:
    """Return what the screen was told."""
    return []


@pytest.fixture
def teller(told) -> Teller:
    """Return a teller that tells this test."""
    return Teller(lambda kind, data: told.append((kind, dict(data))), make_info(), Chain(MONTAGE))


def decide(teller: Teller, kind: str, **data: object) -> None:
    """Let it hear of a decision on the signal."""
    teller.decision(Decision(kind, 1, 0, 0, data))


def test_what_lacks_its_partner_second_by_second_is_said_once(teller, told) -> None:
    """An absence is one notice however long it lasts; the next one is another."""
    for _ in range(2):
        decide(teller, "segment", segment=0, first_sample=0, reason="gap")
        for _ in range(3):
            decide(teller, "reject", n=1000, reason="unpaired")
            decide(teller, "lost", n=1000, reason="partner")
    notices = [data["text"] for kind, data in told if kind == "notice"]
    assert notices == ["Samples are lost: the second stream lacks theirs"] * 2


def test_other_losses_are_each_said(teller, told) -> None:
    """With how many samples and why."""
    decide(teller, "lost", n=500, reason="gap")
    decide(teller, "lost", n=300, reason="absent")
    assert [data["text"] for _, data in told] == ["500 samples lost (gap)", "300 samples lost (absent)"]


def test_a_session_says_who_and_what_it_is(teller, told) -> None:
    """Patient, bed and channels: what the page shows before any signal."""
    teller.session()
    ((kind, data),) = told
    assert (kind, data["patient"], data["bed"], data["labels"]) == ("session", "P01", "B1", MONTAGE.labels)
    assert data["filters"]["eeg"]["notch_hz"] == [50.0, 100.0]


def test_decisions_that_are_nothing_for_people_are_kept(teller, told) -> None:
    """Segments and markers are told, terms and slips are not."""
    decide(teller, "slip", sample=0, n=1, error_s=0.0)
    decide(teller, "term", term=2)
    decide(teller, "marker", text="rest", phase="rest", sample=3)
    assert told == [("marker", {"text": "rest", "phase": "rest", "sample": 3})]
