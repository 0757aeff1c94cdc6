"""The bytes of a scan's file, packed by gzip or not, so many at a time; a damaged file is refused (law 10).

What is held is what was asked for; a header that claims more than a file can hold is found out before that.
"""

from __future__ import annotations

import gzip
import zlib
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self, cast

from acquisition.plain_file import other_than_file
from inference.errors import ScanError
from inference.fmri.remedies import refused

#: Bytes read at once where their number does not matter.
BLOCK = 1 << 20
#: Deflate packs no more than so many bytes into one (its own limit, https://zlib.net/zlib_tech.html).
MOST_PACKED = 1032
#: What a gzip file begins with.
GZIP = b"\x1f\x8b"
#: What to do about a file that is damaged.
AGAIN = "Copy it again from where it was recorded; if it is as short there, convert the DICOM files again."
#: What to do about what is no file.
_NAME_IT = "Name a NIfTI file that can be read."
_INSTEAD = {
    "a folder": "If it holds DICOM files, convert them: dcm2niix -z y FOLDER; name the file that it writes.",
    "a pipe": "Write what comes out of it into a file first, and name that.",
}


class ScanBytes:
    """A scan's file that is read from its first byte on; packed or not is told by the bytes, not by the name.

    Parameters
    ----------
    path : Path

    Raises
    ------
    ScanError
        If there is no file of that name that can be read.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        if found := other_than_file(path):
            message = f"{path.name or path} is {found}, expected one NIfTI file."
            raise ScanError(message, subject=str(path), remedy=_INSTEAD.get(found, _NAME_IT))
        try:
            self.n_bytes = path.stat().st_size
            self._file: BinaryIO = open(path, "rb")  # noqa: SIM115 (closed by __exit__)
        except OSError as error:
            message = f"{path.name} cannot be opened: {error.strerror}."
            raise ScanError(message, subject=str(path), remedy=_NAME_IT) from error
        self.packed = self._file.read(len(GZIP)) == GZIP
        self._file.seek(0)
        self._plain = cast(BinaryIO, gzip.GzipFile(fileobj=self._file)) if self.packed else self._file

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._plain.close()
        self._file.close()

    @property
    def n_bytes_most(self) -> int:
        """The most bytes that the file can hold once it is unpacked."""
        return self.n_bytes * MOST_PACKED if self.packed else self.n_bytes

    def read(self, n: int) -> bytes:
        """Return the next ``n`` bytes, or fewer at the end of the file.

        Raises
        ------
        ScanError
            If the packed bytes end early or are damaged.
        """
        try:
            return self._plain.read(n)
        except EOFError as error:
            raise self.damaged("it was cut: its packed bytes end early") from error
        except (OSError, zlib.error) as error:
            raise self.damaged(f"its bytes are damaged ({error})") from error

    def skip(self, n: int) -> None:
        """Pass over the next ``n`` bytes, or to the end of the file; raises as :meth:`read`."""
        while n > 0 and (block := self.read(min(n, BLOCK))):
            n -= len(block)

    def damaged(self, what: str) -> ScanError:
        """Return the error that says that the file is not whole; the caller raises it."""
        return refused(self.path, f"cannot be read to its end: {what}", AGAIN)
