"""The course: the outcome after each window as the aggregator tells it, and one hash over all of it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from inference.course import course_of
from inference.library import Library
from inference.outcome import outcome_of
from streaming.errors import RecordError
from tests.inference import tiny


def about_of(bundle: Any, **changes: Any) -> dict[str, Any]:
    """Return what the session event says of a session of the tiny bundle."""
    whole = {
        "patient": "P-1",
        "labels": tiny.LABELS,
        "kinds": tiny.KINDS,
        "rate_hz": 1000.0,
        "mains_hz": 50.0,
        "fingerprint": tiny.FINGERPRINT,
        "repeats": False,
        "bundles": {"eeg_emg": bundle.to_json(), "fmri": None, "fusion": None},
    }
    return {**whole, **changes}


def lines_of(bundle: Any, n: int) -> list[dict[str, Any]]:
    """Return the lines of n scored windows, the fourth of which was not."""
    results = [tiny.result(bundle, index, None if index == 3 else 0.1 * (index % 7)) for index in range(n)]
    return [{**result.to_json(), "latency_s": 0.1} for result in results]


@pytest.fixture
def course(bundle):
    """Return a way to follow a session of the tiny bundle."""

    def follow(lines, ended=True, **changes):
        return course_of(about_of(bundle, **changes), lines, Library([bundle]), ended=ended)

    return follow


def test_each_step_is_the_outcome_of_the_windows_so_far(bundle, course):
    """What is shown after a window is what the aggregator told then: the same function of the same results."""
    made = course(lines_of(bundle, 20))
    assert [step.index for step in made.steps] == list(range(20))
    for i, step in enumerate(made.steps):
        assert step.outcome.to_json() == outcome_of(made.results[: i + 1], bundle).to_json()
    assert made.last.to_json() == outcome_of(made.results, bundle, ended=True).to_json()


def test_the_order_in_which_results_came_leaves_no_trace(bundle, course):
    """Two scorers may finish in any order; the course and its hash are of the windows (law 1)."""
    lines = lines_of(bundle, 9)
    assert course(lines[::-1] + lines[:2]).digest == course(lines).digest


@pytest.mark.parametrize(
    "change",
    [{"logit": 0.30000000000000004}, {"sqi": 0.9}, {"weight": 0.5}, {"first_sample": 7}],
    ids=["logit", "sqi", "weight", "place"],
)
def test_the_hash_is_of_every_bit(bundle, course, change):
    """A logit that differs in its last bit gives another hash."""
    lines = lines_of(bundle, 5)
    lines[4] = {**lines[4], "logit": 0.3, "sqi": 1.0, "weight": 1.0}
    changed = [*lines[:4], {**lines[4], **change}]
    assert course(changed).digest != course(lines).digest


def test_the_hash_knows_whether_the_session_has_ended(bundle, course):
    """Of one window: collecting while the session is open, abstained when it is over."""
    lines = lines_of(bundle, 1)
    open_, over = course(lines, ended=False), course(lines)
    assert (str(open_.last.state), str(over.last.state)) == ("COLLECTING", "ABSTAINED")
    assert open_.digest != over.digest


def test_a_bundle_that_is_not_at_hand_is_said(bundle, course):
    """Windows are told, outcomes are not: none is made up with another bundle."""
    other = {**bundle.to_json(), "name": "another", "sha256": "0" * 64}
    made = course(lines_of(bundle, 3), bundles={"eeg_emg": other, "fmri": None, "fusion": None})
    assert "another 1.0.0 (000000000000), which is not at hand" in made.lack
    assert (len(made.results), made.steps, made.last, made.digest) == (3, (), None, "")


def test_a_session_without_a_model_has_a_hash_of_its_windows(bundle, course):
    """There is no outcome to tell, and nothing is lacking."""
    made = course([], bundles={"eeg_emg": None, "fmri": None, "fusion": None})
    assert (made.steps, made.last, made.lack, len(made.digest)) == ((), None, "", 64)


def test_a_recording_that_is_played_over_and_over_is_nobody_s(bundle, course):
    """As live: provisional for ever, with the reason."""
    assert course(lines_of(bundle, 15), repeats=True).last.provisional


def test_a_stream_that_does_not_fit_is_invalid(bundle, course):
    """The same words as live."""
    assert str(course(lines_of(bundle, 3), mains_hz=16.7).last.state) == "INVALID"


def test_a_long_session_is_told_at_so_many_windows(bundle, course):
    """The last window is always one of them."""
    assert [step.index for step in course(lines_of(bundle, 601)).steps][-3:] == [597, 599, 600]


def test_a_scan_counts_from_where_it_came(course, bundle):
    """A score of a scan that came after the third window is not known before."""
    refused = {
        "patient": "P-2", "scan_sha256": "a" * 64, "scanned_on": "2026-11-01", "bundle_sha256": "b" * 64,
        "logit": 0.1, "quality": {"slices": 3},
    }  # fmt: skip
    lines = lines_of(bundle, 6)
    made = course([*lines[:3], refused, *lines[3:]])
    statuses = [str(step.outcome.parts[1].status) for step in made.steps]
    assert statuses == ["absent"] * 3 + ["refused"] * 3


def test_a_line_that_is_no_result_is_refused(course):
    """Whoever reads the folder finds out which one."""
    with pytest.raises(RecordError, match="A result has"):
        course([{"index": 0}])


def test_a_dead_letter_is_part_of_it(bundle, course):
    """Each window has one fate, and each fate is in the hash."""
    lines = lines_of(bundle, 4)
    dead = replace(tiny.result(bundle, 4, None), state="dead_lettered", reason="gone")
    assert course([*lines, dead.to_json()]).last.fates["dead_lettered"] == 1
