"""Files that have their names only when they are whole."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from acquisition.durable import sync_folder

#: What a file that is being written ends in: no reader of a cohort knows it.
UNFINISHED = ".part"


@contextmanager
def landed(path: Path) -> Iterator[Path]:
    """Hand out the path to write to; the file gets its own name when the block ends well, and else is deleted.

    Parameters
    ----------
    path : Path
        Its name at last; its folder exists. What a killed process left unfinished beside it is deleted first.
    """
    temporary = path.with_name(path.name + UNFINISHED)
    temporary.unlink(missing_ok=True)
    try:
        yield temporary
        os.replace(temporary, path)
        sync_folder(path.parent)
    finally:
        temporary.unlink(missing_ok=True)
