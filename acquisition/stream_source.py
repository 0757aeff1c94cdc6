"""A live LSL stream as a source: found, bound, pulled, watched, lost and found again, never silently replaced (law 3).

LSL's own recovery is off, so a source that dies says so; the hole that it leaves is declared by the judge when its
stamps come back. A session goes on with the source that it began with: one that comes back changed, or twice, is told
in the cause of LOST and not taken. What waits for the network waits in a thread of its own (``seeker``).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np
import structlog

from acquisition.clock import Clock
from acquisition.decisions import Decision
from acquisition.discovery import MARKERS_WAIT_S, SourceSpec, StreamInfo, bind_stream
from acquisition.errors import BadInput, LostSource, StreamNotFound
from acquisition.formats.xdf_header import StreamHeader
from acquisition.inlet import Inlet
from acquisition.items import MARKERS, SIGNAL
from acquisition.link import STALLED_AFTER_S, Event, LinkState, State, observe
from acquisition.marker_feed import MarkerFeed
from acquisition.montage import Binding, Montage
from acquisition.rediscovery import Rediscovery
from acquisition.seeker import LOOK_S, Seeker
from acquisition.sender_clock import SenderClock
from acquisition.source import ClockOffset, Item, Judge, Raw, format_of, interleave, markers_header
from acquisition.timing import Timing

#: Seconds of one search for a stream that was never found.
SEARCH_S = 2.0
#: A stream whose rate turns out wrong so soon after its session has begun ends it; later it is left, and that is told.
BEGINNING_S = 15.0
#: States that are told as a warning.
_WORSE = (State.LATE, State.STALLED, State.LOST)

log = structlog.get_logger("source")


class Opened(NamedTuple):
    """A stream whose inlet is open."""

    info: StreamInfo
    binding: Binding
    inlet: Inlet


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
    known : StreamInfo or None
        The stream as the session has had it before: then it is looked for without end, and nothing else is taken.
    last_s : float
        This machine's LSL clock at the last sample that the session has; NaN for none.
    markers : SourceSpec or None
        The markers that are meant; None takes the signal's own.
    marked : bool
        Whether markers are looked for at all.
    seeker : Seeker or None
        The search, if it was begun already by ``seek_stream``.
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
        known: StreamInfo | None = None,
        last_s: float = math.nan,
        markers: SourceSpec | None = None,
        marked: bool = True,
        seeker: Seeker[tuple[StreamInfo, Binding], Opened] | None = None,
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
        self._known = known
        self._open: Opened | None = None
        self._seeker = seeker
        #: Streams that were refused after they had been opened, by uid.
        self._barred: dict[str, BadInput] = {}
        self._markers = MarkerFeed(clock, markers) if marked else None
        self._markers_named = markers
        self._sender = SenderClock()
        #: Samples so far, and those before the inlet was opened.
        self._at = self._opened_at = 0
        self._heard_s = 0.0
        #: Until when a wrong rate ends the session, and until when its first opening waits for markers.
        self._may_refuse_s = self._complete_s = -math.inf
        #: This machine's LSL clock at the newest sample that was taken.
        self._last_s = last_s
        #: Whether samples came since the inlet was opened: before, nobody knows of the hole that it closes.
        self._pulled = False
        self.finished = False
        self.pairing = None
        self.binding: Binding
        self.headers: Sequence[StreamHeader] = ()

    @property
    def state(self) -> tuple[str, str]:
        """The link's state and its cause in words."""
        refusal = self._seeker.refusal if self._seeker is not None and self._known is not None else None
        why = "" if refusal is None else refusal.message
        return self._link.state.name, self._link.cause(self._clock.monotonic_s(), why)

    @property
    def info(self) -> StreamInfo | None:
        """The stream as it was found last."""
        return self._known

    @property
    def timing(self) -> tuple[Timing, ...]:
        """How the stream's time runs."""
        measured = self._sender.newest
        return (
            replace(
                self._judge.timing,
                offset_s=self._sender.offset_s,
                uncertainty_s=None if measured is None else measured.uncertainty_s,
                measured_s_ago=None if measured is None else self._clock.lsl_s() - measured.time_s,
                drift_ppm=self._sender.drift_ppm,
            ),
        )

    def pull(self, timeout_s: float) -> list[Item]:
        """Return what came since the last call; while there is no stream, look for it.

        Raises
        ------
        StreamNotFound
            If no stream was found in time; one that was lost is looked for without end.
        AmbiguousStream, StreamRefused
            If several fit, or the one that was named does not, before the session has had one.
        RateError
            If it does not run at its nominal rate, in the session's first seconds.
        """
        if self._seek():
            return []  # so that whoever follows the states sees it connect
        if self._open is None or not self._is_complete():
            self._clock.sleep(min(timeout_s, LOOK_S))
            return []
        inlet = self._open.inlet
        offsets = self._offsets(inlet)  # first: an inlet that has filled for seconds holds samples as old as that
        try:
            raw = self._pull_raw(inlet, timeout_s)
        except LostSource as error:
            self._lose(error.message)
            return [*offsets]
        items = [*offsets, *self._judged(raw), *self._marked()]
        if len(raw):
            self._check_rate(inlet.info)
        return items

    def calibration_at(self, at: int) -> Decision | None:
        """Return the calibration that the judge knows for this place."""
        return self._judge.calibration_at(at)

    def close(self) -> None:
        """Let go of everything, and wait until that is done."""
        if self._seeker is not None:
            self._seeker.stop()
            self._seeker.join()
        if self._markers is not None:
            self._markers.close()
        if self._open is not None:
            self._open.inlet.close()
        self._open = self._seeker = None

    # -- finding --------------------------------------------------------------------------------

    def _seek(self) -> bool:
        """Search while there is no stream, or one that is silent; take what was found, and tell whether that is so."""
        if self._open is not None and self._link.state is not State.STALLED:
            self._end_search()
            return False
        if self._seeker is None:
            # A silent stream may be dead without LSL knowing; another one of its name is the same source again.
            silent = "" if self._open is None else self._open.info.uid
            self._seeker = seek_stream(
                self._criteria, self._montage, self._unit, known=self._known, barred=self._barred, silent=silent
            )
        opened = self._seeker.take()
        if opened is not None:
            self._adopt(opened)
        elif self._open is None:
            self._follow_search(self._seeker)
        return opened is not None

    def _follow_search(self, seeker: Seeker[tuple[StreamInfo, Binding], Opened]) -> None:
        refusal = seeker.refusal
        if seeker.opening and self._link.state is not State.CONNECTING:
            self._step(Event.FOUND)
        elif not seeker.opening and self._link.state is State.CONNECTING:
            self._step(Event.DIED, "" if refusal is None else refusal.message)
        if self._known is not None or not isinstance(refusal, BadInput):
            return
        if not isinstance(refusal, StreamNotFound) or self._clock.monotonic_s() >= self._give_up_s:
            raise refusal

    def _adopt(self, opened: Opened) -> None:
        self._seeker = None
        if self._open is not None:
            self._lose(f"{self._open.info.title} was started again while it was silent.")
        if self._link.state is not State.CONNECTING:
            self._step(Event.FOUND)
        if self._known is None:
            now_s = self._clock.monotonic_s()
            self._may_refuse_s, self._complete_s = now_s + BEGINNING_S, now_s + MARKERS_WAIT_S
        self._open, self._known, self.binding = opened, opened.info, opened.binding
        self.headers = self.headers or self._headers(opened.info)
        self._sender, self._pulled, self._opened_at = SenderClock(), False, self._at
        if self._markers is not None:
            self._markers.seek(opened.info)

    def _is_complete(self) -> bool:
        """Tell whether all inlets are open: whoever sends once they are must not lose its first markers."""
        if self._link.state is State.CONNECTING:
            now_s = self._clock.monotonic_s()
            if self._markers is not None and now_s < self._complete_s and not self._markers.hears():
                return False
            self._heard_s = now_s
            self._step(Event.OPENED)
        return True

    def _headers(self, signal: StreamInfo) -> tuple[StreamHeader, ...]:
        """Return the headers under which the signal and its markers, there or not, are recorded."""
        if self._markers is None:
            return (_header(signal),)
        beside = markers_header(signal.name, signal.source_id, signal.hostname)
        if (named := self._markers_named) is not None:
            beside = replace(beside, name=named.name or beside.name, source_id=named.source_id or "")
        return (_header(signal), beside)

    def _lose(self, why: str) -> None:
        assert self._open is not None
        self._open.inlet.leave()
        self._open = None
        self._end_search()
        self._step(Event.DIED, why)

    def _end_search(self) -> None:
        if self._seeker is not None:
            self._seeker.stop()
        self._seeker = None

    # -- pulling --------------------------------------------------------------------------------

    def _pull_raw(self, inlet: Inlet, timeout_s: float) -> Raw:
        chunk = inlet.pull(timeout_s)
        raw = Raw(chunk.samples, chunk.stamps_s)
        now_s = self._clock.monotonic_s()
        silent = now_s - self._heard_s >= STALLED_AFTER_S
        if len(raw):
            self._hear(raw, now_s, again=silent or not self._pulled)
        elif silent:
            self._step(Event.SILENT)
        return raw

    def _hear(self, raw: Raw, now_s: float, *, again: bool) -> None:
        """Learn how old what came is, and how much time has passed where nothing came."""
        lsl_s = self._clock.lsl_s()
        age_s = self._sender.heard(float(raw.stamps[-1]), lsl_s)
        span_s = float(raw.stamps[-1] - raw.stamps[0])
        taken_s = lsl_s - age_s
        if again and math.isfinite(self._last_s):
            passed_s = taken_s - (span_s if math.isfinite(span_s) else 0.0) - self._last_s
            self._judge.returned(passed_s, anew=not self._pulled)
        self._heard_s, self._last_s = now_s, taken_s
        self._step(observe(now_s, now_s, age_s, self._pulled and self._settled()))
        self._pulled = True

    def _judged(self, raw: Raw) -> list[Decision | Raw]:
        if not len(raw):
            return []
        column = self.binding.counter_column
        counters = None if column is None else raw.samples[:, column].astype(np.float64)
        first, self._at = self._at, self._at + len(raw)
        decisions = self._judge.judge(raw, counters)
        if any(decision.kind == "clock_reset" and decision.at > self._opened_at for decision in decisions):
            self._sender.reset()
        return list(interleave(raw, first, decisions))

    def _offsets(self, inlet: Inlet) -> list[ClockOffset]:
        offsets = inlet.take_offsets()
        for offset in offsets:
            self._sender.measured(offset)
        return [ClockOffset(SIGNAL, offset.sent_s, offset.offset_s) for offset in offsets]

    def _marked(self) -> list[Item]:
        """Return markers with the decisions on them; they wait for the first sample, from which places are counted."""
        if self._markers is None:
            return []
        self._markers.pull()
        offsets = self._markers.take_offsets()
        items: list[Item] = [ClockOffset(MARKERS, offset.sent_s, offset.offset_s) for offset in offsets]
        if not self._at:
            return items
        for marker, stamp_s in self._markers.take(self._sender.offset_s):
            decision = self._judge.marker(stamp_s, marker.text)
            items += [marker] if decision is None else [marker, decision]
        return items

    def _check_rate(self, info: StreamInfo) -> None:
        """Leave a stream that does not run at its nominal rate until it is started again."""
        refusal = self._judge.wrong_rate
        if refusal is None:
            return
        if self._clock.monotonic_s() < self._may_refuse_s:
            raise refusal
        self._barred[info.uid] = refusal
        self._lose(refusal.message)

    def _step(self, event: Event, why: str = "") -> None:
        """Follow an event; each change of state is one line of the log."""
        now_s = self._clock.monotonic_s()
        before, self._link = self._link, self._link.step(event, now_s)
        if self._link is not before:
            name = self._known.name if self._known is not None else self._criteria.words
            say = log.warning if self._link.state in _WORSE else log.info
            say("source", stream=name, state=self._link.state.name, cause=why or self._link.cause(now_s))


def seek_stream(
    criteria: SourceSpec,
    montage: Montage,
    unit: str | None = None,
    *,
    known: StreamInfo | None = None,
    barred: Mapping[str, BadInput] | None = None,
    silent: str = "",
) -> Seeker[tuple[StreamInfo, Binding], Opened]:
    """Begin to look for a stream, and to open it; from then on what it sends is kept.

    Parameters
    ----------
    criteria, montage, unit, known
        As for ``StreamSource``.
    barred, silent
        As for ``rediscovery.Rediscovery``.
    """
    if known is None:
        return Seeker(lambda: bind_stream(criteria, montage, unit, SEARCH_S), _opened, _let_go)
    return Seeker(Rediscovery(known, montage, unit, barred=barred, silent=silent).poll, _opened, _let_go)


def _opened(found: tuple[StreamInfo, Binding]) -> Opened:
    info, binding = found
    return Opened(info, binding, Inlet(info).open())


def _let_go(opened: Opened) -> None:
    opened.inlet.leave()


def _header(info: StreamInfo) -> StreamHeader:
    """Return the header under which a signal is recorded."""
    return StreamHeader(
        info.name,
        info.type,
        format_of(np.dtype(info.dtype)),
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
