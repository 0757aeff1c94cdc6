"""The lines of a table, as text and as fields: bytes are decoded here, and quotes are taken off."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from acquisition.errors import RecordingError

#: Larger tables are refused rather than read into memory; 9 minutes of 16 channels are about 80 MB.
MAX_BYTES = 1 << 30
#: How files of UTF-16 begin.
UTF_16 = (b"\xff\xfe", b"\xfe\xff")


class Lines(NamedTuple):
    """The lines of a file.

    Parameters
    ----------
    lines : list of str
        Without their ends.
    ended : bool
        Whether the last one has an end.
    assumed : list of str
        What could be otherwise, in sentences.
    """

    lines: list[str]
    ended: bool
    assumed: list[str]


def lines_of(path: Path) -> Lines:
    """Return the lines of a file.

    Raises
    ------
    RecordingError
        If it cannot be read, or is too large to be a table.
    """
    try:
        if path.stat().st_size > MAX_BYTES:
            what = f"has more than the {MAX_BYTES} bytes that are read into memory"
            raise refused(path, what, "Cut it, or use XDF.")
        content = path.read_bytes()
    except OSError as error:
        what = f"cannot be read: {error.strerror or error}"
        raise refused(path, what, "Look at the path and its rights.") from error
    assumed = []
    try:
        text = content.decode("utf-16" if content.startswith(UTF_16) else "utf-8-sig")
    except UnicodeDecodeError:
        text = content.decode("cp1252", "replace")
        assumed.append("the file is not UTF-8; its letters are taken as Windows-1252.")
    return Lines(text.splitlines(), text.endswith(("\n", "\r")), assumed)


def refused(path: Path, what: str, remedy: str) -> RecordingError:
    """Return the refusal of a table."""
    return RecordingError(f"{path} {what}.", subject=str(path), remedy=remedy)


def split(line: str, delimiter: str) -> list[str]:
    """Return the fields of a row without the blanks and quotes around them.

    Examples
    --------
    >>> split('"C3, left", 1.5', ",")
    ['C3, left', '1.5']
    """
    pieces = line.split() if delimiter == " " else line.split(delimiter)
    if '"' not in line:
        return [piece.strip() for piece in pieces]
    fields: list[str] = []
    open_pieces: list[str] = []
    n_quotes = 0
    for piece in pieces:
        if not open_pieces and not piece.lstrip().startswith('"'):
            fields.append(piece.strip())
            continue
        open_pieces.append(piece)
        n_quotes += piece.count('"')
        if n_quotes % 2 == 0:
            fields.append(_unquoted(delimiter.join(open_pieces).strip()))
            open_pieces, n_quotes = [], 0
    return [*fields, delimiter.join(open_pieces).strip()] if open_pieces else fields


def n_fields(line: str, delimiter: str) -> int:
    """Return how many fields a row has."""
    if '"' in line:
        return len(split(line, delimiter))
    return len(line.split()) if delimiter == " " else line.count(delimiter) + 1


def _unquoted(field: str) -> str:
    return field[1:-1].replace('""', '"').strip() if field.endswith('"') else field
