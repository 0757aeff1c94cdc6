"""A lock that one process holds on a file; the system takes it back when the process dies, however it dies."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from acquisition.errors import BadEnvironment


@contextmanager
def locked(path: Path, *, wait: bool = True) -> Iterator[None]:
    """Hold a lock inside the block.

    Parameters
    ----------
    path : Path
        Lock file, made where it does not exist and left there: deleting it would let in a second holder.
    wait : bool
        Wait for another holder; else raise.

    Raises
    ------
    BlockingIOError
        If another holds it and `wait` is false.
    BadEnvironment
        If the file cannot be made.
    """
    try:
        fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    except OSError as error:
        message = f"{path} cannot be written: {error.strerror}."
        raise BadEnvironment(message, subject=str(path), remedy="Make its folder writable, or copy it.") from error
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        yield
    finally:
        os.close(fd)
