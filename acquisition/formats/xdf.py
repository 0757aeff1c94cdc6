"""XDF files read back, broken ones too: every chunk's length is checked here, and nothing is counted by pyxdf.

pyxdf invents a sample where a file is cut inside the last row of a chunk. Here a chunk is whole or it is not there; a
file may be cut at any byte, footers may be missing or lie, streams may be empty. Only RecordingError leaves.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from acquisition.errors import RecordingError
from acquisition.formats import xdf_samples, xdf_writer
from acquisition.formats.xdf_header import DTYPES, StreamHeader, parse_xml
from acquisition.formats.xdf_samples import Unsound
from acquisition.formats.xdf_writer import (
    BOUNDARY,
    BOUNDARY_UUID,
    CLOCK_OFFSET,
    FILE_HEADER,
    MAGIC,
    SAMPLES,
    STREAM_FOOTER,
    STREAM_HEADER,
)
from acquisition.plain_file import other_than_file, read_plain

#: Larger files are refused rather than read into memory: 9 minutes of 16 channels are 40 MB.
MAX_BYTES = 4 << 30
#: Bytes at the head of a part in which its headers lie: one of 64 channels takes 8 KB.
HEADERS_BYTES = 1 << 20
#: Streams beyond this are rubbish.
MAX_STREAMS = 1024
#: Problems that are told one by one; the rest are counted.
MAX_PROBLEMS = 50
#: Footers of LabRecorder are one sample short; that is no damage.
FOOTER_LEEWAY = 1


@dataclass(frozen=True)
class XdfStream:
    """One stream of a file.

    Parameters
    ----------
    number : int
        The stream's number in the file.
    header : StreamHeader
    values : ndarray, shape (n_samples, n_channels), or None
        In the stream's own type, read-only; ``None`` for string streams.
    texts : tuple of tuple of str
        Rows of a string stream; empty for numeric ones.
    stamps : ndarray, shape (n_samples,), float64
        Raw stamps; those that the file leaves out are deduced from the stamp before and the nominal rate.
    offsets : ndarray, shape (n_offsets, 2), float64
        Collection time on the stream's clock, and what to add to reach the recorder's clock.
    footer : dict of str to str
        What the footer says, or empty.
    """

    number: int
    header: StreamHeader
    values: NDArray[Any] | None
    texts: tuple[tuple[str, ...], ...]
    stamps: NDArray[np.float64]
    offsets: NDArray[np.float64]
    footer: dict[str, str]


@dataclass(frozen=True)
class XdfFile:
    """A file as far as it can be read.

    Parameters
    ----------
    streams : tuple of XdfStream
        In the order of their headers.
    problems : tuple of str
        What could not be read, in sentences.
    whole_bytes : int
        Where the last whole chunk ends before the first damage.
    size : int
        Bytes of the file.
    """

    streams: tuple[XdfStream, ...]
    problems: tuple[str, ...]
    whole_bytes: int
    size: int


def read_xdf(path: Path) -> XdfFile:
    """Read a foreign file: after damage go on at the next boundary, and say what is missing.

    Raises
    ------
    RecordingError
        If it is not an XDF file, or too large.
    """
    return _Reader(path, go_on=True).read()


def read_whole_chunks(path: Path) -> tuple[XdfFile, list[bytes]]:
    """Read a foreign file as ``read_xdf`` does, and return its sound chunks beside it, without its footers.

    A chunk that follows damage and has samples whose time is not known holds only those after them.

    Raises
    ------
    RecordingError
        If it is not an XDF file, or too large.
    """
    sound: list[bytes] = []
    return _Reader(path, go_on=True, sound=sound).read(), sound


def read_part(path: Path) -> XdfFile:
    """Read a part of a session: it ends where its first damage begins.

    Raises
    ------
    RecordingError
        If it is not an XDF file.
    """
    return _Reader(path, go_on=False).read()


def read_headers(path: Path) -> tuple[StreamHeader, ...]:
    """Read what the streams of a part are, and none of their samples.

    Raises
    ------
    RecordingError
        If it is not an XDF file.
    """
    if stands := other_than_file(path):
        raise _not_xdf(path, f"is {stands}, expected a file")
    with path.open("rb") as file:
        content = file.read(HEADERS_BYTES)
    if not content.startswith(MAGIC):
        raise _not_xdf(path, f"is not an XDF file: it begins with {content[:4]!r}")
    headers, at = [], len(MAGIC)
    while at < len(content) and (found := _frame(content, at)) is not None:
        tag, start, at = found
        if tag == STREAM_HEADER:
            headers.append(StreamHeader.from_xml(content[start + 4 : at]))
        elif tag != FILE_HEADER:
            break
    return tuple(headers)


@dataclass
class _Growing:
    """A stream while its chunks come in."""

    number: int
    header: StreamHeader
    values: list[NDArray[Any]] = field(default_factory=list)
    texts: list[tuple[str, ...]] = field(default_factory=list)
    stamps: list[NDArray[np.float64]] = field(default_factory=list)
    known: list[NDArray[np.bool_]] = field(default_factory=list)
    offsets: list[tuple[float, float]] = field(default_factory=list)
    footer: dict[str, str] = field(default_factory=dict)
    #: Damages of the file since which its time is known again: a sample carried its own stamp.
    sound_after: int = 0


class _Reader:
    def __init__(self, path: Path, *, go_on: bool, sound: list[bytes] | None = None) -> None:
        self._path = path
        self._go_on = go_on
        self._sound = sound
        self._content = _content_of(path)
        self._streams: dict[int, _Growing] = {}
        self._problems: list[str] = []
        self._more_problems = 0
        self._whole = len(MAGIC)
        self._damages = 0

    def read(self) -> XdfFile:
        seen_header = False
        for tag, start, end in self._chunks():
            seen_header = seen_header or tag == FILE_HEADER
            try:
                self._take(tag, self._content[start:end])
            except (Unsound, RecordingError) as error:
                self._problem(f"the chunk at byte {start} (tag {tag}) is left out: {error}")
                self._damages += 1
                if not self._go_on:
                    break
            if not self._damages:
                self._whole = end
        if not seen_header:
            self._problem("there is no file header.")
        streams = tuple(self._finished(stream) for stream in self._streams.values())
        return XdfFile(streams, self._told(), self._whole, len(self._content))

    def _chunks(self) -> Iterator[tuple[int, int, int]]:
        """Yield tag, start and end of the content of each whole chunk."""
        at = len(MAGIC)
        while at < len(self._content):
            found = _frame(self._content, at)
            if found is not None:
                yield found
                at = found[2]
                continue
            left = len(self._content) - at
            self._damages += 1
            again = self._content.find(BOUNDARY_UUID, at) if self._go_on else -1
            if again < 0:
                self._problem(f"the file is torn at byte {at}: the last {left} bytes are no whole chunk.")
                return
            at, skipped = again + len(BOUNDARY_UUID), again + len(BOUNDARY_UUID) - at
            self._problem(f"{skipped} bytes before byte {at} are damaged; reading went on at the next boundary.")

    def _take(self, tag: int, content: bytes) -> None:
        if tag in (FILE_HEADER, BOUNDARY):
            return self._retain(tag, content)
        if tag not in (STREAM_HEADER, SAMPLES, CLOCK_OFFSET, STREAM_FOOTER):
            return self._problem(f"chunks of the unknown tag {tag} are left out.")
        if len(content) < 4:
            raise Unsound("it is too short to name its stream")
        number = int.from_bytes(content[:4], "little")
        if tag == STREAM_HEADER:
            self._begin(number, content[4:])
        elif number not in self._streams:
            raise Unsound(f"stream {number} has no header")
        elif tag == SAMPLES:
            return self._samples(self._streams[number], content)
        elif tag == CLOCK_OFFSET:
            if len(content) != 20:
                raise Unsound("a clock offset has 20 bytes")
            self._streams[number].offsets.append(struct.unpack("<dd", content[4:]))
        else:
            self._streams[number].footer = {item.tag: (item.text or "").strip() for item in parse_xml(content[4:])}
            return None
        return self._retain(tag, content)

    def _retain(self, tag: int, content: bytes) -> None:
        """Keep a chunk for a sound copy, where one is wanted."""
        if self._sound is not None:
            self._sound.append(xdf_writer.chunk(tag, content))

    def _begin(self, number: int, content: bytes) -> None:
        if number in self._streams:
            raise Unsound(f"stream {number} has a header already")
        if len(self._streams) >= MAX_STREAMS:
            raise Unsound(f"there are more than {MAX_STREAMS} streams")
        self._streams[number] = _Growing(number, StreamHeader.from_xml(content), sound_after=self._damages)

    def _samples(self, stream: _Growing, content: bytes) -> None:
        header = stream.header
        dtype = DTYPES.get(header.channel_format)
        if dtype is None:
            texts, stamps, known = xdf_samples.texts(content[4:], header.channel_count)
        else:
            values, stamps, known = xdf_samples.numbers(content[4:], dtype, header.channel_count)
        skip = 0
        if stream.sound_after < self._damages:
            skip = int(np.argmax(known)) if known.any() else len(known)
            if skip < len(known):
                stream.sound_after = self._damages
            if skip:
                self._problem(f"{skip} samples of stream {header.name!r} after damage have no stamp of their own.")
        if dtype is None:
            stream.texts += texts[skip:]
        else:
            stream.values.append(values[skip:])
        stream.stamps.append(stamps[skip:])
        stream.known.append(known[skip:])
        if not skip:
            self._retain(SAMPLES, content)
        elif self._sound is not None and skip < len(known):
            times = xdf_samples.deduced(stamps[skip:], known[skip:], header.rate_hz)
            if dtype is None:
                self._sound.append(xdf_writer.texts(stream.number, texts[skip:], times))
            else:
                self._sound.append(xdf_writer.samples(stream.number, header, values[skip:], times))

    def _finished(self, growing: _Growing) -> XdfStream:
        header = growing.header
        dtype = DTYPES.get(header.channel_format)
        empty = np.empty((0, header.channel_count), dtype)
        stamps = np.concatenate([np.empty(0), *growing.stamps])
        known = np.concatenate([np.empty(0, bool), *growing.known])
        values = None if dtype is None else np.concatenate([empty, *growing.values])
        if values is not None:
            values.setflags(write=False)
        self._compare(growing, len(stamps))
        return XdfStream(
            number=growing.number,
            header=header,
            values=values,
            texts=tuple(growing.texts),
            stamps=xdf_samples.deduced(stamps, known, header.rate_hz),
            offsets=np.array(growing.offsets, np.float64).reshape(-1, 2),
            footer=growing.footer,
        )

    def _compare(self, growing: _Growing, count: int) -> None:
        """Tell a footer that is missing or states another number of samples; what is there is what counts."""
        if not growing.footer and self._go_on:
            self._problem(
                f"stream {growing.header.name!r} has no footer: it was not ended, and its end may be missing."
            )
        stated = growing.footer.get("sample_count", "")
        if stated.isascii() and stated.isdigit() and len(stated) < 20 and abs(int(stated) - count) > FOOTER_LEEWAY:
            self._problem(f"the footer of stream {growing.header.name!r} states {stated} samples; {count} are there.")

    def _problem(self, sentence: str) -> None:
        if sentence in self._problems:
            return
        if len(self._problems) < MAX_PROBLEMS:
            self._problems.append(sentence)
        else:
            self._more_problems += 1

    def _told(self) -> tuple[str, ...]:
        told = tuple(f"{self._path.name}: {sentence}" for sentence in self._problems)
        return (*told, f"{self._path.name}: {self._more_problems} more problems.") if self._more_problems else told


def _content_of(path: Path) -> bytes:
    try:
        size = path.stat().st_size
        if size > MAX_BYTES:
            raise _not_xdf(path, f"has {size} bytes, more than the {MAX_BYTES} that are read into memory")
        content = read_plain(path)
    except OSError as error:
        raise _not_xdf(path, f"cannot be read: {error.strerror or error}") from error
    if not content.startswith(MAGIC):
        raise _not_xdf(path, f"is not an XDF file: it begins with {content[:4]!r}")
    return content


def _frame(content: bytes, at: int) -> tuple[int, int, int] | None:
    """Return tag, start and end of the content of the chunk at a place, or None if no whole one is there."""
    width = content[at]
    if width not in (1, 4, 8):
        return None
    start = at + 1 + width
    length = int.from_bytes(content[at + 1 : start], "little")
    if length < 2 or start + length > len(content):
        return None
    return int.from_bytes(content[start : start + 2], "little"), start + 2, start + length


def _not_xdf(path: Path, what: str) -> RecordingError:
    remedy = "Choose a file that LabRecorder or Flexion wrote, or a table (.txt, .csv)."
    return RecordingError(f"{path} {what}.", subject=str(path), remedy=remedy)
