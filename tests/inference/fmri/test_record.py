"""The patient's folder of scores: written once, whole, and read by the patient's sessions."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from acquisition.errors import BadEnvironment, DiskFull, IdentityError
from inference.errors import FmriRefused
from inference.fmri.record import ABANDONED_S, check_patient, find, shelf_of
from inference.fmri.stored import read
from tests.inference.fmri.scores import BUNDLE, OTHER_BUNDLE, OTHER_SCAN, SCAN, put, values


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


def test_a_race_of_two_bundles_keeps_both(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The other's folder appears in the last moment: ours stands beside it, and neither is taken for the other."""
    rename, won = os.rename, []

    def late(source: Path, target: Path) -> None:
        if not won:
            won.append(target)
            target.mkdir()
            (target / "score.json").write_text(json.dumps(values(bundle_sha256=OTHER_BUNDLE)))
        rename(source, target)

    monkeypatch.setattr("inference.fmri.record.os.rename", late)
    folder = put(tmp_path)
    assert folder.name == f"{SCAN}-{BUNDLE[:12]}" and read(folder)["bundle_sha256"] == BUNDLE
    assert read(won[0])["bundle_sha256"] == OTHER_BUNDLE
    assert sorted(path.name for path in folder.parent.iterdir()) == [SCAN, folder.name]


def test_a_race_of_one_bundle_keeps_the_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same scan and bundle give the same score, so that the one that came before is ours too."""
    rename = os.rename

    def late(source: Path, target: Path) -> None:
        target.mkdir()
        (target / "score.json").write_text(json.dumps(values(logit=0.25)))
        rename(source, target)

    monkeypatch.setattr("inference.fmri.record.os.rename", late)
    folder = put(tmp_path)
    assert folder.name == SCAN and read(folder)["logit"] == 0.25
    assert [path.name for path in folder.parent.iterdir()] == [SCAN]


def test_a_spoiled_score_keeps_no_other_out(tmp_path: Path) -> None:
    """What cannot be read is nobody's: the new score stands beside it; where that place is spoiled too, it says so."""
    (put(tmp_path) / "score.json").write_bytes(b"{")
    beside = put(tmp_path)
    assert beside.name == f"{SCAN}-{BUNDLE[:12]}" and read(beside) == values()
    (beside / "score.json").write_bytes(b"{")
    with pytest.raises(BadEnvironment, match=r"cannot be made: .*not empty\. Remove what is in its place\."):
        put(tmp_path)
    with pytest.raises(FmriRefused, match="cannot be read"):
        find(tmp_path, "P-01", SCAN, BUNDLE)


def test_what_a_killed_writer_left_is_swept(tmp_path: Path) -> None:
    """After a day; one that writes now is left alone."""
    shelf = put(tmp_path).parent
    old, young = shelf / f".{OTHER_SCAN}.1.tmp", shelf / f".{OTHER_SCAN}.2.tmp"
    for folder in (old, young):
        folder.mkdir()
        (folder / "slices.csv").write_bytes(b"x")
    then_s = old.stat().st_mtime - ABANDONED_S - 1.0
    os.utime(old, (then_s, then_s))
    put(tmp_path, scan_sha256=OTHER_SCAN)
    assert sorted(path.name for path in shelf.iterdir()) == [young.name, SCAN, OTHER_SCAN]


def test_a_writer_that_finishes_while_others_are_swept_is_no_fault(tmp_path: Path) -> None:
    """Its folder is listed, and gone when it is looked at."""
    shelf = shelf_of(tmp_path, "P-01")
    shelf.mkdir(parents=True)
    (shelf / f".{OTHER_SCAN}.1.tmp").symlink_to(shelf / "gone")
    assert put(tmp_path).name == SCAN


@pytest.mark.parametrize("name", [".DS_Store", "README.txt", "README"])
def test_a_stray_file_among_the_patients_stops_nothing(tmp_path: Path, name: str) -> None:
    """Nor one among a patient's scores."""
    folder = put(tmp_path)
    (tmp_path / "patients" / name).write_text("x")
    (folder.parent / name).write_text("x")
    check_patient(tmp_path, "P-02", OTHER_SCAN)
    assert find(tmp_path, "P-01", SCAN, BUNDLE) == (folder, values())
    assert find(tmp_path, "P-01", OTHER_SCAN, BUNDLE) is None
