"""The judge of looks is not blind: what looks fresh too long, or old too early, is found, and by how much."""

from __future__ import annotations

from math import inf

import pytest

from .truth import Truth, Way
from .verdict import Sample, Tally, judge, well_again_s


def truth(*, bridge_dies_s: float = inf) -> Truth:
    """Return a session S of 100 s in which all is well, but for a bridge that dies."""
    made = Truth()
    seconds = [float(s) for s in range(101)]
    made.answers = seconds
    made.beats["scorer"] = made.beats["aggregator"] = seconds
    made.beats["S"] = [s for s in seconds if s < bridge_dies_s]
    made.commits["S"] = [s for s in seconds if s % 10 == 0]
    made.frames["S"] = [(1000 * round(s), s) for s in seconds if s < bridge_dies_s]
    return made


def shown(value: str, looks: dict[float, str], end: int = 0) -> list[Sample]:
    """Return samples of one value."""
    return [Sample(at_s, at_s + 0.01, {value: look}, end) for at_s, look in looks.items()]


def tally(value: str, looks: dict[float, str], said: Truth, way: Way | None = None, end: int = 0) -> Tally:
    """Return what is found of these looks."""
    return judge(shown(value, looks, end), said, "S", way or Way(), [])[value]


def test_looks_that_follow_the_age_are_neither_late_nor_early() -> None:
    """A bridge that died after its heartbeat at 49 s: grey from 52 s on, struck from 59 s, gone from 79 s."""
    found = tally("outcome", {50.0: "fresh", 52.1: "grey", 59.1: "struck", 79.1: "gone"}, truth(bridge_dies_s=50))
    assert found.late_s < 0 or found.late_s == 0
    assert found.early_s <= 0


@pytest.mark.parametrize(
    ("look", "at_s", "late_s"), [("fresh", 57.0, 5.0), ("grey", 60.0, 1.0), ("struck", 95.0, 16.0)]
)
def test_an_old_value_that_looks_too_fresh_is_found(look: str, at_s: float, late_s: float) -> None:
    """It is late by the time since the look was due that is missing."""
    assert tally("outcome", {at_s: look}, truth(bridge_dies_s=50)).late_s == pytest.approx(late_s)


def test_a_fresh_value_that_looks_old_is_found() -> None:
    """Two seconds and a half of news are forgiven, no more."""
    assert tally("outcome", {50.5: "struck"}, truth()).early_s > 5.0
    assert tally("source", {50.5: "grey"}, truth()).early_s > 1.0


def test_what_could_not_be_known_is_as_old_as_the_cut() -> None:
    """A page that nothing reaches must look older, though all is well behind the cut."""
    way = Way()
    way.cut(50.0)
    assert tally("redis", {57.0: "fresh"}, truth(), way).late_s == pytest.approx(4.0)
    way.mend(60.0)
    assert tally("redis", {62.9: "fresh"}, truth(), way).late_s == 0.0


def test_a_slow_way_makes_everything_older() -> None:
    """What comes six seconds late is six seconds old."""
    way = Way(slow=[(50.0, 80.0, 6.0)])
    assert way.known_s(53.0) == 50.0
    assert way.known_s(70.0) == 64.0
    assert tally("redis", {70.5: "fresh"}, truth(), way).late_s == pytest.approx(3.5)


def test_lanes_are_as_old_as_the_newest_sample_that_came() -> None:
    """Whatever the way: a page that was handed sample 40,000 has the signal of 40 s."""
    assert tally("lanes", {44.0: "fresh"}, truth(), end=40_000).late_s == pytest.approx(3.0)
    assert tally("lanes", {40.1: "grey"}, truth(), end=40_000).early_s == pytest.approx(0.9)
    assert tally("lanes", {44.0: "grey"}, truth(), end=40_000).early_s <= 0


def test_a_closed_session_must_not_age() -> None:
    """Its outcome stays fresh, though nobody beats any more."""
    samples = shown("outcome", {95.0: "fresh"}) + shown("number", {95.0: "grey"})
    found = judge(samples, truth(bridge_dies_s=50), "S", Way(), [], final_from_s=90.0)
    assert found["outcome"].early_s == 0.0
    assert found["number"].early_s == inf


def test_a_page_that_knows_nothing_yet_shows_nothing_old() -> None:
    """Before it was told anything no value stands there."""
    samples = [Sample(95.0, 95.1, {"outcome": "fresh"}, 0, {"code": "UNKNOWN"})]
    assert judge(samples, truth(bridge_dies_s=50), "S", Way(), []) == {}
    assert not samples[0].well


def test_when_all_was_well_again() -> None:
    """The first moment at which everything looked fresh counts."""
    samples = [Sample(1.0, 1.1, {"a": "grey"}), Sample(2.0, 2.1, {"a": "fresh", "b": None}), Sample(3.0, 3.1, {})]
    assert well_again_s(samples, 0.5) == pytest.approx(1.6)
    assert well_again_s(samples, 2.5) is None
