"""Which stream of an XDF file is the signal, and which markers stand beside it, on its clock.

Nothing is guessed: where more than one stream could be the signal they are listed and the user names one (law 10).
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from acquisition.errors import MontageError, RecordingError
from acquisition.formats.text import code
from acquisition.formats.xdf import XdfFile, XdfStream
from acquisition.formats.xdf_header import STRING
from acquisition.montage import Montage

#: Types of streams that carry events, whatever their format.
MARKER_TYPES = ("marker", "markers", "event", "events", "stringmarker")
#: Types of channels that hold a trigger's code at each sample.
TRIGGER_TYPES = (*MARKER_TYPES, "stim", "stimulus", "trig", "trigger", "triggers")
#: Labels of one stream that a refusal shows.
MAX_LABELS = 8


def regular_streams(path: Path, file: XdfFile, name: str | None = None) -> list[XdfStream]:
    """Return the streams that could be the signal: of numbers, at a steady rate, and no triggers if there are others.

    Parameters
    ----------
    path : Path
        For refusals.
    file : XdfFile
    name : str, optional
        Only those with this name or number.

    Raises
    ------
    RecordingError
        If there is none; says what there is instead.
    """
    regular = [s for s in file.streams if s.values is not None and s.header.rate_hz > 0]
    named = [s for s in regular if not _is_marker(s)] or regular
    if name is not None:
        named = [s for s in regular if name in (s.header.name, str(s.number))]
    if not named:
        raise _no_signal(path, file, regular, name)
    return named


def signal_of(path: Path, file: XdfFile, montage: Montage | None, name: str | None) -> XdfStream:
    """Return the stream that is the signal.

    Parameters
    ----------
    path : Path
        For refusals.
    file : XdfFile
    montage : Montage, optional
        Its channels decide among several streams.
    name : str, optional
        Name or number of the stream that is meant.

    Raises
    ------
    RecordingError
        If there is none, or the choice remains open.
    MontageError
        If there are several and none has the montage's channels.
    """
    named = regular_streams(path, file, name)
    fitting = [s for s in named if montage is not None and _fits(s, montage)] or named
    fitting = [s for s in fitting if len(s.stamps)] or fitting
    if len(fitting) == 1:
        return fitting[0]
    if montage is not None and not _fits(fitting[0], montage):
        message = f"{path} has {len(fitting)} streams and none has the channels of montage {montage.name}: "
        remedy = "Describe the one that is meant in a montage of your own: --montage FILE.toml"
        raise MontageError(message + listed(fitting), subject=str(path), remedy=remedy)
    message = f"{path} has {len(fitting)} streams that could be the signal: {listed(fitting)}"
    raise RecordingError(message, subject=str(path), remedy="Name the one that is meant, or its number: --stream NAME")


def events_of(file: XdfFile, signal: XdfStream) -> list[tuple[float, str]]:
    """Return stamp, on the signal's clock, and text of each marker of a file, in order; codes as whole numbers."""
    return sorted(
        (event for s in file.streams if s is not signal and _is_marker(s) for event in _events(s, signal)), key=_at
    )


def triggers_of(signal: XdfStream) -> tuple[list[str], list[tuple[float, str]]]:
    """Return the trigger channels of a signal, and stamp and code of each change to another one that is not 0.

    Parameters
    ----------
    signal : XdfStream
        Of numbers.
    """
    header = signal.header
    assert signal.values is not None
    columns = [column for column, kind in enumerate(header.kinds) if kind.casefold() in TRIGGER_TYPES]
    names = header.labels or tuple(str(number) for number in range(1, header.channel_count + 1))
    events = [event for column in columns for event in _changes(signal.values[:, column], signal.stamps)]
    return [names[column] for column in columns], sorted(events, key=_at)


def _changes(codes: NDArray[Any], stamps: NDArray[np.float64]) -> list[tuple[float, str]]:
    with np.errstate(invalid="ignore"):  # a NaN that signals is one like any other
        rows = np.flatnonzero(codes != np.concatenate([[0], codes[:-1]]))
    texts = ((float(stamps[row]), code(float(codes[row]))) for row in rows)
    return [(stamp_s, text) for stamp_s, text in texts if text]


def _at(event: tuple[float, str]) -> float:
    return event[0]


def _no_signal(path: Path, file: XdfFile, regular: Sequence[XdfStream], name: str | None) -> RecordingError:
    if name is not None and regular:
        message = f"{path} has no stream {name!r} that could be the signal; there is {listed(regular)}"
        return RecordingError(message, subject=str(path), remedy="Name one of these, or its number: --stream NAME")
    problems = [problem.removeprefix(f"{path.name}: ").rstrip(".") for problem in file.problems]
    damage = f" It is damaged: {'; '.join(problems)}." if problems else ""
    message = f"{path} has no stream that could be the signal, one of numbers at a steady rate.{damage}"
    remedy = (
        "Restore it from a copy, or record it again." if damage else "Choose a recording of the amplifier's stream."
    )
    return RecordingError(message, subject=str(path), remedy=remedy)


def listed(streams: Sequence[XdfStream]) -> str:
    """Return streams with their channels and rates, for people."""
    return "; ".join(f"{s.number}: {s.header.name!r} ({_channels_of(s)})" for s in streams) + "."


def _channels_of(stream: XdfStream) -> str:
    header = stream.header
    shown = ", ".join(header.labels[:MAX_LABELS]) + (", ..." if len(header.labels) > MAX_LABELS else "")
    labels = f": {shown}" if shown else ""
    return f"{header.channel_count} channels at {header.rate_hz:g} Hz{labels}"


def _fits(stream: XdfStream, montage: Montage) -> bool:
    known = {label.casefold() for label in stream.header.labels}
    return all({name.casefold() for name in (c.label, *c.aliases)} & known for c in montage.channels)


def _is_marker(stream: XdfStream) -> bool:
    header = stream.header
    known = MARKER_TYPES if header.rate_hz == 0 else TRIGGER_TYPES
    return header.channel_format == STRING or header.type.casefold() in known


def _events(stream: XdfStream, signal: XdfStream) -> list[tuple[float, str]]:
    stamps = stream.stamps + _clock_difference(stream, signal)
    if stream.values is not None and stream.header.rate_hz > 0:
        return _changes(stream.values[:, 0], stamps) if stream.header.channel_count else []
    if stream.values is None:
        texts = [" ".join(row).strip() for row in stream.texts]
    else:
        texts = [str(int(row[0])) if len(row) and float(row[0]).is_integer() else "" for row in stream.values]
    return [(float(stamp), text) for stamp, text in zip(stamps, texts, strict=True) if text]


def _clock_difference(stream: XdfStream, signal: XdfStream) -> NDArray[np.float64]:
    """Return what to add to a stream's stamps to get the signal's clock: 0 on one host, else by the clock offsets."""
    here, there = stream.header.hostname, signal.header.hostname
    if not len(stream.offsets) or not len(signal.offsets) or (here and here == there):
        return np.zeros(len(stream.stamps))
    onto_recorder = np.interp(stream.stamps, stream.offsets[:, 0], stream.offsets[:, 1])
    recorded = stream.stamps + onto_recorder
    back = np.interp(recorded, signal.offsets[:, 0] + signal.offsets[:, 1], signal.offsets[:, 1])
    return np.asarray(onto_recorder - back)
