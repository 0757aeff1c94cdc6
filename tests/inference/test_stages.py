"""Stages: where a window's time in a scorer goes."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inference.stages import BOUNDS_S, STAGES, Histograms, Watch


def test_a_watch_adds_up_the_times_of_a_stage() -> None:
    """A batch may be more than one call of the engine."""
    ticks = iter([0.0, 1.0, 10.0, 10.5, 20.0, 24.0])
    watch = Watch(lambda: next(ticks))
    for stage in ("compute", "compute", "output"):
        with watch.timing(stage):
            pass
    assert watch.seconds == {"compute": 1.5, "output": 4.0}


def test_a_stage_that_fails_has_no_time() -> None:
    """What an engine choked on says nothing of how long it takes."""
    watch = Watch()
    with pytest.raises(RuntimeError), watch.timing("compute"):
        raise RuntimeError
    assert watch.seconds == {}


@given(st.lists(st.dictionaries(st.sampled_from(STAGES), st.floats(0.0, 10.0), max_size=4)))
def test_every_time_is_in_one_bin(results: list[dict[str, float]]) -> None:
    """The first whose upper bound it does not pass, as Prometheus counts; the sums are theirs."""
    histograms = Histograms()
    for stages_s in results:
        histograms.add(stages_s)
    told = histograms.to_json()
    for stage in STAGES:
        times = [stages_s[stage] for stages_s in results if stage in stages_s]
        edges = [-1.0, *told["bounds_s"], float("inf")]
        wanted = [sum(low < t <= high for t in times) for low, high in pairwise(edges)]
        assert told["stages"][stage]["counts"] == wanted
        assert told["stages"][stage]["sum_s"] == pytest.approx(sum(times), abs=1e-6)
    assert list(BOUNDS_S) == sorted(BOUNDS_S)
