"""Readings of an earlier life's LSL clock on this one's: the bridge or the machine started again, UTC set wrong."""

import math
from datetime import UTC, datetime, timedelta

import pytest

from acquisition.clock import FakeClock
from acquisition.clock_map import LONGEST_S, brought_over, mark

BEGUN = datetime(2026, 1, 1, 12, tzinfo=UTC)
#: A part that began when the machine's LSL clock stood at 50,000 s.
MARKS = [
    {"part": 1, "lsl_s": 1.0, "utc_s": 2.0, "boot": "older"},
    mark(2, FakeClock(lsl_s=50_000.0, utc=BEGUN, boot="old")),
]


def later(seconds: float, *, lsl_s: float, boot: str) -> FakeClock:
    """Return the clocks some seconds of wall time after the part began."""
    return FakeClock(lsl_s=lsl_s, utc=BEGUN + timedelta(seconds=seconds), boot=boot)


def test_a_mark_says_how_the_clocks_stand():
    """What session.json keeps of each part."""
    assert MARKS[1] == {"part": 2, "lsl_s": 50_000.0, "utc_s": BEGUN.timestamp(), "boot": "old"}


def test_on_the_same_start_of_the_machine_a_reading_is_what_it_was():
    """The LSL clock went on, whatever UTC was set to meanwhile."""
    assert brought_over(50_100.0, 2, MARKS, later(-9_000.0, lsl_s=50_130.0, boot="old")) == 50_100.0


def test_after_a_restart_of_the_machine_utc_joins_the_two():
    """100 s into the part, read 160 s after its begin by the wall, is 60 s ago on a clock that began anew."""
    assert brought_over(50_100.0, 2, MARKS, later(160.0, lsl_s=25.0, boot="new")) == pytest.approx(25.0 - 60.0)


@pytest.mark.parametrize("boot", ["", "new"])
def test_without_the_name_of_the_start_utc_is_asked(boot: str):
    """A folder of a machine that has no such name, or from before it was kept."""
    marks = [{"part": 2, "lsl_s": 50_000.0, "utc_s": BEGUN.timestamp()}]
    assert brought_over(50_100.0, 2, marks, later(130.0, lsl_s=50_130.0, boot=boot)) == pytest.approx(50_100.0)


def test_a_moment_is_never_later_than_now():
    """A wall clock that was set back makes nothing that has happened lie ahead."""
    assert brought_over(50_100.0, 2, MARKS, later(-3_600.0, lsl_s=25.0, boot="new")) == 25.0
    assert brought_over(50_100.0, 2, MARKS, later(0.0, lsl_s=50_000.0, boot="old")) == 50_000.0


def test_a_wall_clock_that_leapt_for_years_is_a_day():
    """Past every plan, and still a number that a session can hold."""
    assert brought_over(50_100.0, 2, MARKS, later(1e9, lsl_s=25.0, boot="new")) == 25.0 - LONGEST_S


@pytest.mark.parametrize(("lsl_s", "part"), [(math.nan, 2), (50_100.0, 3)])
def test_what_nothing_tells_is_not_a_number(lsl_s: float, part: int):
    """No reading, or a part without a mark."""
    assert math.isnan(brought_over(lsl_s, part, MARKS, later(160.0, lsl_s=25.0, boot="new")))
