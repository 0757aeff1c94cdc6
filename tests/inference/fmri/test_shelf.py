"""The scores of one patient, as a session hears of them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from inference.errors import FmriRefused
from inference.fmri.record import find, shelf_of
from inference.fmri.shelf import Shelf
from inference.fmri.stored import event_of
from inference.fmri_event import choose
from tests.inference.fmri.scores import BUNDLE, OTHER_BUNDLE, OTHER_SCAN, SCAN, put, values


def test_a_session_hears_of_each_score_once(tmp_path: Path) -> None:
    """At its start, and when a new one appears; what is being written is none yet."""
    shelf = Shelf(tmp_path, "P-01", BUNDLE)
    assert shelf.new() == []
    put(tmp_path)
    (shelf_of(tmp_path, "P-01") / f".{OTHER_SCAN}.1.tmp").mkdir()
    assert shelf.new() == [("fmri", event_of(values()))]
    assert shelf.new() == []
    newer = values(scan_sha256=OTHER_SCAN, scanned_on="2026-04-01")
    put(tmp_path, **newer)
    assert shelf.new() == [("fmri", event_of(newer))]


def test_the_newest_scan_is_told_and_the_newest_of_the_sessions_own_bundle(tmp_path: Path) -> None:
    """An older scan's score is no news; where the newest is another bundle's, both are told."""
    put(tmp_path)
    put(tmp_path, scan_sha256=OTHER_SCAN, scanned_on="2026-04-01")
    put(tmp_path, scan_sha256="e" * 64, scanned_on="2026-05-01", bundle_sha256=OTHER_BUNDLE)
    told = [event["scanned_on"] for _, event in Shelf(tmp_path, "P-01", BUNDLE).new()]
    assert told == ["2026-05-01", "2026-04-01"]
    assert [event["scanned_on"] for _, event in Shelf(tmp_path, "P-01", None).new()] == ["2026-05-01"]


def test_what_is_passed_over_is_never_told(tmp_path: Path) -> None:
    """A demonstration begins anew; what comes after is told."""
    put(tmp_path)
    shelf = Shelf(tmp_path, "P-01", BUNDLE)
    shelf.pass_over()
    assert shelf.new() == []
    older = values(scan_sha256=OTHER_SCAN, scanned_on="2026-01-01")
    put(tmp_path, **older)
    assert shelf.new() == [("fmri", event_of(older))]


def test_what_is_no_number_comes_as_what_is_refused(tmp_path: Path) -> None:
    """NaN is no JSON: it travels as a text, and the session refuses it by name."""
    put(tmp_path, logit=float("nan"))
    [(_, event)] = Shelf(tmp_path, "P-01", BUNDLE).new()
    assert json.dumps(event, allow_nan=False)
    assert "logit must be a number, not a text" in str(choose([event], "P-01", None))


def test_a_shelf_that_cannot_be_listed_is_told_once(tmp_path: Path) -> None:
    """A file in the place of the folder."""
    (tmp_path / "patients" / "P-01").mkdir(parents=True)
    shelf_of(tmp_path, "P-01").write_text("x")
    shelf = Shelf(tmp_path, "P-01", BUNDLE)
    [(kind, notice)] = shelf.new()
    assert kind == "notice" and "Not a directory" in notice["text"] and shelf.new() == []
    with pytest.raises(FmriRefused, match=r"fmri, of a scan's score, cannot be read: Not a directory\. Remove it"):
        find(tmp_path, "P-01", SCAN, BUNDLE)
    anew = Shelf(tmp_path, "P-01", BUNDLE)
    anew.pass_over()
    assert anew.new() == []


@pytest.mark.parametrize(
    "spoiled",
    [
        {"patient": "P-02"},
        {"scanned_on": None},
        {"logit": float("nan")},
        {"logit": "x"},
        {"quality": {"slices": 20, "problems": [["moved"]]}},
        {"quality": None},
    ],
    ids=["foreign", "no day", "no number", "a text", "problems that are none", "no quality"],
)
def test_what_is_refused_hides_nothing(tmp_path: Path, spoiled: dict[str, Any]) -> None:
    """Whatever its date: the patient's own score is told, and the refused one once beside it."""
    put(tmp_path)
    wrong = values(scan_sha256=OTHER_SCAN, **{"scanned_on": "2026-12-24", **spoiled})
    (shelf_of(tmp_path, "P-01") / OTHER_SCAN).mkdir()
    (shelf_of(tmp_path, "P-01") / OTHER_SCAN / "score.json").write_text(json.dumps(wrong))
    shelf = Shelf(tmp_path, "P-01", BUNDLE)
    told = [event for _, event in shelf.new()]
    assert [event["scan_sha256"] for event in told] == [OTHER_SCAN, SCAN] and shelf.new() == []
    assert told[1] == event_of(values())


def test_each_refused_score_is_told(tmp_path: Path) -> None:
    """Two of other patients are two; not the newest alone."""
    put(tmp_path, scan_sha256=OTHER_SCAN)
    for patient, scan in (("P-02", "e" * 64), ("P-03", "f" * 64)):
        put(tmp_path).joinpath("score.json").write_text(json.dumps(values(patient=patient, scan_sha256=scan)))
        (shelf_of(tmp_path, "P-01") / SCAN).rename(shelf_of(tmp_path, "P-01") / scan)
    told = [event["patient"] for _, event in Shelf(tmp_path, "P-01", BUNDLE).new()]
    assert told == ["P-02", "P-03", "P-01"]


def test_a_refused_score_that_is_made_again_is_told(tmp_path: Path) -> None:
    """Its folder has the same name; the session need not be started anew."""
    folder, shelf = put(tmp_path, logit="x"), Shelf(tmp_path, "P-01", BUNDLE)
    assert len(shelf.new()) == 1
    (folder / "score.json").write_text(json.dumps(values()))
    assert shelf.new() == [("fmri", event_of(values()))]


def test_a_good_repeat_goes_before_a_spoiled_run_of_its_day(tmp_path: Path) -> None:
    """Whichever hash is the higher."""
    moved = {"slices": 20, "problems": ["It moved"]}
    for scan, other in ((SCAN, OTHER_SCAN), (OTHER_SCAN, SCAN)):
        data = tmp_path / scan[:1]
        put(data, scan_sha256=scan)
        put(data, scan_sha256=other, quality=moved)
        [(_, event)] = Shelf(data, "P-01", BUNDLE).new()
        assert event["scan_sha256"] == scan


def test_what_is_no_score_is_passed_over(tmp_path: Path) -> None:
    """A file of the system's or somebody's, a folder that is being written: nothing is told of them."""
    shelf = put(tmp_path).parent
    for name in (".DS_Store", "README.txt", f"{OTHER_SCAN}.bak"):
        (shelf / name).write_text("x")
    (shelf / f".{OTHER_SCAN}.1.tmp").mkdir()
    assert Shelf(tmp_path, "P-01", BUNDLE).new() == [("fmri", event_of(values()))]


def test_a_session_keeps_the_day_that_it_took(tmp_path: Path) -> None:
    """Its next life too, where the day was corrected since; one that it refused is taken anew."""
    put(tmp_path, scanned_on="2026-04-01")
    took, refused = event_of(values()), event_of(values(scanned_on=None))
    assert Shelf(tmp_path, "P-01", BUNDLE, [took]).new() == [("fmri", took)]
    corrected = [("fmri", event_of(values(scanned_on="2026-04-01")))]
    assert Shelf(tmp_path, "P-01", BUNDLE).new() == Shelf(tmp_path, "P-01", BUNDLE, [refused]).new() == corrected
