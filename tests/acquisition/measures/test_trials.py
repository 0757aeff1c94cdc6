"""Trials: phases grouped as the paradigm repeats them."""

from itertools import accumulate

from hypothesis import given
from hypothesis import strategies as st

from acquisition.measures.trials import trials_of
from acquisition.paradigm import PHASES


def test_a_session_of_whole_trials_has_all_four_phases_in_each():
    """Four phases, one trial; the next preparation begins the next."""
    marked = [(phase, 10 * at, 10) for at, phase in enumerate(PHASES * 3)]
    trials = trials_of(marked)
    assert [trial.number for trial in trials] == [0, 1, 2]
    assert all(tuple(trial.spans) == PHASES for trial in trials)
    assert trials[1].spans["rest"] == range(60, 70)


@given(st.lists(st.sampled_from(PHASES), max_size=40), st.integers(1, 50))
def test_each_phase_is_in_one_trial_and_in_order(names, length):
    """Whatever was marked, no phase but a lone rest is lost, none is doubled, and no trial holds two of a kind."""
    starts = accumulate([0] + [length] * len(names))
    marked = [(name, start, length) for name, start in zip(names, starts, strict=False)]
    trials = trials_of(marked)
    regrouped = [(phase, span.start, len(span)) for trial in trials for phase, span in trial.spans.items()]
    assert set(regrouped) <= set(marked) and regrouped == sorted(regrouped, key=lambda span: span[1])
    assert {phase for phase, *_ in set(marked) - set(regrouped)} <= {"rest"}
    for trial in trials:
        order = [PHASES.index(phase) for phase in trial.spans]
        assert order == sorted(order)


def test_a_pause_is_no_trial():
    """Its marker is a rest after an extension: the trials before and after it keep their numbers."""
    names = (*PHASES, "rest", *PHASES, "rest")
    trials = trials_of([(phase, 10 * at, 10) for at, phase in enumerate(names)])
    assert [(trial.number, trial.spans["rest"].start) for trial in trials] == [(0, 20), (1, 70)]


def test_a_rest_that_a_movement_follows_is_a_trial():
    """Where rest and extension alone are marked, they are what is read."""
    trials = trials_of([("rest", 0, 10), ("extension", 10, 10), ("rest", 20, 10), ("extension", 30, 10)])
    assert [sorted(trial.spans) for trial in trials] == [["extension", "rest"]] * 2
