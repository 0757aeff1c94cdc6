"""Tables of numbers, txt and csv: one row per sample, columns split by tab, comma, semicolon or blanks.

What the file leaves open is asked of the user, never guessed: rate, unit and labels. Everything that was concluded is
told in ``assumed``, everything that could not be read in ``problems``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from acquisition.errors import RateError
from acquisition.formats.text_header import TextHeader, read_header
from acquisition.formats.text_rows import AS_FOUND, Dialect, Rows, column_of, lines_of, refused

#: Columns by their names.
TIME_LABELS = ("time", "t", "time_s", "time_ms", "timestamp", "timestamps", "time (s)", "time (ms)", "time[s]")
MARKER_LABELS = ("marker", "markers", "trigger", "event", "events", "stim", "status", "annotation", "class")
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
    lines, ended = lines_of(path)
    rows = Rows(path, lines, dialect)
    header = read_header(rows.header, rows.labels)
    names = tuple(labels) if labels is not None else header.labels
    if len(names) != rows.n_columns:
        raise refused(path, f"has {rows.n_columns} columns and {len(names)} labels", "Name them: --labels C3,C1,...")
    rate = _agreed_rate(path, rate_hz, header.rate_hz)
    values, texts, problems = rows.columns()
    if not ended and not rows.n_left_out:
        rows.assumed.append("the last line has no end; it is taken as whole.")
    arranger = _Arranger(path, names, header, unit, rate, counter)
    return arranger.table(values, texts, dialect.markers, rows.assumed, problems)


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


@dataclass(frozen=True)
class _Arranger:
    """Tells time, markers and channels apart."""

    path: Path
    names: tuple[str, ...]
    header: TextHeader
    unit: str | None
    rate_hz: float
    counter: tuple[str, int | None] | None

    def table(
        self,
        values: NDArray[np.float64],
        texts: dict[int, list[str]],
        markers: str | None,
        assumed: list[str],
        problems: list[str],
    ) -> Table:
        time = next((c for c, name in enumerate(self.names) if name.casefold() in TIME_LABELS and c not in texts), None)
        stamps = self._times(values, time, assumed)
        marker, events = self._events(values, texts, markers, stamps, assumed)
        left = [self.names[c] for c in texts if c != marker]
        if left:
            assumed.append(f"columns without numbers are left out: {', '.join(left)}.")
        kept = [c for c in range(len(self.names)) if c not in texts and c not in (time, marker)]
        return Table(
            labels=tuple(self.names[c] for c in kept),
            units=self._units(kept, assumed),
            rate_hz=self.rate_hz,
            samples=self._as_recorded(values[:, kept], problems),
            stamps=stamps,
            events=events,
            assumed=tuple(assumed),
            problems=tuple(f"{self.path.name}: {problem}" for problem in problems),
        )

    def _times(self, values: NDArray[np.float64], time: int | None, assumed: list[str]) -> NDArray[np.float64]:
        """Return the stamp of each row: by the time column, else by the sample counter, else by counting rows."""
        if time is not None:
            stamps, unit_s = _stamps(self.path, self.names[time], values[:, time], self.rate_hz)
            assumed.append(f"column {self.names[time]!r} is the time of each row, in units of {unit_s:g} s.")
            return stamps
        label, modulo = self.counter or ("", None)
        counting = next((c for c, name in enumerate(self.names) if name.casefold() == label.casefold()), None)
        if counting is None:
            return np.arange(len(values)) / self.rate_hz
        assumed.append(f"column {self.names[counting]!r} counts samples and tells the time of each row.")
        return _counted(values[:, counting], modulo) / self.rate_hz

    def _events(
        self,
        values: NDArray[np.float64],
        texts: dict[int, list[str]],
        named: str | None,
        stamps: NDArray[np.float64],
        assumed: list[str],
    ) -> tuple[int | None, tuple[tuple[float, str], ...]]:
        """Return which column holds the markers, if any, and what they are."""
        if named is not None:
            place: int | None = column_of(self.path, self.names, named)
        else:
            place = next((c for c, name in enumerate(self.names) if name.casefold() in MARKER_LABELS), None)
        if place is None:
            return None, ()
        name = self.names[place]
        assumed.append(f"column {name!r} holds markers: each change to another value that is not 0 is one.")
        return place, changes(texts.get(place) or [code(value) for value in values[:, place]], stamps)

    def _units(self, kept: list[int], assumed: list[str]) -> tuple[str | None, ...]:
        stated = self.header.units or (self.header.unit,) * len(self.names)
        units = [stated[c] if c < len(stated) else None for c in kept]
        if self.unit and None in units:
            those = "all columns" if not any(units) else "columns without a unit"
            assumed.append(f"{those} are taken as {self.unit}.")
        return tuple(unit or self.unit for unit in units)

    def _as_recorded(self, values: NDArray[np.float64], problems: list[str]) -> NDArray[Any]:
        """Return the numbers in the type that the header names, where they have room in it."""
        if self.header.dtype is None:
            return values
        dtype = np.dtype(self.header.dtype)
        if dtype.kind == "i":
            limits = np.iinfo(dtype)
            fit = np.isfinite(values) & (values == np.round(values)) & (values >= limits.min) & (values <= limits.max)
            if not fit.all():
                problems.append(f"{np.count_nonzero(~fit)} numbers are no {dtype.name}; all are kept as float64.")
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
    raise RateError(message, subject=str(path), remedy="Give the rate that the rows were recorded at: --rate HZ.")


def _counted(column: NDArray[np.float64], modulo: int | None) -> NDArray[np.float64]:
    """Return a sample counter counted on where it begins again; a row without a count follows the one before."""
    steps = np.diff(column)
    steps[~np.isfinite(steps)] = 1.0
    if modulo is not None:
        steps = np.mod(steps, modulo)
    return np.concatenate([np.zeros(min(1, len(column))), np.cumsum(steps)])


def _agreed_rate(path: Path, given_hz: float | None, stated_hz: float | None) -> float:
    rate_hz = given_hz if given_hz is not None else stated_hz
    if rate_hz is None:
        remedy = "Give it: --rate HZ, or a line '# rate_hz: 1000' in the file."
        raise RateError(f"{path} does not state its sampling rate.", subject=str(path), remedy=remedy)
    if not (np.isfinite(rate_hz) and rate_hz > 0):
        remedy = "Give the rate that the rows were recorded at: --rate HZ."
        raise RateError(f"{path} is said to be at {rate_hz:g} Hz.", subject=str(path), remedy=remedy)
    if given_hz is not None and stated_hz is not None and given_hz != stated_hz:
        message = f"{path} states {stated_hz:g} Hz; {given_hz:g} Hz was given."
        raise RateError(message, subject=str(path), remedy="Leave --rate out, or mend the file's header.")
    return rate_hz
