"""The fMRI event: accepted or refused as a whole."""

from __future__ import annotations

import itertools
from datetime import date
from typing import Any

import pytest

from inference.bundle import Bundle
from inference.errors import FmriRefused
from inference.fmri_event import FmriEvent, choose, notice_of, read_fmri_event, to_json


def event(bundle: Bundle, **changes: Any) -> dict[str, Any]:
    """Return the data of an ``fmri`` event of patient P-01."""
    return {
        "patient": "P-01",
        "scan_sha256": "a" * 64,
        "scanned_on": "2026-03-31",
        "bundle_sha256": bundle.sha256,
        "logit": 0.8,
        "quality": {"slices": 30, "problems": []},
        **changes,
    }


def deep() -> list[Any]:
    """Return a list that is nested deeper than anything can follow."""
    value: list[Any] = []
    for _ in range(100_000):
        value = [value]
    return value


def test_an_event_comes_back_as_it_was_sent(fmri_bundle: Bundle) -> None:
    """Reading and writing are each other's inverse; names do not regard case."""
    data = event(fmri_bundle)
    found = read_fmri_event(data, "p-01", fmri_bundle)
    assert found == FmriEvent("P-01", "a" * 64, date(2026, 3, 31), fmri_bundle.sha256, 0.8, 30, ())
    assert to_json(found) == data


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"patient": "P-02"}, r"is of patient P-02, this session is of P-01\. Score this patient's own scan"),
        ({"bundle_sha256": "b" * 64}, r"made by bundle bbbbbbbbbbbb, this session has tiny-fmri 1\.0\.0"),
        ({"logit": float("nan")}, r"logit is nan, expected a finite number"),
        ({"logit": float("-inf")}, r"logit is -inf, expected a finite number"),
        ({"logit": "0.8"}, r"logit must be a number, not a text"),
        ({"scanned_on": "31.3.2026"}, r"scanned_on is '31\.3\.2026', expected a day such as 2026-03-31"),
        ({"quality": {"slices": 0}}, r"quality\.slices is 0, but there is a logit"),
        ({"quality": {"slices": 3, "snr": 2}}, r"quality\.snr is not a known key"),
        ({"quality": 0.9}, r"quality must be an object, not a number"),
        ({"probability": 0.5}, r"probability is not a known key"),
        ({"logit": 10**400}, r"logit is beyond all bounds, expected a finite number"),
        ({"quality": {"slices": 10**400}}, r"quality\.slices is beyond everything that can be counted"),
        ({"quality": {"slices": -(10**400)}}, r"quality\.slices is -10+\.\.\.0+, expected at least 0"),
        ({"patient": "P-\ud800"}, r"patient is 'P-\\ud800', which holds half a character"),
        ({"quality": {"slices": 3, "problems": ["\ud800"]}}, r"quality\.problems\[0\] is '\\ud800', expected a text"),
        ({"quality": {"slices": 3, "problems": [deep()]}}, r"quality\.problems\[0\] is \[\[.*\], expected a text"),
    ],
)
def test_what_does_not_belong_is_refused(fmri_bundle: Bundle, changes: dict[str, Any], words: str) -> None:
    """Another patient's, another bundle's, and what is no finite number."""
    with pytest.raises(FmriRefused, match=words):
        read_fmri_event(event(fmri_bundle, **changes), "P-01", fmri_bundle)


def test_without_an_fmri_bundle_every_score_is_refused(fmri_bundle: Bundle) -> None:
    """A session that is bound to no fMRI bundle takes no fMRI score."""
    with pytest.raises(FmriRefused, match=r"this session has no fMRI bundle at hand.*start a session"):
        read_fmri_event(event(fmri_bundle), "P-01", None)


def test_an_announced_scan_has_no_logit_yet(fmri_bundle: Bundle) -> None:
    """A scan may be known before it is scored."""
    data = event(fmri_bundle, logit=None, quality={"slices": 0, "problems": None})
    assert read_fmri_event(data, "P-01", fmri_bundle).logit is None


def test_the_newest_scan_wins_whatever_the_order(fmri_bundle: Bundle) -> None:
    """Refused ones never displace an accepted one; a score displaces its announcement."""
    events = [
        event(fmri_bundle, logit=0.1),
        event(fmri_bundle, scanned_on="2026-06-30", scan_sha256="b" * 64, logit=None),
        event(fmri_bundle, scanned_on="2026-06-30", scan_sha256="b" * 64, logit=0.3),
        event(fmri_bundle, scanned_on="2026-12-24", patient="P-02"),
    ]
    chosen = [choose(order, "P-01", fmri_bundle) for order in itertools.permutations(events)]
    assert all(isinstance(one, FmriEvent) and one.logit == 0.3 for one in chosen)


def test_a_good_repeat_goes_before_a_spoiled_run_of_its_day(fmri_bundle: Bundle) -> None:
    """Whichever hash is the higher; a spoiled scan of a later day still counts as the newest."""
    moved = {"slices": 30, "problems": ["It moved"]}
    for good, spoiled in (("a", "b"), ("b", "a")):
        events = [
            event(fmri_bundle, scan_sha256=good * 64),
            event(fmri_bundle, scan_sha256=spoiled * 64, quality=moved),
        ]
        chosen = [choose(order, "P-01", fmri_bundle) for order in itertools.permutations(events)]
        assert all(isinstance(one, FmriEvent) and one.scan_sha256 == good * 64 for one in chosen)
    later = choose(
        [event(fmri_bundle), event(fmri_bundle, scanned_on="2026-04-01", quality=moved)], "P-01", fmri_bundle
    )
    assert isinstance(later, FmriEvent) and later.problems == ("It moved",)


def test_refusals_alone_are_a_refusal_and_nothing_is_nothing(fmri_bundle: Bundle) -> None:
    """Refused and absent are told apart."""
    refused = [event(fmri_bundle, patient="P-02"), event(fmri_bundle, logit="x")]
    words = {str(choose(order, "P-01", fmri_bundle)) for order in itertools.permutations(refused)}
    assert len(words) == 1 and isinstance(choose(refused, "P-01", fmri_bundle), FmriRefused)
    assert choose([], "P-01", fmri_bundle) is None


@pytest.mark.parametrize(
    ("day", "noticed"), [(date(2026, 4, 30), False), (date(2026, 5, 1), True), (date(2026, 2, 28), True)]
)
def test_a_scan_over_30_days_away_is_a_notice(fmri_bundle: Bundle, day: date, noticed: bool) -> None:
    """Either side of the session; at 30 days nothing is said."""
    notice = notice_of(read_fmri_event(event(fmri_bundle), "P-01", fmri_bundle), day)
    assert (notice is not None) == noticed
    if notice:
        assert "scan of 2026-03-31 is 31 days away" in notice["text"] and notice["remedy"]
