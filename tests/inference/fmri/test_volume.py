"""A scan's file: its header is believed, corrected aloud or refused, and its volumes come right, front and top up."""

from __future__ import annotations

import contextlib
import gzip
import hashlib
import itertools
import json
import tracemalloc
import warnings
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import pytest

from acquisition.simulator import Patient
from inference.errors import ScanError
from inference.fmri.header import LEAST_SLICES, LEAST_VOLUMES, MOST_VOLUMES
from inference.fmri.preparation import PreparationSpec, prepare
from inference.fmri.volume import Scan, open_scan
from tests.inference.fmri import heads
from training.simulated.bold import write_scan
from training.simulated.phantom import ScanSpec
from training.simulated.sites import sites_of


def through(path: Path) -> Scan:
    """Open a scan and read it to its end."""
    scan = open_scan(path)
    for _ in scan.volumes():
        pass
    return scan


def turned(matrix: np.ndarray, degrees: float, axes: tuple[int, int] = (1, 2)) -> np.ndarray:
    """Return an affine, turned in the plane of two of the body's axes."""
    turn, (i, j), angle = np.eye(4), axes, np.deg2rad(degrees)
    turn[i, i] = turn[j, j] = np.cos(angle)
    turn[i, j], turn[j, i] = -np.sin(angle), np.sin(angle)
    return np.asarray(turn @ matrix)


def test_parameters_are_those_of_the_scan(tmp_path: Path) -> None:
    """Field, matrix, slices, TR and thickness are taken from the header, and nothing is assumed."""
    shape, voxel_mm = (24, 28, 20), (3.0, 3.5, 4.0)
    data = np.random.default_rng(0).uniform(0, 1000, (*shape, 30))
    scan = open_scan(heads.write(tmp_path, data, affine=heads.affine(shape, voxel_mm), tr=1.5))
    assert scan.parameters.fov_mm == pytest.approx((72.0, 98.0))
    assert scan.parameters.matrix == (24, 28)
    assert (scan.parameters.n_slices, scan.parameters.n_volumes) == (20, 30)
    assert (scan.parameters.tr_s, scan.parameters.thickness_mm) == (1.5, pytest.approx(4.0))
    assert scan.parameters.voxel_mm == pytest.approx(voxel_mm)
    assert (scan.origin, scan.scanned_on, scan.assumed) == ("clinical", None, ())


def test_volumes_are_those_of_the_file(tmp_path: Path) -> None:
    """Each volume once, in order, as float32 in C order."""
    data = heads.course()
    volumes = list(open_scan(heads.write(tmp_path, data)).volumes())
    assert len(volumes) == heads.N_VOLUMES
    assert all(volume.dtype == np.float32 and volume.flags.c_contiguous for volume in volumes)
    np.testing.assert_array_equal(np.stack(volumes, axis=-1), np.rint(data))


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))), ids=str)
@pytest.mark.parametrize("signs", [(1, 1, 1), (-1, 1, 1), (1, -1, -1), (-1, -1, -1)], ids=str)
def test_however_it_is_stored_the_head_faces_the_same_way(
    tmp_path: Path, order: tuple[int, int, int], signs: tuple[int, int, int]
) -> None:
    """Axes in any order and direction give the same volumes and the same places in mm."""
    data = heads.course()
    ornt = np.column_stack([order, signs])
    upright = heads.image(data)
    stored = upright.as_reoriented(ornt)
    path = tmp_path / "scan.nii"
    nibabel.save(stored, path)
    scan = open_scan(path)
    np.testing.assert_array_equal(next(scan.volumes()), np.asarray(upright.dataobj)[..., 0])
    np.testing.assert_allclose(scan.affine, upright.affine, atol=1e-4)
    assert scan.parameters.matrix == heads.SHAPE[:2]


@pytest.mark.parametrize("dtype", ["<i2", ">i2", "<u1", "<f4", ">f4", "<f8", "<i4", "<u2"])
@pytest.mark.parametrize("kind", [nibabel.Nifti1Image, nibabel.Nifti2Image], ids=["NIfTI-1", "NIfTI-2"])
def test_every_type_of_sample_is_read(tmp_path: Path, dtype: str, kind: type) -> None:
    """Bytes of either order, whole numbers or not, in both versions of the format."""
    data = np.rint(np.clip(heads.course(), 0, None) / 8)
    path = tmp_path / "scan.nii"
    one = heads.image(data, dtype=np.dtype(dtype), kind=kind)
    header = one.header.as_byteswapped(">") if dtype.startswith(">") else one.header
    nibabel.save(kind(np.asarray(one.dataobj), one.affine, header), path)
    np.testing.assert_array_equal(next(open_scan(path).volumes()), data[..., 0])


def test_scaling_is_applied(tmp_path: Path) -> None:
    """A sample is a number, times a slope, and an intercept."""
    path = heads.write(tmp_path, name="scan.nii")
    plain = next(open_scan(path).volumes())
    scaled = next(open_scan(heads.patched(path, scl_slope=0.5, scl_inter=3.0)).volumes())
    np.testing.assert_allclose(scaled, plain * 0.5 + 3.0)


def test_the_hash_is_that_of_the_file(tmp_path: Path) -> None:
    """A scan is known by its bytes; another scan has others."""
    path = heads.write(tmp_path)
    one = open_scan(path).sha256
    assert one == hashlib.sha256(path.read_bytes()).hexdigest()
    assert one == open_scan(heads.write(tmp_path)).sha256
    assert one != open_scan(heads.write(tmp_path, heads.course(seed=1))).sha256


def test_a_simulated_scan_says_so(tmp_path: Path) -> None:
    """What was learned from or scored on a simulated patient is synthetic (law 9)."""
    path = tmp_path / "sub-1_bold.nii.gz"
    write_scan(path, Patient(0.0, 1), sites_of(1, 1)[0], ScanSpec((16, 16, 12), (10.0, 10.0, 10.0), n_volumes=20))
    assert through(path).origin == "synthetic"


def test_the_day_comes_from_the_file_beside_it(tmp_path: Path) -> None:
    """NIfTI has no date."""
    path = heads.write(tmp_path)
    (tmp_path / "scan_bold.json").write_text(json.dumps({"AcquisitionDate": "2026-03-31", "RepetitionTime": 2.0}))
    assert open_scan(path).scanned_on == date(2026, 3, 31)


@pytest.mark.parametrize(
    ("changes", "beside", "tr_s", "said"),
    [
        ({"tr": 2000.0, "units": ("mm", "msec")}, None, 2.0, ()),
        ({"tr": 2e6, "units": ("mm", "usec")}, None, 2.0, ()),
        ({"tr": 2000.0}, None, 2.0, ("Its volumes took 2000 s, which can only be 2 s.",)),
        ({"tr": 2.0, "units": ("mm", "msec")}, None, 2.0, ("Its volumes took 2 ms, which can only be 2 s.",)),
        ({"tr": 2500.0, "units": ("mm", "unknown")}, None, 2.5, ("Its volumes took 2500, which can only be 2.5 s.",)),
        ({"tr": 2.0, "units": ("unknown", "sec")}, None, 2.0, ("Its voxels are 10 x 10 x 10, which can only be mm.",)),
        ({"tr": 2.0, "units": ("mm", "hz")}, None, 2.0, ("Its volumes took 2, which can only be 2 s.",)),
        ({"tr": 0.0}, None, None, ("Nothing says how long a volume took.",)),
        ({"tr": 0.0}, 2.5, 2.5, ("A volume took 2.5 s by the file beside it; the header does not say.",)),
        ({"tr": 2.0}, 2.005, 2.0, ()),
    ],
)
def test_what_can_be_read_in_one_way_is_corrected_aloud(
    tmp_path: Path, changes: dict[str, Any], beside: float | None, tr_s: float | None, said: tuple[str, ...]
) -> None:
    """Units that are wrong leave one possible reading, which is taken and told."""
    path = heads.write(tmp_path, **changes)
    if beside is not None:
        (tmp_path / "scan_bold.json").write_text(json.dumps({"RepetitionTime": beside}))
    scan = open_scan(path)
    assert scan.parameters.tr_s == (None if tr_s is None else pytest.approx(tr_s))
    assert scan.assumed == said


def test_a_file_beside_it_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    """It could have said when the scan was taken."""
    path = heads.write(tmp_path)
    (tmp_path / "scan_bold.json").write_text("{")
    assert open_scan(path).assumed == ("The file beside it that should say more cannot be read.",)


@pytest.mark.parametrize("unit", ["meter", "micron"])
def test_lengths_in_other_units_are_mm(tmp_path: Path, unit: str) -> None:
    """The affine and the voxels are in the header's unit, and are mm afterwards."""
    factor = {"meter": 1e-3, "micron": 1e3}[unit]
    matrix = np.diag([factor, factor, factor, 1.0]) @ heads.affine()
    scan = open_scan(heads.write(tmp_path, affine=matrix, units=(unit, "sec")))
    assert scan.parameters.voxel_mm == pytest.approx(heads.VOXEL_MM)
    np.testing.assert_allclose(scan.affine, heads.affine(), rtol=1e-5)
    assert scan.assumed == ()


@pytest.mark.parametrize("degrees", [-30.0, 12.0, 40.0])
def test_an_oblique_scan_is_told(tmp_path: Path, degrees: float) -> None:
    """The nearest axes of the body are used, and the angle is said."""
    scan = open_scan(heads.write(tmp_path, affine=turned(heads.affine(), degrees)))
    assert scan.assumed == (f"It was taken {abs(degrees):.0f}° off the body's axes; the nearest ones are used.",)
    assert scan.parameters.matrix == heads.SHAPE[:2]


def test_coronal_slices_are_told(tmp_path: Path) -> None:
    """Axial slices of a scan that was taken otherwise are cut from it, and people should know."""
    path = tmp_path / "scan.nii"
    nibabel.save(heads.image(heads.course()).as_reoriented(np.array([[0, 1], [2, 1], [1, 1]])), path)
    assert open_scan(path).assumed == ("It was not stored in axial slices; axial ones are cut from it.",)


def requalified(path: Path, matrix: np.ndarray) -> Path:
    """Give a scan another qform, and return its path."""
    image = nibabel.load(path)
    image.set_qform(matrix, code=1)
    nibabel.save(image, path)
    return path


@pytest.mark.parametrize(
    ("degrees", "shift_mm", "words"),
    [
        (0.5, 0.0, ()),
        (0.0, 9.0, ()),
        (0.0, 11.0, ("Its two affines, sform and qform, are 0° and 11 mm apart; the sform is used.",)),
        (-4.0, 0.0, ("Its two affines, sform and qform, are 4° and 0 mm apart; the sform is used.",)),
    ],
)
def test_two_affines_that_differ_are_told(
    tmp_path: Path, degrees: float, shift_mm: float, words: tuple[str, ...]
) -> None:
    """Rounding is none; a degree or a voxel is."""
    other = turned(heads.affine(), degrees)
    other[0, 3] += shift_mm
    scan = open_scan(requalified(heads.write(tmp_path), other))
    assert scan.assumed == words
    np.testing.assert_allclose(scan.affine, heads.affine(), atol=1e-4)


def test_a_qfac_of_0_is_1(tmp_path: Path) -> None:
    """As the format's own library reads it, and told; nobody is told where no qform is stated."""
    path = heads.write(tmp_path, name="scan.nii")
    edges = [0, *heads.VOXEL_MM, heads.TR_S, 0, 0, 0]
    scan = open_scan(heads.patched(path, pixdim=edges, sform_code=0))
    assert scan.assumed == ("It does not say which way its third axis runs (qfac 0), which is read as 1.",)
    np.testing.assert_allclose(scan.affine, heads.affine(), atol=1e-4)
    assert open_scan(heads.patched(path, sform_code=1, qform_code=0)).assumed == ()


@pytest.mark.parametrize(("kind", "first"), [(nibabel.Nifti1Image, 352), (nibabel.Nifti2Image, 544)])
def test_samples_that_begin_nowhere_begin_behind_the_header(tmp_path: Path, kind: type, first: int) -> None:
    """An offset of 0 can only be the least one, and is told."""
    path = heads.write(tmp_path, name="scan.nii", kind=kind)
    volumes = list(open_scan(path).volumes())
    scan = open_scan(heads.patched(path, vox_offset=0))
    assert scan.assumed == (f"It does not say where its samples begin; they are read from byte {first} on.",)
    np.testing.assert_array_equal(list(scan.volumes()), volumes)


def text(path: Path) -> Path:
    """Write a text under a scan's name."""
    path.write_text("This is no scan. " * 40)
    return path


def short(path: Path) -> Path:
    """Write the beginning of a header."""
    path.write_bytes(heads.write(path.parent, name="whole.nii").read_bytes()[:200])
    return path


def empty(path: Path) -> Path:
    """Write nothing."""
    path.write_bytes(b"")
    return path


def dicom(path: Path) -> Path:
    """Write what a DICOM file begins with."""
    path.write_bytes(bytes(128) + b"DICM" + bytes(1000))
    return path


def plain(path: Path, **fields: Any) -> Path:
    """Write a scan that is not packed, some fields of its header changed."""
    return heads.patched(heads.write(path.parent, name="plain.nii"), **fields)


def second(path: Path, **fields: Any) -> Path:
    """Write a scan in the second version of the format, not packed, some fields of its header changed."""
    return heads.patched(heads.write(path.parent, name="plain.nii", kind=nibabel.Nifti2Image), **fields)


def field(path: Path, shape: tuple[int, int, int], voxel_mm: tuple[float, float, float]) -> Path:
    """Write volumes of noise in a field of that size."""
    noise = np.random.default_rng(0).uniform(0, 1000, (*shape, LEAST_VOLUMES))
    return heads.write(path.parent, noise, affine=heads.affine(shape, voxel_mm))


REFUSED: dict[str, tuple[Callable[[Path], Path], str]] = {
    "text": (text, r"no NIfTI file: it begins with b'This is no scan\."),
    "packed text": (lambda p: packed(p, b"This is no scan. " * 40), "no NIfTI file: it begins with b'This is"),
    "cut header": (short, "no NIfTI file"),
    "cut header of NIfTI-2": (lambda p: packed(p, (540).to_bytes(4, "little") + b"n+2" + bytes(350)), "no NIfTI file"),
    "empty": (empty, "no NIfTI file: it is empty"),
    "DICOM": (dicom, "is a DICOM file, expected NIfTI.*dcm2niix"),
    "pair": (lambda p: plain(p, magic=b"ni1"), "one half of a pair of .hdr and .img"),
    "ANALYZE": (lambda p: plain(p, magic=b"\0\0\0"), "no NIfTI file"),
    "3D": (lambda p: heads.write(p.parent, heads.still()), "is of shape 20 x 21 x 15, expected volumes over time"),
    "one volume": (lambda p: heads.write(p.parent, heads.course(1)), "is of shape 20 x 21 x 15, expected volumes"),
    "5D": (lambda p: plain(p, dim=[5, 20, 21, 15, 5, 5, 1, 1]), "is of shape 20 x 21 x 15 x 5 x 5, expected volumes"),
    "3 volumes": (lambda p: heads.write(p.parent, heads.course(3)), f"has 3 volumes, expected {LEAST_VOLUMES} or more"),
    "negative shape": (lambda p: plain(p, dim=[4, -20, 21, 15, 25, 1, 1, 1]), r"makes no sense: \[-20, 21, 15, 25\]"),
    "no shape": (lambda p: plain(p, dim=[0, 1, 1, 1, 1, 1, 1, 1]), r"makes no sense: \[\]"),
    "huge volumes": (lambda p: plain(p, dim=[4, 3000, 3000, 300, 25, 1, 1, 1]), "volumes of 3000 x 3000 x 300 voxels"),
    "few slices": (lambda p: heads.write(p.parent, heads.course()[:, :, 5:8]), f"has 3 of the {LEAST_SLICES} slices"),
    "colours": (lambda p: plain(p, datatype=128, bitpix=24), "holds samples of type"),
    "unknown type": (lambda p: plain(p, datatype=77), "header that cannot be used: .*77"),
    "intercept no number": (lambda p: plain(p, scl_slope=1, scl_inter=np.inf), "header that cannot be used"),
    "offset in the header": (lambda p: plain(p, vox_offset=100), "samples begin at byte 100"),
    "offset no number": (lambda p: plain(p, vox_offset=np.nan), "samples begin at byte nan"),
    "TR of a minute": (
        lambda p: plain(p, pixdim=[1, 10, 10, 10, 60, 0, 0, 0]),
        "a volume took 60 s, expected 0.3 to",
    ),
    "coarse": (
        lambda p: heads.write(p.parent, affine=heads.affine(voxel_mm=(25.0,) * 3)),
        "voxels are 25 x 25 x 25 mm, expected",
    ),
    "voxels no number": (lambda p: plain(p, pixdim=[1, np.nan, 10, 10, 2, 0, 0, 0]), "voxels are nan x 10 x 10 mm"),
    "no codes": (lambda p: plain(p, qform_code=0, sform_code=0), "does not say which side is left"),
    "affine of zeros": (lambda p: plain(p, srow_x=0), "of 10 x 10 x 10 mm by its sizes and of 0 x 10 x 10 mm"),
    "affine no number": (lambda p: plain(p, srow_x=np.nan), "says nowhere where a voxel lies"),
    "other voxels": (lambda p: plain(p, srow_x=[5, 0, 0, 0]), "voxels of 10 x 10 x 10 mm by its sizes and of 5 x 10 x"),
    "sheared": (lambda p: plain(p, srow_y=[8, 6, 0, 0], srow_x=[6, 8, 0, 0]), "axes are not at right angles"),
    "mirrored": (lambda p: plain(p, srow_x=[-10, 0, 0, 95]), "sform and qform, which differ in which side is left"),
    "affines turned": (
        lambda p: requalified(heads.write(p.parent), turned(heads.affine(), 11.0)),
        "sform and qform, which are turned by 11° against each other",
    ),
    "qfac 2": (lambda p: plain(p, pixdim=[2, 10, 10, 10, 2, 0, 0, 0]), r"affine \(qform\) that cannot be used"),
    "offset 0 before an extension": (lambda p: extended(p), "goes on after the 25 volumes"),
    "no turn": (lambda p: plain(p, quatern_b=2.0), r"affine \(qform\) that cannot be used"),
    "turn no number": (lambda p: plain(p, quatern_b=np.nan), "affine"),
    "45 degrees": (lambda p: heads.write(p.parent, affine=turned(heads.affine(), 45.0)), "45° off the body's axes"),
    "later NaN": (
        lambda p: heads.write(p.parent, spoilt(np.nan), dtype=np.float32),
        "volume 8 of 25 1 voxels that are no",
    ),
    "later Inf": (
        lambda p: heads.write(p.parent, spoilt(np.inf), dtype=np.float32),
        "volume 8 of 25 1 voxels that are no",
    ),
    "beyond all counts": (
        lambda p: heads.write(p.parent, spoilt(-2e12), dtype=np.float32),
        r"volume 8 of 25 1 voxels that are no number or beyond 1e\+12",
    ),
    "below all counts": (
        lambda p: plain(p, scl_slope=1e-17),
        "volume 1 of 25 nothing but the value",
    ),
    "all zero": (lambda p: heads.write(p.parent, 0 * heads.course()), "volume 1 of 25 nothing but the value 0"),
    "empty volume": (lambda p: heads.write(p.parent, blank()), "volume 8 of 25 nothing but the value 3"),
    "cut": (lambda p: cut(p, heads.write(p.parent, name="plain.nii")), "header claims 0.3 MB, the file has 0.2 MB"),
    "cut and packed": (lambda p: cut(p, heads.write(p.parent, name="whole.nii.gz")), "packed bytes end early"),
    "cut, then packed": (lambda p: packed(p, whole(p)[:200_000]), "ends in volume 16 of the 25 that its header"),
    "goes on": (lambda p: packed(p, whole(p) + b"\1"), "goes on after the 25 volumes"),
    "20 GB": (lambda p: plain(p, dim=[4, 160, 160, 160, 2500, 1, 1, 1]), "claims 20.5 GB, the file has 0.3 MB"),
    "too many volumes": (
        lambda p: plain(p, dim=[4, 20, 21, 15, MOST_VOLUMES + 1, 1, 1, 1]),
        f"has {MOST_VOLUMES + 1} volumes, expected {MOST_VOLUMES} at most",
    ),
    "NIfTI-2, 40 million volumes": (
        lambda p: second(p, dim=[4, 1, 1, 8, 40_000_000, 1, 1, 1]),
        f"has 40000000 volumes, expected {MOST_VOLUMES} at most",
    ),
    "NIfTI-2, huge volumes": (
        lambda p: second(p, dim=[4, 2**40, 2**40, 8, 25, 1, 1, 1]),
        "volumes of 1099511627776 x 1099511627776 x 8 voxels",
    ),
    "NIfTI-2, negative shape": (lambda p: second(p, dim=[4, 20, -(2**62), 15, 25, 1, 1, 1]), "shape makes no sense"),
    "NIfTI-2, offset at the end": (lambda p: second(p, vox_offset=2**62), "header claims .* GB, the file has 0.3 MB"),
    "NIfTI-2, offset in the header": (lambda p: second(p, vox_offset=400), "samples begin at byte 400"),
    "NIfTI-2, cut": (lambda p: cut(p, second(p)), "header claims 0.3 MB, the file has 0.2 MB"),
    "one column": (lambda p: field(p, (1, 64, 35), (3.4, 3.4, 4.0)), "a field of 3.4 x 218 x 140 mm, expected 60 or"),
    "a thin slab": (lambda p: field(p, (40, 40, 12), (2.0, 2.0, 0.5)), "a field of 80 x 80 x 6 mm, expected 60 or"),
    "a small field": (lambda p: field(p, (40, 40, 12), (0.5, 0.5, 0.5)), "a field of 20 x 20 x 6 mm, expected 60 or"),
    "one column of NIfTI-2": (
        lambda p: second(p, dim=[4, 1, 1, 8, 25, 1, 1, 1]),
        "a field of 10 x 10 x 80 mm, expected 60 or more along each axis",
    ),
}


def extended(path: Path) -> Path:
    """Write a scan behind a comment of 16 bytes, without a word of where its samples begin."""
    plain(path, vox_offset=0)
    content = (path.parent / "plain.nii").read_bytes()
    extension = b"\1\0\0\0" + (16).to_bytes(4, "little") + (6).to_bytes(4, "little") + b"comment\0"
    path.write_bytes(content[:348] + extension + content[352:])
    return path


def packed(path: Path, content: bytes) -> Path:
    """Write packed bytes."""
    path.write_bytes(gzip.compress(content))
    return path


def whole(path: Path) -> bytes:
    """Return the bytes of a scan, not packed."""
    return heads.write(path.parent, name="whole.nii").read_bytes()


def cut(path: Path, other: Path) -> Path:
    """Write the first half of another file."""
    content = other.read_bytes()
    path.write_bytes(content[: len(content) // 2])
    return path


def spoilt(value: float) -> np.ndarray:
    """Return volumes with one value that is no number."""
    data = heads.course()
    data[3, 4, 5, 7] = value
    return data


def blank() -> np.ndarray:
    """Return volumes one of which holds nothing."""
    data = heads.course()
    data[..., 7] = 3
    return data


@pytest.mark.parametrize(("make", "words"), REFUSED.values(), ids=REFUSED.keys())
def test_what_is_no_functional_scan_is_refused_in_words(
    tmp_path: Path, make: Callable[[Path], Path], words: str
) -> None:
    """Every refusal is one line that names the file and says what to do (law 10)."""
    path = make(tmp_path / "scan.nii.gz")
    with pytest.raises(ScanError, match=words) as caught:
        through(path)
    assert path.name in caught.value.message and caught.value.subject == str(path)
    assert caught.value.remedy and "\n" not in str(caught.value)
    assert caught.value.exit_code == 3


def damaged(block: bytes, rng: np.random.Generator) -> bytes:
    """Return a file some bytes of whose header are others."""
    found = bytearray(block)
    for at in rng.integers(0, 348, rng.integers(1, 4)):
        floats = np.array([np.nan, np.inf, 1e38, -1.0], np.float32)
        found[at : at + 4] = rng.choice([bytes(4), b"\xff" * 4, rng.bytes(4), rng.choice(floats).tobytes()])
    return bytes(found[: len(block)])


def test_a_damaged_header_is_read_or_refused(tmp_path: Path) -> None:
    """Whatever bytes stand in it: no error of nibabel or numpy, and no warning, comes through."""
    path, rng = heads.write(tmp_path, name="scan.nii"), np.random.default_rng(1)
    content = path.read_bytes()
    for _ in range(400):
        path.write_bytes(damaged(content, rng))
        with contextlib.suppress(ScanError), warnings.catch_warnings(action="error"):
            next(open_scan(path).volumes())


#: Places of the fields that leave a scan to be prepared, however wrong: scaling, voxel sizes, type of sample, affine.
TELLING = (70, 76, 80, 84, 88, 92, 108, 112, 116, 280, 284, 288)


@pytest.mark.parametrize("kind", [np.int16, np.float32])
def test_a_damaged_header_is_prepared_or_refused(tmp_path: Path, kind: type) -> None:
    """To the last step, also where its scaling makes values of any size: no other error, and no warning."""
    data = heads.course(LEAST_VOLUMES)
    path, rng = heads.write(tmp_path, data, name="scan.nii", dtype=kind), np.random.default_rng(2)
    content, spec = path.read_bytes(), PreparationSpec(mm_per_pixel=10.0, size=24)
    for n in range(60):
        block = bytearray(damaged(content, rng) if n % 2 else content)
        at = rng.choice(TELLING)
        block[at : at + 4] = (rng.choice([-1.0, 1.0]) * 10.0 ** rng.uniform(-45, 38)).astype(np.float32).tobytes()
        path.write_bytes(bytes(block))
        with contextlib.suppress(ScanError), warnings.catch_warnings(action="error"):
            prepare(path, replace(spec, recipe=rng.choice(["mean", "functional"])))


@pytest.mark.parametrize(("header_s", "beside_s"), [(2.0, 3.0), (0.0, 0.002), (2000.0, 0.5)])
def test_two_repetition_times_are_refused(tmp_path: Path, header_s: float, beside_s: float) -> None:
    """What is not certain is not corrected."""
    path = heads.write(tmp_path, tr=header_s)
    (tmp_path / "scan_bold.json").write_text(json.dumps({"RepetitionTime": beside_s}))
    with pytest.raises(ScanError, match="by the file beside it"):
        open_scan(path)


def claiming(path: Path, shape: tuple[int, int, int], n_volumes: int) -> Path:
    """Write a small scan whose header claims that many volumes of that shape."""
    return plain(path, dim=[4, *shape, n_volumes, 1, 1, 1])


CLAIMS: dict[str, tuple[Callable[[Path], Path], str]] = {
    "not packed": (lambda p: claiming(p, (160, 160, 160), 2500), "header claims 20.5 GB, the file has 0.3 MB"),
    "packed": (
        lambda p: packed(p, claiming(p, (160, 160, 160), 2500).read_bytes()),
        r"header claims 20.5 GB, the file has 0\.\d MB",
    ),
    # A thousand to one: as many zeros as a file of this size can hold, behind a first volume that is not empty.
    "packed as well as can be": (
        lambda p: packed(p, claiming(p, (32, 32, 32), 900).read_bytes() + bytes(60_000_000)),
        "has in volume 6 of 900 nothing but the value 0",
    ),
    "NIfTI-2": (
        lambda p: packed(p, second(p, dim=[4, 1, 1, 8, 5_000_000, 1, 1, 1]).read_bytes() + bytes(80_000_000)),
        "has 5000000 volumes",
    ),
}


@pytest.mark.parametrize(("make", "words"), CLAIMS.values(), ids=CLAIMS.keys())
def test_a_claim_takes_no_memory(tmp_path: Path, make: Callable[[Path], Path], words: str) -> None:
    """A header may claim what it likes, packed well or not: one volume is held at a time."""
    path = make(tmp_path / "claim.nii.gz")
    tracemalloc.start()
    try:
        with pytest.raises(ScanError, match=words):
            prepare(path, PreparationSpec())
        assert tracemalloc.get_traced_memory()[1] < 20e6
    finally:
        tracemalloc.stop()
