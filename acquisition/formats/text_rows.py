"""The rows of a table: where they begin, what splits them, what is a number.

What the user says (``Dialect``) counts; the rest is found in the file, and what could be otherwise is told.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from acquisition.errors import RecordingError
from acquisition.formats.text_header import COMMENTS, are_units
from acquisition.formats.text_lines import n_fields, refused, split

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
#: The word for no column at all.
NONE = "none"
_MANTISSA = r"[+-]?(?:[0-9]+(?:{mark}[0-9]*)?|{mark}[0-9]+)(?:[eE][+-]?[0-9]+)?|[+-]?nan|[+-]?inf"
#: What spreadsheets write where there is no number: no comment, although it begins like one.
_NO_NUMBER = re.compile("#(?:N/A|NUM!|DIV/0!|VALUE!|REF!|NAME|NULL!)", re.IGNORECASE)
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
        Label of the column that holds markers, or its number from 1; ``none`` for no column.
    times : str, optional
        Label of the column that tells the time of each row, or its number from 1; ``none`` for no column.

    Raises
    ------
    RecordingError
        If one of them makes no sense.
    """

    delimiter: str | None = None
    decimal: str | None = None
    header_lines: int | None = None
    markers: str | None = None
    times: str | None = None

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
    commented : list of str or None
        The comment right above the first row, where it has as many fields and none is a number.
    units : list of str or None
        The line between labels and rows that names units, if there is one.
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
        self._first = self._split(lines[first])
        self.n_columns = len(self._first)
        if self.n_columns > MAX_COLUMNS:
            raise refused(path, f"has {self.n_columns} columns, more than {MAX_COLUMNS}", "Write one row per sample.")
        self.header = lines[:first]
        self.labels, self.units = self._names_above()
        self.commented = self._commented()
        told = [line for line in lines[first:] if line.strip() and not _is_comment(line)]
        above = {line.strip() for line in self.header if not self._n_numbers(line, self._delimiter)}
        self._lines = [line for line in told if line.strip() not in above]
        self._n_repeated = len(told) - len(self._lines)
        self._torn: list[int] = []
        self._decimal_comma = dialect.decimal == "," or (dialect.decimal is None and self._finds_commas())
        if self._decimal_comma and dialect.decimal is None:
            self.assumed.append("numbers have a decimal comma.")
        elif dialect.delimiter is None and self._could_be_one_column():
            self.assumed.append("the comma is taken for the delimiter, not for a decimal comma.")

    def fitted(self, names: Sequence[str]) -> list[str] | None:
        """Return names as one per column, or None where they are not so many.

        Lines that end in a delimiter have one field more, which is empty; rows and names need not both end so.
        """
        fields = list(names)
        if len(fields) == self.n_columns + 1 and not fields[-1]:
            del fields[-1]
        elif len(fields) == self.n_columns - 1 and not self._first[-1]:
            fields.append("")
        return fields if len(fields) == self.n_columns else None

    def columns(self, as_text: Collection[int] = ()) -> tuple[NDArray[np.float64], dict[int, list[str]], list[str]]:
        """Return the numbers (NaN where a field is none), the columns that hold texts, and what went wrong.

        Parameters
        ----------
        as_text : collection of int
            Columns that are wanted as texts, whatever they hold.

        Raises
        ------
        RecordingError
            If most rows have another number of columns than the first.
        """
        problems: list[str] = []
        rows = self._bare(self._whole(problems))
        showing = [self._split(row) for row in rows[:SHOWING]]
        unclear = [
            c for c in range(self.n_columns) if c in as_text or not any(self._is_number(row[c]) for row in showing)
        ]
        texts = {c: column for c, column in self._texts(rows, unclear).items() if c in as_text or self._is_text(column)}
        numeric = [c for c in range(self.n_columns) if c not in texts]
        values = np.full((len(rows), self.n_columns), np.nan)
        if numeric:
            values[:, numeric] = self._numbers(rows, numeric, problems)
        return values, texts, problems

    def number(self, text: str) -> float | None:
        """Return the number that a field holds, or None."""
        return self._value(text) if self._is_number(text) else None

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

    def _names_above(self) -> tuple[list[str] | None, list[str] | None]:
        """Return the labels right above the rows, and the units where a line of them lies between."""
        lines = [line for line in self.header if line.strip()][-2:]
        fields = [None if _is_comment(line) else self.fitted(self._split(line)) for line in lines]
        below, above = fields.pop() if fields else None, fields.pop() if fields else None
        return (above, below) if below is not None and are_units(below) else (below, None)

    def _commented(self) -> list[str] | None:
        comment = next((line for line in reversed(self.header) if line.strip()), "")
        if self._delimiter == " " or self.n_columns < 2 or not _is_comment(comment):
            return None
        fields = self.fitted(self._split(comment.strip().lstrip("".join(COMMENTS))))
        return None if fields is None or any(map(self._is_number, fields)) else fields

    def _finds_commas(self) -> bool:
        return any(
            "," in text and self._is_number(text) for line in self._lines[:SHOWING] for text in self._split(line)
        )

    def _could_be_one_column(self) -> bool:
        return self._delimiter == "," and self.n_columns == 2 and not self.labels and all(map(str.isdigit, self._first))

    def _whole(self, problems: list[str]) -> list[str]:
        """Return the rows: torn ones at the end are dropped, those in the middle keep their place in time."""
        if self._n_repeated:
            problems.append(f"{self._n_repeated} lines among the rows repeat the header; they are left out.")
        whole = [n_fields(line, self._delimiter) == self.n_columns for line in self._lines]
        last = len(whole)
        while last and not (whole[last - 1] and any(map(self._is_number, self._split(self._lines[last - 1])))):
            last -= 1
        self.n_left_out = len(whole) - last
        if self.n_left_out:
            problems.append(f"{self.n_left_out} incomplete rows at the end are left out.")
        self._torn = torn = [number for number in range(last) if not whole[number]]
        if len(torn) > MAX_TORN * last:
            what = f"has {len(torn)} rows of {last} with another number of columns than the first, which has"
            remedy = "Say where the rows begin and what splits them: --header-lines N, --delimiter CHARACTER."
            raise refused(self._path, f"{what} {self.n_columns}", remedy)
        if torn:
            first = f"the first is number {torn[0] + 1}"
            problems.append(f"{len(torn)} rows are not whole ({first}); taken as missing values.")
        missing = self._delimiter.join(["nan"] * self.n_columns)
        return [line if ok else missing for line, ok in zip(self._lines[:last], whole[:last], strict=True)]

    def _bare(self, rows: list[str]) -> list[str]:
        """Return the rows without quotes, split by tabs from here on; as they are where none has any."""
        if not any('"' in row for row in rows):
            return rows
        bare = ["\t".join(field.replace("\t", " ") for field in self._split(row)) for row in rows]
        self._delimiter = "\t"
        return bare

    def _texts(self, rows: list[str], columns: Sequence[int]) -> dict[int, list[str]]:
        """Return fields as they stand; a row that is not whole repeats the one before, so that no text begins anew."""
        if not columns:
            return {}
        split_rows = [self._split(row) for row in rows]
        texts = {c: [row[c] for row in split_rows] for c in columns}
        for number in self._torn:
            for column in texts.values():
                column[number] = column[number - 1] if number else ""
        return texts

    def _is_text(self, column: list[str]) -> bool:
        """Tell whether a column that begins without numbers holds none in most of its rows."""
        return 2 * sum(map(self._is_number, column)) < max(len(column), 1)

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
    text = line.lstrip()
    return text.startswith(COMMENTS) and not _NO_NUMBER.match(text)


def _unusable(option: str, value: str, expected: str) -> RecordingError:
    return RecordingError(f"{option} is {value}; expected {expected}.", subject=option, remedy="Give it anew.")
