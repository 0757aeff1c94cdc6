"""Tables of numbers, txt and csv: one row per sample, columns split by tab, comma, semicolon or blanks.

What the file leaves open is asked of the user, never guessed: rate, unit and labels. Everything that was concluded is
told in ``assumed``, everything that could not be read in ``problems``.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from acquisition.errors import RateError, RecordingError
from acquisition.formats.text_header import COMMENTS, TextHeader, read_header

#: Larger tables are refused rather than read into memory; 9 minutes of 16 channels are about 80 MB.
MAX_BYTES = 1 << 30
#: Lines above the numbers; more is no header.
MAX_HEADER_LINES = 1000
#: Delimiters in the order in which they are tried; None is any run of blanks.
DELIMITERS = ("\t", ";", ",", None)
#: Rows that must look like the first, where that has words in it.
ALIKE = 5
#: Columns by their names.
TIME_LABELS = ("time", "t", "time_s", "time_ms", "timestamp", "timestamps", "time (s)", "time (ms)", "time[s]")
MARKER_LABELS = ("marker", "markers", "trigger", "event", "events", "stim", "status", "annotation", "class")
#: A step of the time column fits the rate within this share of it.
STEP_FITS = 0.5
_NUMBER = re.compile(r"[+-]?(?:[0-9]+(?:[.,][0-9]*)?|[.,][0-9]+)(?:[eE][+-]?[0-9]+)?|[+-]?nan|[+-]?inf", re.IGNORECASE)


@dataclass(frozen=True)
class Table:
    """A table as it was read.

    Parameters
    ----------
    labels, units : tuple
        One per column of ``samples``.
    rate_hz : float
    samples : ndarray, shape (n_samples, n_columns)
        float64 unless the header names another type.
    stamps : ndarray, shape (n_samples,), float64
        From the time column in seconds, else count / rate.
    events : tuple of (float, str)
        Stamp and text of each marker.
    assumed, problems : tuple of str
    """

    labels: tuple[str, ...]
    units: tuple[str | None, ...]
    rate_hz: float
    samples: NDArray[Any]
    stamps: NDArray[np.float64]
    events: tuple[tuple[float, str], ...]
    assumed: tuple[str, ...]
    problems: tuple[str, ...]


def read_table(
    path: Path, *, unit: str | None = None, rate_hz: float | None = None, labels: Sequence[str] | None = None
) -> Table:
    """Read a table of numbers.

    Parameters
    ----------
    path : Path
    unit, rate_hz, labels : optional
        The user's word where the file says nothing.

    Raises
    ------
    RecordingError
        If there are no numbers, or no labels.
    RateError
        If nothing states the rate, or the file states another one than the user.
    """
    reader = _Reader(path, _lines_of(path))
    header = reader.header
    names = tuple(labels) if labels is not None else header.labels
    if len(names) != reader.n_columns:
        raise _refused(path, f"has {reader.n_columns} columns and {len(names)} labels", "Name them: --labels C3,C1,...")
    rate = _agreed_rate(path, rate_hz, header.rate_hz)
    values, texts, problems = reader.columns()
    return _arranged(path, names, header, unit, rate, values, texts, problems, reader)


def write_table(path: Path, samples: NDArray[Any], labels: Sequence[str], *, rate_hz: float, unit: str = "uV") -> None:
    """Write a table that ``read_table`` reads back bit for bit: one row per sample, one column per channel.

    Parameters
    ----------
    path : Path
    samples : ndarray, shape (n_samples, n_channels)
        float32, float64, int16 or int32.
    labels : sequence of str
    rate_hz : float
    unit : str
        Of all channels.
    """
    with open(path, "w", encoding="utf-8") as file:
        file.write(f"# flexion table\n# rate_hz: {rate_hz!r}\n# unit: {unit}\n# dtype: {samples.dtype.name}\n")
        file.write("\t".join(labels) + "\n")
        for row in samples:
            file.write("\t".join(str(value) for value in row) + "\n")


class _Reader:
    """The lines of one file, split into header and rows."""

    def __init__(self, path: Path, lines: list[str]) -> None:
        self._path = path
        self.assumed: list[str] = []
        first, self._delimiter = _first_row(path, lines)
        row = self._split(lines[first])
        self.n_columns = len(row)
        labels = self._split(lines[first - 1]) if first and not _is_comment(lines[first - 1]) else []
        self.header = read_header(lines[:first], labels if len(labels) == self.n_columns else None)
        self._lines = [line for line in lines[first:] if line.strip() and not _is_comment(line)]
        self._decimal_comma = self._delimiter != "," and any("," in text for text in row)
        if self._decimal_comma:
            self.assumed.append("numbers have a decimal comma.")
        elif self._delimiter == "," and self.n_columns == 2 and not labels and all(text.isdigit() for text in row):
            self.assumed.append("the comma is taken for the delimiter, not for a decimal comma.")

    def columns(self) -> tuple[NDArray[np.float64], dict[int, list[str]], list[str]]:
        """Return the numbers (NaN where a field is none), the columns that hold texts, and what went wrong."""
        problems: list[str] = []
        rows = self._rows(problems)
        sample = rows[: min(len(rows), 100)]
        worded = [c for c in range(self.n_columns) if not any(_is_number(row[c]) for row in map(self._split, sample))]
        numeric = [c for c in range(self.n_columns) if c not in worded]
        values = np.full((len(rows), self.n_columns), np.nan)
        if numeric:
            values[:, numeric] = self._numbers(rows, numeric, problems)
        return values, {c: [self._split(row)[c].strip() for row in rows] for c in worded}, problems

    def _rows(self, problems: list[str]) -> list[str]:
        """Return the rows: torn ones at the end are dropped, those in the middle keep their place in time."""
        whole = [len(self._split(line)) == self.n_columns for line in self._lines]
        last = len(whole)
        while last and not (whole[last - 1] and any(_is_number(text) for text in self._split(self._lines[last - 1]))):
            last -= 1
        if last < len(whole):
            problems.append(f"{len(whole) - last} incomplete rows at the end are left out.")
        torn = [number for number in range(last) if not whole[number]]
        if torn:
            first = f"the first is number {torn[0] + 1}"
            problems.append(f"{len(torn)} rows are not whole ({first}); taken as missing values.")
        missing = (self._delimiter or " ").join(["nan"] * self.n_columns)
        return [line if ok else missing for line, ok in zip(self._lines[:last], whole[:last], strict=True)]

    def _numbers(self, rows: list[str], numeric: list[int], problems: list[str]) -> NDArray[np.float64]:
        pointed = (row.replace(",", ".") for row in rows) if self._decimal_comma else iter(rows)
        try:
            return np.loadtxt(pointed, delimiter=self._delimiter, usecols=numeric, ndmin=2, comments=None)
        except ValueError:
            fields = [[_number(text) for text in self._split(row)] for row in rows]
        values = np.array(fields, np.float64).reshape(len(rows), self.n_columns)[:, numeric]
        problems.append(f"{int(np.isnan(values).sum())} fields are no numbers; taken as missing values.")
        return values

    def _split(self, line: str) -> list[str]:
        return _split(line, self._delimiter)


def _arranged(
    path: Path,
    names: tuple[str, ...],
    header: TextHeader,
    unit: str | None,
    rate_hz: float | None,
    values: NDArray[np.float64],
    texts: dict[int, list[str]],
    problems: list[str],
    reader: _Reader,
) -> Table:
    """Tell time, markers and channels apart."""
    assumed = list(reader.assumed)
    time = next((c for c, name in enumerate(names) if name.casefold() in TIME_LABELS and c not in texts), None)
    if rate_hz is None:
        raise _no_rate(path)
    stamps = np.arange(len(values)) / rate_hz
    if time is not None:
        stamps, unit_s = _stamps(path, names[time], values[:, time], rate_hz)
        assumed.append(f"column {names[time]!r} is the time of each row, in units of {unit_s:g} s.")
    marker = next((c for c, name in enumerate(names) if name.casefold() in MARKER_LABELS), None)
    events: tuple[tuple[float, str], ...] = ()
    if marker is not None:
        column = texts.get(marker) or [_code(value) for value in values[:, marker]]
        events = _events(column, stamps)
        assumed.append(f"column {names[marker]!r} holds markers: each change to another value that is not 0 is one.")
    left = [names[c] for c in texts if c != marker]
    if left:
        assumed.append(f"columns without numbers are left out: {', '.join(left)}.")
    kept = [c for c in range(len(names)) if c not in texts and c not in (time, marker)]
    if header.unit is None and not header.units and unit:
        assumed.append(f"all columns are taken as {unit}.")
    units = header.units or (header.unit,) * len(names)
    samples = values[:, kept] if header.dtype is None else values[:, kept].astype(header.dtype)
    return Table(
        labels=tuple(names[c] for c in kept),
        units=tuple((units[c] if c < len(units) else None) or unit for c in kept),
        rate_hz=rate_hz,
        samples=samples,
        stamps=stamps,
        events=events,
        assumed=tuple(assumed),
        problems=tuple(f"{path.name}: {problem}" for problem in problems),
    )


def _lines_of(path: Path) -> list[str]:
    try:
        if path.stat().st_size > MAX_BYTES:
            what = f"has more than the {MAX_BYTES} bytes that are read into memory"
            raise _refused(path, what, "Cut it, or use XDF.")
        return path.read_text(encoding="utf-8-sig", errors="replace").splitlines()
    except OSError as error:
        what = f"cannot be read: {error.strerror or error}"
        raise _refused(path, what, "Look at the path and its rights.") from error


def _first_row(path: Path, lines: list[str]) -> tuple[int, str | None]:
    """Return the number of the first row of numbers, and the delimiter that splits it."""
    told = [number for number, line in enumerate(lines) if line.strip() and not _is_comment(line)]
    for place, number in enumerate(told[:MAX_HEADER_LINES]):
        by_numbers = {delimiter: _n_numbers(lines[number], delimiter) for delimiter in DELIMITERS}
        best = max(DELIMITERS, key=lambda delimiter: by_numbers[delimiter])
        if by_numbers[best]:
            return number, best
        following = [lines[n] for n in told[place + 1 : place + 1 + ALIKE]]
        for delimiter in DELIMITERS[:3]:
            if _alike(lines[number], following, delimiter):
                return number, delimiter
    raise _refused(path, "holds no rows of numbers", "Choose a table with one row per sample.")


def _n_numbers(line: str, delimiter: str | None) -> int:
    """Return how many numbers a delimiter makes of a line; 0 if it makes anything else of it."""
    fields = [field for field in _split(line, delimiter) if field]
    return len(fields) if all(map(_is_number, fields)) else 0


def _alike(line: str, following: list[str], delimiter: str | None) -> bool:
    """Tell whether a line with words in it is a row: it has numbers where the next rows have them."""
    fields = _split(line, delimiter)
    numeric = [column for column, field in enumerate(fields) if _is_number(field)]
    rows = [_split(row, delimiter) for row in following]
    same = all(len(row) == len(fields) and all(_is_number(row[column]) for column in numeric) for row in rows)
    return bool(numeric and rows) and same


def _split(line: str, delimiter: str | None) -> list[str]:
    return [field.strip() for field in line.split(delimiter)]


def _is_comment(line: str) -> bool:
    return line.lstrip().startswith(COMMENTS)


def _is_number(text: str) -> bool:
    return _NUMBER.fullmatch(text.strip()) is not None


def _number(text: str) -> float:
    return float(text.replace(",", ".")) if _is_number(text) else float("nan")


def _code(value: float) -> str:
    return "" if not np.isfinite(value) or value == 0 else f"{value:g}"


def _events(column: list[str], stamps: NDArray[np.float64]) -> tuple[tuple[float, str], ...]:
    before = ["", *column[:-1]]
    changes = zip(column, before, stamps, strict=True)
    return tuple((float(stamp), text) for text, last, stamp in changes if text != last and text not in ("", "0"))


def _stamps(path: Path, name: str, column: NDArray[np.float64], rate_hz: float) -> tuple[NDArray[np.float64], float]:
    """Return the time column in seconds: its unit is the one in which its steps fit the rate.

    The median step suits a column with holes, the mean one a column that was rounded or stamped on arrival.
    """
    finite = column[np.isfinite(column)]
    if len(finite) < 2:
        return column, 1.0
    steps = (float(np.median(np.diff(finite))), float(finite[-1] - finite[0]) / (len(finite) - 1))
    for unit_s in (1.0, 1e-3, 1e-6, 1e-9):
        if any(abs(step * unit_s * rate_hz - 1) < STEP_FITS for step in steps):
            return column * unit_s, unit_s
    message = f"{path} has rows {steps[0]:g} apart in column {name!r}, which fits {rate_hz:g} Hz in no unit of time."
    raise RateError(message, subject=str(path), remedy="Give the rate that the rows were recorded at: --rate HZ.")


def _agreed_rate(path: Path, given_hz: float | None, stated_hz: float | None) -> float | None:
    if given_hz is not None and stated_hz is not None and given_hz != stated_hz:
        message = f"{path} states {stated_hz:g} Hz; {given_hz:g} Hz was given."
        raise RateError(message, subject=str(path), remedy="Leave --rate out, or mend the file's header.")
    return given_hz if given_hz is not None else stated_hz


def _no_rate(path: Path) -> RateError:
    message = f"{path} does not state its sampling rate."
    return RateError(message, subject=str(path), remedy="Give it: --rate HZ, or a line '# rate_hz: 1000' in the file.")


def _refused(path: Path, what: str, remedy: str) -> RecordingError:
    return RecordingError(f"{path} {what}.", subject=str(path), remedy=remedy)
