"""Functional scans: what the bedside would refuse is found beforehand; real ones in order are not."""

from __future__ import annotations

import gzip
import json
import shutil

import nibabel
import numpy as np
import pytest

from inference.errors import ScanError
from inference.fmri.volume import SIMULATED, open_scan
from tests.training.cohort.wards import plain
from training.audit.audit import check
from training.audit.scan_check import look_at_scan
from training.cohort.participants import write_participants


def write(folder, shape=(8, 8, 9, 24), zooms=(9.0, 9.0, 9.0, 2.0), coded=True, suffix=".nii.gz", seed=0, **fields):
    """Write a small series of noise."""
    image = nibabel.Nifti1Image(np.random.default_rng(seed).integers(0, 999, shape).astype(np.int16), np.eye(4))
    image.header.set_xyzt_units("mm", "sec")
    image.header.set_zooms(zooms[: len(shape)])
    image.set_sform(np.diag([*zooms[:3], 1]), code=int(coded))
    image.set_qform(np.diag([*zooms[:3], 1]), code=int(coded))
    for key, value in fields.items():
        image.header[key] = value
    path = folder / f"sub-1_task-rest_bold{suffix}"
    nibabel.save(image, path)
    return path


def told(path):
    """Return what is found of a scan, as levels and sentences."""
    return [(one.level, f"{one.what} {one.remedy}") for one in look_at_scan(path, "1", "scan").findings]


def test_a_scan_in_order_has_no_finding(tmp_path):
    """Packed or not; shape, time of a volume and origin are known."""
    for suffix in (".nii.gz", ".nii"):
        scan = look_at_scan(write(tmp_path, suffix=suffix), "1", "scan")
        assert (scan.findings, scan.shape, scan.repetition_s) == ((), (8, 8, 9, 24), 2.0)
        assert scan.origin == "clinical"


def test_real_scans(shared_data):
    """A series of a few slices, an anatomical volume and a coarse series are no scans of a whole brain."""
    folder, other = shared_data / "nifti-nibabel", shared_data / "fmri-haxby-small"
    for path in (folder / "functional.nii", folder / "anatomical.nii", other / "run001_bold_25mm.nii.gz"):
        ((level, words),) = told(path)
        assert level == "error" and path.name in words
        with pytest.raises(ScanError):
            open_scan(path)


@pytest.mark.parametrize("share", [0.0, 0.01, 0.5, 0.999])
@pytest.mark.parametrize("suffix", [".nii.gz", ".nii"])
def test_a_scan_that_ends_early_is_found(tmp_path, share, suffix):
    """However little is left of it, packed or not."""
    path = write(tmp_path, suffix=suffix)
    whole = path.read_bytes()
    path.write_bytes(whole[: int(share * len(whole))])
    assert [level for level, _ in told(path)] == ["error"]


def test_bytes_that_changed_are_found(tmp_path):
    """The checksum of the packed bytes is looked at; what the header says is known all the same."""
    path = write(tmp_path)
    damaged = bytearray(path.read_bytes())
    damaged[-6] ^= 0xFF
    path.write_bytes(bytes(damaged))
    scan = look_at_scan(path, "1", "scan")
    assert "cannot be read to its end: its bytes are damaged" in scan.findings[0].what
    assert scan.shape == (8, 8, 9, 24) and len(scan.sha256) == 64


def test_a_scan_packed_in_pieces_is_whole(tmp_path):
    """A file of several members, and with zeros behind the last, is one series."""
    path = write(tmp_path)
    content = gzip.decompress(path.read_bytes())
    path.write_bytes(gzip.compress(content[:500]) + gzip.compress(content[500:]) + bytes(10))
    assert told(path) == []


@pytest.mark.parametrize(
    ("changes", "level", "words"),
    [
        ({"shape": (8, 8, 9, 5)}, "error", "has 5 volumes, expected 20 or more"),
        ({"shape": (8, 8, 9)}, "error", "is of shape 8 x 8 x 9, expected volumes over time"),
        ({"zooms": (0.1, 3, 3, 2)}, "error", "expected edges of 0.5 to 10 mm"),
        ({"zooms": (9, 9, 9, 2000)}, "warning", "Its volumes took 2000 s, which can only be 2 s."),
        ({"zooms": (9, 9, 9, 0)}, "warning", "Nothing says how long a volume took."),
        ({"coded": False}, "error", "does not say which side is left"),
    ],
)
def test_what_the_bedside_refuses_or_assumes_is_found(tmp_path, changes, level, words):
    """In its own words: a single volume, voxels of no head, times of no scanner, sides unknown."""
    path = write(tmp_path, **changes)
    ((own, sentence),) = told(path)
    assert own == level and words in sentence
    if level == "error":
        with pytest.raises(ScanError, match=words):
            open_scan(path)


def test_what_lies_in_the_middle_of_a_scan_is_found(tmp_path):
    """A volume of nothing among others."""
    path = write(tmp_path, suffix=".nii")
    content = bytearray(path.read_bytes())
    of_one = 8 * 8 * 9 * 2
    content[352 + 5 * of_one : 352 + 6 * of_one] = bytes(of_one)
    path.write_bytes(bytes(content))
    ((level, words),) = told(path)
    assert level == "error" and "has in volume 6 of 24 nothing but the value 0." in words


def test_what_cannot_be_opened_is_found(tmp_path):
    """A name that leads nowhere; there are no bytes to know it by."""
    path = tmp_path / "sub-1_task-rest_bold.nii.gz"
    path.symlink_to(tmp_path / "gone")
    scan = look_at_scan(path, "1", "scan")
    assert (scan.sha256, scan.shape) == ("", ()) and "cannot be opened" in scan.findings[0].what


def ward(folder, **changes):
    """Write a cohort of four patients with scans, one of them of another shape."""
    people = [one.__class__(**{**vars(one), "has_eeg": False}) for one in plain(2)]
    write_participants(folder / "participants.tsv", people)
    for seed, one in enumerate(people):
        func = folder / f"sub-{one.id}" / "func"
        func.mkdir(parents=True)
        shape = (8, 8, 10, 24) if seed == 3 else (8, 8, 9, 24)
        write(func, shape, seed=seed, **changes).rename(func / f"sub-{one.id}_task-rest_bold.nii.gz")
    return [folder / f"sub-{one.id}/func/sub-{one.id}_task-rest_bold.nii.gz" for one in people]


def test_scans_belong_to_the_audit(tmp_path):
    """One under two patients is refused, a broken one too, and another shape than most have is a note."""
    first, second, third, fourth = ward(tmp_path)
    done = check(tmp_path)
    assert not done.errors and done.rows[0].to_json()["scan_shape"] == (8, 8, 9, 24)
    (note,) = [one.what for one in done.of("note") if one.check == "scan"]
    assert note == "3 scans are of shape 8x8x9x24; others are not: 03 (8x8x10x24)."
    shutil.copy(first, second)
    for path in (third, fourth):  # alike in that neither can be read, which makes none a copy
        path.write_bytes(b"\x1f\x8b no gzip")
    found = {("copy", "00"), ("scan", "02"), ("scan", "03")}
    assert {(one.check, one.patient) for one in check(tmp_path).errors} == found
    for path in (third, fourth):
        path.unlink()
        path.symlink_to(tmp_path / "gone")
    assert {(one.check, one.patient) for one in check(tmp_path).errors} == found
    assert json.dumps(check(tmp_path).to_json(), allow_nan=False)


def test_which_of_several_series_is_learned_from_is_noted(tmp_path):
    """For each patient with several; where none was taken at rest, that is a warning."""
    first, second, *_ = ward(tmp_path)
    tapping = first.with_name("sub-00_task-fingertap_bold.nii.gz")
    write(tmp_path, (8, 8, 11, 24), seed=9).rename(tapping)
    write(tmp_path, seed=10).rename(first.with_name("sub-00_task-rest_part-phase_bold.nii.gz"))
    second.rename(second.with_name("sub-01_task-fingertap_bold.nii.gz"))
    done = check(tmp_path)
    assert not done.errors and (done.rows[0].n_scans, done.rows[0].scan_shape) == (2, (8, 8, 9, 24))
    (note,) = [one for one in done.of("note") if one.check == "scans"]
    assert (note.patient, note.file) == ("00", f"sub-00/func/{first.name}")
    assert note.what == f"It is learned from; others are not: sub-00/func/{tapping.name}."
    (warning,) = [one for one in done.of("warning") if one.check == "scans"]
    assert (warning.patient, warning.file) == ("01", "sub-01/func/sub-01_task-fingertap_bold.nii.gz")
    assert "its name does not say task-rest" in warning.what


def test_what_the_top_of_the_cohort_says_of_scans_is_heard(tmp_path):
    """A repetition time that no header states; a sidecar that cannot be read is an error that names it."""
    ward(tmp_path, zooms=(9.0, 9.0, 9.0, 0.0))
    before = check(tmp_path)
    assert {row.repetition_s for row in before.rows} == {None}
    (tmp_path / "task-rest_bold.json").write_text('{"RepetitionTime": 2.2}')
    done = check(tmp_path)
    assert {row.repetition_s for row in done.rows} == {2.2} and not done.errors
    (tmp_path / "task-rest_bold.json").write_text("{")
    assert {(one.check, one.file) for one in check(tmp_path).errors} == {("sidecar", "task-rest_bold.json")}


def test_a_simulated_scan_is_no_patient_s(tmp_path):
    """A clinical cohort has none; a synthetic one has no others to be told from."""
    ward(tmp_path, descrip=SIMULATED)
    assert {one.check for one in check(tmp_path).errors} == {"origin"}
    (tmp_path / "dataset_description.json").write_text('{"Flexion": {"origin": "synthetic"}}')
    assert not check(tmp_path).errors
