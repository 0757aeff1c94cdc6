"""Functional scans: what is wrong with bytes, header and geometry is told; real ones in order are not."""

from __future__ import annotations

import gzip
import json
import shutil

import nibabel
import numpy as np
import pytest

from tests.training.cohort.wards import plain
from training.audit.audit import check
from training.audit.scan_check import look_at_scan
from training.cohort.participants import write_participants


def write(folder, shape=(8, 8, 4, 24), zooms=(3.4, 3.4, 4.0, 2.0), coded=True, suffix=".nii.gz", seed=0):
    """Write a small series of noise."""
    image = nibabel.Nifti1Image(np.random.default_rng(seed).integers(0, 999, shape).astype(np.int16), np.eye(4))
    image.header.set_zooms(zooms[: len(shape)])
    image.set_sform(np.diag([*zooms[:3], 1]), code=int(coded))
    image.set_qform(np.diag([*zooms[:3], 1]), code=int(coded))
    path = folder / f"sub-1_task-rest_bold{suffix}"
    nibabel.save(image, path)
    return path


def told(path):
    """Return what is found of a scan, as levels and sentences."""
    return [(one.level, f"{one.what} {one.remedy}") for one in look_at_scan(path, "1", "scan").findings]


def test_a_scan_in_order_has_no_finding(tmp_path):
    """Packed or not; shape and time of a volume are known."""
    for suffix in (".nii.gz", ".nii"):
        scan = look_at_scan(write(tmp_path, suffix=suffix), "1", "scan")
        assert (scan.findings, scan.shape, scan.repetition_s) == ((), (8, 8, 4, 24), 2.0)


def test_real_scans(shared_data):
    """A real series at an odd resolution is told so, its functional neighbour is in order, a single volume is none."""
    folder = shared_data / "nifti-nibabel"
    assert told(folder / "functional.nii") == []
    ((level, words),) = told(folder / "anatomical.nii")[:1]
    assert level == "error" and words.startswith("It is of shape 33x41x25; expected volumes over time, 20 or more.")
    traps = [words for _, words in told(folder / "example4d.nii.gz")]
    assert any("A volume took 2000 s; expected 0.3 to 10 s." in words for words in traps)
    coarse = told(shared_data / "fmri-haxby-small" / "run001_bold_25mm.nii.gz")
    assert [words[:28] for _, words in coarse] == ["Its voxels are 25 x 25 x 25 "]


@pytest.mark.parametrize("share", [0.0, 0.01, 0.5, 0.999])
def test_a_scan_that_ends_early_is_found(tmp_path, share):
    """However little is left of it, packed or not."""
    for suffix in (".nii.gz", ".nii"):
        path = write(tmp_path, suffix=suffix)
        whole = path.read_bytes()
        path.write_bytes(whole[: int(share * len(whole))])
        findings = told(path)
        assert findings and {level for level, _ in findings} == {"error"}
        assert any("Copy it again" in words for _, words in findings)


def test_bytes_that_changed_are_found(tmp_path):
    """The checksum of the packed bytes is looked at."""
    path = write(tmp_path)
    damaged = bytearray(path.read_bytes())
    damaged[-6] ^= 0xFF
    path.write_bytes(bytes(damaged))
    assert "Its bytes cannot be read to the end: " in told(path)[0][1]


def test_a_scan_packed_in_pieces_is_whole(tmp_path):
    """A file of several members, and with zeros behind the last, is one series."""
    path = write(tmp_path)
    content = gzip.decompress(path.read_bytes())
    path.write_bytes(gzip.compress(content[:500]) + gzip.compress(content[500:]) + bytes(10))
    assert told(path) == []


@pytest.mark.parametrize(
    ("changes", "level", "words"),
    [
        ({"shape": (8, 8, 4, 5)}, "error", "It is of shape 8x8x4x5; expected volumes over time, 20 or more."),
        ({"shape": (8, 8, 4)}, "error", "It is of shape 8x8x4;"),
        ({"zooms": (0.1, 3, 3, 2)}, "error", "Its voxels are 0.1 x 3 x 3 mm; expected edges of 0.5 to 10 mm."),
        ({"zooms": (3, 3, 3, 2000)}, "warning", "A volume took 2000 s; expected 0.3 to 10 s."),
        ({"zooms": (3, 3, 3, 0)}, "warning", "Neither its header nor a sidecar says how long a volume took."),
        ({"coded": False}, "warning", "Its header does not say which side is left"),
    ],
)
def test_wrong_geometry_is_found(tmp_path, changes, level, words):
    """A single volume, voxels of no head, times of no scanner, sides unknown."""
    assert any(own == level and words in sentence for own, sentence in told(write(tmp_path, **changes)))


@pytest.mark.parametrize(
    ("text", "seconds", "words"),
    [
        ('{"RepetitionTime": 2.5}', 2.5, "A volume took 2 s by its header and 2.5 s by its sidecar."),
        ('{"RepetitionTime": 2}', 2.0, None),
        ('{"RepetitionTime": "2"}', 2.0, None),
        ("[]", 2.0, None),
        ("{", 2.0, None),
    ],
)
def test_the_sidecar_is_believed(tmp_path, text, seconds, words):
    """Where header and sidecar differ that is told; a sidecar that says nothing leaves the header."""
    path = write(tmp_path)
    (tmp_path / "sub-1_task-rest_bold.json").write_text(text)
    scan = look_at_scan(path, "1", "scan")
    assert scan.repetition_s == seconds
    assert [one.what for one in scan.findings] == ([words] if words else [])


def test_an_affine_that_leads_nowhere_is_found(tmp_path):
    """All voxels in one place are no head."""
    path = write(tmp_path, suffix=".nii")
    content = bytearray(path.read_bytes())
    content[280:328] = bytes(48)  # the rows of the sform
    path.write_bytes(bytes(content))
    assert any("Its affine says nowhere where a voxel lies." in words for _, words in told(path))


def test_scans_belong_to_the_audit(tmp_path):
    """One under two patients is refused, a broken one too, and another shape than most have is a note."""
    people = [one.__class__(**{**vars(one), "has_eeg": False}) for one in plain(2)]
    write_participants(tmp_path / "participants.tsv", people)
    for seed, one in enumerate(people):
        func = tmp_path / f"sub-{one.id}" / "func"
        func.mkdir(parents=True)
        shape = (8, 8, 5, 24) if seed == 3 else (8, 8, 4, 24)
        write(func, shape, seed=seed).rename(func / f"sub-{one.id}_task-rest_bold.nii.gz")
    done = check(tmp_path)
    assert not done.errors and done.rows[0].to_json()["scan_shape"] == (8, 8, 4, 24)
    (note,) = [one.what for one in done.of("note") if one.check == "scan"]
    assert note == "3 scans are of shape 8x8x4x24; others are not: 03 (8x8x5x24)."
    first, second, third, fourth = (
        tmp_path / f"sub-{one.id}/func/sub-{one.id}_task-rest_bold.nii.gz" for one in people
    )
    shutil.copy(first, second)
    for path in (third, fourth):  # alike in that neither can be read, which makes none a copy
        path.write_bytes(b"\x1f\x8b no gzip")
    told = {(one.check, one.patient) for one in check(tmp_path).errors}
    assert told == {("copy", "00"), ("scan", "02"), ("scan", "03")}
    assert json.dumps(check(tmp_path).to_json(), allow_nan=False)
