"""What may stand where a file is expected, and would be waited for without end or never end."""

from __future__ import annotations

import os
import socket
from pathlib import Path

#: How each is called in a refusal.
KINDS = ("a folder", "a pipe", "a socket", "a device")


def put(kind: str, path: Path) -> Path:
    """Put one of these at a path, or, for a device, a link to one that never ends; return the path."""
    if kind == "a folder":
        path.mkdir()
    elif kind == "a pipe":
        os.mkfifo(path)
    elif kind == "a device":
        path.symlink_to("/dev/zero")
    else:
        before = Path.cwd()
        os.chdir(path.parent)  # the path of a socket has 107 bytes at most
        with socket.socket(socket.AF_UNIX) as one:
            one.bind(path.name)
        os.chdir(before)
    return path
