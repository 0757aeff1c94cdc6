"""A recording in memory: the signal's samples and stamps as they were recorded, and the markers beside them.

``read_recording`` reads any single file; a session of ours is a folder of parts (``session``).
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from acquisition.decisions import Decision
from acquisition.errors import BadInput, MontageError, RateError, RecordingError, UnitError
from acquisition.formats.text import Table, read_table
from acquisition.formats.xdf import XdfFile, XdfStream, read_xdf
from acquisition.formats.xdf_header import STRING
from acquisition.montage import Binding, Montage

#: Types of streams that carry events, whatever their format.
MARKER_TYPES = ("marker", "markers", "event", "events", "stringmarker")

#: Labels of one stream that a refusal shows.
MAX_LABELS = 8


@dataclass(frozen=True)
class Marker:
    """A marker as it was recorded.

    Parameters
    ----------
    stamp_s : float
        On the clock of the signal's stream.
    text : str
        As it was sent; numeric codes as whole numbers.
    """

    stamp_s: float
    text: str


@dataclass(frozen=True)
class Recording:
    """A recording read into memory.

    Parameters
    ----------
    path : Path
    sha256 : str
        Of the file.
    format : str
        ``"xdf"`` or ``"text"``.
    labels : tuple of str
        One per channel of the stream.
    units : tuple of str or None
        ``None`` where nothing states it.
    rate_hz : float
        Nominal rate.
    samples : ndarray, shape (n_samples, n_stream_channels)
        The stream's own type and unit.
    stamps : ndarray, shape (n_samples,), float64
        Raw, seconds on the stream's clock; for files without stamps, count / rate.
    markers : tuple of Marker
        In order of their stamps.
    name, source_id, hostname : str
        Of the stream.
    origin : {"recorded", "simulated"}
    assumed : tuple of str
        Sentences about everything that the file left open.
    problems : tuple of str
        Sentences about everything that could not be read.
    resampled_from_hz : float or None
        Rate that it was recorded at, where ``resampling`` changed it.
    decided : tuple of Decision
        The decisions on a resampled recording, taken at the rate that it was recorded at; else empty.
    """

    path: Path
    sha256: str
    format: str
    labels: tuple[str, ...]
    units: tuple[str | None, ...]
    rate_hz: float
    samples: NDArray[Any]
    stamps: NDArray[np.float64]
    markers: tuple[Marker, ...] = ()
    name: str = ""
    source_id: str = ""
    hostname: str = ""
    origin: str = "recorded"
    assumed: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()
    resampled_from_hz: float | None = None
    decided: tuple[Decision, ...] = ()


def read_recording(
    path: Path,
    *,
    unit: str | None = None,
    rate_hz: float | None = None,
    labels: Sequence[str] | None = None,
    montage: Montage | None = None,
    stream: str | None = None,
) -> Recording:
    """Read a recording file, whoever wrote it.

    Parameters
    ----------
    path : Path
        ``.xdf``, or a table of numbers: ``.txt``, ``.csv``, ``.tsv``.
    unit, rate_hz, labels : optional
        The user's word for what the file leaves open.
    montage : Montage, optional
        Picks the signal among several streams of an XDF file.
    stream : str, optional
        Name or number of the signal's stream in an XDF file, where the montage does not decide it.

    Raises
    ------
    RecordingError
        If it cannot be read, or which stream is the signal remains open.
    MontageError
        If it has several streams and none has the montage's channels.
    RateError, UnitError
        If a table states no rate or unit and none is given, or a file states another rate than the one that is given.
    """
    suffix = path.suffix.casefold()
    if suffix == ".xdf":
        file = read_xdf(path)
        return _from_xdf(path, _sha256(path), file, _signal(path, file, montage, stream), unit, rate_hz, labels)
    if suffix in (".txt", ".csv", ".tsv"):
        if stream is not None:
            message = f"{path} is a table, which has no streams; {stream!r} was named."
            raise RecordingError(message, subject=str(path), remedy="Leave --stream out.")
        return _from_table(path, read_table(path, unit=unit, rate_hz=rate_hz, labels=labels), montage)
    message = f"{path} ends in {suffix!r}; expected .xdf, .txt, .csv or .tsv."
    raise RecordingError(message, subject=str(path), remedy="Export it as XDF, or as a table with one row per sample.")


def recording_of_part(path: Path, file: XdfFile) -> Recording:
    """Return one part of a session as a recording: stream 0 is the signal, the others its markers.

    Parameters
    ----------
    path : Path
    file : XdfFile
        The part as ``read_part`` gives it: whole chunks only.

    Raises
    ------
    RecordingError
        If it has no signal.
    """
    if not file.streams or file.streams[0].values is None:
        raise RecordingError(f"{path} has no signal.", subject=str(path), remedy="Restore it from a copy.")
    return _recording(path, _sha256(path), file, file.streams[0], ())


def bind_recording(
    recording: Recording, montage: Montage, *, unit: str | None = None, resample: bool = False
) -> Binding:
    """Find the montage's channels among a recording's; a refusal names the file, its channels and its rate.

    Parameters
    ----------
    recording : Recording
    montage : Montage
    unit : str, optional
        The user's word for channels without a unit.
    resample : bool
        Whether another rate than the montage's will do.

    Raises
    ------
    MontageError, UnitError, RateError
        If it does not fit.
    """
    path, rate = str(recording.path), ""
    if recording.rate_hz != montage.rate_hz and not resample:
        rate = f"is at {recording.rate_hz:g} Hz; montage {montage.name} needs {montage.rate_hz:g} Hz."
    try:
        binding = montage.bind(recording.labels, recording.units, unit=unit)
    except BadInput as error:
        message = f"{path} does not fit. {error.message}" + (f" It {rate}" if rate else "")
        remedy = error.remedy + ("; for its rate: --resample" if rate else "")
        raise type(error)(message, subject=path, remedy=remedy) from error
    if rate:
        raise RateError(f"{path} {rate}", subject=path, remedy="Resample it on reading: --resample")
    return binding


def _from_xdf(
    path: Path,
    sha256: str,
    file: XdfFile,
    signal: XdfStream,
    unit: str | None,
    rate_hz: float | None,
    labels: Sequence[str] | None,
) -> Recording:
    header = signal.header
    if rate_hz is not None and rate_hz != header.rate_hz:
        message = f"{path} states {header.rate_hz:g} Hz for {header.name!r}; {rate_hz:g} Hz was given."
        raise RateError(message, subject=str(path), remedy="Leave --rate out; another rate is made by --resample")
    if labels is not None and len(labels) != header.channel_count:
        message = f"{path} has {header.channel_count} channels in {header.name!r}; {len(labels)} labels were given."
        raise RecordingError(message, subject=str(path), remedy="Give one for each: --labels C3,C1,...")
    assumed = []
    if labels is not None:
        assumed.append(f"channels of {header.name!r} are taken as {', '.join(labels)}.")
    elif not header.labels:
        assumed.append(f"stream {header.name!r} names no channels: taken as 1 to {header.channel_count}.")
    if unit and any(known is None for known in header.units or (None,)):
        assumed.append(f"channels of {header.name!r} without a unit are taken as {unit}.")
    recording = _recording(path, sha256, file, signal, tuple(assumed), unit)
    return recording if labels is None else replace(recording, labels=tuple(labels))


def _recording(
    path: Path, sha256: str, file: XdfFile, signal: XdfStream, assumed: tuple[str, ...], unit: str | None = None
) -> Recording:
    header = signal.header
    assert signal.values is not None
    units = header.units or (None,) * header.channel_count
    return Recording(
        path=path,
        sha256=sha256,
        format="xdf",
        labels=header.labels or tuple(str(n) for n in range(1, header.channel_count + 1)),
        units=tuple(known or unit for known in units),
        rate_hz=header.rate_hz,
        samples=signal.values,
        stamps=signal.stamps,
        markers=_markers(file, signal),
        name=header.name,
        source_id=header.source_id,
        hostname=header.hostname,
        origin=header.origin,
        assumed=assumed,
        problems=file.problems,
    )


def _from_table(path: Path, table: Table, montage: Montage | None) -> Recording:
    stated_by_montage = montage is not None and all(channel.unit for channel in montage.channels)
    if None in table.units and not stated_by_montage:
        message = f"{path} does not state the unit of {table.labels[table.units.index(None)]}."
        remedy = "Give it: --unit uV, or a line '# unit: uV' in the file; for counts '0.0223 uV'."
        raise UnitError(message, subject=str(path), remedy=remedy)
    return Recording(
        path=path,
        sha256=_sha256(path),
        format="text",
        labels=table.labels,
        units=table.units,
        rate_hz=table.rate_hz,
        samples=table.samples,
        stamps=table.stamps,
        markers=tuple(Marker(stamp_s, text) for stamp_s, text in table.events),
        name=path.stem,
        assumed=table.assumed,
        problems=table.problems,
    )


def _signal(path: Path, file: XdfFile, montage: Montage | None, name: str | None) -> XdfStream:
    """Return the stream that is the signal."""
    regular = [s for s in file.streams if s.values is not None and s.header.rate_hz > 0]
    named = [s for s in regular if name is None or name in (s.header.name, str(s.number))]
    if not named:
        raise _no_signal(path, file, regular, name)
    fitting = [s for s in named if montage is not None and _fits(s, montage)] or named
    fitting = [s for s in fitting if len(s.stamps)] or fitting
    if len(fitting) == 1:
        return fitting[0]
    if montage is not None and not _fits(fitting[0], montage):
        message = f"{path} has {len(fitting)} streams and none has the channels of montage {montage.name}: "
        remedy = "Describe the one that is meant in a montage of your own: --montage FILE.toml"
        raise MontageError(message + _list(fitting), subject=str(path), remedy=remedy)
    message = f"{path} has {len(fitting)} streams that could be the signal: {_list(fitting)}"
    raise RecordingError(message, subject=str(path), remedy="Name the one that is meant, or its number: --stream NAME")


def _no_signal(path: Path, file: XdfFile, regular: Sequence[XdfStream], name: str | None) -> RecordingError:
    if name is not None and regular:
        message = f"{path} has no stream {name!r} that could be the signal; there is {_list(regular)}"
        return RecordingError(message, subject=str(path), remedy="Name one of these, or its number: --stream NAME")
    problems = [problem.removeprefix(f"{path.name}: ").rstrip(".") for problem in file.problems]
    damage = f" It is damaged: {'; '.join(problems)}." if problems else ""
    message = f"{path} has no stream that could be the signal, one of numbers at a steady rate.{damage}"
    remedy = (
        "Restore it from a copy, or record it again." if damage else "Choose a recording of the amplifier's stream."
    )
    return RecordingError(message, subject=str(path), remedy=remedy)


def _list(streams: Sequence[XdfStream]) -> str:
    return "; ".join(f"{s.number}: {s.header.name!r} ({_channels_of(s)})" for s in streams) + "."


def _channels_of(stream: XdfStream) -> str:
    header = stream.header
    shown = ", ".join(header.labels[:MAX_LABELS]) + (", ..." if len(header.labels) > MAX_LABELS else "")
    labels = f": {shown}" if shown else ""
    return f"{header.channel_count} channels at {header.rate_hz:g} Hz{labels}"


def _fits(stream: XdfStream, montage: Montage) -> bool:
    known = {label.casefold() for label in stream.header.labels}
    return all({name.casefold() for name in (c.label, *c.aliases)} & known for c in montage.channels)


def _markers(file: XdfFile, signal: XdfStream) -> tuple[Marker, ...]:
    markers = [marker for stream in file.streams if _is_marker(stream) for marker in _events(stream, signal)]
    return tuple(sorted(markers, key=lambda marker: marker.stamp_s))


def _is_marker(stream: XdfStream) -> bool:
    header = stream.header
    return header.channel_format == STRING or (header.rate_hz == 0 and header.type.casefold() in MARKER_TYPES)


def _events(stream: XdfStream, signal: XdfStream) -> list[Marker]:
    stamps = stream.stamps + _clock_difference(stream, signal)
    if stream.values is None:
        texts = [" ".join(row).strip() for row in stream.texts]
    else:
        texts = [str(int(row[0])) if len(row) and float(row[0]).is_integer() else "" for row in stream.values]
    return [Marker(float(stamp), text) for stamp, text in zip(stamps, texts, strict=True) if text]


def _clock_difference(stream: XdfStream, signal: XdfStream) -> NDArray[np.float64]:
    """Return what to add to a stream's stamps to get the signal's clock: 0 on one host, else by the clock offsets."""
    here, there = stream.header.hostname, signal.header.hostname
    if not len(stream.offsets) or not len(signal.offsets) or (here and here == there):
        return np.zeros(len(stream.stamps))
    onto_recorder = np.interp(stream.stamps, stream.offsets[:, 0], stream.offsets[:, 1])
    recorded = stream.stamps + onto_recorder
    back = np.interp(recorded, signal.offsets[:, 0] + signal.offsets[:, 1], signal.offsets[:, 1])
    return np.asarray(onto_recorder - back)


def _sha256(path: Path) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
