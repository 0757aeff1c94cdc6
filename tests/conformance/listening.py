"""A second consumer of a stream: an LSL inlet in this process that writes down all that it is sent."""

from __future__ import annotations

import threading
from typing import Self

import numpy as np
from numpy.typing import NDArray

from acquisition.discovery import SourceSpec, find_streams
from acquisition.errors import LostSource
from acquisition.inlet import Chunk, Inlet

#: Seconds of one pull.
PULL_S = 0.2
#: Seconds of one search; the resolver needs some to hear everybody.
SEARCH_S = 3.0


class Listener:
    """Listen to the stream of a name from when it appears until it goes; a context that ends the listening.

    Parameters
    ----------
    name : str
        Of the stream.
    """

    def __init__(self, name: str) -> None:
        self._wanted = SourceSpec(name=name)
        self._stop = threading.Event()
        #: Set by the first samples.
        self.began = threading.Event()
        self._chunks: list[NDArray[np.generic]] = []
        self._thread = threading.Thread(target=self._run, name="listener", daemon=True)

    def heard(self) -> NDArray[np.generic]:
        """Return all samples that came, shape (n_samples, n_stream_channels)."""
        return np.concatenate(self._chunks)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stop.is_set():
            found = [stream for stream in find_streams(SEARCH_S) if self._wanted.matches(stream) and not stream.is_text]
            if found:
                return self._listen(Inlet(found[0]))

    def _listen(self, inlet: Inlet) -> None:
        try:
            with inlet:
                while not self._stop.is_set():
                    self._take(inlet.pull(PULL_S))
        except LostSource:  # the stream has gone, as it should in the end
            return

    def _take(self, chunk: Chunk) -> None:
        if len(chunk):
            self._chunks.append(chunk.samples)
            self.began.set()
