"""The patient's folder of scores: written once, whole, and read by the patient's sessions."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from acquisition.errors import BadEnvironment, DiskFull, IdentityError
from inference.errors import FmriRefused
from inference.fmri.record import Shelf, check_patient, event_of, find, keep, read, shelf_of
from inference.fmri_event import choose

SCAN, OTHER_SCAN, BUNDLE, OTHER_BUNDLE = "a" * 64, "b" * 64, "c" * 64, "d" * 64


def values(**changes: Any) -> dict[str, Any]:
    """Return the content of a score."""
    return {
        "schema": "flexion.fmri/1",
        "patient": "P-01",
        "scan_sha256": SCAN,
        "scanned_on": "2026-03-31",
        "bundle_sha256": BUNDLE,
        "logit": 0.5,
        "probability": 0.6,
        "quality": {"slices": 20, "problems": [], "flags": [], "fd_mean_mm": 0.1},
        **changes,
    }


def put(data: Path, *, patient: str = "P-01", **changes: Any) -> Path:
    """Keep a score and return its folder."""
    content = values(**changes)
    files = {"slices.csv": b"slice\n", "score.json": json.dumps(content).encode()}
    return keep(data, patient, content["scan_sha256"], content["bundle_sha256"], files)


def test_a_score_is_found_again(tmp_path: Path) -> None:
    """Under the scan's hash, with every file, and nothing else beside it."""
    folder = put(tmp_path)
    assert folder == tmp_path / "patients" / "P-01" / "fmri" / SCAN
    assert find(tmp_path, "P-01", SCAN, BUNDLE) == (folder, values())
    assert find(tmp_path, "P-01", OTHER_SCAN, BUNDLE) is None and find(tmp_path, "P-02", SCAN, BUNDLE) is None
    assert [path.name for path in folder.parent.iterdir()] == [SCAN]


def test_another_bundles_score_stands_beside_it(tmp_path: Path) -> None:
    """Nothing is overwritten, and both are found."""
    first, second = put(tmp_path), put(tmp_path, bundle_sha256=OTHER_BUNDLE, logit=0.9)
    assert second.name == f"{SCAN}-{OTHER_BUNDLE[:12]}" and read(first)["logit"] == 0.5
    assert find(tmp_path, "P-01", SCAN, OTHER_BUNDLE) == (second, read(second))
    again = put(tmp_path, bundle_sha256=OTHER_BUNDLE, logit=0.1)
    assert again == second and read(second)["logit"] == 0.9


def test_what_stands_in_its_place_is_named(tmp_path: Path) -> None:
    """A file where the folder should come; nothing is left behind."""
    put(tmp_path)
    place = shelf_of(tmp_path, "P-01") / f"{SCAN}-{OTHER_BUNDLE[:12]}"
    place.write_text("x")
    with pytest.raises(BadEnvironment, match=r"cannot be made: Not a directory\. Remove what is in its place\."):
        put(tmp_path, bundle_sha256=OTHER_BUNDLE)
    assert sorted(path.name for path in place.parent.iterdir()) == [SCAN, place.name]


def test_a_full_disk_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whole or not at all."""

    def full(path: Path, content: bytes) -> None:
        raise DiskFull(f"{path} takes no more", subject=str(path))

    monkeypatch.setattr("inference.fmri.record.replace_file", full)
    with pytest.raises(DiskFull):
        put(tmp_path)
    assert list(shelf_of(tmp_path, "P-01").iterdir()) == []


def test_a_scan_of_another_patient_is_refused(tmp_path: Path) -> None:
    """The very file that was scored as somebody else's, and a name in another spelling."""
    put(tmp_path)
    check_patient(tmp_path, "P-01", SCAN)
    check_patient(tmp_path, "P-02", OTHER_SCAN)
    with pytest.raises(
        IdentityError, match=r"this very scan \(aaaaaaaaaaaa\) was scored as patient P-01's, not as P-02's"
    ):
        check_patient(tmp_path, "P-02", SCAN)
    with pytest.raises(IdentityError, match=r"patient p-01 is already known as P-01.*Write P-01\."):
        check_patient(tmp_path, "p-01", OTHER_SCAN)


@pytest.mark.parametrize(
    ("content", "words"), [(b"{", "Expecting"), (b"[]", "holds no object"), (None, "No such file")]
)
def test_a_score_that_cannot_be_read_is_refused(tmp_path: Path, content: bytes | None, words: str) -> None:
    """In words, with what to do."""
    folder = put(tmp_path)
    (folder / "score.json").unlink()
    if content is not None:
        (folder / "score.json").write_bytes(content)
    with pytest.raises(
        FmriRefused, match=rf"score\.json, of a scan's score, cannot be read: .*{words}.*Remove it, and score"
    ):
        read(folder)
    [(kind, notice)] = Shelf(tmp_path, "P-01", BUNDLE).new()
    assert kind == "notice" and words in notice["text"] and "flexion fmri score" in notice["remedy"]


def test_an_event_is_what_the_contract_says() -> None:
    """Six keys, and of the quality what a session needs; what is missing is null."""
    assert event_of(values()) == {
        "patient": "P-01",
        "scan_sha256": SCAN,
        "scanned_on": "2026-03-31",
        "bundle_sha256": BUNDLE,
        "logit": 0.5,
        "quality": {"slices": 20, "problems": []},
    }
    assert event_of({"quality": 3})["quality"] == {"slices": None, "problems": None}


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
