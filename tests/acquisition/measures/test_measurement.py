"""A measurement: a value with unit, interval and trials, or the words why there is none (law 8)."""

from __future__ import annotations

import json

import pytest

from acquisition.measures.measurement import Measurement, Subject, absent

SUBJECT = Subject("onset latency", "VM", "extension", "ms")


def test_a_value_is_the_median_with_an_interval_around_it():
    """Median, bounds, the trials that it rests on and those that it does not."""
    made = Measurement.of_trials(SUBJECT, [100.0, 110, 120, 130, 140, 150, 160], {"gap": 2})
    assert (made.value, made.n_trials, made.left_out, made.missing) == (130.0, 7, {"gap": 2}, "")
    low, high = made.interval
    assert 100 <= low < 130 < high <= 160


@pytest.mark.parametrize("n", [0, 1, 5])
def test_too_few_trials_are_named_never_counted_as_a_value(n):
    """Not enough is said in words; there is no NaN."""
    made = Measurement.of_trials(SUBJECT, [1.0] * n, {"quality": 3})
    assert (made.value, made.interval, made.n_trials) == (None, None, n)
    assert made.missing == f"not enough trials: {n} of 6"


def test_the_json_is_plain_values():
    """Everything of it, unit and reasons included, and nothing that JSON lacks."""
    made = Measurement.without(SUBJECT, {}, absent(["VM"]))
    assert json.loads(json.dumps(made.to_json(), allow_nan=False)) == {
        "measure": "onset latency",
        "site": "VM",
        "phase": "extension",
        "unit": "ms",
        "value": None,
        "interval": None,
        "n_trials": 0,
        "left_out": {},
        "missing": "the montage has no channel VM",
        "details": {},
    }
