"""A recording in memory: the signal's samples and stamps as they were recorded, and the markers beside them.

``read_recording`` reads any single file; a session of ours is a folder of parts (``session``).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from acquisition.decisions import Decision
from acquisition.errors import BadInput, RateError, RecordingError, UnitError
from acquisition.formats.brainvision import read_brainvision
from acquisition.formats.edf import read_edf
from acquisition.formats.fif import read_fif
from acquisition.formats.text import Table, read_table
from acquisition.formats.text_rows import AS_FOUND, Dialect
from acquisition.formats.xdf import XdfFile, XdfStream, read_xdf
from acquisition.formats.xdf_pair import Sent, pair_of, paired
from acquisition.formats.xdf_signal import events_of, regular_streams, signal_of, triggers_of
from acquisition.items import PARTNER, SIGNAL
from acquisition.montage import Binding, Montage
from acquisition.plain_file import other_than_file


class Kind(NamedTuple):
    """A kind of file: its endings, and what it is called in a sentence."""

    suffixes: tuple[str, ...]
    words: str


#: The kinds of file that are read.
KINDS = {
    "xdf": Kind((".xdf",), "an XDF file"),
    "table": Kind((".txt", ".csv", ".tsv"), "a table"),
    "edf": Kind((".edf", ".bdf"), "an EDF or BDF file"),
    "brainvision": Kind((".vhdr",), "a BrainVision file"),
    "fif": Kind((".fif",), "a FIF file"),
}
SUFFIXES = tuple(suffix for kind in KINDS.values() for suffix in kind.suffixes)


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
        Of the file, or of all the files that it consists of.
    format : str
        ``"xdf"``, ``"text"``, ``"edf"``, ``"bdf"``, ``"brainvision"`` or ``"fif"``.
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
        The decisions that were taken on reading it: on a resampled recording, at the rate that it was recorded at; on
        two streams of a file, when they were paired. Else empty.
    partner_from : int or None
        The column from which on the channels are those of a second stream; None where there is one stream alone.
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
    partner_from: int | None = None


def read_recording(
    path: Path,
    *,
    unit: str | None = None,
    rate_hz: float | None = None,
    labels: Sequence[str] | None = None,
    montage: Montage | None = None,
    stream: str | None = None,
    dialect: Dialect = AS_FOUND,
    counter: tuple[str, int | None] | None = None,
) -> Recording:
    """Read a recording file, whoever wrote it.

    Parameters
    ----------
    path : Path
        Of any kind in ``KINDS``.
    unit, rate_hz, labels : optional
        The user's word for what the file leaves open.
    montage : Montage, optional
        Picks the signal among several streams of an XDF file; two that have it together are read as one.
    stream : str, optional
        Name or number of the signal's stream in an XDF file, where the montage does not decide it.
    dialect : Dialect
        The user's word about how a table is written.
    counter : (str, int or None), optional
        Label of a table's column that counts samples, and where it begins again; by default the montage's.

    Raises
    ------
    RecordingError
        If it cannot be read, or which stream is the signal remains open.
    MontageError
        If it has several streams and none has the montage's channels.
    RateError, UnitError
        If a table states no rate or unit and none is given, or a file states another rate than the one that is given;
        if two streams are to be read as one and are not at one rate, each its own.
    BadEnvironment
        If the library that reads it is not installed.
    """
    kind = _kind_of(path)
    if stream is not None and kind != "xdf":
        message = f"{path} is {KINDS[kind].words}, which has no streams; {stream!r} was named."
        raise RecordingError(message, subject=str(path), remedy="Leave --stream out.")
    if dialect != AS_FOUND and kind != "table":
        message = f"{path} is {KINDS[kind].words}, no table; how its rows are written was given."
        remedy = "Leave --delimiter, --decimal, --header-lines, --marker-column and --time-column out."
        raise RecordingError(message, subject=str(path), remedy=remedy)
    said = _Said(unit, rate_hz, None if labels is None else tuple(labels))
    if kind == "xdf":
        file, sha256 = read_xdf(path), _sha256(path)
        pair = pair_of(path, file, montage) if stream is None and labels is None else None
        if pair is not None and montage is not None:
            one, two = (Sent(_from_xdf(path, sha256, file, found, said), found) for found in pair)
            return paired(one, two, montage)
        return _from_xdf(path, sha256, file, signal_of(path, file, montage, stream), said)
    if kind == "table":
        if counter is None and montage is not None and montage.counter:
            counter = (montage.counter, montage.counter_modulo)
        table = read_table(path, unit=unit, rate_hz=rate_hz, labels=labels, dialect=dialect, counter=counter)
        return _from_table(path, table, montage)
    return _from_raw(path, kind, said)


def read_streams(
    path: Path,
    *,
    unit: str | None = None,
    rate_hz: float | None = None,
    labels: Sequence[str] | None = None,
    stream: str | None = None,
    dialect: Dialect = AS_FOUND,
    counter: tuple[str, int | None] | None = None,
) -> list[Recording]:
    """Read every stream of a file that could be the signal, to look at them; a file that is no XDF has one.

    Parameters
    ----------
    path, unit, rate_hz, labels, stream, dialect, counter
        As for ``read_recording``.

    Raises
    ------
    RecordingError, RateError, UnitError, BadEnvironment
        As by ``read_recording``.
    """
    if _kind_of(path) != "xdf":
        read = partial(read_recording, path, unit=unit, rate_hz=rate_hz, labels=labels)
        return [read(stream=stream, dialect=dialect, counter=counter)]
    file, sha256 = read_xdf(path), _sha256(path)
    said = _Said(unit, rate_hz, None if labels is None else tuple(labels))
    return [_from_xdf(path, sha256, file, found, said) for found in regular_streams(path, file, stream)]


def recording_of_part(path: Path, file: XdfFile) -> Recording:
    """Return the signal of one part of a session as a recording: stream 0, and its markers.

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
    if not file.streams or file.streams[SIGNAL].values is None:
        raise RecordingError(f"{path} has no signal.", subject=str(path), remedy="Restore it from a copy.")
    return _recording(path, _sha256(path), file, file.streams[SIGNAL])


def partner_of_part(path: Path, file: XdfFile) -> Recording | None:
    """Return the second stream of samples of one part of a session, as ``pairing.join`` takes it; None without one.

    Parameters
    ----------
    path, file
        As for ``recording_of_part``.

    Raises
    ------
    RecordingError
        If it is no stream of samples.
    """
    if len(file.streams) <= PARTNER:
        return None
    partner = file.streams[PARTNER]
    if partner.values is None:
        message = f"{path} has texts as its third stream; expected samples."
        raise RecordingError(message, subject=str(path), remedy="Restore it from a copy.")
    return _recording(path, "", file, partner)


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
        remedy = error.remedy + (" For its rate: --resample" if rate else "")
        raise type(error)(message, subject=path, remedy=remedy) from error
    if rate:
        raise RateError(f"{path} {rate}", subject=path, remedy="Resample it on reading: --resample")
    return binding


@dataclass(frozen=True)
class _Said:
    """The user's word about what a file leaves open."""

    unit: str | None
    rate_hz: float | None
    labels: tuple[str, ...] | None

    def check(self, path: Path, of: str, rate_hz: float, n_channels: int) -> None:
        """Refuse what the file itself states otherwise."""
        if self.rate_hz is not None and self.rate_hz != rate_hz:
            message = f"{path} states {rate_hz:g} Hz{of and f' for {of}'}; {self.rate_hz:g} Hz was given."
            raise RateError(message, subject=str(path), remedy="Leave --rate out; another rate is made by --resample")
        if self.labels is not None and len(self.labels) != n_channels:
            message = f"{path} has {n_channels} channels{of and f' in {of}'}; {len(self.labels)} labels were given."
            raise RecordingError(message, subject=str(path), remedy="Give one for each: --labels C3,C1,...")

    def assumed(self, of: str, units: Sequence[str | None]) -> Iterator[str]:
        """Yield what is taken as the user says."""
        if self.labels is not None:
            yield f"channels{of} are taken as {', '.join(self.labels)}."
        if self.unit and None in units:
            yield f"channels{of} without a unit are taken as {self.unit}."

    def units(self, units: Sequence[str | None]) -> tuple[str | None, ...]:
        """Return the units with the user's where the file states none."""
        return tuple(known or self.unit for known in units)


def _kind_of(path: Path) -> str:
    """Return which of ``KINDS`` a file is, by its ending."""
    if found := other_than_file(path):
        # A folder has its own reader; a pipe or device would be waited for without end.
        remedy = "Name a recording, or a session's folder."
        if found == "a pipe":
            remedy = "Write what comes out of it into a file first, and name that."
        raise RecordingError(f"{path} is {found}, expected a file.", subject=str(path), remedy=remedy)
    if path.is_file() and not path.stat().st_size:
        remedy = "Copy it again from where it was recorded, or choose another one."
        raise RecordingError(f"{path} is empty: it has no bytes.", subject=str(path), remedy=remedy)
    suffix = path.suffix.casefold()
    for kind, described in KINDS.items():
        if suffix in described.suffixes:
            return kind
    ending = "".join(path.suffixes[-2:] if suffix == ".gz" else path.suffixes[-1:])
    message = f"{path} {f'ends in {ending!r}' if ending else 'has no ending'}; expected {', '.join(SUFFIXES)}."
    remedy = "Choose a recording of EEG and EMG, or export it as XDF, or as a table with one row per sample."
    if suffix == ".gz" and len(path.suffixes) > 1 and path.suffixes[-2].casefold() in SUFFIXES:
        remedy = f"Unpack it: gunzip {path.name}"
    if suffix in (".eeg", ".vmrk", ".dat") and path.with_suffix(".vhdr").is_file():
        remedy = f"It belongs to a BrainVision recording: name its header, {path.with_suffix('.vhdr').name}."
    raise RecordingError(message, subject=str(path), remedy=remedy)


def _from_xdf(path: Path, sha256: str, file: XdfFile, signal: XdfStream, said: _Said) -> Recording:
    header = signal.header
    said.check(path, repr(header.name), header.rate_hz, header.channel_count)
    units = header.units or (None,) * header.channel_count
    assumed = list(said.assumed(f" of {header.name!r}", units))
    if said.labels is None and not header.labels:
        assumed.insert(0, f"stream {header.name!r} names no channels: taken as 1 to {header.channel_count}.")
    recording = _recording(path, sha256, file, signal)
    triggers, codes = triggers_of(signal)
    holds = "holds markers: each change to another code that is not 0 is one."
    assumed += [f"channel {label!r} {holds}" for label in triggers]
    markers = (*recording.markers, *(Marker(stamp_s, text) for stamp_s, text in codes))
    return replace(
        recording,
        labels=said.labels or recording.labels,
        units=said.units(units),
        markers=tuple(sorted(markers, key=lambda marker: marker.stamp_s)) if codes else recording.markers,
        assumed=tuple(assumed),
    )


def _recording(path: Path, sha256: str, file: XdfFile, signal: XdfStream) -> Recording:
    header = signal.header
    assert signal.values is not None
    return Recording(
        path=path,
        sha256=sha256,
        format="xdf",
        labels=header.labels or tuple(str(n) for n in range(1, header.channel_count + 1)),
        units=header.units or (None,) * header.channel_count,
        rate_hz=header.rate_hz,
        samples=signal.values,
        stamps=signal.stamps,
        markers=tuple(Marker(stamp_s, text) for stamp_s, text in events_of(file, signal)),
        name=header.name,
        source_id=header.source_id,
        hostname=header.hostname,
        origin=header.origin,
        problems=file.problems,
    )


def _from_raw(path: Path, kind: str, said: _Said) -> Recording:
    file = {"edf": read_edf, "brainvision": read_brainvision, "fif": read_fif}[kind](path)
    said.check(path, "", file.rate_hz, len(file.labels))
    return Recording(
        path=path,
        sha256=_sha256(*file.files),
        format=path.suffix.casefold().removeprefix(".") if kind == "edf" else kind,
        labels=said.labels or file.labels,
        units=said.units(file.units),
        rate_hz=file.rate_hz,
        samples=file.samples,
        stamps=file.stamps,
        markers=tuple(Marker(stamp_s, text) for stamp_s, text in file.events),
        name=path.stem,
        assumed=(*said.assumed("", file.units), *file.assumed),
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


def _sha256(*paths: Path) -> str:
    """Return the hash of a recording: of all its files, one after the other."""
    digest = hashlib.sha256()
    for path in paths:
        with open(path, "rb") as file:
            while block := file.read(1 << 20):
                digest.update(block)
    return digest.hexdigest()
