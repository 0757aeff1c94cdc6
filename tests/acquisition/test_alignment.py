"""Where two grids lie to each other: medians of what is known, however much of it is there."""

from __future__ import annotations

import numpy as np
import pytest

from acquisition.alignment import SPREAD, Alignment, Clock, Track

RATE = 1000.0


def track(stamps_s, clock=None, first=0, chunk=37):
    """Return the track of a stream whose grid begins at 0."""
    made = Track(RATE, clock or Clock(0.0, 0.0))
    for start in range(0, len(stamps_s), chunk):
        made.push(stamps_s[start : start + chunk], first + start)
    return made


def regular(n, begin_s=0.0):
    """Return the stamps of n samples."""
    return begin_s + np.arange(n) / RATE


def test_a_pairing_needs_a_quarter_of_a_second_and_an_offset():
    """Fewer samples do where no more will come; none do where nobody knows the clock."""
    assert not track(regular(249)).ready and track(regular(250)).ready
    short = track(regular(30))
    short.close()
    assert short.ready and short.at(0)[0] == pytest.approx(0.0)
    clock = Clock()
    unknown = track(regular(300), clock)
    assert not unknown.ready and not unknown.hopeless
    clock.over = True
    assert unknown.hopeless
    clock.measure(4.0)
    assert unknown.ready and not unknown.hopeless


def test_an_offset_holds_from_where_it_was_measured_the_first_one_also_before():
    """The place of the grid on this machine's clock, by the offset in force in each block."""
    clock = Clock()
    made = track(regular(500, 10.0), clock)
    clock.measure(1.0)
    made.push(regular(1_000, 10.5), 500)
    clock.measure(3.0)
    made.push(regular(1_500, 11.5), 1_500)
    assert [made.at(place)[0] for place in (0, 500, 1_500, 2_950)] == pytest.approx([11.0, 11.0, 11.0, 13.0])


def test_stamps_that_are_no_time_are_left_out():
    """A block has the median of those that are; a segment of nothing else can never be aligned."""
    stamps_s = regular(300)
    stamps_s[10:60] = np.nan
    stamps_s[70] = 1e300
    assert track(stamps_s).at(250)[0] == pytest.approx(0.0)
    rubbish = track(np.full(300, np.nan))
    rubbish.close()
    assert rubbish.hopeless and not rubbish.ready


def test_what_is_over_is_forgotten():
    """An hour takes no more memory than the last seconds."""
    made = track(regular(60_000), chunk=1_000)
    assert made.block_end(59_949) == 59_950 and made.block_end(59_950) == 60_000
    assert made.block_end(60_000) > 1 << 60
    made.at(60_000)
    assert len(made._ends) == SPREAD and made.block_end(59_949) == 59_950


def test_the_shift_moves_when_it_is_off_by_three_quarters_of_a_sample():
    """Not before, not by less than what it is off, and not while the first second is not over."""
    one, two = track(regular(10_000)), track(regular(10_000, 0.0402))
    alignment = Alignment(one, two, 0, 0)
    assert alignment.shift == 40 and alignment.error_s == pytest.approx(0.0002)
    alignment.paired = True
    assert alignment.follow(50) == 0
    for off_s, moved in ((0.0407, 0), (0.0408, 1), (0.0434, 2)):
        two._medians = [off_s] * len(two._medians)
        assert alignment.follow(5_000) == moved
    assert alignment.shift == 43 and alignment.error_s == pytest.approx(0.0004)


def test_the_shift_follows_freely_until_something_stands_by_it():
    """What waited while the other stream was away has drifted: its place is rounded anew, to the nearest sample."""
    one, two = track(regular(10_000)), track(regular(10_000, 0.0402))
    alignment = Alignment(one, two, 0, 0)
    two._medians = [0.0406] * len(two._medians)
    assert alignment.follow(5_000) == 1 and alignment.error_s == pytest.approx(-0.0004)
