"""The file beside a scan: what is believed of it, and what is not there."""

from __future__ import annotations

import json
import tracemalloc
from datetime import date
from pathlib import Path

import pytest

from inference.fmri.sidecar import MOST_BYTES, Sidecar, read_sidecar
from tests import no_files


def beside(folder: Path, text: str) -> Sidecar:
    """Return what is read of a sidecar that holds ``text``."""
    (folder / "scan_bold.json").write_text(text)
    return read_sidecar(folder / "scan_bold.nii.gz")


@pytest.mark.parametrize(
    ("key", "value", "day"),
    [
        ("AcquisitionDateTime", "2026-03-31T10:20:30.5", date(2026, 3, 31)),
        ("AcquisitionDate", "2026-03-31", date(2026, 3, 31)),
        ("AcquisitionDate", "20260331", date(2026, 3, 31)),
        ("AcquisitionDate", 20260331, date(2026, 3, 31)),
        ("AcquisitionDateTime", "20260331T102030", date(2026, 3, 31)),
        ("AcquisitionTime", "10:20:30", None),
        ("AcquisitionDate", "31.3.2026", None),
        ("AcquisitionDate", "2026-02-31", None),
        ("AcquisitionDate", None, None),
    ],
)
def test_the_day_is_read_in_the_forms_of_converters(tmp_path: Path, key: str, value: object, day: date | None) -> None:
    """A day that cannot be is no day."""
    assert beside(tmp_path, json.dumps({key: value})).scanned_on == day


@pytest.mark.parametrize(
    ("stated", "tr_s"), [("2", 2.0), ("2.5", 2.5), ('"2"', None), ("true", None), ("NaN", None), ("9" * 400, None)]
)
def test_the_repetition_time_is_a_number(tmp_path: Path, stated: str, tr_s: float | None) -> None:
    """Anything but a finite number is as good as nothing."""
    assert beside(tmp_path, f'{{"RepetitionTime": {stated}}}').tr_s == tr_s


@pytest.mark.parametrize("text", ["", "{", "[1, 2]", "[" * 100_000])
def test_a_sidecar_that_cannot_be_read_is_told(tmp_path: Path, text: str) -> None:
    """Nothing is taken from it, and it is told from one that is not there."""
    assert beside(tmp_path, text) == Sidecar(None, None, unreadable=True)


def test_a_large_sidecar_is_not_read(tmp_path: Path) -> None:
    """A byte more than converters could ever write, and it is none; memory does not grow with it."""
    text = json.dumps({"RepetitionTime": 2.0})
    assert beside(tmp_path, text.ljust(MOST_BYTES)).tr_s == 2.0
    assert beside(tmp_path, text.ljust(MOST_BYTES + 1)) == Sidecar(None, None, unreadable=True)
    (tmp_path / "scan_bold.json").write_text(text.ljust(100 * MOST_BYTES))
    tracemalloc.start()
    try:
        assert read_sidecar(tmp_path / "scan_bold.nii.gz").unreadable
        assert tracemalloc.get_traced_memory()[1] < 5 * MOST_BYTES
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("kind", no_files.KINDS)
def test_a_sidecar_that_is_no_file_is_told(tmp_path: Path, kind: str) -> None:
    """It is there, and says nothing; a pipe is not waited for."""
    no_files.put(kind, tmp_path / "scan_bold.json")
    assert read_sidecar(tmp_path / "scan_bold.nii.gz").unreadable


def test_a_scan_of_the_longest_name_has_no_sidecar(tmp_path: Path) -> None:
    """Its sidecar's name would be a letter longer than any may be."""
    assert read_sidecar(tmp_path / ("s" * 251 + ".nii")) == Sidecar(None, None)


def test_without_a_sidecar_nothing_is_said(tmp_path: Path) -> None:
    """That is the normal case."""
    assert read_sidecar(tmp_path / "scan.nii") == Sidecar(None, None)
