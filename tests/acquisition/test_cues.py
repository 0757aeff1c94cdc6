"""Cues: each marker exactly once and in order, whenever one looks and whatever people press."""

from __future__ import annotations

from itertools import pairwise, product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from acquisition.cues import COMMANDS, LATE_ABOVE_S, Cue, CueRunner, Event, State
from acquisition.paradigm import PHASES, SESSION_END, SESSION_START, ParadigmPlan

#: The table, written a second time by hand: columns START PAUSE GO_ON STOP TRIAL_OVER PLAN_OVER.
TABLE = {
    "READY": "RUNNING - - ENDED - -",
    "RUNNING": "- PAUSING - ENDED - ENDED",
    "PAUSING": "- - RUNNING ENDED PAUSED ENDED",
    "PAUSED": "- - RUNNING ENDED - -",
    "ENDED": "- - - - - -",
}
#: Two trials of 10 s after 1 s still.
SMALL = ParadigmPlan(still_s=1.0, n_trials=2)


def texts(cues: list[Cue]) -> list[str]:
    """Return what the markers say."""
    return [cue.text for cue in cues]


def walk(runner: CueRunner, *until_s: float) -> list[Cue]:
    """Look at each of these times."""
    return [cue for now_s in until_s for cue in runner.step(now_s)]


@st.composite
def plans(draw) -> ParadigmPlan:
    """Any plan that ends."""
    seconds = st.floats(0.01, 30.0)
    return ParadigmPlan(draw(st.floats(0.0, 60.0)), *(draw(seconds) for _ in PHASES), n_trials=draw(st.integers(0, 5)))


@st.composite
def looks(draw) -> list[float]:
    """Any times to look, counted from the start, in order."""
    return sorted(draw(st.lists(st.floats(0.0, 1_000.0), max_size=60)))


@pytest.mark.parametrize(("state", "event"), list(product(State, Event)), ids=lambda e: e.name)
def test_every_cell(state: State, event: Event):
    """A lawful event leads where the table says; any other changes nothing."""
    runner = CueRunner(SMALL)
    runner.state = state
    expected = TABLE[state.name].split()[list(Event).index(event)]
    assert runner._fire(event) is (expected != "-")
    assert runner.state.name == (state.name if expected == "-" else expected)


@given(plans(), looks(), st.floats(0.0, 1e6))
def test_each_marker_comes_exactly_once_and_in_order(plan: ParadigmPlan, times: list[float], start_s: float):
    """Any plan, any polling times: what came is the plan's own list, up to the last look (law 3)."""
    runner = CueRunner(plan)
    came = runner.step(start_s, Event.START) + walk(runner, *(start_s + t for t in times))
    planned = plan.events()
    assert texts(came) == [text for _, text in planned][: len(came)]
    assert all(cue.late_s >= 0 for cue in came)
    for (at_s, _), cue in zip(planned, came, strict=False):
        assert cue.due_s == start_s + at_s
    came += runner.step(start_s + plan.total_s + 1.0)
    assert texts(came) == [text for _, text in planned]
    assert walk(runner, start_s + 1e6) == []
    assert (runner.state, runner.ended_by) == (State.ENDED, Event.PLAN_OVER)


@given(plans(), looks(), st.lists(st.sampled_from(list(COMMANDS.values()))))
def test_whatever_is_pressed_the_markers_are_the_plans(plan: ParadigmPlan, times: list[float], presses: list[Event]):
    """Pauses add a rest each and lose nothing; a stop adds the end; nothing comes twice or after it (law 3)."""
    runner = CueRunner(plan)
    came: list[Cue] = []
    for now_s, event in zip(times, [*presses, *[None] * len(times)], strict=False):
        came += runner.step(now_s, event)
    said = texts(came)
    n_pauses = sum(now == "rest" and before == "extension" for before, now in pairwise(said))
    for _ in range(n_pauses):
        del said[next(i for i in range(1, len(said)) if said[i - 1 : i + 1] == ["extension", "rest"])]
    planned = [text for _, text in plan.events()]
    if runner.ended_by is Event.STOP and said:
        assert said.pop() == SESSION_END
    assert said == planned[: len(said)]
    assert [cue.due_s for cue in came] == sorted(cue.due_s for cue in came)
    assert runner.state is not State.READY or not came


@given(plans(), st.floats(0.0, 300.0))
def test_what_is_shown_agrees_with_the_plan(plan: ParadigmPlan, t_s: float):
    """Phase, trial and the time that is left are those of the plan at that time."""
    runner = CueRunner(plan)
    runner.step(0.0, Event.START)
    runner.step(t_s)
    shown, moment = runner.shown(t_s), plan.at(t_s)
    assert shown.plan_left_s == pytest.approx(max(0.0, plan.total_s - t_s), abs=1e-6)
    near = shown.left_s is not None and (shown.left_s < 1e-6 or shown.length_s - shown.left_s < 1e-6)
    if not near and t_s < plan.total_s - 1e-6:
        assert shown.phase == moment.phase
        assert moment.trial is None or shown.trial == moment.trial
        assert shown.left_s == pytest.approx(moment.remaining_s, abs=1e-6)


def test_nothing_comes_before_the_start():
    """A run waits for its operator; nothing is due, nothing has a time."""
    runner = CueRunner(SMALL)
    assert walk(runner, 0.0, 1e6) == []
    shown = runner.shown(1e6)
    assert (runner.due_s, shown.state, shown.phase, shown.length_s, shown.left_s) == (None, "ready", None, None, None)
    assert shown.plan_left_s == SMALL.total_s == 21.0


def test_a_run_that_never_began_ends_without_a_marker():
    """Nothing was recorded, so nothing has an end."""
    runner = CueRunner(SMALL)
    assert runner.step(5.0, Event.STOP) == []
    assert (runner.state, runner.ended_by) == (State.ENDED, Event.STOP)
    assert runner.step(6.0, Event.START) == []


def test_after_a_stall_each_marker_says_how_late_it_was():
    """What came due together is told together; only the newest was ever seen."""
    runner = CueRunner(SMALL)
    runner.step(100.0, Event.START)
    runner.step(101.0)
    came = runner.step(107.5)
    assert [(cue.text, cue.late_s, cue.overtaken) for cue in came] == [("flexion", 4.5, True), ("rest", 1.5, False)]
    assert [cue.late for cue in runner.step(108.0 + LATE_ABOVE_S / 2)] == [False]
    assert runner.shown(109.0).left_s == 2.0


def test_a_pause_begins_between_trials_as_a_rest():
    """The trial is finished first; the rest's marker keeps the extension from lasting through the pause."""
    runner = CueRunner(SMALL)
    runner.step(0.0, Event.START)
    assert runner.step(3.5, Event.PAUSE)[-1].text == "flexion"
    assert runner.shown(3.5).state == "pausing"
    assert texts(walk(runner, 6.0, 8.0, 11.0)) == ["rest", "extension", "rest"]
    paused = runner.shown(400.0)
    assert (paused.state, paused.phase, paused.left_s, paused.next) == ("paused", "rest", None, None)
    assert paused.plan_left_s == 10.0
    assert walk(runner, 400.0) == []


def test_after_a_pause_the_next_trial_begins_at_once():
    """Its times are counted from there, as the plan has them."""
    runner = CueRunner(SMALL)
    runner.step(0.0, Event.START)
    runner.step(3.5, Event.PAUSE)
    runner.step(11.0)
    assert [(c.text, c.trial, c.late_s) for c in runner.step(400.0, Event.GO_ON)] == [("preparation", 1, 0.0)]
    assert [(cue.text, cue.due_s) for cue in walk(runner, 410.0)] == [
        ("flexion", 402.0),
        ("rest", 405.0),
        ("extension", 407.0),
        ("session-end", 410.0),
    ]
    assert runner.ended_by is Event.PLAN_OVER


def test_a_pause_that_is_taken_back_changes_nothing():
    """Until the trial is over one can go on as if nothing had been asked."""
    runner = CueRunner(SMALL)
    runner.step(0.0, Event.START)
    runner.step(3.5, Event.PAUSE)
    assert runner.step(4.0, Event.GO_ON) == []
    assert texts(walk(runner, 11.0)) == ["rest", "extension", "preparation"]


def test_a_pause_before_the_first_trial_needs_no_marker():
    """No phase is under way while the patient keeps still."""
    runner = CueRunner(SMALL)
    runner.step(0.0, Event.START)
    assert runner.step(0.5, Event.PAUSE) == walk(runner, 50.0) == []
    assert (runner.shown(50.0).state, runner.shown(50.0).phase) == ("paused", None)
    assert texts(runner.step(60.0, Event.GO_ON)) == ["preparation"]


@pytest.mark.parametrize("pressed", [(), (Event.PAUSE,)], ids=["running", "pausing"])
def test_a_pause_asked_for_in_the_last_trial_is_the_end(pressed: tuple[Event, ...]):
    """There is nothing to go on with."""
    runner = CueRunner(SMALL)
    runner.step(0.0, Event.START)
    for event in pressed:
        runner.step(12.0, event)
    assert walk(runner, 21.0)[-1].text == SESSION_END
    assert runner.state is State.ENDED


def test_a_stop_ends_at_once_after_what_was_due():
    """The end is a marker of its own, once; what was due before it is not lost."""
    runner = CueRunner(SMALL)
    runner.step(0.0, Event.START)
    came = runner.step(1.5, Event.STOP)
    assert [(cue.text, cue.due_s) for cue in came] == [("preparation", 1.0), (SESSION_END, 1.5)]
    assert runner.step(2.0, Event.STOP) == walk(runner, 100.0) == []
    shown = runner.shown(100.0)
    assert (shown.state, shown.phase, shown.plan_left_s, shown.next) == ("ended", None, 0.0, None)


def test_an_endless_plan_knows_no_end():
    """A demonstration goes on until somebody ends it."""
    runner = CueRunner(ParadigmPlan(still_s=0.0, n_trials=None))
    assert texts(runner.step(0.0, Event.START)) == [SESSION_START, "preparation"]
    assert len(walk(runner, 99.0)) == 39
    assert runner.shown(99.0).plan_left_s is None
