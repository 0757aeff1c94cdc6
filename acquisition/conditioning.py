"""Conditioning: bad samples held, then filtered, causally, in float64 (laws 1 and 4).

``Repair`` judges each sample against the rail and against a running mean that moves on the segment's grid of 100
samples; ``Filter`` is a Butterworth band-pass and two notches whose state starts at the steady state of the first good
value, so that an electrode offset of any size does not ring. Both give the same bits for every chunking.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from acquisition.errors import RateError
from acquisition.montage import Montage
from acquisition.quality import BRIDGED, CELL_SAMPLES, OUT_OF_RANGE, RAIL_SHARE, REPAIRED

#: Beyond 1 V no electrode has anything to say: such a value is out of range and never enters the running mean.
_ABSURD_UV = 1e6

#: Cells in the running mean: 1 s, so that a real step of the electrode's offset is believed after a second.
_MEAN_CELLS = 10


@dataclass(frozen=True)
class FilterSpec:
    """The filters of one kind of channel.

    Parameters
    ----------
    low_hz, high_hz : float
        Edges of the band-pass.
    order : int
        Order of its prototype; the band-pass has twice as many poles.
    notch_q : float
        Quality of the notches at mains and its second harmonic.
    """

    low_hz: float = 0.5
    high_hz: float = 150.0
    order: int = 2
    notch_q: float = 30.0


@dataclass(frozen=True)
class ConditioningSpec:
    """Repair and filters.

    Parameters
    ----------
    eeg, emg : FilterSpec
        Filters of each kind; equal by default.
    range_uv : float
        A sample further than this from the running mean is out of range.
    hold_limit : int
        After a run of more bad samples than this a channel's filter starts anew.
    """

    eeg: FilterSpec = field(default_factory=FilterSpec)
    emg: FilterSpec = field(default_factory=FilterSpec)
    range_uv: float = 10_000.0
    hold_limit: int = 20


@dataclass(frozen=True, eq=False)
class Repaired:
    """Samples with every bad one held, bridged ones first.

    Parameters
    ----------
    raw_uv, held_uv : ndarray, shape (n, n_channels), float64
        As received (the line where bridged), and held.
    causes : ndarray of uint8, shape (n, n_channels)
        Bits of ``quality.FAULTS``; 0 for a sample that is used as it came. A sample at the rail has none of its own.
    at_rail : ndarray of bool, shape (n, n_channels)
        Samples at the amplifier's rail.
    starts : tuple of (int, ndarray of int)
        Rows, ascending, at which channels' filters start at the value they have there.
    """

    raw_uv: NDArray[np.float64]
    held_uv: NDArray[np.float64]
    causes: NDArray[np.uint8]
    at_rail: NDArray[np.bool_]
    starts: tuple[tuple[int, NDArray[np.intp]], ...]


class Repair:
    """Hold non-finite, out-of-range and saturated samples at the channel's last good value.

    Parameters
    ----------
    n_channels : int
        Channels of the montage.
    spec : ConditioningSpec
        Limits.
    full_scale_uv : float, optional
        The amplifier's rail; without it nothing is at the rail.
    """

    def __init__(self, n_channels: int, spec: ConditioningSpec, full_scale_uv: float | None = None) -> None:
        self._n_channels = n_channels
        self._spec = spec
        self._rail_uv = full_scale_uv
        self._most_uv = _ABSURD_UV if full_scale_uv is None else min(_ABSURD_UV, full_scale_uv)
        self._plain_uv = _ABSURD_UV if full_scale_uv is None else min(_ABSURD_UV, full_scale_uv * (1 - RAIL_SHARE))
        self.begin()

    def begin(self) -> None:
        """Start a segment: nothing is known of any channel."""
        n = self._n_channels
        self._last_uv = np.zeros(n)
        self._started = np.zeros(n, dtype=bool)
        self._run = np.zeros(n, dtype=np.intp)
        self._centre_uv = np.full(n, np.nan)
        self._cell = np.zeros((CELL_SAMPLES, n))
        self._cell_used = np.zeros((CELL_SAMPLES, n), dtype=bool)
        self._fill = 0
        self._sums: deque[tuple[NDArray[np.float64], NDArray[np.intp]]] = deque(maxlen=_MEAN_CELLS)

    def push(self, x_uv: NDArray[np.float64], n_bridged: int = 0) -> Repaired:
        """Take the next samples, after a hole of so many that a straight line is to bridge.

        Parameters
        ----------
        x_uv : ndarray, shape (n_samples, n_channels), float64
            Microvolts as received; at least one sample where there is a hole.
        n_bridged : int
            Missing samples before the first.

        Returns
        -------
        Repaired
            The samples of the line first, then those of ``x_uv``.
        """
        before, known = self._last_uv.copy(), self._started.copy()
        self._skip(n_bridged)
        pieces, row = [], 0
        while row < len(x_uv):
            stop = min(row + CELL_SAMPLES - self._fill, len(x_uv))
            pieces.append(self._judge(x_uv[row:stop], n_bridged + row))
            row = stop
        return _joined(x_uv, pieces, n_bridged, before, known)

    def _skip(self, n_samples: int) -> None:
        """Leave room on the grid for samples that nothing is known of."""
        self._run += n_samples
        while n_samples:
            step = min(n_samples, CELL_SAMPLES - self._fill)
            self._cell_used[self._fill : self._fill + step] = False
            self._advance(step)
            n_samples -= step

    def _advance(self, n_samples: int) -> None:
        """Move on the grid; at a cell's end the running mean moves too."""
        self._fill += n_samples
        if self._fill < CELL_SAMPLES:
            return
        self._fill = 0
        used = self._cell_used
        self._sums.append((np.where(used, self._cell, 0.0).sum(axis=0), np.count_nonzero(used, axis=0)))
        counts = sum((count for _, count in self._sums), np.zeros(self._n_channels, dtype=np.intp))
        totals = sum((total for total, _ in self._sums), np.zeros(self._n_channels))
        self._centre_uv = np.where(counts > 0, totals / np.maximum(counts, 1), self._centre_uv)

    def _judge(self, x_uv: NDArray[np.float64], first_row: int) -> Repaired:
        """Judge samples that lie in one cell."""
        size = np.abs(x_uv)
        plain = size < self._plain_uv  # neither at the rail, nor absurd, nor without a number
        self._centre_first(x_uv, plain)
        near = np.abs(x_uv - self._centre_uv) <= self._spec.range_uv
        here = slice(self._fill, self._fill + len(x_uv))
        self._cell[here], self._cell_used[here] = x_uv, plain
        good = plain & near
        repaired = self._as_they_are(x_uv, first_row) if good.all() else self._held(x_uv, size, good, first_row)
        self._advance(len(x_uv))
        return repaired

    def _centre_first(self, x_uv: NDArray[np.float64], plain: NDArray[np.bool_]) -> None:
        """Before its first cell is full a channel is judged against its first value."""
        for channel in np.flatnonzero(np.isnan(self._centre_uv) & plain.any(axis=0)):
            self._centre_uv[channel] = x_uv[np.argmax(plain[:, channel]), channel]

    def _as_they_are(self, x_uv: NDArray[np.float64], first_row: int) -> Repaired:
        fresh = np.flatnonzero(~self._started | (self._run > self._spec.hold_limit))
        self._last_uv, self._started[:], self._run[:] = x_uv[-1].copy(), True, 0
        nothing = np.zeros(x_uv.shape, dtype=np.uint8)
        return Repaired(x_uv, x_uv, nothing, nothing.view(bool), ((first_row, fresh),) if len(fresh) else ())

    def _held(
        self, x_uv: NDArray[np.float64], size: NDArray[np.float64], good: NDArray[np.bool_], first_row: int
    ) -> Repaired:
        rows = np.arange(len(x_uv))[:, None]
        latest = np.maximum.accumulate(np.where(good, rows, -1), axis=0)  # the last good row up to each
        held = np.where(latest >= 0, np.take_along_axis(x_uv, np.maximum(latest, 0), axis=0), self._last_uv)
        earlier = np.vstack([np.full(self._n_channels, -1), latest[:-1]])
        run = np.where(earlier >= 0, rows - earlier - 1, rows + self._run)  # bad ones right before each
        fresh = good & ((run > self._spec.hold_limit) | (~self._started & (earlier < 0)))
        starts = tuple((first_row + int(row), np.flatnonzero(fresh[row])) for row in np.flatnonzero(fresh.any(axis=1)))
        self._run = np.where(latest[-1] >= 0, len(x_uv) - 1 - latest[-1], self._run + len(x_uv))
        self._started |= latest[-1] >= 0
        self._last_uv = held[-1].copy()
        at_rail = self._at_rail(size)
        far = ~at_rail | (size > self._most_uv)  # a number that is not good is at the rail or out of range
        causes = np.where(np.isfinite(x_uv), far * OUT_OF_RANGE, REPAIRED) * ~good
        return Repaired(x_uv, held, causes, at_rail, starts)

    def _at_rail(self, size: NDArray[np.float64]) -> NDArray[np.bool_]:
        if self._rail_uv is None:
            return np.zeros(size.shape, dtype=bool)
        return np.asarray(np.abs(size - self._rail_uv) <= RAIL_SHARE * self._rail_uv)


def _joined(
    x_uv: NDArray[np.float64],
    pieces: Sequence[Repaired],
    n_bridged: int,
    before: NDArray[np.float64],
    known: NDArray[np.bool_],
) -> Repaired:
    if not n_bridged and len(pieces) == 1:
        return pieces[0]
    starts = tuple(start for piece in pieces for start in piece.starts)
    if not pieces:
        nothing = np.zeros(x_uv.shape, dtype=np.uint8)
        return Repaired(x_uv, x_uv, nothing, nothing.view(bool), starts)
    line = _line(before, pieces[0].held_uv[0], n_bridged) * known  # before its first good value a channel is at 0
    marks = np.full(line.shape, BRIDGED, dtype=np.uint8)
    return Repaired(
        np.concatenate([line, x_uv]),
        np.concatenate([line, *(piece.held_uv for piece in pieces)]),
        np.concatenate([marks, *(piece.causes for piece in pieces)]),
        np.concatenate([np.zeros(line.shape, dtype=bool), *(piece.at_rail for piece in pieces)]),
        starts,
    )


def _line(before: NDArray[np.float64], after: NDArray[np.float64], n_samples: int) -> NDArray[np.float64]:
    """Return the samples of a straight line strictly between two values."""
    steps = (np.arange(1, n_samples + 1) / (n_samples + 1))[:, None]
    return before + (after - before) * steps


class Filter:
    """Band-pass and notches, each kind of channel with its own.

    Parameters
    ----------
    montage : Montage
        Kinds of the channels, and the sampling rate.
    mains_hz : float
        Mains frequency.
    spec : ConditioningSpec
        The filters.

    Raises
    ------
    RateError
        If the sampling rate is too low for them.
    """

    def __init__(self, montage: Montage, mains_hz: float, spec: ConditioningSpec) -> None:
        from scipy import signal  # takes most of a second: not for a process that only names the spec

        channels: dict[FilterSpec, list[int]] = {}
        for column, kind in enumerate(montage.kinds):
            channels.setdefault(spec.eeg if kind == "eeg" else spec.emg, []).append(column)
        self._banks = [
            (np.array(columns), design(montage.rate_hz, mains_hz, filters)) for filters, columns in channels.items()
        ]
        self._steady = [signal.sosfilt_zi(sos) for _, sos in self._banks]
        self._sosfilt = signal.sosfilt
        self.begin()

    def begin(self) -> None:
        """Start a segment: 0 comes out of every channel until it starts."""
        banks = zip(self._steady, self._banks, strict=True)
        self._state = [np.zeros((*steady.shape, len(columns))) for steady, (columns, _) in banks]

    def push(self, repaired: Repaired) -> NDArray[np.float64]:
        """Return the filtered samples, shape (n, n_channels), in microvolts."""
        out = np.empty_like(repaired.held_uv)
        row = 0
        for start, channels in repaired.starts:
            self._run(repaired.held_uv, out, row, start)
            self._settle(repaired.held_uv[start], channels)
            row = start
        self._run(repaired.held_uv, out, row, len(out))
        return out

    def _run(self, x_uv: NDArray[np.float64], out: NDArray[np.float64], row: int, stop: int) -> None:
        if row == stop:
            return
        for bank, (columns, sos) in enumerate(self._banks):
            whole = len(self._banks) == 1
            x = x_uv[row:stop] if whole else x_uv[row:stop, columns]
            y, self._state[bank] = self._sosfilt(sos, x, axis=0, zi=self._state[bank])
            if whole:
                out[row:stop] = y
            else:
                out[row:stop, columns] = y

    def _settle(self, x_uv: NDArray[np.float64], channels: NDArray[np.intp]) -> None:
        """Put channels into the steady state of the values that they start from."""
        for bank, (columns, _) in enumerate(self._banks):
            own = np.isin(columns, channels)
            self._state[bank][:, :, own] = self._steady[bank][:, :, None] * x_uv[columns[own]]


def design(rate_hz: float, mains_hz: float, spec: FilterSpec) -> NDArray[np.float64]:
    """Return the filters as second-order sections, shape (n_sections, 6).

    Raises
    ------
    RateError
        If the rate is too low for the band or the mains' second harmonic.
    """
    from scipy import signal

    highest = max(spec.high_hz, 2 * mains_hz)
    if rate_hz <= 2 * highest:
        message = f"A rate of {rate_hz:g} Hz cannot carry {highest:g} Hz; expected more than {2 * highest:g} Hz."
        raise RateError(message, subject="rate_hz", remedy="Set the amplifier to 1000 Hz, or replay with --resample.")
    sections = [signal.butter(spec.order, [spec.low_hz, spec.high_hz], "bandpass", fs=rate_hz, output="sos")]
    for frequency in (mains_hz, 2 * mains_hz):
        sections.append(signal.tf2sos(*signal.iirnotch(frequency, spec.notch_q, fs=rate_hz)))
    return np.vstack(sections)
