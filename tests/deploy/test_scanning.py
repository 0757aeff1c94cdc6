"""Scanning: a patient's scan is scored once, under the right name and day, where sessions look for it."""

from __future__ import annotations

import json
import shutil
from datetime import date, timedelta
from pathlib import Path

import pytest

from acquisition.errors import IdentityError
from deploy.scanning import score_scan
from deploy.settings import changed
from inference.bundle import Bundle
from inference.errors import BundleError, FmriRefused, ScanError
from inference.fmri.record import find
from inference.fmri.score import score_file as score
from inference.fmri.shelf import Shelf
from tests.inference.fmri import standin

DAY = date(2026, 3, 31)


@pytest.fixture
def scored(scan_settings, scan_models):
    """Return a function that scores a scan."""

    def score(path: Path, patient: str = "P-01", given: date | None = DAY, bundle: Bundle | None = None):
        named = {"data": scan_settings.data_dir, "engines": scan_settings.models.engines, "given": given}
        return score_scan(path, patient, bundle or scan_models.fmri, **named)

    return score


def test_a_score_lies_where_sessions_look(nifti, scored, scan_settings, scan_models):
    """With its six files, and everything that it was made with."""
    found = scored(nifti)
    folder = Path(found["folder"])
    assert folder == scan_settings.data_dir / "patients" / "P-01" / "fmri" / found["scan_sha256"]
    assert sorted(path.name for path in folder.iterdir()) == [
        "attention.nii.gz", "attention.png", "focus.png", "score.json", "slices.csv", "underlay.png",
    ]  # fmt: skip
    assert not found["already"] and found["file"] == nifti.name and found["versions"]["nibabel"]
    [(kind, event)] = Shelf(scan_settings.data_dir, "P-01", scan_models.fmri.sha256).new()
    assert (kind, event["logit"], event["scanned_on"]) == ("fmri", found["logit"], "2026-03-31")


def test_the_same_scan_is_scored_once(nifti, scored, tmp_path):
    """Its score is shown again, also of a copy of the file; nothing is written."""
    first = scored(nifti)
    written = (Path(first["folder"]) / "score.json").stat().st_mtime_ns
    again = scored(Path(shutil.copy(nifti, tmp_path / "copy_bold.nii.gz")), given=None)
    assert again == {**first, "already": True}
    assert (Path(first["folder"]) / "score.json").stat().st_mtime_ns == written
    words = rf"was scored as of 2026-03-31, --date says 2026-04-01\. .* remove {first['folder']} and score again"
    with pytest.raises(ScanError, match=words):
        scored(nifti, given=date(2026, 4, 1))
    shutil.rmtree(first["folder"])
    assert scored(nifti, given=date(2026, 4, 1))["scanned_on"] == "2026-04-01"


@pytest.mark.parametrize(
    ("changes", "words"),
    [({"scanned_on": None}, "scanned_on must be a text"), ({"scanned_on": "x"}, "expected a day"),
     ({"attention": None}, "attention must be an object"), (None, "nested too deeply")],
)  # fmt: skip
def test_a_stored_score_that_is_spoiled_is_refused(nifti, scored, changes, words):
    """With the folder to remove; nothing is thrown, and nothing written over it."""
    file = Path(scored(nifti)["folder"]) / "score.json"
    deep = "[" * 100_000 + "]" * 100_000
    file.write_text(deep if changes is None else json.dumps({**json.loads(file.read_text()), **changes}))
    before = file.read_text()
    with pytest.raises(FmriRefused, match=words) as refused:
        scored(nifti)
    assert "Remove" in refused.value.remedy and file.read_text() == before


def test_a_file_that_changes_while_it_is_scored_is_refused(nifti, scored, tmp_path, scan_settings, monkeypatch):
    """Another scan under its name, or none: the score would be of nobody knows which."""
    path = Path(shutil.copy(nifti, tmp_path / "copy_bold.nii.gz"))

    def copied(*_):
        with path.open("ab") as file:
            file.write(bytes(1))
        return score(*_)

    def gone(*_):
        done = score(*_)
        path.unlink()
        return done

    for while_it_runs, words in ((copied, "changed while it was scored"), (gone, "cannot be read any more: No such")):
        monkeypatch.setattr("inference.fmri.score.score_file", while_it_runs)
        with pytest.raises(ScanError, match=words):
            scored(path)
        shutil.copy(nifti, path)
    assert not (scan_settings.data_dir / "patients").exists()


def test_a_scan_that_may_not_be_read_is_refused(nifti, scored, monkeypatch):
    """The system's own words, and no fault."""

    def refuse(path, *_):
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr("inference.fmri.unpacking.open", refuse, raising=False)
    with pytest.raises(ScanError, match=r"cannot be opened: Permission denied\. Name a NIfTI file"):
        scored(nifti)


def test_the_day_is_asked_for_before_the_scoring(nifti, scored, monkeypatch):
    """The header and what lies beside it say enough."""

    def never(*_):
        raise AssertionError

    monkeypatch.setattr("deploy.scanning.open_engine", never)
    with pytest.raises(ScanError, match="Nothing says on which day"):
        scored(nifti, given=None)


def test_another_bundle_scores_the_same_scan_beside_it(nifti, scored, tmp_path, scan_settings, scan_models):
    """Neither is overwritten."""
    other = standin.build(tmp_path / "other", version="2.0.0")
    first, second = scored(nifti), scored(nifti, bundle=other)
    assert first["folder"] != second["folder"]
    for bundle, one in ((scan_models.fmri, first), (other, second)):
        path, values = find(scan_settings.data_dir, "P-01", one["scan_sha256"], bundle.sha256)
        assert str(path) == one["folder"] and values["bundle_sha256"] == bundle.sha256


def test_nobody_guesses_whose_scan_it_is_and_of_when(nifti, scored):
    """Each is asked for in words."""
    with pytest.raises(
        ScanError, match=r"Nothing says on which day .* was scanned\. Give the day: --date YYYY-MM-DD\."
    ):
        scored(nifti, given=None)
    with pytest.raises(ScanError, match=r"which has not come yet\. Give the day of the scan"):
        scored(nifti, given=date.today() + timedelta(days=1))
    with pytest.raises(IdentityError, match=r"patient 'A B' is not allowed"):
        scored(nifti, patient="A B")
    scored(nifti)
    with pytest.raises(IdentityError, match=r"this very scan .* was scored as patient P-01's, not as P-02's"):
        scored(nifti, patient="P-02")
    with pytest.raises(IdentityError, match=r"patient p-01 is already known as P-01"):
        scored(nifti, patient="p-01")


def test_the_day_may_stand_in_the_sidecar(nifti, scored, tmp_path):
    """As converters of DICOM write it; another one than is given is refused."""
    path = tmp_path / "dated_bold.nii.gz"
    shutil.copy(nifti, path)
    sidecar = tmp_path / "dated_bold.json"
    sidecar.write_text(json.dumps({"AcquisitionDateTime": "2026-02-03T10:00:00", "RepetitionTime": 2.0}))
    with pytest.raises(ScanError, match=r"was scanned on 2026-02-03, --date says 2026-03-31"):
        scored(path)
    assert scored(path, given=None)["scanned_on"] == "2026-02-03"


def test_a_bundle_that_changed_is_refused_before_anything_is_written(nifti, scored, tmp_path, scan_settings):
    """The readout is one of the files whose hash is checked."""
    folder = standin.build(tmp_path / "changed").path
    (folder / "head.npz").write_bytes(b"x")
    with pytest.raises(BundleError, match=r"head\.npz was changed after it was built"):
        Bundle.load_image(folder)
    assert not (scan_settings.data_dir / "patients").exists()


def test_settings_name_the_bundle_of_scans(scan_settings, settings):
    """By key, and none by default of these."""
    assert scan_settings.models.fmri and settings.models.fmri is None
    assert changed(settings, {"models.fmri": "x"}).models.fmri == "x"
