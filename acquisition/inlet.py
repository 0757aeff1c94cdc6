"""Inlets: pull raw samples and raw stamps from one LSL stream, and measure its clock beside it.

LSL is asked for nothing clever. Its recovery hides losses, its dejitter hides gaps (a hole of 2 s showed as a step of
1.8 ms), so both are off: stamps come as they were sent, a source that dies is an error at once, one that freezes is
left to ``link``. The clock offset is measured by a thread of its own, because the first measurement takes 0.64 s.
A source that froze answers no probe: LSL repeats the last measurement then, and what is repeated is no measurement.
"""

from __future__ import annotations

import ctypes
import threading
from dataclasses import dataclass
from typing import Self

import numpy as np
import pylsl
from numpy.typing import NDArray
from pylsl.lib import lib
from pylsl.util import LostError, handle_error
from pylsl.util import TimeoutError as LslTimeout

from acquisition.discovery import StreamInfo
from acquisition.errors import LostSource, SequenceError
from acquisition.sender_clock import Offset

#: Seconds that an inlet keeps when nobody pulls. Overflow drops the oldest without a word, so be generous.
BUFFER_S = 360
#: Most samples of one pull: 4 s at 1000 Hz, so that a backlog is caught up quickly.
MAX_SAMPLES = 4096
#: Seconds' worth of samples that a pull waits for: one sender's chunk of 10 ms is not torn, latency stays below.
MIN_PULL_S = 0.01
#: Seconds between two measurements of the clock offset (what LabRecorder does).
OFFSET_EVERY_S = 5.0
#: Longest wait for one measurement in s; it bounds how long ``close`` can take.
OFFSET_TIMEOUT_S = 2.0
#: Longest wait for a stream that was found to answer, in s.
OPEN_TIMEOUT_S = 5.0

# pylsl hands the offset on, but neither when it was measured nor how far it may be off.
_time_correction = lib.lsl_time_correction_ex
_time_correction.restype = ctypes.c_double


def lsl_clock_s() -> float:
    """Return this machine's LSL clock, in s: what ``LiveClock`` is given."""
    return float(pylsl.local_clock())


@dataclass(frozen=True)
class Chunk:
    """What one pull brought.

    Parameters
    ----------
    samples : ndarray, shape (n_samples, n_stream_channels)
        In the stream's own type, units and order; the caller owns it.
    stamps_s : ndarray, shape (n_samples,), float64
        The stream's own clock; raw.
    """

    samples: NDArray[np.generic]
    stamps_s: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.stamps_s)


class Inlet:
    """An inlet of one numeric stream.

    Parameters
    ----------
    info : StreamInfo
        The stream, from ``discovery``.
    """

    def __init__(self, info: StreamInfo) -> None:
        self.info = info
        self._inlet: pylsl.StreamInlet | None = None
        self._buffer = np.empty((MAX_SAMPLES, info.channel_count), np.dtype(info.dtype))
        self._min_samples = max(1, min(MAX_SAMPLES, round(MIN_PULL_S * info.rate_hz)))
        self._offsets: _OffsetThread | None = None

    def open(self) -> Self:
        """Subscribe; samples sent from now on are kept until they are pulled.

        Raises
        ------
        LostSource
            If the stream is gone already.
        """
        self._inlet = _open_inlet(self.info)
        self._offsets = _OffsetThread(self._inlet)
        return self

    def pull(self, timeout_s: float) -> Chunk:
        """Return what has come, waiting for at most `timeout_s`.

        Returns
        -------
        Chunk
            Oldest first; empty when nothing came.

        Raises
        ------
        LostSource
            If the source died. What it had sent and nobody had pulled is gone.
        """
        try:
            samples, stamps_s = _opened(self._inlet, self.info).pull_chunk(
                timeout_s, MAX_SAMPLES, dest_obj=self._buffer, min_samples=self._min_samples, as_numpy=True
            )
        except LostError as error:
            raise _lost(self.info) from error
        return Chunk(samples.copy(), stamps_s)

    def take_offsets(self) -> list[Offset]:
        """Return the measurements of the clock offset since the last call."""
        return self._offsets.take() if self._offsets else []

    def leave(self) -> None:
        """Unsubscribe without waiting: a measurement under way holds the inlet, which is destroyed after it."""
        if self._offsets is not None:
            self._offsets.stop()
        self._inlet = self._offsets = None

    def close(self) -> None:
        """Unsubscribe, the measuring thread first: destroying an inlet that is in use can abort the process."""
        measuring = self._offsets
        self.leave()
        if measuring is not None:
            measuring.join()

    def __enter__(self) -> Self:
        return self.open()

    def __exit__(self, *exc: object) -> None:
        self.close()


class MarkerInlet:
    """An inlet of one stream of texts.

    Parameters
    ----------
    info : StreamInfo
        The stream, from ``discovery.bind_markers``.
    """

    def __init__(self, info: StreamInfo) -> None:
        self.info = info
        self._inlet: pylsl.StreamInlet | None = None
        self._offsets: _OffsetThread | None = None

    def open(self) -> Self:
        """Subscribe.

        Raises
        ------
        LostSource
            If the stream is gone already.
        """
        self._inlet = _open_inlet(self.info)
        self._offsets = _OffsetThread(self._inlet)
        return self

    def pull(self) -> list[tuple[float, str]]:
        """Return the markers that have come, without waiting: (stamp in s, text).

        Raises
        ------
        LostSource
            If the source died.
        """
        try:
            samples, stamps_s = _opened(self._inlet, self.info).pull_chunk(0.0, as_numpy=True)
        except LostError as error:
            raise _lost(self.info) from error
        texts = [row[0].decode("utf-8", "replace") for row in samples]
        return list(zip(stamps_s.tolist(), texts, strict=True))

    def take_offsets(self) -> list[Offset]:
        """Return the measurements of the clock offset since the last call."""
        return self._offsets.take() if self._offsets else []

    def leave(self) -> None:
        """Unsubscribe without waiting."""
        if self._offsets is not None:
            self._offsets.stop()
        self._inlet = self._offsets = None

    def close(self) -> None:
        """Unsubscribe, the measuring thread first."""
        measuring = self._offsets
        self.leave()
        if measuring is not None:
            measuring.join()

    def __enter__(self) -> Self:
        return self.open()

    def __exit__(self, *exc: object) -> None:
        self.close()


class _OffsetThread:
    """Measures one inlet's clock offset every ``OFFSET_EVERY_S`` until it is stopped or the source dies."""

    def __init__(self, inlet: pylsl.StreamInlet) -> None:
        self._inlet = inlet
        self._stop = threading.Event()
        self._n_taken = 0
        #: A list only ever appended to, so that readers need no lock.
        self._measured: list[Offset] = []
        self._thread = threading.Thread(target=self._run, name="clock-offset", daemon=True)
        self._thread.start()

    def take(self) -> list[Offset]:
        new = self._measured[self._n_taken :]
        self._n_taken += len(new)
        return new

    def stop(self) -> None:
        self._stop.set()

    def join(self) -> None:
        self._thread.join()

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                offset = _measure(self._inlet)
                last = self._measured[-1] if self._measured else None
                if offset != last and offset.tells_more_than(last):
                    self._measured.append(offset)
            except LostError:
                return
            except LslTimeout:
                # A frozen source answers no probe; the next round asks again, and `link` says that it stalled.
                pass
            self._stop.wait(OFFSET_EVERY_S)


def _measure(inlet: pylsl.StreamInlet) -> Offset:
    """Return LSL's newest measurement of an inlet's clock offset; the first one is waited for."""
    remote_s, answer_s, code = ctypes.c_double(), ctypes.c_double(), ctypes.c_int()
    timeout_s = ctypes.c_double(OFFSET_TIMEOUT_S)
    offset_s = _time_correction(
        inlet.obj, ctypes.byref(remote_s), ctypes.byref(answer_s), timeout_s, ctypes.byref(code)
    )
    handle_error(code)
    return Offset(remote_s.value + offset_s, offset_s, answer_s.value / 2)


def _open_inlet(info: StreamInfo) -> pylsl.StreamInlet:
    inlet = pylsl.StreamInlet(info.handle, max_buflen=BUFFER_S, recover=False)
    try:
        inlet.open_stream(OPEN_TIMEOUT_S)
    except (LostError, LslTimeout) as error:
        raise _lost(info) from error
    return inlet


def _opened(inlet: pylsl.StreamInlet | None, info: StreamInfo) -> pylsl.StreamInlet:
    if inlet is None:
        raise SequenceError(f"Inlet of {info.words} is not open.", subject=info.name, remedy="Open before pull.")
    return inlet


def _lost(info: StreamInfo) -> LostSource:
    message = f"{info.title} is gone: its process ended, or the network did."
    return LostSource(message, subject=info.name, remedy="Start it again; its source_id tells that it is the same.")
