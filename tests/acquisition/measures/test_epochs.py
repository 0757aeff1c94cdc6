"""Epochs: a trial is read whole or left out for a reason that is counted."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from acquisition.measures import epochs
from acquisition.measures.conditioned import Conditioned, Stretch
from acquisition.measures.epochs import select
from acquisition.measures.trials import Trial

BOTH = ("preparation", "flexion")


@pytest.fixture
def quiet(session) -> Conditioned:
    """Return three trials of two channels that hold the sample's number."""
    index = np.arange(30_000.0)
    return session(C3=index, RF=-index)


def test_an_epoch_holds_the_rows_of_its_phases(quiet):
    """Rows count from the stretch's first sample; a cut leaves out what is to be skipped."""
    selection = select(quiet, BOTH, ["C3"], 1.0)
    assert [epoch.trial for epoch in selection.epochs] == [0, 1, 2]
    assert selection.left_out == {}
    traces = selection.traces(quiet, 0, lambda x_uv: 2 * x_uv)
    assert selection.epochs[1].cut(traces, "flexion", 500).tolist() == [2.0 * i for i in range(12_500, 15_000)]


def left_out(session, labels=("C3",), least_s=1.0, phases=BOTH):
    """Return how many of a session's trials are used, and why the others are not."""
    selection = select(session, phases, labels, least_s)
    assert len(selection.epochs) + sum(selection.left_out.values()) == len(session.trials)
    return len(selection.epochs), selection.left_out


def test_a_bad_channel_costs_its_own_measure_alone(quiet):
    """More than a tenth of bad cells in a trial leaves it out, for that channel."""
    quiet.stretches[0].good[100:106, 1] = False
    assert left_out(quiet, ["C3"]) == (3, {})
    assert left_out(quiet, ["C3", "RF"]) == (2, {epochs.QUALITY: 1})
    quiet.stretches[0].good[100, 1] = True
    assert left_out(quiet, ["RF"]) == (3, {})


def test_a_gap_and_its_settling_cost_the_trials_that_they_touch(quiet):
    """A trial over a gap is left out, and so is one that begins before the filters have settled (law 4)."""
    (whole,) = quiet.stretches
    before = Stretch(0, 0, whole.x_uv[:9_000], whole.good[:90])
    after = Stretch(9_500, 13_500, whole.x_uv[13_500:], whole.good[135:])
    session = replace(quiet, stretches=(before, after))
    assert left_out(session) == (2, {epochs.SETTLING: 1})
    assert left_out(session, phases=("extension",)) == (2, {epochs.GAP: 1})


def test_an_unfinished_session_costs_its_last_trial(quiet):
    """A phase that no marker ends, one that is missing, one that is too short: each is named."""
    flexion_to_the_end = Trial(3, {"preparation": range(26_000, 28_000), "flexion": range(28_000, 30_001)})
    no_flexion = Trial(4, {"preparation": range(0, 2_000)})
    short = Trial(5, {"preparation": range(1_100, 2_000), "flexion": range(2_000, 5_000)})
    session = replace(quiet, trials=(flexion_to_the_end, no_flexion, short))
    assert left_out(session) == (0, {epochs.END: 1, epochs.INCOMPLETE: 1, epochs.SHORT: 1})
