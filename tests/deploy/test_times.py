"""Times as people write and read them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deploy.times import seconds_of, words_of


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("0", 0), ("90", 90), ("90.25", 90.25), ("1:30", 90), ("1:05.5", 65.5), ("90:00", 5400), ("1:02:03", 3723)],
)
def test_seconds_minutes_and_hours_are_understood(text, seconds):
    """As a clock shows them, or as a number of seconds."""
    assert seconds_of(text) == seconds


@pytest.mark.parametrize("text", ["", "-1", "x", "1:75", "1:60:00", "1:", ":30", "1e3", "nan", "inf", "1:2:3:4", "1,5"])
def test_what_is_no_time_is_not_guessed(text):
    """Nothing below 0, no 75th second of a minute, no other notation."""
    assert seconds_of(text) is None


@given(st.integers(0, 10**9))
def test_what_is_shown_is_understood(milliseconds):
    """Every time to the millisecond reads back as what it was."""
    assert seconds_of(words_of(milliseconds / 1000)) == pytest.approx(milliseconds / 1000, abs=1e-6)


def test_milliseconds_are_shown_where_there_are_any():
    """And hours."""
    assert [words_of(s) for s in (0, 59.9996, 90.25, 3599, 3600)] == ["0:00", "1:00", "1:30.250", "59:59", "1:00:00"]
