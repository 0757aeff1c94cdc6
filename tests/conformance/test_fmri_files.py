"""docs/fmri-files.md says what preparation says of every real file, and leaves none out (law 10)."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from inference.fmri.preparation import PreparationSpec, prepare, to_volume
from tests.conformance import fmri_composed
from tests.conformance.fmri_files import PAGE, TABLE, files, filled

pytestmark = pytest.mark.conformance


def test_the_page_says_what_preparation_says(shared_data: Path) -> None:
    """After a change of the reader: python -m tests.conformance.fmri_files."""
    page = PAGE.read_text("utf-8")
    assert len(TABLE.findall(page)) == 1
    assert filled(page, shared_data) == page


def test_every_file_is_on_the_page(shared_data: Path) -> None:
    """None was left out, and no path of a machine is on it."""
    page = PAGE.read_text("utf-8")
    for path in files(shared_data):
        assert f"| {path.relative_to(shared_data).as_posix()} |" in page, path
    assert str(shared_data) not in page


def test_real_anatomy_is_prepared(tmp_path: Path, shared_data: Path) -> None:
    """A real brain's shape on a scanner's voxels has no problem, about 20 of 35 slices, and its lesion on its side."""
    prepared = prepare(fmri_composed.write(tmp_path, shared_data, n_volumes=25), PreparationSpec())
    assert prepared.quality.problems == () and 18 <= prepared.quality.n_slices <= 22
    assert 1300 < prepared.quality.brain_ml < 1700
    bright = prepared.slices[:, 0] > 2.0
    assert bright[:, :, 112:].sum() > 20 * bright[:, :, :112].sum()
    laid = to_volume(bright.astype(np.float32), prepared)
    x_mm = (
        prepared.affine[0, 0] * np.average(np.arange(laid.shape[0]), weights=laid.sum(axis=(1, 2)))
        + prepared.affine[0, 3]
    )
    # The lesion's centre, by its own file, lies 45 mm to the right.
    assert x_mm == pytest.approx(45.0, abs=8.0)
