"""Files that have their names only when they are whole."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from acquisition.durable import AppendFile, sync_folder

#: What a file that is being written ends in: no reader of a cohort knows it.
UNFINISHED = ".part"


@contextmanager
def landed(path: Path) -> Iterator[AppendFile]:
    """Hand out a file to append to; it gets its name, synced, when the block ends well, and else is deleted.

    Parameters
    ----------
    path : Path
        Its name at last; its folder exists. What a killed process left unfinished beside it is deleted first.

    Raises
    ------
    DiskFull
        If the disk takes no more; nothing of that name is left.
    """
    temporary = path.with_name(path.name + UNFINISHED)
    temporary.unlink(missing_ok=True)
    file = AppendFile(temporary)
    try:
        yield file
        file.sync()
        os.replace(temporary, path)
        sync_folder(path.parent)
    finally:
        file.close()
        temporary.unlink(missing_ok=True)
