"""Points at 3 months: of the scored windows, where the model expects them and there is a number."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inference.bundle import Bundle, FusionBundle
from inference.fmri_event import FmriEvent
from inference.fugl_meyer import Fma, fma_of
from inference.manifest import FmaSpec
from inference.outcome import outcome_of
from streaming.records import ResultRecord
from tests.inference import tiny

SPEC = FmaSpec(half_width=7.0, coverage=0.9, n=40)


@pytest.fixture
def expecting(bundle: Bundle) -> Bundle:
    """Return the tiny bundle as one that expects points."""
    return replace(bundle, model=replace(bundle.model, fma=SPEC))


def of_points(bundle: Bundle | None, *points: float, weight: float = 1.0) -> list[ResultRecord]:
    """Return a scored result for each of some points."""
    return [tiny.result(bundle, i, 0.1, fma=value, weight=weight) for i, value in enumerate(points)]


def test_points_are_weighted_by_quality_and_their_interval_ends_at_the_scale_s_ends() -> None:
    """A mean over windows, 7 points on either side, never below 0 nor above 34."""
    good, bad = of_points(None, 20.0)[0], tiny.result(None, 1, 0.1, fma=26.0, weight=0.5)
    assert fma_of([good, bad], SPEC) == Fma(22.0, (15.0, 29.0))
    assert fma_of(of_points(None, 30.0), SPEC) == Fma(30.0, (23.0, 34.0))
    assert fma_of(of_points(None, -3.0), SPEC) == Fma(0.0, (0.0, 7.0))


def test_a_model_without_points_has_none() -> None:
    """Neither do windows that were scored by one."""
    assert fma_of(of_points(None, 20.0), None) is None
    assert fma_of([tiny.result(None, 0, 0.1)], SPEC) is None
    assert fma_of([], SPEC) is None


@given(st.lists(st.tuples(st.floats(-1e6, 1e6), st.floats(0.01, 1.0)), min_size=1, max_size=20), st.floats(0, 1e6))
def test_points_lie_on_the_scale_and_inside_their_interval(rows: list[tuple[float, float]], half_width: float) -> None:
    """Whatever the windows say."""
    results = [tiny.result(None, i, 0.1, fma=points, weight=weight) for i, (points, weight) in enumerate(rows)]
    found = fma_of(results, FmaSpec(half_width, 0.9, 40))
    assert found is not None
    assert 0.0 <= found.interval[0] <= found.value <= found.interval[1] <= 34.0


def test_points_are_told_where_there_is_a_number(expecting: Bundle, bundle: Bundle) -> None:
    """Not before n_min windows, not of a signal that carries none, not by a bundle that expects none."""
    assert outcome_of(of_points(expecting, 20.0, 22.0), expecting).to_json()["fma"] == {
        "value": 21.0,
        "interval": [14.0, 28.0],
    }
    assert outcome_of(of_points(expecting, 20.0), expecting).to_json()["fma"] is None
    weak = of_points(expecting, *[20.0] * 6, weight=0.2)
    assert outcome_of(weak, expecting).to_json()["fma"] is None
    assert outcome_of(of_points(expecting, 20.0, 22.0), expecting, mismatch="other channels").to_json()["fma"] is None
    assert outcome_of(of_points(bundle, 20.0, 22.0), bundle).to_json()["fma"] is None


def test_a_scan_alone_gives_no_points(expecting: Bundle, fmri_bundle: Bundle, fusion: FusionBundle) -> None:
    """They are the windows' alone; beside a fused number they stay so."""
    scan = FmriEvent("P-01", "a" * 64, date(2026, 3, 31), fmri_bundle.sha256, 0.8, 30, ())
    for n, told in ((1, None), (2, 20.0)):
        results = of_points(expecting, *[20.0] * n)
        outcome = outcome_of(results, expecting, fusion, scan, fmri_bundle=fmri_bundle)
        assert outcome.number is not None
        assert (outcome.fma.value if outcome.fma else None) == told
