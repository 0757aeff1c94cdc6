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
    """Whatever was marked, no phase is lost or doubled, and no trial holds two of a kind."""
    starts = accumulate([0] + [length] * len(names))
    marked = [(name, start, length) for name, start in zip(names, starts, strict=False)]
    trials = trials_of(marked)
    regrouped = [(phase, span.start, len(span)) for trial in trials for phase, span in trial.spans.items()]
    assert regrouped == marked
    for trial in trials:
        order = [PHASES.index(phase) for phase in trial.spans]
        assert order == sorted(order)
