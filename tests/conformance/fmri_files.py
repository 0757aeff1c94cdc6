"""docs/fmri-files.md: every scan, mask, template and DICOM file of the shared recordings, prepared or refused in words.

``python -m tests.conformance.fmri_files`` writes its table anew; a test compares.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

from inference.errors import ScanError
from inference.fmri.preparation import PreparationSpec, prepare
from tests.conftest import SHARED_DATA

PAGE = Path(__file__).parents[2] / "docs" / "fmri-files.md"
#: What a scan, or what people take for one, ends in.
ENDINGS = (".nii", ".nii.gz", ".dcm")
TABLE = re.compile(r"(?<=\n\| file \| what becomes of it \|\n\|---\|---\|\n)(?:\|.*\n)*")


def filled(page: str, folder: Path) -> str:
    """Return the page with its table made anew from the folder of the recordings."""
    rows = "".join(f"| {path.relative_to(folder).as_posix()} | {told(path)} |\n" for path in files(folder))
    return TABLE.sub(lambda _: rows, page)


def files(folder: Path) -> Iterator[Path]:
    """Yield each file that could be a scan, and each folder that holds DICOM files."""
    paths = sorted(folder.rglob("*"))
    yield from (path for path in paths if path.name.endswith(ENDINGS))
    yield from (path for path in paths if path.is_dir() and any(path.glob("*.dcm")))


def told(path: Path) -> str:
    """Return what becomes of a file: its slices and quality, or the refusal as it is shown."""
    try:
        prepared = prepare(path, PreparationSpec())
    except ScanError as error:
        return f"refused: {error}"
    problems = " ".join(prepared.quality.problems) or "no problem"
    return f"prepared: {prepared.quality.n_slices} slices, {problems}"


if __name__ == "__main__":
    PAGE.write_text(filled(PAGE.read_text("utf-8"), Path(os.path.abspath(SHARED_DATA))), "utf-8")
