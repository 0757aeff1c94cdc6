"""The part of a session that one life of the bridge writes: raw samples, raw stamps, clock offsets, markers (law 2).

A part is an XDF file that other tools can open. Its headers go to a temporary name, are synced, then renamed: a file
called ``recording-<n>.xdf`` always has whole headers. Each chunk is one ``write(2)``.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from acquisition.durable import AppendFile, sync_folder
from acquisition.errors import DiskFull
from acquisition.formats import xdf_writer
from acquisition.formats.xdf_header import StreamHeader

#: A boundary every so many syncs (10 s at the contract's one per second), as LabRecorder does.
SYNCS_PER_BOUNDARY = 10


class PartWriter:
    """Append chunks to one XDF file.

    Made by ``SessionFolder.open_part``, or by ``create`` for a file of its own.

    Parameters
    ----------
    file : AppendFile
        The file, headers written.
    headers : sequence of StreamHeader
        Its streams; 0 is the signal.
    part : int
        The number of the part in its session.
    """

    def __init__(self, file: AppendFile, headers: Sequence[StreamHeader], part: int = 1) -> None:
        self.path = file.path
        self.headers = tuple(headers)
        self.part = part
        self._file = file
        self._counts = [0] * len(self.headers)
        self._spans: list[tuple[float, float] | None] = [None] * len(self.headers)
        self._syncs = 0

    @classmethod
    def create(cls, path: Path, headers: Sequence[StreamHeader], part: int = 1) -> PartWriter:
        """Begin the file: headers under a temporary name, synced, renamed.

        Raises
        ------
        DiskFull
            If the disk does not take the headers; nothing is left behind under the file's name.
        """
        temporary = path.with_name(path.name + ".tmp")
        temporary.unlink(missing_ok=True)
        file = AppendFile(temporary)
        try:
            numbered = enumerate(headers, start=1)
            file.append(xdf_writer.file_header() + b"".join(xdf_writer.stream_header(n, h) for n, h in numbered))
            file.sync()
        except DiskFull:
            file.close()
            temporary.unlink(missing_ok=True)
            raise
        os.rename(temporary, path)
        sync_folder(path.parent)
        file.path = path
        return cls(file, headers, part)

    def append(self, stream: int, samples: NDArray[Any] | Sequence[str], stamps: NDArray[np.float64]) -> None:
        """Append one chunk of a stream with one ``write(2)``.

        Parameters
        ----------
        stream : int
            0 is the signal.
        samples : ndarray, shape (n_samples, n_channels), or sequence of str
            In the stream's own format; texts for a string stream.
        stamps : ndarray, shape (n_samples,), float64
            Raw stamps, seconds.

        Raises
        ------
        DiskFull
            If the disk did not take the chunk; the file then ends with the last whole one.
        RecordingError
            If the samples do not fit the stream's header.
        """
        if len(samples) == 0:
            return
        header = self.headers[stream]
        if isinstance(samples, np.ndarray):
            record = xdf_writer.samples(stream + 1, header, samples, stamps)
        else:
            record = xdf_writer.texts(stream + 1, samples, stamps)
        self._file.append(record)
        self._counts[stream] += len(samples)
        span = self._spans[stream]
        self._spans[stream] = (span[0] if span else float(stamps[0]), float(stamps[-1]))

    def offset(self, stream: int, collection_s: float, offset_s: float) -> None:
        """Append a measured clock offset: what to add to the stream's stamps to get this machine's LSL clock."""
        self._file.append(xdf_writer.clock_offset(stream + 1, collection_s, offset_s))

    def n_samples(self, stream: int) -> int:
        """Return how many whole samples of the stream the part has."""
        return self._counts[stream]

    def sync(self) -> None:
        """Wait until everything is on the disk; at least every second, and before a window is published."""
        self._syncs += 1
        if self._syncs % SYNCS_PER_BOUNDARY == 0:
            self._file.append(xdf_writer.boundary())
        self._file.sync()

    def close(self) -> None:
        """Write the footers, sync, close; a second call does nothing.

        A crash leaves a part without footers, which readers must take: so a disk that refuses them loses nothing.
        """
        if self._file.closed:
            return
        try:
            for stream, (count, span) in enumerate(zip(self._counts, self._spans, strict=True)):
                first_s, last_s = span or (None, None)
                self._file.append(xdf_writer.stream_footer(stream + 1, first_s, last_s, count))
            self._file.sync()
        finally:
            self._file.close()

    def __enter__(self) -> PartWriter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
