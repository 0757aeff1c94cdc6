"""The content of XDF's Samples chunks: values, stamps, and which stamps are the samples' own."""

from __future__ import annotations

import struct
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from acquisition.formats.xdf_writer import STAMP_BYTES

#: Values, stamps, and which of the stamps stood in the file.
Numbers = tuple[NDArray[Any], NDArray[np.float64], NDArray[np.bool_]]
Texts = tuple[list[tuple[str, ...]], NDArray[np.float64], NDArray[np.bool_]]


class Unsound(Exception):
    """A chunk whose content does not fit its own counts; it is caught where the file is read."""


def numbers(content: bytes, dtype: np.dtype[Any], n_channels: int) -> Numbers:
    """Read a chunk of a numeric stream.

    Parameters
    ----------
    content : bytes
        After the stream's number.
    dtype : dtype
        Of the values.
    n_channels : int
        Values per sample.

    Returns
    -------
    values : ndarray, shape (n_samples, n_channels)
    stamps : ndarray, shape (n_samples,), float64
        0 where a sample has none of its own.
    known : ndarray, shape (n_samples,), bool
        Which samples have one.

    Raises
    ------
    Unsound
        If the counts do not fit the bytes.
    """
    count, start = _count(content)
    stamped = _stamped_row(dtype, n_channels)
    if len(content) - start == count * stamped.itemsize:
        rows = np.frombuffer(content, stamped, count, start)
        known = rows["stamp_bytes"] == STAMP_BYTES
        if known.all():
            return rows["values"], rows["stamp"], known
    return _mixed(content, start, count, dtype, dtype.itemsize * n_channels)


@cache
def _stamped_row(dtype: np.dtype[Any], n_channels: int) -> np.dtype[Any]:
    """Return the layout of a sample that has its own stamp; kept, as a session has tens of thousands of chunks."""
    return np.dtype([("stamp_bytes", "u1"), ("stamp", "<f8"), ("values", dtype, (n_channels,))])


def _mixed(content: bytes, start: int, count: int, dtype: np.dtype[Any], row_bytes: int) -> Numbers:
    """Read samples of which some have a stamp: where each one lies depends on those before it."""
    starts = [0] * count
    stamps, known = np.zeros(count), np.zeros(count, bool)
    at = start
    for index in range(count):
        if at >= len(content) or content[at] not in (0, STAMP_BYTES):
            raise Unsound(f"sample {index} of {count} does not begin where it should")
        if content[at] == STAMP_BYTES:
            if at + 1 + STAMP_BYTES > len(content):
                raise Unsound(f"sample {index} of {count} is cut")
            known[index], stamps[index] = True, struct.unpack_from("<d", content, at + 1)[0]
            at += STAMP_BYTES
        starts[index] = at + 1
        at += 1 + row_bytes
    if at != len(content):
        raise Unsound(f"{count} samples take {at} bytes, the chunk has {len(content)}")
    octets = b"".join(content[begin : begin + row_bytes] for begin in starts)
    return np.frombuffer(octets, dtype).reshape(count, row_bytes // dtype.itemsize).copy(), stamps, known


def texts(content: bytes, n_channels: int) -> Texts:
    """Read a chunk of a string stream; see ``numbers``."""
    count, at = _count(content)
    rows: list[tuple[str, ...]] = []
    stamps, known = np.zeros(count), np.zeros(count, bool)
    for index in range(count):
        if at >= len(content) or content[at] not in (0, STAMP_BYTES):
            raise Unsound(f"sample {index} of {count} does not begin where it should")
        if content[at] == STAMP_BYTES:
            if at + 1 + STAMP_BYTES > len(content):
                raise Unsound(f"sample {index} of {count} is cut")
            known[index], stamps[index] = True, struct.unpack_from("<d", content, at + 1)[0]
            at += STAMP_BYTES
        at += 1
        row = []
        for _ in range(n_channels):
            length, at = _length(content, at)
            if at + length > len(content):
                raise Unsound(f"sample {index} of {count} is cut")
            row.append(content[at : at + length].decode("utf-8", "replace"))
            at += length
        rows.append(tuple(row))
    if at != len(content):
        raise Unsound(f"{count} samples take {at} bytes, the chunk has {len(content)}")
    return rows, stamps, known


def deduced(stamps: NDArray[np.float64], known: NDArray[np.bool_], rate_hz: float) -> NDArray[np.float64]:
    """Return stamps with the missing ones counted on from the one before, or back from the first.

    Parameters
    ----------
    stamps : ndarray, shape (n_samples,), float64
    known : ndarray, shape (n_samples,), bool
    rate_hz : float
        Nominal rate; an irregular stream (0) repeats the stamp before.
    """
    if known.all():
        return stamps
    step_s = 1 / rate_hz if rate_hz > 0 else 0.0
    index = np.arange(len(stamps))
    if not known.any():
        return np.asarray(index * step_s, np.float64)
    anchor = np.maximum.accumulate(np.where(known, index, -1))
    anchor = np.where(anchor < 0, int(np.argmax(known)), anchor)
    with np.errstate(invalid="ignore", over="ignore"):  # a damaged stamp may be any float
        return np.asarray(stamps[anchor] + (index - anchor) * step_s, np.float64)


def _count(content: bytes) -> tuple[int, int]:
    """Return how many samples a chunk states, and where they begin; never more than it has bytes."""
    count, start = _length(content, 0)
    if count > len(content):
        raise Unsound(f"it states {count} samples in {len(content)} bytes")
    return count, start


def _length(content: bytes, at: int) -> tuple[int, int]:
    if at >= len(content) or content[at] not in (1, 4, 8) or at + 1 + content[at] > len(content):
        raise Unsound(f"there is no length at byte {at} of it")
    end = at + 1 + content[at]
    return int.from_bytes(content[at + 1 : end], "little"), end
