"""The plan's times are the contract's, and each of its views says the same."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from acquisition.paradigm import MARKERS, PHASES, SESSION_END, SESSION_START, Moment, ParadigmPlan


def test_the_default_plan_is_nine_minutes_of_51_trials():
    """30 s still, then 51 trials of 2, 3, 2 and 3 s (contract)."""
    events = ParadigmPlan().events()
    assert events[0] == (0.0, SESSION_START)
    assert events[-1] == (540.0, SESSION_END)
    assert [text for _, text in events].count("flexion") == 51
    assert events[1:6] == [
        (30.0, "preparation"),
        (32.0, "flexion"),
        (35.0, "rest"),
        (37.0, "extension"),
        (40.0, "preparation"),
    ]


def test_no_phase_is_known_before_the_first_trial_and_after_the_last():
    """A phase lasts until the next marker; the still start has none."""
    plan = ParadigmPlan()
    assert plan.at(0.0) == Moment(None, None, 30.0)
    assert plan.at(29.0) == Moment(None, None, 1.0)
    assert plan.at(540.0) == Moment(None, None, math.inf)


@given(st.floats(0, 30), st.floats(0.0, 600.0), st.integers(1, 40) | st.none())
def test_the_moment_agrees_with_the_events(still_s: float, t_s: float, n_trials: int | None):
    """`at` names the last marker before the time, and the next one comes when it says."""
    plan = ParadigmPlan(still_s=still_s, n_trials=n_trials)
    moment = plan.at(t_s)
    before = [text for at_s, text in plan.events(min(t_s, plan.total_s)) if at_s <= t_s - 1e-6]
    if moment.phase is None:
        assert not before or before[-1] in (SESSION_START, SESSION_END) or plan.total_s - t_s < 1e-5
    elif t_s + 1e-5 < t_s + moment.remaining_s and before and plan.at(t_s - 1e-6).phase == moment.phase:
        assert before[-1] == moment.phase
    assert all(text in MARKERS for text in before)


def test_an_endless_plan_goes_on_with_trials_and_never_ends():
    """A demonstration has no last trial."""
    plan = ParadigmPlan(n_trials=None)
    assert plan.at(100_000.0).phase in PHASES
    assert plan.events(60.0)[-1] == (60.0, "preparation")
    with pytest.raises(ValueError, match="an endless plan has no last event"):
        plan.events()


def test_a_phase_without_length_is_refused():
    """Two markers at one time would hide a phase."""
    with pytest.raises(ValueError, match=r"must last more than 0 s, got \(2\.0, 3\.0, 0\.0, 3\.0\)"):
        ParadigmPlan(rest_s=0.0)
