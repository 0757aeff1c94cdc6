"""Two streams of one XDF file that have a montage's channels together, paired on reading as they would have been live.

LabRecorder records two amplifiers so. The clock offsets that it measured beside them say how their clocks lie to each
other; what is not taken, and how far off the rest is, is told (law 10).
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from acquisition.coverage import channels_in, pairs_of
from acquisition.decisions import Decision
from acquisition.errors import RateError, RecordingError
from acquisition.formats.xdf import XdfFile, XdfStream
from acquisition.formats.xdf_signal import listed, regular_streams
from acquisition.items import SIGNAL, ClockOffset, Item, Raw, RawMarker, interleave
from acquisition.montage import Montage
from acquisition.pairer import Pairer
from acquisition.pairing import join, partner_columns, zipped
from acquisition.stamps import BACKWARD_RESET_S, LARGEST_STAMP_S, StampDecider

if TYPE_CHECKING:
    from acquisition.recording import Recording

#: Where a clock that both streams have is set: what came before and after it lies so far apart, in s, that no sample of
#: the one is taken for a neighbour of the other.
APART_S = 60.0


def pair_of(path: Path, file: XdfFile, montage: Montage | None) -> tuple[XdfStream, XdfStream] | None:
    """Return the two streams that have a montage together, the one with more EEG first; None where one has it alone.

    Parameters
    ----------
    path : Path
        For refusals.
    file : XdfFile
    montage : Montage or None
        Each channel must be in one of the two alone.

    Raises
    ------
    RecordingError
        If several pairs have.
    RateError
        If they are not at one rate.
    """
    if montage is None:
        return None
    streams = [stream for stream in regular_streams(path, file) if len(stream.stamps)]
    labels = [stream.header.labels for stream in streams]
    if any(len(channels_in(montage, own)) == montage.n_channels for own in labels):
        return None
    pairs = [(streams[one], streams[two]) for one, two in pairs_of(montage, labels)]
    if not pairs:
        return None
    if len(pairs) > 1:
        pairs_told = "; ".join(listed(pair).removesuffix(".") for pair in pairs)
        message = f"{path} has {len(pairs)} pairs of streams that have the channels of montage {montage.name} together:"
        remedy = "Describe the one that is meant in a montage of your own: --montage FILE.toml"
        raise RecordingError(f"{message} {pairs_told}.", subject=str(path), remedy=remedy)
    one, two = pairs[0]
    if one.header.rate_hz != two.header.rate_hz:
        rates = f"{one.header.rate_hz:g} and {two.header.rate_hz:g} Hz"
        message = f"{path} has the channels of montage {montage.name} in two streams, at {rates}: {listed([one, two])}"
        raise RateError(message, subject=str(path), remedy="Bring them to one rate in the program that recorded them.")
    return one, two


@dataclass(frozen=True)
class Sent:
    """What one of the two sent.

    Parameters
    ----------
    recording : Recording
        Its samples, and the markers beside it.
    stream : XdfStream
        The same as the file has it.
    """

    recording: Recording
    stream: XdfStream


def paired(signal: Sent, partner: Sent, montage: Montage) -> Recording:
    """Pair two streams of a file and read them as one recording, its decisions taken.

    Parameters
    ----------
    signal, partner : Sent
        As ``pair_of`` found them.
    montage : Montage
        Says what markers mean, and which channel counts samples.

    Raises
    ------
    RateError
        If one does not run at its own rate.
    RecordingError
        If no sample of the one belongs to a sample of the other.
    """
    one, two = signal.recording, partner.recording
    measured = _clocks(signal.stream, partner.stream)
    clocks = measured or _one_clock(one, two, montage)
    pairer = Pairer(one.rate_hz, partner_columns(one.labels, two.labels), patience_s=math.inf)
    first = list(_judged(one, clocks[0], montage, markers=True))
    items = pairer.push(first, list(_judged(two, clocks[1], montage)), 0.0) + pairer.finish()
    taken = [item for item in items if isinstance(item, Decision)]
    end = Decision("end", 1, SIGNAL, len(one.stamps), {"reason": "end of recording"})
    joined, decisions = join(one, two, taken)
    by = "by the file's clock offsets" if measured else "by their stamps, as those of one clock"
    told = _told(one, two, clocks, taken, by)
    return replace(joined, decided=(*decisions, end), assumed=(*one.assumed, *two.assumed, told))


@dataclass(frozen=True)
class _Clock:
    """The offsets of one stream.

    Parameters
    ----------
    rows : ndarray of int
        Before which sample each was measured.
    offsets_s : ndarray
        What to add from then on, in s.
    after_resets_s : tuple of float
        Where both streams are on one clock and nothing was measured: what to add after each time that it was set.
    """

    rows: NDArray[np.intp]
    offsets_s: NDArray[np.float64]
    after_resets_s: tuple[float, ...] = ()

    def in_force(self, n_samples: int) -> NDArray[np.float64]:
        """Return the offset at each sample; the first one holds for those before it."""
        return self.offsets_s[np.maximum(np.searchsorted(self.rows, np.arange(n_samples), side="right") - 1, 0)]


def _clocks(one: XdfStream, two: XdfStream) -> tuple[_Clock, _Clock] | None:
    """Return how both clocks lie to the recorder's, as it measured; None where both streams are on one clock.

    That is on one host, and where nothing was measured.
    """
    host = one.header.hostname
    measured = [stream.offsets[(np.abs(stream.offsets) < LARGEST_STAMP_S).all(axis=1)] for stream in (one, two)]
    if (host and host == two.header.hostname) or not all(map(len, measured)):
        return None
    return _clock(one, measured[0]), _clock(two, measured[1])


def _one_clock(one: Recording, two: Recording, montage: Montage) -> tuple[_Clock, _Clock]:
    """Return the offsets of two streams on one clock: none, but after it was set far enough off what came before.

    Raises
    ------
    RecordingError
        If it was set in one of them and not in the other.
    """
    steps_s, other_s = (
        [float(d.data["step_s"]) for d in _decisions(recording, montage) if d.kind == "clock_reset"]
        for recording in (one, two)
    )
    alike = (abs(step_s - known_s) <= BACKWARD_RESET_S for step_s, known_s in zip(steps_s, other_s, strict=False))
    if len(steps_s) != len(other_s) or not all(alike):
        set_in = f"{len(steps_s)} times in {one.name!r} and {len(other_s)} times in {two.name!r}"
        message = f"{one.path} has a montage in two streams on one clock, which was set {set_in}, not alike."
        raise RecordingError(
            message, subject=str(one.path), remedy="Name one of them to look at it alone: --stream NAME"
        )
    after_s = tuple((1 + n) * APART_S - sum(steps_s[: 1 + n]) for n in range(len(steps_s)))
    clock = _Clock(np.zeros(1, np.intp), np.zeros(1), after_s)
    return clock, clock


def _clock(stream: XdfStream, offsets: NDArray[np.float64]) -> _Clock:
    """Put each measurement in its place among the samples; the clock may have been set back on the way."""
    stamps = np.where(np.abs(stream.stamps) < LARGEST_STAMP_S, stream.stamps, np.nan)
    edges = [0, *(np.flatnonzero(np.diff(stamps) < -BACKWARD_RESET_S) + 1).tolist(), len(stamps)]
    runs = [stamps[start:stop] for start, stop in pairwise(edges)]
    spans_s = np.array([(np.fmin.reduce(run), np.fmax.reduce(run)) for run in runs])
    now, rows = 0, []
    for time_s in offsets[:, 0]:
        beyond_s = np.maximum(np.maximum(spans_s[now:, 0] - time_s, time_s - spans_s[now:, 1]), 0)
        now += int(np.argmin(np.nan_to_num(beyond_s, nan=np.inf)))
        row = edges[now] + int(np.searchsorted(np.fmax.accumulate(runs[now]), time_s))
        rows.append(max(row, edges[now] + (now > 0)))
    return _Clock(np.maximum.accumulate(np.array(rows, np.intp)), offsets[:, 1])


def _judged(recording: Recording, clock: _Clock, montage: Montage, *, markers: bool = False) -> Iterator[Item]:
    """Yield a stream as its source hands it over live: judged by its stamps, with what came between its samples."""
    decider, counts = _decider(recording, montage)
    after_resets_s = iter(clock.after_resets_s)
    done = 0
    for row, said in [*_between(recording, clock, markers), (len(recording.stamps), None)]:
        raw = Raw(recording.samples[done:row], recording.stamps[done:row])
        for item in interleave(raw, done, decider.push(raw.stamps, None if counts is None else counts[done:row])):
            yield item
            if isinstance(item, Decision) and item.kind == "clock_reset" and clock.after_resets_s:
                yield ClockOffset(SIGNAL, 0.0, next(after_resets_s))
        done = row
        if isinstance(said, RawMarker):
            yield decider.marker(said.stamp_s, said.text, montage)
        elif said is not None:
            yield said


def _decisions(recording: Recording, montage: Montage) -> list[Decision]:
    decider, counts = _decider(recording, montage)
    return decider.push(recording.stamps, counts)


def _decider(recording: Recording, montage: Montage) -> tuple[StampDecider, NDArray[np.float64] | None]:
    """Return who judges a stream, and its sample counter where it has the montage's."""
    labels = [label.strip().casefold() for label in recording.labels]
    counter = montage.counter.casefold() if montage.counter is not None else None
    if counter is None or counter not in labels:
        return StampDecider(recording.rate_hz, part=1), None
    counts = recording.samples[:, labels.index(counter)].astype(np.float64)
    return StampDecider(recording.rate_hz, part=1, counter_modulo=montage.counter_modulo), counts


def _between(recording: Recording, clock: _Clock, markers: bool) -> list[tuple[int, ClockOffset | RawMarker | None]]:
    """Return measured offsets and markers in order, each with the sample that it stands before."""
    reached = np.maximum.accumulate(recording.stamps)
    said: list[tuple[int, ClockOffset | RawMarker | None]] = [
        (int(row), ClockOffset(SIGNAL, 0.0, float(offset_s)))
        for row, offset_s in zip(clock.rows, clock.offsets_s, strict=True)
    ]
    for marker in recording.markers if markers else ():
        said.append((int(np.searchsorted(reached, marker.stamp_s)), RawMarker(marker.text, marker.stamp_s)))
    return sorted(said, key=lambda place: place[0])


def _told(one: Recording, two: Recording, clocks: tuple[_Clock, _Clock], taken: Sequence[Decision], by: str) -> str:
    """Return how far the two lie off each other, in a sentence.

    Raises
    ------
    RecordingError
        If nothing was paired.
    """
    found = zipped(len(one.stamps), len(two.stamps), taken, subject=str(one.path))
    if not len(found.rows):
        message = f"{one.path} has no sample of {one.name!r} that belongs to one of {two.name!r}, by their stamps."
        raise RecordingError(message, subject=str(one.path), remedy="Choose a recording of both at the same time.")
    at_s = [r.stamps + clock.in_force(len(r.stamps)) for r, clock in zip((one, two), clocks, strict=True)]
    with np.errstate(invalid="ignore", over="ignore"):  # stamps that are rubbish are left out
        off_ms = 1000 * np.abs(at_s[1][found.partners] - at_s[0][found.rows])
    off_ms = off_ms[off_ms < LARGEST_STAMP_S]
    half, most = np.percentile(off_ms, (50, 95))
    return (
        f"streams {one.name!r} and {two.name!r} are read as one, {by}: samples of {two.name!r} lie {half:.2f} ms off "
        f"those that they stand beside, 95 % of them less than {most:.2f} ms."
    )
