"""What is lost while a stream is away: by its stamps or its counter where they agree with the time that has passed."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from acquisition.decisions import Decision
from acquisition.errors import RateError
from acquisition.stamps import LastSample, StampDecider

RATE = 1000.0
START_S = 512_345.25


def regular(n: int, first: int = 0, *, shift_s: float = 0.0, rate: float = RATE) -> np.ndarray:
    """Return the stamps of n samples from grid sample `first` on."""
    return START_S + shift_s + first / RATE + np.arange(n) / rate


def heard(n: int = 5_000, **settings: object) -> StampDecider:
    """Return a decider that has had n samples."""
    decider = StampDecider(RATE, part=1, **settings)
    counted = "counter_modulo" in settings
    decider.push(regular(n), np.arange(n) % 4_096 if counted else None)
    return decider


def brief(decisions: list[Decision]) -> list[tuple[object, ...]]:
    """Return kind and what matters of each decision."""
    return [(d.kind, *(d.data[key] for key in ("n", "reason", "first_sample") if key in d.data)) for d in decisions]


@pytest.mark.parametrize("away_s", [0.3, 2.0, 59.0, 61.0, 3_600.0])
def test_stamps_that_agree_are_believed_to_the_sample_however_long(away_s: float):
    """The sender's clock went on: what is missing is what its stamps say, not what our clock does."""
    decider = heard()
    decider.returned(away_s + 0.04, anew=True)
    n = round(away_s * RATE)
    assert brief(decider.push(regular(100, 5_000 + n))) == [("lost", n, "gap"), ("segment", "gap", 5_000 + n)]
    assert decider.next_sample == 5_100 + n


@pytest.mark.parametrize("shift_s", [-512_000.0, -30.0, 30.0, 70_000.0])
@pytest.mark.parametrize("away_s", [3.0, 200.0])
def test_a_clock_that_began_anew_loses_the_time_that_has_passed(shift_s: float, away_s: float):
    """The sender's machine was started again: a reset, and the loss by our clock."""
    decider = heard()
    decider.returned(away_s, anew=True)
    n = round(away_s * RATE) - 1
    decisions = decider.push(regular(100, 5_000 + n, shift_s=shift_s))
    assert brief(decisions) == [("lost", n, "gap"), ("clock_reset",), ("segment", "clock_reset", 5_000 + n)]
    assert decider.push(regular(1_000, 5_100 + n, shift_s=shift_s)) == []


def test_a_stream_that_lives_anew_begins_a_segment_even_where_nothing_is_missing():
    """Nothing may hang together over two lives of a stream (law 4)."""
    decider = heard()
    decider.returned(0.001, anew=True)
    assert brief(decider.push(regular(100, 5_000))) == [("segment", "gap", 5_000)]


def test_a_burst_after_silence_is_what_it_was():
    """A process that froze and goes on sends all that it has: no decision."""
    decider = heard()
    decider.returned(5.0, anew=False)
    assert decider.push(regular(5_000, 5_000)) == []


def test_a_long_silence_of_a_stream_that_lives_is_lost_by_its_stamps():
    """More than a minute, and no reset: our clock says that the minute has passed."""
    decider = heard()
    decider.returned(90.0, anew=False)
    assert brief(decider.push(regular(100, 95_000))) == [("lost", 90_000, "gap"), ("segment", "gap", 95_000)]


def test_the_time_that_has_passed_is_heard_once():
    """What comes after the first sample is judged by stamps alone again."""
    decider = heard()
    decider.returned(2.0, anew=True)
    decider.push(regular(1_000, 7_000))
    decisions = decider.push(regular(100, 8_000, shift_s=70.0))
    assert brief(decisions) == [("clock_reset",), ("segment", "clock_reset", 8_000)]


def test_a_counter_is_exact_where_it_agrees_with_the_time():
    """A counter that turns over: the stamps say how many turns, the count says the sample."""
    decider = heard(counter_modulo=4_096)
    decider.returned(100.0, anew=True)
    index = np.arange(105_003, 105_103)
    assert brief(decider.push(regular(100, 105_000), index % 4_096))[0] == ("lost", 100_003, "gap")


def test_a_counter_that_began_anew_leaves_it_to_the_stamps():
    """An amplifier that was started again counts from 0; its computer's clock went on."""
    decider = StampDecider(RATE, part=1)
    decider.push(regular(5_000), 70_000 + np.arange(5_000))
    decider.returned(10.0, anew=True)
    assert brief(decider.push(regular(100, 15_000), np.arange(100)))[0] == ("lost", 10_000, "gap")


def test_a_counter_that_went_on_tells_the_loss_over_a_reset_clock():
    """The computer was started again, the amplifier was not."""
    decider = StampDecider(RATE, part=1)
    decider.push(regular(5_000), np.arange(5_000))
    decider.returned(10.2, anew=True)
    decisions = decider.push(regular(100, shift_s=-500_000.0), np.arange(15_007, 15_107))
    assert brief(decisions)[:2] == [("lost", 10_007, "gap"), ("clock_reset",)]


def test_a_later_life_knows_the_time_too():
    """A bridge that was away for ten minutes: lost by the stamps, for the reason resume."""
    previous = LastSample(START_S + 4.999)
    decider = StampDecider(RATE, part=2, next_sample=5_000, next_segment=1, previous=previous)
    decider.returned(600.0, anew=True)
    decisions = decider.push(regular(100, 605_000))
    assert brief(decisions) == [("lost", 600_000, "resume"), ("segment", "resume", 605_000)]


def test_a_later_life_after_a_restart_of_the_machine_loses_the_time_by_the_wall():
    """Stamps begin near 0: not thousands of seconds away, not backward, but what has passed."""
    previous = LastSample(START_S + 4.999)
    decider = StampDecider(RATE, part=2, next_sample=5_000, next_segment=1, previous=previous)
    decider.returned(180.0, anew=True)
    decisions = decider.push(20.0 + np.arange(100) / RATE)
    assert brief(decisions) == [("lost", 179_999, "resume"), ("clock_reset",), ("segment", "resume", 184_999)]
    assert decider.next_sample == 185_099


def test_stamps_that_overlap_what_was_taken_are_rejected():
    """A sender that returns with samples from before it went: their places are taken."""
    decider = heard()
    decider.returned(0.2, anew=True)
    decisions = decider.push(regular(300, 4_900))
    assert {d.data["reason"] for d in decisions if d.kind == "reject"} == {"duplicate", "backward"}
    assert decider.next_sample <= 5_200 + 5


def test_a_stream_that_returns_at_another_rate_is_known_within_two_seconds():
    """Its first seconds are judged anew; without `any_rate` they are refused."""
    decider = heard(any_rate=True)
    decider.returned(3.0, anew=True)
    decider.push(regular(2_000, 8_000, rate=500.0))
    assert decider.wrong_rate is not None and "runs at 500.00 Hz" in decider.wrong_rate.message
    decider.returned(3.0, anew=True)
    assert decider.wrong_rate is None
    strict = heard()
    strict.returned(3.0, anew=True)
    with pytest.raises(RateError, match="runs at 500.00 Hz"):
        strict.push(regular(2_000, 8_000, rate=500.0))


@given(
    away=st.floats(0.0, 10_000.0),
    shift_s=st.floats(-1e6, 1e6),
    cuts=st.lists(st.integers(1, 50), max_size=8),
)
def test_an_absence_is_lost_about_as_long_as_it_was_at_every_chunking(away: float, shift_s: float, cuts: list[int]):
    """Whatever the sender's clock says: the grid goes on near the time that has passed, never back (law 3)."""
    stamps = regular(100, 5_001, shift_s=away + shift_s)
    outcomes = []
    for sizes in ([100], [*cuts, 100]):
        decider = heard()
        decider.returned(away, anew=True)
        decisions, start = [], 0
        for size in sizes:
            decisions += decider.push(stamps[start : start + size])
            start += size
        outcomes.append((decisions, decider.next_sample))
        lost = sum(d.data["n"] for d in decisions if d.kind == "lost")
        rejected = sum(d.data["n"] for d in decisions if d.kind == "reject")
        assert decider.next_sample == 5_100 + lost - rejected
        assert abs(lost / RATE - away) <= 1.01 + 0.01 * away
    assert outcomes[0] == outcomes[1]
