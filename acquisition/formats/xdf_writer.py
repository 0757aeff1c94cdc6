"""The chunks of an XDF file as bytes: each is built whole, so that one ``write(2)`` can carry it.

The layout is the XDF specification's: length of length, length, tag, content; all numbers little endian. Every sample
carries its own raw stamp: nothing is deduced when it is read back (law 2).
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import Any
from xml.etree import ElementTree

import numpy as np
from numpy.typing import NDArray

from acquisition.errors import RecordingError
from acquisition.formats.xdf_header import DTYPES, STRING, StreamHeader, xml_bytes

MAGIC = b"XDF:"
#: Chunk tags of the specification.
FILE_HEADER, STREAM_HEADER, SAMPLES, CLOCK_OFFSET, BOUNDARY, STREAM_FOOTER = range(1, 7)
#: What a reader searches for to find its way again after damage.
BOUNDARY_UUID = bytes.fromhex("43a546dccbf5410fb30ed5467383cbe4")
#: Bytes of a stamp, as the byte before it says; 0 would mean none.
STAMP_BYTES = 8


def chunk(tag: int, content: bytes) -> bytes:
    """Return one chunk, its length in front."""
    length = len(content) + 2
    size = struct.pack("<BB", 1, length) if length < 256 else struct.pack("<BI", 4, length)
    return size + struct.pack("<H", tag) + content


def file_header() -> bytes:
    """Return the magic code and the FileHeader chunk that every file begins with."""
    return MAGIC + chunk(FILE_HEADER, b'<?xml version="1.0"?><info><version>1.0</version></info>')


def stream_header(number: int, header: StreamHeader) -> bytes:
    """Return the StreamHeader chunk of one stream."""
    return chunk(STREAM_HEADER, struct.pack("<I", number) + header.to_xml())


def samples(number: int, header: StreamHeader, values: NDArray[Any], stamps: NDArray[np.float64]) -> bytes:
    """Return a Samples chunk of a numeric stream.

    Parameters
    ----------
    number : int
        The stream's number in the file.
    header : StreamHeader
        The stream's header; its format must be the values' own dtype, so that no bit is lost.
    values : ndarray, shape (n_samples, n_channels)
        At least one sample.
    stamps : ndarray, shape (n_samples,), float64
        Raw stamps, seconds.

    Raises
    ------
    RecordingError
        If values, stamps and header do not fit each other.
    """
    _check(header, values, stamps)
    value = (DTYPES[header.channel_format], values.shape[1:])
    rows = np.empty(len(values), np.dtype([("stamp_bytes", "u1"), ("stamp", "<f8"), ("values", *value)]))
    rows["stamp_bytes"] = STAMP_BYTES
    rows["stamp"] = stamps
    rows["values"] = values
    return chunk(SAMPLES, struct.pack("<IBI", number, 4, len(values)) + rows.tobytes())


def texts(number: int, values: Sequence[str | tuple[str, ...]], stamps: Sequence[float] | NDArray[np.float64]) -> bytes:
    """Return a Samples chunk of a string stream, such as markers; of more than one channel with a tuple per sample."""
    parts = [struct.pack("<IBI", number, 4, len(values))]
    for row, stamp in zip(values, stamps, strict=True):
        parts.append(struct.pack("<Bd", STAMP_BYTES, stamp))
        for text in (row,) if isinstance(row, str) else row:
            encoded = text.encode("utf-8", "replace")
            parts += [struct.pack("<BI", 4, len(encoded)), encoded]
    return chunk(SAMPLES, b"".join(parts))


def clock_offset(number: int, collection_s: float, offset_s: float) -> bytes:
    """Return a ClockOffset chunk: add the offset to the stream's stamps to get the recorder's clock."""
    return chunk(CLOCK_OFFSET, struct.pack("<Idd", number, collection_s, offset_s))


def boundary() -> bytes:
    """Return a Boundary chunk."""
    return chunk(BOUNDARY, BOUNDARY_UUID)


def stream_footer(number: int, first_s: float | None, last_s: float | None, count: int) -> bytes:
    """Return the StreamFooter chunk of one stream.

    Parameters
    ----------
    number : int
        The stream's number in the file.
    first_s, last_s : float or None
        First and last stamp; ``None`` for a stream without samples.
    count : int
        Samples written.
    """
    info = ElementTree.Element("info")
    if first_s is not None and last_s is not None:
        ElementTree.SubElement(info, "first_timestamp").text = repr(float(first_s))
        ElementTree.SubElement(info, "last_timestamp").text = repr(float(last_s))
    ElementTree.SubElement(info, "sample_count").text = str(count)
    rate = (count - 1) / (last_s - first_s) if first_s is not None and last_s is not None and last_s > first_s else 0.0
    ElementTree.SubElement(info, "measured_srate").text = repr(float(rate))
    return chunk(STREAM_FOOTER, struct.pack("<I", number) + xml_bytes(info))


def _check(header: StreamHeader, values: NDArray[Any], stamps: NDArray[np.float64]) -> None:
    if header.channel_format == STRING or values.dtype.newbyteorder("<") != DTYPES[header.channel_format]:
        message = f"stream {header.name!r} is {header.channel_format}, its samples are {values.dtype}."
        raise RecordingError(message, subject=header.name, remedy="Open the part with the format of the samples.")
    if values.shape != (len(stamps), header.channel_count):
        shape = f"({len(stamps)}, {header.channel_count})"
        message = f"stream {header.name!r} got samples of shape {values.shape}; its stamps and channels need {shape}."
        raise RecordingError(message, subject=header.name, remedy="Hand over one stamp and one row per sample.")
