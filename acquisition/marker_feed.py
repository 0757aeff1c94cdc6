"""MarkerFeed: the markers beside a signal, looked for, heard and lost without ever holding the signal up.

Cues may be started late, end, and be started again, on the signal's machine or on another: then their stamps are of
another clock, and are brought to the signal's by the offsets of both.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass

import structlog

from acquisition.clock import Clock
from acquisition.discovery import SourceSpec, StreamInfo
from acquisition.errors import LostSource
from acquisition.inlet import MarkerInlet
from acquisition.items import RawMarker
from acquisition.rediscovery import MarkerSearch
from acquisition.seeker import Seeker
from acquisition.sender_clock import Offset

#: Seconds that markers of another machine wait for the offset of its clock; then they are placed by their arrival.
PATIENCE_S = 3.0

log = structlog.get_logger("source")


@dataclass(frozen=True)
class Heard:
    """A marker as it was sent.

    Parameters
    ----------
    marker : RawMarker
        With its own stamp.
    arrived_s : float
        This machine's LSL clock when it was pulled.
    local : bool
        Whether it was stamped by the clock of the signal's machine.
    """

    marker: RawMarker
    arrived_s: float
    local: bool


class MarkerFeed:
    """The markers of one session's signal.

    Parameters
    ----------
    clock : Clock
        Time.
    criteria : SourceSpec or None
        The markers that are meant; None takes the signal's own.
    """

    def __init__(self, clock: Clock, criteria: SourceSpec | None = None) -> None:
        self._clock = clock
        self._criteria = criteria
        self._signal: StreamInfo | None = None
        self._inlet: MarkerInlet | None = None
        self._seeker: Seeker[StreamInfo, MarkerInlet] | None = None
        self._offset_s: float | None = None
        self._waiting: deque[Heard] = deque()

    def seek(self, signal: StreamInfo) -> None:
        """Look for a signal's markers; those that are open are kept unless others are found."""
        self._signal = signal
        if self._seeker is not None:
            self._seeker.stop()
        search = MarkerSearch(signal, self._criteria)
        self._seeker = Seeker(search.poll, lambda info: MarkerInlet(info).open(), MarkerInlet.leave)

    def hears(self) -> bool:
        """Tell whether markers are open, as soon as they are."""
        if self._seeker is not None and (found := self._seeker.take()) is not None:
            self._adopt(found)
        return self._inlet is not None

    def pull(self) -> None:
        """Hear what has come."""
        self.hears()
        if self._inlet is None or self._signal is None:
            return
        local = self._inlet.info.hostname == self._signal.hostname
        try:
            for stamp_s, text in self._inlet.pull():
                self._waiting.append(Heard(RawMarker(text, stamp_s), self._clock.lsl_s(), local))
        except LostSource as error:
            log.warning("markers_lost", cause=str(error))
            self._inlet.leave()
            self._inlet = None
            self.seek(self._signal)

    def take(self, signal_offset_s: float | None) -> Iterator[tuple[RawMarker, float]]:
        """Yield each marker that can be placed, with its stamp on the signal's clock.

        Parameters
        ----------
        signal_offset_s : float or None
            What brings the signal's stamps to this machine's LSL clock.
        """
        while self._waiting:
            heard = self._waiting[0]
            stamp_s = self._on_signal_clock(heard, signal_offset_s)
            if stamp_s is None:
                return
            self._waiting.popleft()
            yield heard.marker, stamp_s

    def take_offsets(self) -> list[Offset]:
        """Return the measurements since the last call, where the markers are of another machine than the signal."""
        if self._inlet is None or self._signal is None:
            return []
        offsets = self._inlet.take_offsets()
        if self._inlet.info.hostname == self._signal.hostname:
            return []
        if offsets:
            self._offset_s = offsets[-1].offset_s
        return offsets

    def close(self) -> None:
        """Let go of everything."""
        if self._seeker is not None:
            self._seeker.stop()
            self._seeker.join()
        if self._inlet is not None:
            self._inlet.close()
        self._seeker = self._inlet = None

    def _adopt(self, found: MarkerInlet) -> None:
        self._seeker = None
        if self._inlet is not None and self._inlet.info.uid == found.info.uid:
            found.leave()
            return
        if self._inlet is not None:
            self._inlet.leave()
        self._inlet, self._offset_s = found, None
        info = found.info
        self._criteria = SourceSpec(info.name, info.source_id or None, info.hostname)
        log.info("markers_found", name=info.name)

    def _on_signal_clock(self, heard: Heard, signal_offset_s: float | None) -> float | None:
        """Return a marker's stamp on the signal's clock; None while that cannot be told and may be soon."""
        if heard.local:
            return heard.marker.stamp_s
        if signal_offset_s is not None and self._offset_s is not None:
            return heard.marker.stamp_s + self._offset_s - signal_offset_s
        if signal_offset_s is None or self._clock.lsl_s() - heard.arrived_s < PATIENCE_S:
            return None
        return heard.arrived_s - signal_offset_s
