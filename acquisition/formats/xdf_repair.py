"""A sound copy of a damaged XDF file: every whole chunk of it and nothing else, with footers that tell the truth.

Flexion reads damaged files as they are; the copy is for programs that do not. The file itself is never changed.
"""

from __future__ import annotations

from pathlib import Path

from acquisition.durable import replace_file
from acquisition.errors import RecordingError
from acquisition.formats import xdf_writer
from acquisition.formats.xdf import XdfFile, XdfStream, read_whole_chunks


def repair(path: Path, copy: Path) -> XdfFile:
    """Write a sound copy of a file, if it has any damage.

    Parameters
    ----------
    path : Path
        The damaged file.
    copy : Path
        Where the copy goes; nothing may be there yet. Not written where the file is whole.

    Returns
    -------
    XdfFile
        What was read of it; its ``problems`` are what the copy lacks, or none.

    Raises
    ------
    RecordingError
        If it is not an XDF file, nothing of it is left, or the copy would replace another file.
    DiskFull
        If the copy cannot be written.
    """
    if copy.exists() or copy.suffix.casefold() != ".xdf":
        what = "is there already" if copy.exists() else "does not end in .xdf"
        message = f"{copy} {what}; a sound copy of {path.name} was to be written there."
        raise RecordingError(message, subject=str(copy), remedy="Name another file.")
    file, chunks = read_whole_chunks(path)
    if not file.streams:
        message = f"{path} holds no stream that is whole."
        raise RecordingError(message, subject=str(path), remedy="Restore it from a copy.")
    if file.problems:
        replace_file(copy, b"".join([_beginning(chunks), *chunks, *map(_footer, file.streams)]))
    return file


def _beginning(chunks: list[bytes]) -> bytes:
    """Return what stands before the chunks: the magic code, and a file header where they have none."""
    has_header = any(chunk[1 + chunk[0]] == xdf_writer.FILE_HEADER for chunk in chunks)
    return xdf_writer.MAGIC if has_header else xdf_writer.file_header()


def _footer(stream: XdfStream) -> bytes:
    n = len(stream.stamps)
    first_s, last_s = (float(stream.stamps[0]), float(stream.stamps[-1])) if n else (None, None)
    return xdf_writer.stream_footer(stream.number, first_s, last_s, n)
