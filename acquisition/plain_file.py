"""A file that can be read to its end: what else may stand at a path is told by its name before it is opened.

A pipe would be waited for without end, and a device may never end.
"""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path

#: What else there is, and how it is told apart.
_OTHERS = (
    (stat.S_ISDIR, "a folder"),
    (stat.S_ISFIFO, "a pipe"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
)


def other_than_file(path: Path) -> str | None:
    """Return what stands where a file is expected, such as ``a pipe``; None for a file, and for what cannot be told.

    Parameters
    ----------
    path : Path
        Nothing need be there, or be allowed to be looked at: whoever opens it is told.
    """
    try:
        mode = os.stat(path).st_mode
    except (OSError, ValueError):
        return None
    return next((words for is_one, words in _OTHERS if is_one(mode)), None)


def read_plain(path: Path) -> bytes:
    """Return the bytes of a file, of nothing else.

    Raises
    ------
    OSError
        If it cannot be read; in ``strerror``, too, that it is no file.
    """
    if found := other_than_file(path):
        raise OSError(errno.EINVAL, f"it is {found}, expected a file", str(path))
    return path.read_bytes()
