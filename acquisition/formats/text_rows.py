"""The rows of a table: where they begin, what splits them, what is a number.

What the user says (``Dialect``) counts; the rest is found in the file, and what could be otherwise is told.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from acquisition.errors import RecordingError
from acquisition.formats.text_header import COMMENTS

#: Larger tables are refused rather than read into memory; 9 minutes of 16 channels are about 80 MB.
MAX_BYTES = 1 << 30
#: Lines above the numbers; more is no header.
MAX_HEADER_LINES = 1000
#: More columns than any amplifier has: such a file is no table with one row per sample.
MAX_COLUMNS = 4096
#: What splits a row, in the order in which it is tried; a blank is any run of blanks.
DELIMITERS = ("\t", ";", ",", " ")
#: Rows that must look like the first, where that has words in it.
ALIKE = 5
#: Rows that show which columns hold numbers, and whether those have a decimal comma.
SHOWING = 100
#: Beyond this share of rows that are not whole it is not this table that was meant.
MAX_TORN = 0.5
#: How files of UTF-16 begin.
UTF_16 = (b"\xff\xfe", b"\xfe\xff")
_MANTISSA = r"[+-]?(?:[0-9]+(?:{mark}[0-9]*)?|{mark}[0-9]+)(?:[eE][+-]?[0-9]+)?|[+-]?nan|[+-]?inf"
_EITHER = re.compile(_MANTISSA.format(mark="[.,]"), re.IGNORECASE)
_POINT = re.compile(_MANTISSA.format(mark="[.]"), re.IGNORECASE)


@dataclass(frozen=True)
class Dialect:
    """The user's word about a table; ``None`` leaves it to the file.

    Parameters
    ----------
    delimiter : str, optional
        One character that splits a row; a blank is any run of blanks.
    decimal : {".", ","}, optional
        Before the decimals of a number.
    header_lines : int, optional
        Lines above the first row, the one with the labels included.
    markers : str, optional
        Label of the column that holds markers, or its number from 1.

    Raises
    ------
    RecordingError
        If one of them makes no sense.
    """

    delimiter: str | None = None
    decimal: str | None = None
    header_lines: int | None = None
    markers: str | None = None

    def __post_init__(self) -> None:
        if self.delimiter is not None and (len(self.delimiter) != 1 or self.delimiter.isalnum()):
            raise _unusable("--delimiter", repr(self.delimiter), "one character: tab, semicolon, comma or blank")
        if self.decimal not in (None, ".", ","):
            raise _unusable("--decimal", repr(self.decimal), "a point or a comma")
        if self.decimal is not None and self.decimal == self.delimiter:
            raise _unusable("--decimal", repr(self.decimal), "another character than the delimiter")
        if self.header_lines is not None and self.header_lines < 0:
            raise _unusable("--header-lines", str(self.header_lines), "0 or more")


#: Nothing is said about it.
AS_FOUND = Dialect()


def lines_of(path: Path) -> tuple[list[str], bool]:
    """Return a file's lines, and whether the last one has an end.

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
    text = content.decode("utf-16" if content.startswith(UTF_16) else "utf-8-sig", "replace")
    return text.splitlines(), text.endswith(("\n", "\r"))


def refused(path: Path, what: str, remedy: str) -> RecordingError:
    """Return the refusal of a table."""
    return RecordingError(f"{path} {what}.", subject=str(path), remedy=remedy)


class Rows:
    """The lines of one file, split into header and rows.

    Parameters
    ----------
    path : Path
        For refusals.
    lines : list of str
        From ``lines_of``.
    dialect : Dialect
        The user's word.

    Attributes
    ----------
    header : list of str
        Everything above the first row.
    labels : list of str or None
        The line right above it, where it has as many fields.
    n_columns : int
    n_left_out : int
        Incomplete rows at the end, once ``columns`` has found them.
    assumed : list of str
        What could be otherwise, in sentences.

    Raises
    ------
    RecordingError
        If there are no rows of numbers.
    """

    def __init__(self, path: Path, lines: list[str], dialect: Dialect = AS_FOUND) -> None:
        self._path = path
        self._number = _POINT if dialect.decimal == "." else _EITHER
        self.n_left_out = 0
        self.assumed: list[str] = []
        first, self._delimiter = self._first_row(lines, dialect)
        row = self._split(lines[first])
        self.n_columns = len(row)
        if self.n_columns > MAX_COLUMNS:
            raise refused(path, f"has {self.n_columns} columns, more than {MAX_COLUMNS}", "Write one row per sample.")
        above = self._split(lines[first - 1]) if first and not _is_comment(lines[first - 1]) else []
        self.labels = above if len(above) == self.n_columns else None
        self.header = lines[:first]
        self._lines = [line for line in lines[first:] if line.strip() and not _is_comment(line)]
        self._decimal_comma = dialect.decimal == "," or (dialect.decimal is None and self._finds_commas())
        if self._decimal_comma and dialect.decimal is None:
            self.assumed.append("numbers have a decimal comma.")
        elif dialect.delimiter is None and self._could_be_one_column(row, above):
            self.assumed.append("the comma is taken for the delimiter, not for a decimal comma.")

    def columns(self) -> tuple[NDArray[np.float64], dict[int, list[str]], list[str]]:
        """Return the numbers (NaN where a field is none), the columns that hold texts, and what went wrong.

        Raises
        ------
        RecordingError
            If most rows have another number of columns than the first.
        """
        problems: list[str] = []
        rows = self._whole(problems)
        showing = [self._split(row) for row in rows[:SHOWING]]
        worded = [c for c in range(self.n_columns) if not any(self._is_number(row[c]) for row in showing)]
        numeric = [c for c in range(self.n_columns) if c not in worded]
        values = np.full((len(rows), self.n_columns), np.nan)
        if numeric:
            values[:, numeric] = self._numbers(rows, numeric, problems)
        return values, {c: [self._split(row)[c] for row in rows] for c in worded}, problems

    def _first_row(self, lines: list[str], dialect: Dialect) -> tuple[int, str]:
        """Return the number of the first row of numbers, and the delimiter that splits it."""
        told = [number for number, line in enumerate(lines) if line.strip() and not _is_comment(line)]
        told = [number for number in told if number >= (dialect.header_lines or 0)]
        tried = [d for d in DELIMITERS if d != dialect.decimal] if dialect.delimiter is None else [dialect.delimiter]
        for place, number in enumerate(told[: MAX_HEADER_LINES if dialect.header_lines is None else 1]):
            by_numbers = {delimiter: self._n_numbers(lines[number], delimiter) for delimiter in tried}
            best = max(tried, key=lambda delimiter: by_numbers[delimiter])
            if by_numbers[best]:
                return number, best
            following = [lines[n] for n in told[place + 1 : place + 1 + ALIKE]]
            for delimiter in tried:
                if delimiter != " " and self._alike(lines[number], following, delimiter):
                    return number, delimiter
        where = "" if dialect.header_lines is None else f" right below {dialect.header_lines} header lines"
        remedy = "Choose a table with one row per sample, or say how it is written: --header-lines, --delimiter."
        raise refused(self._path, f"holds no rows of numbers{where}", remedy)

    def _n_numbers(self, line: str, delimiter: str) -> int:
        """Return how many numbers a delimiter makes of a line; 0 if it makes anything else of it."""
        fields = [field for field in split(line, delimiter) if field]
        return len(fields) if all(map(self._is_number, fields)) else 0

    def _alike(self, line: str, following: list[str], delimiter: str) -> bool:
        """Tell whether a line with words in it is a row: it has numbers where the next rows have them."""
        fields = split(line, delimiter)
        numeric = [column for column, field in enumerate(fields) if self._is_number(field)]
        rows = [split(row, delimiter) for row in following]
        same = all(len(row) == len(fields) and all(self._is_number(row[column]) for column in numeric) for row in rows)
        return bool(numeric and rows) and same

    def _finds_commas(self) -> bool:
        return self._delimiter != "," and any(
            "," in text and self._is_number(text) for line in self._lines[:SHOWING] for text in self._split(line)
        )

    def _could_be_one_column(self, row: list[str], above: list[str]) -> bool:
        return self._delimiter == "," and len(row) == 2 and not above and all(text.isdigit() for text in row)

    def _whole(self, problems: list[str]) -> list[str]:
        """Return the rows: torn ones at the end are dropped, those in the middle keep their place in time."""
        whole = [n_fields(line, self._delimiter) == self.n_columns for line in self._lines]
        last = len(whole)
        while last and not (whole[last - 1] and any(map(self._is_number, self._split(self._lines[last - 1])))):
            last -= 1
        self.n_left_out = len(whole) - last
        if self.n_left_out:
            problems.append(f"{self.n_left_out} incomplete rows at the end are left out.")
        torn = [number for number in range(last) if not whole[number]]
        if len(torn) > MAX_TORN * last:
            what = f"has {len(torn)} rows of {last} with another number of columns than the first, which has"
            remedy = "Say where the rows begin and what splits them: --header-lines N, --delimiter CHARACTER."
            raise refused(self._path, f"{what} {self.n_columns}", remedy)
        if torn:
            first = f"the first is number {torn[0] + 1}"
            problems.append(f"{len(torn)} rows are not whole ({first}); taken as missing values.")
        missing = self._delimiter.join(["nan"] * self.n_columns)
        return [line if ok else missing for line, ok in zip(self._lines[:last], whole[:last], strict=True)]

    def _numbers(self, rows: list[str], numeric: list[int], problems: list[str]) -> NDArray[np.float64]:
        pointed = (row.replace(",", ".") for row in rows) if self._decimal_comma else iter(rows)
        delimiter = None if self._delimiter == " " else self._delimiter
        try:
            return np.loadtxt(pointed, delimiter=delimiter, usecols=numeric, ndmin=2, comments=None)
        except ValueError:
            fields = (self._value(text) for row in rows for text in self._split(row))
        values = np.fromiter(fields, np.float64, len(rows) * self.n_columns).reshape(len(rows), self.n_columns)
        missing = sum(int(np.isnan(values[:, column]).sum()) for column in numeric)
        if missing:
            problems.append(f"{missing} fields are no numbers; taken as missing values.")
        return values[:, numeric]

    def _split(self, line: str) -> list[str]:
        return split(line, self._delimiter)

    def _is_number(self, text: str) -> bool:
        return self._number.fullmatch(text) is not None

    def _value(self, text: str) -> float:
        return float(text.replace(",", ".")) if self._is_number(text) else float("nan")


def split(line: str, delimiter: str) -> list[str]:
    """Return the fields of a row without the blanks around them."""
    if delimiter == " ":
        return line.split()
    return [field.strip() for field in line.split(delimiter)]


def n_fields(line: str, delimiter: str) -> int:
    """Return how many fields a row has."""
    return len(line.split()) if delimiter == " " else line.count(delimiter) + 1


def column_of(path: Path, labels: Sequence[str], wanted: str) -> int:
    """Return the place of the column that a user named by its label or its number from 1.

    Raises
    ------
    RecordingError
        If there is none; those that there are are named.
    """
    for place, label in enumerate(labels):
        if label.casefold() == wanted.casefold():
            return place
    if wanted.isascii() and wanted.isdigit() and 1 <= int(wanted[:9]) <= len(labels):
        return int(wanted) - 1
    there = ", ".join(f"{number} {label}" for number, label in enumerate(labels, 1))
    raise refused(path, f"has no column {wanted!r}; it has {there}", "Name one of these, or its number.")


def _is_comment(line: str) -> bool:
    return line.lstrip().startswith(COMMENTS)


def _unusable(option: str, value: str, expected: str) -> RecordingError:
    return RecordingError(f"{option} is {value}; expected {expected}.", subject=option, remedy="Give it anew.")
