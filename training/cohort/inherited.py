"""Inherited: what a sidecar at the cohort's top says of a scan whose own does not (BIDS' principle of inheritance).

A scan is read by the bedside's own reader, which knows the file beside it and no cohort: what holds for many scans is
laid beside a link to each for as long as it is read.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from acquisition.plain_file import other_than_file
from inference.fmri.sidecar import MOST_BYTES
from training.cohort.errors import CohortError
from training.cohort.places import SCANS, refused

#: What every functional scan's sidecar ends in.
WORD = "bold.json"


def inherited(folder: Path, scan: Path) -> bytes | None:
    """Return the sidecar of a scan with what it lacks from those at the cohort's top; None where they add nothing.

    Parameters
    ----------
    folder : Path
        The cohort's: ``bold.json`` there holds for every scan, ``task-rest_bold.json`` for those of that task.
    scan : Path
        The nearest to it is believed: its own before that of its task.

    Raises
    ------
    CohortError
        If one at the top cannot be read.
    """
    stem = next(scan.name.removesuffix(suffix) for suffix in SCANS if scan.name.endswith(suffix))
    task = next((f"{entity}_{WORD}" for entity in stem.split("_") if entity.startswith("task-")), WORD)
    above: dict[str, Any] = {}
    for name in dict.fromkeys((WORD, task)):
        if (folder / name).is_file():
            above |= _read(folder / name)
    own = scan.with_name(f"{stem}_{WORD}")
    try:
        said = _read(own) if own.exists() else {}
    except CohortError:
        return None  # whoever reads the scan says so
    return None if above.keys() <= said.keys() else json.dumps(above | said).encode()


@contextmanager
def with_sidecar(scan: Path, said: bytes | None) -> Iterator[Path]:
    """Hand out a path of the scan, of the same name, with a sidecar beside it; the scan's own path without one.

    Parameters
    ----------
    scan : Path
    said : bytes or None
        As from :func:`inherited`.
    """
    if said is None:
        yield scan
        return
    with TemporaryDirectory(prefix="flexion-") as folder:
        link = Path(folder) / scan.name
        link.symlink_to(scan.resolve())
        suffix = next(suffix for suffix in SCANS if scan.name.endswith(suffix))
        link.with_name(f"{scan.name.removesuffix(suffix)}_{WORD}").write_bytes(said)
        yield link


def _read(file: Path) -> dict[str, Any]:
    try:
        if found := other_than_file(file):
            raise refused(file, f"is {found}, expected a file")
        with open(file, "rb") as opened:
            content = opened.read(MOST_BYTES + 1)
        values = json.loads(content.decode("utf-8-sig")) if len(content) <= MOST_BYTES else None
    except (OSError, ValueError, RecursionError) as error:
        raise refused(file, f"cannot be read: {error}") from error
    if not isinstance(values, dict):
        raise refused(file, "holds no object, or more than a megabyte")
    return values
