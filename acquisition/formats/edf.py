"""EDF, EDF+, BDF and BDF+ files.

MNE brings channels of a lower rate to the highest one, and takes an interrupted file (EDF+D) for a whole one. Here
channels at another rate are left out and named, and an interruption is a hole in the stamps (law 4).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from acquisition.errors import RecordingError
from acquisition.formats.raw_file import UV, Column, MneFile, RawFile, Stretch, labels_of, refused

#: Bytes of the part of the header before the channels.
FIXED = 256
#: Fields of the channels in the header that matter here: where each begins, in bytes per channel, and how long it is.
LABEL, UNIT, PER_RECORD = (0, 16), (96, 8), (216, 8)
#: Bytes of the header per channel.
PER_CHANNEL = 256
#: Channels that hold annotations.
ANNOTATIONS = ("EDF Annotations", "BDF Annotations")
#: Channels of codes (status, trigger), as MNE calls their type, and which of their bits count: in BDF the upper 8 of 24
#: tell of BioSemi's amplifier.
STIM, ALL_BITS, TRIGGER_BITS = "stim", (1 << 32) - 1, 0xFFFF
#: EDF+'s words for the kind of signal, before its label.
KINDS = ("EEG ", "EMG ")
#: Units that MNE turns into volts; all others come as they are.
IN_VOLTS = ("uV", "\u00b5V", "\u03bcV", "\x83\xcaV", "mV")
#: How annotations are encoded: as the specification says, or as MNE's error proposes.
UTF_8, LATIN_1 = "utf8", "latin1"
#: Records that follow each other within half a sample have no hole between them.
ADJACENT = 0.5
_ONSET = re.compile(rb"([+-][0-9]{1,12}(?:\.[0-9]{0,12})?)\x14\x14")


@dataclass(frozen=True)
class _Signal:
    """One channel as the header describes it."""

    label: str
    unit: str
    n_per_record: int

    @property
    def holds_values(self) -> bool:
        return self.label not in ANNOTATIONS


@dataclass(frozen=True)
class _Header:
    """What MNE does not tell of a file."""

    discontinuous: bool
    data_begins: int
    signals: tuple[_Signal, ...]
    value_bytes: int

    @property
    def record_bytes(self) -> int:
        return self.value_bytes * sum(signal.n_per_record for signal in self.signals)


def read_edf(path: Path) -> RawFile:
    """Read an EDF or BDF file.

    Raises
    ------
    RecordingError
        If it cannot be read.
    BadEnvironment
        If MNE is not installed.
    """
    bdf = path.suffix.casefold() == ".bdf"
    file, encoding = _open(path, "read_raw_bdf" if bdf else "read_raw_edf")
    header = _header_of(path, bdf)
    signals = [signal for signal in header.signals if signal.holds_values]
    types = file.types()
    if len(signals) != len(types) or set(types) <= {STIM}:
        raise refused(path, "holds no channel of numbers", "Choose a recording of the amplifier's channels.")
    highest = max(signal.n_per_record for signal, kind in zip(signals, types, strict=True) if kind != STIM)
    columns, codes, slower = [], {}, []
    for index, (signal, label) in enumerate(zip(signals, _bare(file.raw.ch_names), strict=True)):
        if types[index] == STIM:
            codes[index] = TRIGGER_BITS if bdf else ALL_BITS
        elif signal.n_per_record < highest:
            slower.append(f"{label} ({file.rate_hz * signal.n_per_record / highest:g} Hz)")
        else:
            in_volts = signal.unit in IN_VOLTS
            columns.append(Column(index, label, "uV" if in_volts else signal.unit or None, UV if in_volts else 1.0))
    stretches = _stretches(path, header, file.raw.n_times, highest, file.rate_hz)
    samples, stamps, events = file.read(columns, stretches, data_bytes=file.size, codes=codes)
    events += _annotations(file, encoding)
    if slower:
        file.problems.append(f"channels below {file.rate_hz:g} Hz are left out: {labels_of(slower)}.")
    return RawFile(
        files=(path,),
        labels=tuple(column.label for column in columns),
        units=tuple(column.unit for column in columns),
        rate_hz=file.rate_hz,
        samples=samples,
        stamps=stamps,
        events=tuple(sorted(events)),
        assumed=() if encoding == UTF_8 else ("annotations are no UTF-8; taken as Latin-1.",),
        problems=tuple(f"{path.name}: {problem}" for problem in file.problems),
    )


def _bare(names: Sequence[str]) -> list[str]:
    """Return labels without EDF+'s word for the kind of signal before them, where they can be told apart without it."""
    bare = [name.partition(" ")[2].strip() if name.startswith(KINDS) else name for name in names]
    return [short if short and bare.count(short) == 1 else name for name, short in zip(names, bare, strict=True)]


def _open(path: Path, reader: str) -> tuple[MneFile, str]:
    """Open a file in MNE, and return how its annotations are encoded."""
    try:
        return MneFile(path, reader, encoding=UTF_8), UTF_8
    except RecordingError as error:
        if LATIN_1 not in str(error):
            raise
    return MneFile(path, reader, encoding=LATIN_1), LATIN_1


def _annotations(file: MneFile, encoding: str) -> list[tuple[float, str]]:
    """Return the file's annotations in its own time: an interrupted file is longer than MNE takes it for."""
    marks = file.guarded(file.mne.read_annotations, file.path, encoding=encoding)
    return [(float(onset), str(text)) for onset, text in zip(marks.onset, marks.description, strict=True)]


def _header_of(path: Path, bdf: bool) -> _Header:
    with open(path, "rb") as file:
        fixed = file.read(FIXED)
        n_channels = _number(path, fixed[252:256])
        rest = file.read(n_channels * PER_CHANNEL)
    if len(rest) < n_channels * PER_CHANNEL:
        raise refused(path, "is torn inside its header", "Restore it from a copy.")
    signals = tuple(
        _Signal(_field(rest, LABEL, n_channels, n), _field(rest, UNIT, n_channels, n), n_per_record)
        for n in range(n_channels)
        for n_per_record in [_number(path, _field(rest, PER_RECORD, n_channels, n).encode("latin-1"))]
    )
    return _Header(
        discontinuous=fixed[192:197] in (b"EDF+D", b"BDF+D"),
        data_begins=len(fixed) + len(rest),
        signals=signals,
        value_bytes=3 if bdf else 2,
    )


def _field(content: bytes, field: tuple[int, int], n_channels: int, channel: int) -> str:
    begins, length = field[0] * n_channels + channel * field[1], field[1]
    return content[begins : begins + length].decode("latin-1").strip().strip("\0").strip()


def _number(path: Path, field: bytes) -> int:
    text = field.decode("latin-1").strip().strip("\0").strip()
    if not text.isascii() or not text.isdigit():
        raise refused(path, f"has {text!r} in its header where a count belongs", "Restore it from a copy.")
    return int(text)


def _stretches(path: Path, header: _Header, n_samples: int, per_record: int, rate_hz: float) -> list[Stretch]:
    """Return the stretches of a file: one, unless it says that it was interrupted."""
    if not header.discontinuous:
        return [Stretch(0, n_samples, 0.0)]
    stretches: list[Stretch] = []
    onsets = _record_onsets(path, header, n_samples // per_record)
    for record, onset_s in enumerate(onsets):
        start, stop = record * per_record, (record + 1) * per_record
        last = stretches[-1] if stretches else None
        if last and abs(last.begins_s + (start - last.start) / rate_hz - onset_s) * rate_hz <= ADJACENT:
            stretches[-1] = Stretch(last.start, stop, last.begins_s)
        else:
            stretches.append(Stretch(start, stop, onset_s))
    return stretches


def _record_onsets(path: Path, header: _Header, n_records: int) -> list[float]:
    """Return when each data record begins, in seconds since the first: its first annotation says so."""
    place = next((n for n, signal in enumerate(header.signals) if not signal.holds_values), None)
    if place is None:
        raise refused(path, "says that it was interrupted, but not when", "Export it as XDF.")
    before = header.value_bytes * sum(signal.n_per_record for signal in header.signals[:place])
    length = header.value_bytes * header.signals[place].n_per_record
    onsets = []
    with open(path, "rb") as file:
        for record in range(n_records):
            file.seek(header.data_begins + record * header.record_bytes + before)
            found = _ONSET.match(file.read(length))
            if found is None:
                raise refused(path, f"does not say when its record {record + 1} begins", "Export it as XDF.")
            onsets.append(float(found[1]))
    return [onset - onsets[0] for onset in onsets]
