"""The bytes of a file: the same packed or not, and a damaged file is told where it is read."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pytest

from inference.errors import ScanError
from inference.fmri.unpacking import ScanBytes
from tests import no_files

CONTENT = np.random.default_rng(0).integers(0, 256, 200_000, dtype=np.uint8).tobytes()


@pytest.mark.parametrize(
    "stored",
    [CONTENT, gzip.compress(CONTENT), gzip.compress(CONTENT[:70_000]) + gzip.compress(CONTENT[70_000:])],
    ids=["plain", "packed", "packed in two members"],
)
def test_packed_or_not_the_bytes_are_the_same(tmp_path: Path, stored: bytes) -> None:
    """What is read does not depend on how it is stored, and skipping is reading."""
    path = tmp_path / "scan.nii.gz"
    path.write_bytes(stored)
    with ScanBytes(path) as file:
        assert file.read(1000) == CONTENT[:1000]
        file.skip(120_000)
        assert file.read(10**9) == CONTENT[121_000:]
        assert file.read(10) == b""
        assert file.n_bytes_most >= len(CONTENT)


@pytest.mark.parametrize("name", ["none.nii", "s" * 300 + ".nii"], ids=["no file", "a name too long"])
def test_what_cannot_be_opened_is_refused(tmp_path: Path, name: str) -> None:
    """In words, with the system's reason."""
    with pytest.raises(ScanError, match="cannot be opened: (No such file or directory|File name too long)"):
        ScanBytes(tmp_path / name)


@pytest.mark.parametrize(
    ("kind", "remedy"),
    [("a folder", "dcm2niix"), ("a pipe", "into a file first"), ("a socket", "Name a NIfTI"), ("a device", "Name a")],
)
def test_what_is_no_file_is_refused(tmp_path: Path, kind: str, remedy: str) -> None:
    """Before it is opened: a pipe would be waited for without end."""
    with pytest.raises(ScanError, match=rf"scan\.nii is {kind}, expected one NIfTI file\. .*{remedy}"):
        ScanBytes(no_files.put(kind, tmp_path / "scan.nii"))


@pytest.mark.parametrize("share", [0.001, 0.3, 0.999])
def test_a_file_that_was_cut_says_so(tmp_path: Path, share: float) -> None:
    """Wherever a packed file was cut, reading it to its end is refused in words."""
    packed = gzip.compress(CONTENT)
    path = tmp_path / "scan.nii.gz"
    path.write_bytes(packed[: int(share * len(packed))])
    with ScanBytes(path) as file, pytest.raises(ScanError, match=r"scan\.nii\.gz .*packed bytes end early"):
        file.skip(10**9)


@pytest.mark.parametrize("at", [2, 500, -6], ids=["method", "data", "checksum"])
def test_damaged_bytes_are_refused(tmp_path: Path, at: int) -> None:
    """A changed byte in the packed data or its checksum is found out."""
    packed = bytearray(gzip.compress(bytes(1000) + CONTENT))
    packed[at] ^= 0xFF
    path = tmp_path / "scan.nii.gz"
    path.write_bytes(bytes(packed))
    with ScanBytes(path) as file, pytest.raises(ScanError, match="damaged|end early") as caught:
        file.skip(10**9)
    assert "Copy it again" in caught.value.remedy


def test_a_folder_is_told_from_a_file(tmp_path: Path) -> None:
    """A folder, of DICOM most likely, is refused with the command that converts it."""
    with pytest.raises(ScanError, match="is a folder.*dcm2niix"):
        ScanBytes(tmp_path)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    """A wrong name is said, not raised as a system error."""
    with pytest.raises(ScanError, match=r"gone\.nii\.gz cannot be opened: No such file"):
        ScanBytes(tmp_path / "gone.nii.gz")
