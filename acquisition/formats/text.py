"""Tables of numbers, txt and csv: one row per sample, columns split by tab, comma, semicolon or blanks.

What the file leaves open is asked of the user, never guessed: rate, unit and labels. Everything that was concluded is
told in ``assumed``, everything that could not be read in ``problems``.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from acquisition.counting import check_counts
from acquisition.errors import RateError
from acquisition.formats.text_header import TextHeader, read_header
from acquisition.formats.text_lines import lines_of, refused
from acquisition.formats.text_rows import AS_FOUND, NONE, Dialect, Rows, column_of

#: Columns by their names.
TIME_LABELS = ("time", "t", "time_s", "time_ms", "timestamp", "timestamps", "time (s)", "time (ms)", "time[s]")
MARKER_LABELS = (
    "marker",
    "markers",
    "marker channel",
    "trigger",
    "event",
    "events",
    "stim",
    "status",
    "annotation",
    "class",
)
#: A step of the time column fits the rate within this share of it.
STEP_FITS = 0.5


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
    path: Path,
    *,
    unit: str | None = None,
    rate_hz: float | None = None,
    labels: Sequence[str] | None = None,
    dialect: Dialect = AS_FOUND,
    counter: tuple[str, int | None] | None = None,
) -> Table:
    """Read a table of numbers.

    Parameters
    ----------
    path : Path
    unit, rate_hz, labels : optional
        The user's word where the file says nothing.
    dialect : Dialect
        The user's word about how it is written.
    counter : (str, int or None), optional
        Label of the column that counts samples, and the count at which it begins again: it tells the time of each row
        where no column does.

    Raises
    ------
    RecordingError
        If there are no numbers, or no labels.
    RateError
        If nothing states the rate, or the file states another one than the user.
    """
    lines = lines_of(path)
    rows = Rows(path, lines.lines, dialect)
    header = read_header(rows.header, rows.labels, rows.units)
    if labels is None and not header.labels and rows.commented:
        header = read_header(rows.header, rows.commented, rows.units)
        rows.assumed.append("the comment right above the rows names the columns.")
    named = tuple(labels) if labels is not None else header.labels
    names = rows.fitted(named)
    if names is None:
        raise refused(path, f"has {rows.n_columns} columns and {len(named)} labels", "Name them: --labels C3,C1,...")
    names = [name or f"column {number}" for number, name in enumerate(names, 1)]
    rate = _agreed_rate(path, rate_hz, header.rates_hz)
    marker = _marker_column(path, names, dialect)
    values, texts, problems = rows.columns(as_text=() if marker is None else (marker,))
    if not lines.ended and not rows.n_left_out:
        rows.assumed.append("the last line has no end; it is taken as whole.")
    codes = None if marker is None else [_marker_text(rows, text) for text in texts[marker]]
    assumed = [*lines.assumed, *rows.assumed]
    arranger = _Arranger(path, tuple(names), header, unit, rate, counter, dialect, assumed, problems)
    return arranger.table(values, set(texts), marker, codes)


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


def changes(column: Sequence[str], stamps: NDArray[np.float64]) -> tuple[tuple[float, str], ...]:
    """Return the markers in a column of codes or texts: each change to another one that is not 0 or empty.

    Parameters
    ----------
    column : sequence of str
    stamps : ndarray, shape (n_samples,), float64
        Of its rows.
    """
    before = ["", *column[:-1]]
    rows = zip(column, before, stamps, strict=True)
    return tuple((float(stamp), text) for text, last, stamp in rows if text != last and text not in ("", "0"))


def code(value: float) -> str:
    """Return a number as the text of a marker; none for 0 and what is no number."""
    return "" if not np.isfinite(value) or value == 0 else f"{value:.15g}"


def _marker_column(path: Path, names: Sequence[str], dialect: Dialect) -> int | None:
    """Return which column holds the markers, by the user's word or by its name."""
    if dialect.markers in (None, NONE):
        known = MARKER_LABELS if dialect.markers is None else ()
        return next((c for c, name in enumerate(names) if name.casefold() in known), None)
    return column_of(path, names, dialect.markers)


def _marker_text(rows: Rows, text: str) -> str:
    number = rows.number(text)
    return text if number is None else code(number)


@dataclass(frozen=True)
class _Arranger:
    """Tells time, markers and channels apart, and adds to what was assumed."""

    path: Path
    names: tuple[str, ...]
    header: TextHeader
    unit: str | None
    rate_hz: float
    counter: tuple[str, int | None] | None
    dialect: Dialect
    assumed: list[str]
    problems: list[str]

    def table(
        self, values: NDArray[np.float64], texts: Collection[int], marker: int | None, codes: Sequence[str] | None
    ) -> Table:
        time = self._time_column(texts)
        stamps = self._times(values, texts, time)
        if marker is not None:
            name = self.names[marker]
            self.assumed.append(f"column {name!r} holds markers: each change to another value that is not 0 is one.")
        left = [self.names[c] for c in sorted(texts) if c not in (marker, time)]
        if left:
            self.assumed.append(f"columns without numbers are left out: {', '.join(left)}.")
        kept = [c for c in range(len(self.names)) if c not in texts and c not in (time, marker)]
        units = self._units(kept)
        samples = self._as_recorded(values[:, kept])
        return Table(
            labels=tuple(self.names[c] for c in kept),
            units=units,
            rate_hz=self.rate_hz,
            samples=samples,
            stamps=stamps,
            events=() if codes is None else changes(codes, stamps),
            assumed=tuple(self.assumed),
            problems=tuple(f"{self.path.name}: {problem}" for problem in self.problems),
        )

    def _time_column(self, texts: Collection[int]) -> int | None:
        """Return which column is about the time of the rows, whether it is read or not."""
        said = self.dialect.times
        if said in (None, NONE):
            return next((c for c, name in enumerate(self.names) if name.casefold() in TIME_LABELS), None)
        time = column_of(self.path, self.names, said)
        if time in texts:
            what = f"has no numbers in column {self.names[time]!r}, which is to tell the time of the rows"
            raise refused(self.path, what, "Name another one, or none: --time-column none")
        return time

    def _times(self, values: NDArray[np.float64], texts: Collection[int], time: int | None) -> NDArray[np.float64]:
        """Return the stamp of each row: by the time column, else by the sample counter, else by counting rows."""
        if time is not None and time not in texts and self.dialect.times != NONE:
            stamps, unit_s = _stamps(self.path, self.names[time], values[:, time], self.rate_hz)
            self.assumed.append(f"column {self.names[time]!r} is the time of each row, in units of {unit_s:g} s.")
            return stamps
        if time is not None:
            why = ": it holds no numbers" if time in texts else ""
            self.assumed.append(f"column {self.names[time]!r} is not read as the time of the rows{why}.")
        counting = self._counting()
        if counting is None:
            self.assumed.append("no column tells the time of the rows: each is taken to follow the one before.")
            return np.arange(len(values)) / self.rate_hz
        assert self.counter is not None
        check_counts(self.path, self.names[counting], values[:, counting], self.counter[1])
        self.assumed.append(f"column {self.names[counting]!r} counts samples and tells the time of each row.")
        return _counted(values[:, counting], self.counter[1]) / self.rate_hz

    def _counting(self) -> int | None:
        if self.counter is None:
            return None
        label = self.counter[0].casefold()
        return next((c for c, name in enumerate(self.names) if name.casefold() == label), None)

    def _units(self, kept: list[int]) -> tuple[str | None, ...]:
        stated = self.header.units or (self.header.unit,) * len(self.names)
        units = [stated[c] if c < len(stated) else None for c in kept]
        if self.unit and None in units:
            those = "all columns" if not any(units) else "columns without a unit"
            self.assumed.append(f"{those} are taken as {self.unit}.")
        return tuple(unit or self.unit for unit in units)

    def _as_recorded(self, values: NDArray[np.float64]) -> NDArray[Any]:
        """Return the numbers in the type that the header names, where they have room in it."""
        if self.header.dtype is None:
            return values
        dtype = np.dtype(self.header.dtype)
        if dtype.kind == "i":
            limits = np.iinfo(dtype)
            fit = np.isfinite(values) & (values == np.round(values)) & (values >= limits.min) & (values <= limits.max)
            if not fit.all():
                self.problems.append(f"{np.count_nonzero(~fit)} numbers are no {dtype.name}; all are kept as float64.")
                return values
        with np.errstate(over="ignore"):  # a number beyond float32 is infinite in it, as it was when it was written
            return values.astype(dtype)


def _stamps(path: Path, name: str, column: NDArray[np.float64], rate_hz: float) -> tuple[NDArray[np.float64], float]:
    """Return the time column in seconds: its unit is the one in which its steps fit the rate, or one sample.

    The median step suits a column with holes, the mean one a column that was rounded or stamped on arrival.
    """
    finite = column[np.isfinite(column)]
    if len(finite) < 2:
        return column, 1.0
    steps = (float(np.median(np.diff(finite))), float(finite[-1] - finite[0]) / (len(finite) - 1))
    for unit_s in (1.0, 1e-3, 1e-6, 1e-9, 1 / rate_hz):
        if any(abs(step * unit_s * rate_hz - 1) < STEP_FITS for step in steps):
            return column * unit_s, unit_s
    message = f"{path} has rows {steps[0]:g} apart in column {name!r}, which fits {rate_hz:g} Hz in no unit of time."
    raise RateError(
        message, subject=str(path), remedy="Give the rate of the rows: --rate HZ, or count them: --time-column none"
    )


def _counted(column: NDArray[np.float64], modulo: int | None) -> NDArray[np.float64]:
    """Return a sample counter counted on where it begins again; a row without a count follows the one before."""
    steps = np.diff(column)
    steps[~np.isfinite(steps)] = 1.0
    if modulo is not None:
        steps = np.mod(steps, modulo)
    return np.concatenate([np.zeros(min(1, len(column))), np.cumsum(steps)])


def _agreed_rate(path: Path, given_hz: float | None, stated_hz: tuple[float, ...]) -> float:
    if given_hz is None and len(stated_hz) > 1:
        there = " or ".join(f"{rate_hz:g}" for rate_hz in stated_hz)
        message = f"{path} leaves its sampling rate open: {there} Hz."
        raise RateError(message, subject=str(path), remedy="Say which it is: --rate HZ")
    rate_hz = given_hz if given_hz is not None else next(iter(stated_hz), None)
    if rate_hz is None:
        remedy = "Give it: --rate HZ, or a line '# rate_hz: 1000' in the file."
        raise RateError(f"{path} does not state its sampling rate.", subject=str(path), remedy=remedy)
    if not (np.isfinite(rate_hz) and rate_hz > 0):
        remedy = "Give the rate that the rows were recorded at: --rate HZ."
        raise RateError(f"{path} is said to be at {rate_hz:g} Hz.", subject=str(path), remedy=remedy)
    if stated_hz and rate_hz not in stated_hz:
        there = " or ".join(f"{stated:g}" for stated in stated_hz)
        message = f"{path} states {there} Hz; {rate_hz:g} Hz was given."
        raise RateError(message, subject=str(path), remedy="Leave --rate out, or mend the file's header.")
    return rate_hz
