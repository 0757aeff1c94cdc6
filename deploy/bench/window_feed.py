"""A session whose windows are made up and come at a steady pace, and how long each of them waits for its result."""

from __future__ import annotations

import threading
import time
from types import TracebackType
from typing import Self

import numpy as np

from acquisition.identity import new_session_id
from acquisition.windowing import Window
from inference.bundle import Bundle
from streaming.connection import connect
from streaming.publisher import Publisher
from streaming.records import ResultRecord, WindowRecord
from streaming.results import ResultReader
from streaming.sessions import Registry, SessionEntry

#: Seconds that a look for results may wait for one.
READ_S = 0.2
#: Seconds after the last window within which every result is expected.
LAST_S = 30.0


class WindowFeed:
    """Hand in windows in one thread and read their results in another, as a bridge does.

    Inside a ``with`` block windows are handed in; at its end the results that are still missing are waited for.

    Parameters
    ----------
    url : str
        A Redis with scorers.
    bundle : Bundle
        What the session is bound to.
    every_s : float
        Seconds between two windows.
    """

    def __init__(self, url: str, bundle: Bundle, every_s: float) -> None:
        self.session = new_session_id()
        self._url, self._bundle, self._every_s = url, bundle, every_s
        self._handed_s: list[float] = []
        self._over = threading.Event()
        self._threads = [threading.Thread(target=work, daemon=True) for work in (self._hand_in, self._read)]
        #: Results in the order in which they came.
        self.results: list[ResultRecord] = []
        #: Seconds from handing in to the result, by the window's number.
        self.waits_s: dict[int, float] = {}

    @property
    def n(self) -> int:
        """How many windows were handed in."""
        return len(self._handed_s)

    @property
    def n_lost(self) -> int:
        """How many windows have no result."""
        return self.n - len(self.waits_s)

    def __enter__(self) -> Self:
        with connect(self._url, "feed-registry") as client:
            Registry(client).open(SessionEntry(self.session, None, "P-01", "replay", "2026-01-01T00:00:00Z"))
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join()
        with connect(self._url, "feed-registry") as client:
            Registry(client).close(self.session, "planned")

    def _hand_in(self) -> None:
        with connect(self._url, "feed") as client:
            publisher = Publisher(client, self.session, 1)
            publisher.open()
            while not self._over.wait(self._every_s):
                record = made_up(self._bundle, self.session, self.n)
                self._handed_s.append(time.monotonic())
                publisher.publish(record)

    def _read(self) -> None:
        with connect(self._url, "feed-results", blocking=True) as client:
            reader, until_s = ResultReader(client, self.session), float("inf")
            while not (self._over.is_set() and self.n_lost == 0) and time.monotonic() < until_s:
                for result in reader.read(READ_S):
                    self.results.append(result)
                    self.waits_s[result.index] = time.monotonic() - self._handed_s[result.index]
                if self._over.is_set():
                    until_s = min(until_s, time.monotonic() + LAST_S)


def made_up(bundle: Bundle, session: str, index: int) -> WindowRecord:
    """Return a window of noise that a bundle takes."""
    signal = bundle.signal
    n_channels = len(signal.labels)
    x_uv = np.random.RandomState(index).normal(0.0, 20.0, (signal.n_samples, n_channels)).astype(np.float32)
    window = Window(
        index=index,
        segment=0,
        first_sample=index * signal.stride,
        x_uv=x_uv,
        channel_quality=(1.0,) * n_channels,
        faults=((),) * n_channels,
        sqi=1.0,
        weight=1.0,
        flags=(),
        n_bridged=0,
        phases=(),
        calibration="",
        fingerprint=signal.fingerprint,
        mains_hz=signal.mains_hz[0],
        rate_hz=signal.rate_hz,
        resampled_from_hz=None,
    )
    return WindowRecord(session, 1, window, signal.montage, signal.labels, bundle.sha256, float("nan"))
