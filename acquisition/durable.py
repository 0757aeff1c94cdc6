"""Files that survive a crash and a full disk: each record one ``write(2)``, whole or not at all (law 2).

A write that the disk cuts short is cut back to the last whole record before anybody hears of it, so that a reader
never finds half a record that its writer knew of.
"""

from __future__ import annotations

import os
import shutil
from contextlib import suppress
from pathlib import Path

from acquisition.errors import BadEnvironment, DiskFull

#: Linux has it; elsewhere the metadata is synced as well, which is slower and no less safe.
_datasync = getattr(os, "fdatasync", os.fsync)


class AppendFile:
    """A file that only grows, one whole record at a time.

    Parameters
    ----------
    path : Path
        Opened for appending; made where it does not exist.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            self._fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o644)
        except OSError as error:
            raise _disk_full(path, error) from error
        self._size = os.fstat(self._fd).st_size

    @property
    def size(self) -> int:
        """Bytes of whole records in the file."""
        return self._size

    @property
    def closed(self) -> bool:
        """Whether ``close`` was called."""
        return self._fd < 0

    def append(self, record: bytes) -> None:
        """Append one record with one ``write(2)``.

        Raises
        ------
        DiskFull
            If the disk did not take it whole; the file then ends where it did before.
        """
        try:
            written = os.write(self._fd, record)
        except OSError as error:
            self._cut_back()
            raise _disk_full(self.path, error) from error
        if written != len(record):
            self._cut_back()
            raise _disk_full(self.path, f"{written} of {len(record)} bytes written")
        self._size += written

    def sync(self) -> None:
        """Wait until everything appended is on the disk.

        Raises
        ------
        DiskFull
            If the disk refuses.
        """
        try:
            _datasync(self._fd)
        except OSError as error:
            raise _disk_full(self.path, error) from error

    def ends_torn(self) -> bool:
        """Tell whether the last byte is something other than a newline: a line was torn by a crash."""
        return self._size > 0 and os.pread(self._fd, 1, self._size - 1) != b"\n"

    def close(self) -> None:
        """Close the file; a second call does nothing."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    def _cut_back(self) -> None:
        try:
            os.ftruncate(self._fd, self._size)
        except OSError as error:
            raise _disk_full(self.path, error) from error


def replace_file(path: Path, content: bytes) -> None:
    """Write a whole file so that a reader finds the old one or the new one, also after a crash.

    Raises
    ------
    DiskFull
        If the disk does not take it; the old file stays.
    """
    # A name of this process: two that write one file at a time must not write one temporary file.
    temporary = path.with_name(f"{path.name}.{os.getpid()}.tmp")
    try:
        with open(temporary, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
        sync_folder(path.parent)
    except OSError as error:
        with suppress(OSError):  # a disk that became read-only keeps what is left of it
            temporary.unlink(missing_ok=True)
        raise _disk_full(path, error) from error


def reserve(path: Path, n_bytes: int) -> None:
    """Take room on a disk, to be given back by deleting the file when the room is needed most.

    Raises
    ------
    DiskFull
        If the disk has not that much; nothing is left behind.
    """
    file = AppendFile(path)
    try:
        if not file.size:
            file.append(bytes(n_bytes))
            file.sync()
    except DiskFull:
        path.unlink(missing_ok=True)
        raise
    finally:
        file.close()


def make_folder(folder: Path) -> None:
    """Make a folder and those above it; one that is there is fine.

    Raises
    ------
    BadEnvironment
        If this machine does not let us.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        message = f"{folder} cannot be made: {error.strerror or error}."
        raise BadEnvironment(message, subject=str(folder), remedy="Name another folder.") from error


def free_bytes(path: Path) -> int | None:
    """Return how much the disk under a path still takes; None where it cannot be asked."""
    try:
        return shutil.disk_usage(path).free
    except OSError:
        return None


def sync_folder(folder: Path) -> None:
    """Wait until the names in a folder are on the disk."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _disk_full(path: Path, cause: OSError | str) -> DiskFull:
    words = cause if isinstance(cause, str) else cause.strerror or str(cause)
    message = f"{path} takes no more of the record: {words}."
    return DiskFull(message, subject=str(path), remedy="Free space on that disk, or name a folder on another one.")
