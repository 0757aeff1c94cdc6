"""A live LSL stream as a source: found, bound, pulled, watched, lost and found again, never silently replaced (law 3).

LSL's own recovery is off, so a source that dies says so; the hole that it leaves is declared by the judge when its
stamps come back.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence

import numpy as np
import structlog

from acquisition.clock import Clock
from acquisition.decisions import Decision
from acquisition.discovery import MarkerSearch, Rediscovery, SourceSpec, StreamInfo, bind_markers, bind_stream
from acquisition.errors import LostSource, StreamNotFound
from acquisition.formats.xdf_header import StreamHeader
from acquisition.inlet import Inlet, MarkerInlet
from acquisition.link import Event, LinkState, State, observe
from acquisition.montage import Binding, Montage
from acquisition.source import ClockOffset, Item, Judge, Raw, RawMarker, format_of, interleave, markers_header

#: Seconds of one search while nothing is found: a stop is noticed at most this late.
SEARCH_S = 2.0
#: Seconds between looks for a stream that was lost.
LOOK_S = 0.05
#: Seconds between looks for markers that are not there: cues may be started late, or again.
MARKERS_LOOK_S = 0.5

log = structlog.get_logger("source")


class StreamSource:
    """One stream, and the markers beside it.

    Parameters
    ----------
    criteria : SourceSpec
        What is known of it.
    montage : Montage
        What it must have.
    judge : Judge
        Takes the decisions.
    clock : Clock
        Time.
    unit : str or None
        The user's word for channels whose unit is unstated.
    patience_s : float
        Seconds after which a stream that was never found is given up.
    settled : callable
        Tells whether the filters have settled.
    """

    def __init__(
        self,
        criteria: SourceSpec,
        montage: Montage,
        judge: Judge,
        clock: Clock,
        *,
        unit: str | None = None,
        patience_s: float = 15.0,
        settled: Callable[[], bool] = lambda: True,
    ) -> None:
        self._criteria = criteria
        self._montage = montage
        self._judge = judge
        self._clock = clock
        self._unit = unit
        self._give_up_s = clock.monotonic_s() + patience_s
        self._settled = settled
        self._link = LinkState(State.SEARCHING, clock.monotonic_s())
        self._info: StreamInfo | None = None
        self._inlet: Inlet | None = None
        self._marker_inlet: MarkerInlet | None = None
        self._rediscovery: Rediscovery | None = None
        self._marker_search: MarkerSearch | None = None
        self._markers_look_s = 0.0
        self._held: deque[RawMarker] = deque()
        self._at = 0
        self._heard_s = 0.0
        self._newest_s = float("nan")
        #: Whether samples came since the inlet was opened: before, nobody knows of the hole that it closes.
        self._pulled = False
        self.finished = False
        self.binding: Binding
        self.headers: Sequence[StreamHeader] = ()

    @property
    def state(self) -> tuple[str, str]:
        """The link's state and its cause in words."""
        return self._link.state.name, self._link.cause(self._clock.monotonic_s())

    @property
    def info(self) -> StreamInfo | None:
        """The stream that was bound."""
        return self._info

    def pull(self, timeout_s: float) -> list[Item]:
        """Return what came since the last call; while there is no stream, look for it.

        Raises
        ------
        StreamNotFound
            If no stream was found in time; one that was lost is looked for without end.
        AmbiguousStream, StreamRefused
            If several fit, or the one that was named does not.
        RateError
            If it does not run at its nominal rate.
        """
        if self._inlet is None:
            self._look()
            return []
        try:
            raw = self._pull_raw(timeout_s)
            return [*self._offsets(), *self._judged(raw), *self._markers()]
        except LostSource as error:
            log.warning("lost", cause=str(error))
            self._drop()
            return []

    def calibration_at(self, at: int) -> Decision | None:
        """Return the calibration that the judge knows for this place."""
        return self._judge.calibration_at(at)

    def close(self) -> None:
        """Close both inlets."""
        if self._marker_inlet is not None:
            self._marker_inlet.close()
        if self._inlet is not None:
            self._inlet.close()
        self._inlet = self._marker_inlet = self._marker_search = None

    # -- finding --------------------------------------------------------------------------------

    def _look(self) -> None:
        found = self._search() if self._info is None else self._search_again()
        if found is not None:
            self._open(*found)

    def _search(self) -> tuple[StreamInfo, Binding] | None:
        try:
            return bind_stream(self._criteria, self._montage, self._unit, SEARCH_S)
        except StreamNotFound:
            if self._clock.monotonic_s() >= self._give_up_s:
                raise
            return None

    def _search_again(self) -> tuple[StreamInfo, Binding] | None:
        assert self._rediscovery is not None
        found = self._rediscovery.poll()
        if found is None:
            self._clock.sleep(LOOK_S)
        return found

    def _open(self, info: StreamInfo, binding: Binding) -> None:
        self._step(Event.FOUND)
        try:
            self._inlet = Inlet(info).open()  # before the markers are looked for: what comes meanwhile is kept
            self._open_markers(info)
        except LostSource as error:
            log.warning("lost", cause=str(error))
            self._info = self._info or info
            self._drop()
            return
        self._info, self.binding, self._rediscovery, self._pulled = info, binding, None, False
        self._heard_s, self._newest_s = self._clock.monotonic_s(), self._clock.lsl_s()
        self._step(Event.OPENED)

    def _open_markers(self, signal: StreamInfo) -> None:
        """Open the markers beside a signal, and say under which header they are recorded."""
        markers = bind_markers(signal)
        if not self.headers:
            beside = _header(markers) if markers else markers_header(signal.name, signal.source_id, signal.hostname)
            self.headers = (_header(signal), beside)
        if markers is None:
            self._marker_search = MarkerSearch(signal)
        else:
            self._listen_to(markers)

    def _listen_to(self, markers: StreamInfo) -> None:
        """Open a marker stream; one that is gone again is no reason to stay without the signal."""
        try:
            self._marker_inlet, self._marker_search = MarkerInlet(markers).open(), None
        except LostSource as error:
            log.warning("markers_lost", cause=str(error))

    def _look_for_markers(self) -> None:
        now_s = self._clock.monotonic_s()
        if self._marker_search is not None and now_s >= self._markers_look_s:
            self._markers_look_s = now_s + MARKERS_LOOK_S
            found = self._marker_search.poll()
            if found is not None:
                log.info("markers_found", name=found.name)
                self._listen_to(found)

    def _drop(self) -> None:
        self.close()
        assert self._info is not None
        self._rediscovery = Rediscovery(self._info, self._montage, self._unit)
        self._step(Event.DIED)

    # -- pulling --------------------------------------------------------------------------------

    def _pull_raw(self, timeout_s: float) -> Raw:
        assert self._inlet is not None
        chunk = self._inlet.pull(timeout_s)
        now_s = self._clock.monotonic_s()
        if len(chunk):
            self._heard_s = now_s
            self._newest_s = float(chunk.stamps_s[-1]) + (self._inlet.clock_offset() or 0.0)
        age_s = self._clock.lsl_s() - self._newest_s if len(chunk) else 0.0
        if len(chunk) or now_s > self._heard_s + 0.5:
            self._step(observe(now_s, self._heard_s, age_s, self._pulled and self._settled()))
        self._pulled |= len(chunk) > 0
        return Raw(chunk.samples, chunk.stamps_s)

    def _judged(self, raw: Raw) -> list[Decision | Raw]:
        if not len(raw):
            return []
        column = self.binding.counter_column
        counters = None if column is None else raw.samples[:, column].astype(np.float64)
        first, self._at = self._at, self._at + len(raw)
        return list(interleave(raw, first, self._judge.judge(raw, counters)))

    def _offsets(self) -> list[ClockOffset]:
        assert self._inlet is not None
        return [ClockOffset(0, time_s, offset_s) for time_s, offset_s in self._inlet.take_offsets()]

    def _markers(self) -> list[Item]:
        """Return markers with the decisions on them; they wait for the first sample, from which places are counted."""
        if self._marker_inlet is None:
            self._look_for_markers()
            return []
        try:
            self._held.extend(RawMarker(text, stamp_s) for stamp_s, text in self._marker_inlet.pull())
        except LostSource as error:
            log.warning("markers_lost", cause=str(error))
            assert self._info is not None
            self._marker_inlet, self._marker_search = None, MarkerSearch(self._info)
            return []
        items: list[Item] = []
        while self._held and self._at:
            marker = self._held.popleft()
            decision = self._judge.marker(marker.stamp_s, marker.text)
            items += [marker] if decision is None else [marker, decision]
        return items

    def _step(self, event: Event) -> None:
        self._link = self._link.step(event, self._clock.monotonic_s())


def _header(info: StreamInfo) -> StreamHeader:
    """Return the header under which a stream is recorded."""
    word = "string" if info.is_text else format_of(np.dtype(info.dtype))
    return StreamHeader(
        info.name,
        info.type,
        word,
        info.rate_hz,
        info.channel_count,
        info.labels,
        info.units,
        info.kinds,
        source_id=info.source_id,
        hostname=info.hostname,
        uid=info.uid,
        origin="simulated" if info.origin == "simulated" else "recorded",
    )
