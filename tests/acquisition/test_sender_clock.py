"""Where stamps lie on this machine's clock: measured, assumed, foreign, reset; and how the sender's clock drifts."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from acquisition.sender_clock import DRIFT_S, Offset, SenderClock


def measured(offset_s: float, time_s: float = 1_000.0) -> SenderClock:
    """Return a clock that has been heard of once."""
    clock = SenderClock()
    clock.measured(Offset(time_s, offset_s, 1e-4))
    return clock


def test_the_first_samples_are_taken_for_just_sent():
    """Before a measurement, the age of what follows is counted from the first."""
    clock = SenderClock()
    assert (clock.offset_s, clock.newest) == (None, None)
    assert clock.heard(20.0, 1_000.0) == 0.0
    assert clock.offset_s == 980.0
    assert clock.heard(21.0, 1_003.5) == 2.5


def test_a_measurement_takes_the_place_of_what_was_assumed():
    """A sender that was late from the start is known to be."""
    clock = SenderClock()
    clock.heard(20.0, 1_000.0)
    clock.measured(Offset(1_000.5, 975.0, 1e-4))
    assert clock.heard(21.0, 1_001.0) == 5.0
    assert clock.offset_s == 975.0


@given(st.floats(-1e6, 1e6), st.floats(-0.9, 59.0))
def test_a_measured_age_is_the_true_one(offset_s: float, age_s: float):
    """Whatever the sender's clock reads, a sample is as old as it is."""
    assert measured(offset_s).heard(1_000.0 - offset_s - age_s, 1_000.0) == pytest.approx(age_s, abs=1e-6)


@pytest.mark.parametrize("stamp_s", [0.0, 900.0, 1_002.0, 1e9])
def test_stamps_of_another_clock_are_counted_from_their_arrival(stamp_s: float):
    """A device that stamps by a clock of its own is neither late for ever nor from the future."""
    clock = measured(0.0)
    assert clock.heard(stamp_s, 1_000.0) == 0.0
    assert clock.heard(stamp_s + 1.0, 1_003.0) == 2.0


def test_a_burst_after_a_long_stall_is_as_old_as_it_is():
    """A clock that was believed once stays so: two minutes of silence make nothing fresh."""
    clock = measured(0.0)
    clock.heard(999.9, 1_000.0)
    assert clock.heard(1_000.0, 1_120.0) == 120.0


def test_stamps_that_leapt_are_counted_anew():
    """After a reset nobody knows when a sample was taken but by its arrival."""
    clock = measured(0.0)
    clock.heard(999.9, 1_000.0)
    clock.reset()
    assert clock.heard(500.0, 1_010.0) == 0.0
    assert clock.heard(501.0, 1_013.0) == 2.0


@pytest.mark.parametrize("stamp_s", [math.nan, math.inf])
def test_a_stamp_that_is_no_number_has_no_age(stamp_s: float):
    """Rubbish makes no source late."""
    clock = SenderClock()
    assert clock.heard(stamp_s, 1_000.0) == 0.0
    assert clock.offset_s is None


def test_drift_is_known_after_a_minute():
    """A sender's clock that gains 40 ppm: its offset falls by as much."""
    clock = SenderClock()
    for time_s in (0.0, DRIFT_S - 5.0):
        clock.measured(Offset(time_s, -40e-6 * time_s, 1e-4))
    assert clock.drift_ppm is None
    clock.measured(Offset(DRIFT_S, -40e-6 * DRIFT_S, 1e-4))
    assert clock.drift_ppm == pytest.approx(40.0)
    assert clock.newest == Offset(DRIFT_S, -40e-6 * DRIFT_S, 1e-4)


def test_a_measurement_knows_its_time_on_both_clocks():
    """XDF keeps the sender's."""
    assert Offset(1_000.0, 980.0, 1e-4).sent_s == 20.0


def test_an_answer_that_took_long_is_left_for_a_better_one_until_drift_may_be_worse():
    """Half of the time that an answer took is how far it may be off; crystals drift by 100 ppm at most."""
    last = Offset(1_000.0, 975.0, 1e-4)
    assert last.tells_more_than(None)
    assert Offset(1_005.0, 975.0003, 5e-4).tells_more_than(last)
    assert not Offset(1_005.0, 975.051, 0.05).tells_more_than(last)
    assert Offset(1_500.0, 975.051, 0.05).tells_more_than(last)
