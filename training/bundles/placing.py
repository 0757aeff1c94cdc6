"""Placing: a bundle is put together elsewhere, and takes its folder when it is whole."""

from __future__ import annotations

import tempfile
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path

from acquisition.durable import make_folder, replace_file
from acquisition.errors import BadEnvironment
from inference.bundle import MANIFEST

#: Of a bundle's models: from simulated patients anybody may use them; from real ones nobody but whoever made them.
LICENCES = {"synthetic": "Apache-2.0", "clinical": "not licensed to be passed on"}
#: All that a bundle of ours may have beside its manifest; nothing else in its folder is touched.
FILES = {"model.onnx", "card.md", "report.md", "head.npz"}


@contextmanager
def building(out: Path) -> Iterator[Path]:
    """Give a folder in which the bundle that belongs into `out` is put together; it is gone afterwards.

    Raises
    ------
    BadEnvironment
        If a disk does not take it.
    """
    try:
        with tempfile.TemporaryDirectory(prefix="bundle-") as folder:
            yield Path(folder)
    except OSError as error:
        raise BadEnvironment(
            f"The bundle cannot be written: {error}.",
            subject=str(out),
            remedy="Make room there, or name another folder.",
        ) from error


def replace_bundle(made: Path, files: Collection[str], out: Path) -> None:
    """Put the files in place, the manifest last: until then the old one's hashes refuse the mixture.

    Parameters
    ----------
    made : Path
        Folder of the new one.
    files : collection of str
        All that it has beside its manifest.
    out : Path
        Where it belongs.
    """
    make_folder(out)
    for name in FILES.difference(files):
        (out / name).unlink(missing_ok=True)
    for name in (*sorted(files), MANIFEST):
        replace_file(out / name, (made / name).read_bytes())
