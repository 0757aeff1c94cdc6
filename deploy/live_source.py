"""Live source: the stream or the two streams that a session names, opened to go on where its folder ends (law 6).

A session goes on with the streams that it began with: what an earlier life recorded of them is what is looked for. The
search begins before anything else: from the opening of an inlet on nothing is lost, however long the rest takes.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from acquisition.clock import Clock
from acquisition.clock_map import brought_over
from acquisition.discovery import SourceSpec, StreamInfo
from acquisition.formats.xdf import read_headers
from acquisition.formats.xdf_header import DTYPES, StreamHeader
from acquisition.items import PARTNER, SIGNAL
from acquisition.montage import Binding, Montage
from acquisition.pair_source import PairSource
from acquisition.pairer import Pairer
from acquisition.partners import halves
from acquisition.seeker import Seeker
from acquisition.sender_clock import FOREIGN_S
from acquisition.session import SessionFolder
from acquisition.source import Judge, Source, StampJudge
from acquisition.stamps import StampDecider
from acquisition.stream_source import Opened, StreamSource, seek_stream
from acquisition.tape import ResumePoint

#: Seconds until a stream that was seen when the session was opened must be found again by its bridge.
FIND_S = 60.0


class Searches:
    """The searches for a session's streams, begun at once.

    Of two streams that the session has not had before the second is found first: then the first rows have partners.

    Parameters
    ----------
    folder : SessionFolder
        The session; it need not be recovered yet.
    montage : Montage
        Its channels.
    """

    def __init__(self, folder: SessionFolder, montage: Montage) -> None:
        source: Mapping[str, Any] = folder.info.source or {}
        partner: Mapping[str, Any] | None = source.get("partner")
        self.halves = (montage, montage) if partner is None else halves(montage, partner["channels"])
        self.headers = _headers(folder)
        unit = folder.info.unit
        waits = partner is not None and not self.headers
        self.streams = {SIGNAL: self._begin(SIGNAL, source, self.halves[0], unit, waits=waits)}
        if partner is not None:
            self.streams[PARTNER] = self._begin(PARTNER, partner, self.halves[1], unit)

    def _begin(
        self, stream: int, named: Mapping[str, Any], montage: Montage, unit: str | None, *, waits: bool = False
    ) -> Search:
        """Look for one stream; one that the session has had before is looked for without end."""
        criteria = SourceSpec(named["name"], named["source_id"], named["hostname"])
        known = _stream_of(self.headers[stream]) if stream < len(self.headers) else None
        return Search(criteria, known, None if waits else seek_stream(criteria, montage, unit, known=known))

    def close(self) -> None:
        """End what nobody has taken."""
        for search in self.streams.values():
            if search.seeker is not None:
                search.seeker.stop()


class Search(NamedTuple):
    """One stream that is looked for."""

    criteria: SourceSpec
    known: StreamInfo | None
    seeker: Seeker[tuple[StreamInfo, Binding], Opened] | None


def open_live(
    folder: SessionFolder,
    montage: Montage,
    point: ResumePoint,
    clock: Clock,
    searches: Searches,
    *,
    judge: Judge | None = None,
    settled: Callable[[], bool],
) -> Source:
    """Return the live source of a session.

    Parameters
    ----------
    folder : SessionFolder
        The session.
    montage : Montage
        Its channels.
    point : ResumePoint
        Where its folder ends.
    clock : Clock
        Time.
    searches : Searches
        For its streams.
    judge : Judge, optional
        Takes the decisions; from the stamps by default.
    settled : callable
        Tells whether the filters have settled.
    """
    info = folder.info
    first, second = searches.halves
    signal = _stream(
        searches.streams[SIGNAL],
        first,
        judge or _judge(first, point),
        clock,
        info.unit,
        last_s=_last_s(folder, point, clock),
        markers=_markers(info.markers_source),
        settled=settled,
    )
    if PARTNER not in searches.streams:
        return signal
    place = {"part": point.part, "next_sample": point.next_sample, "next_segment": point.next_segment}
    beginning = ResumePoint(point.part, 0, 0, None)  # the partner's own count is this life's alone
    return PairSource(
        signal,
        _stream(searches.streams[PARTNER], second, _judge(second, beginning), clock, info.unit, marked=False),
        montage,
        lambda columns: Pairer(montage.rate_hz, columns, **place),
        clock,
        unit=info.unit,
        partner_header=dict(enumerate(searches.headers)).get(PARTNER),
    )


def _stream(
    search: Search, montage: Montage, judge: Judge, clock: Clock, unit: str | None, **more: Any
) -> StreamSource:
    return StreamSource(
        search.criteria,
        montage,
        judge,
        clock,
        unit=unit,
        patience_s=FIND_S,
        known=search.known,
        seeker=search.seeker,
        **more,
    )


def _judge(montage: Montage, point: ResumePoint) -> StampJudge:
    """Return what judges a stream by its stamps."""
    decider = StampDecider(
        montage.rate_hz,
        part=point.part,
        next_sample=point.next_sample,
        next_segment=point.next_segment,
        counter_modulo=montage.counter_modulo,
        previous=point.previous,
        any_rate=True,  # the source is told, and ends the session or leaves the stream
    )
    return StampJudge(decider, montage)


def _markers(named: Mapping[str, Any] | None) -> SourceSpec | None:
    """Return the markers that the session began with; by their host only where they have no id."""
    if named is None:
        return None
    source_id = named["source_id"] or None
    return SourceSpec(named["name"], source_id, None if source_id else named["hostname"])


def _headers(folder: SessionFolder) -> tuple[StreamHeader, ...]:
    """Return the streams of the newest part, as they were then."""
    parts = folder.part_numbers()
    return read_headers(folder.part_path(parts[-1])) if parts else ()


def _stream_of(header: StreamHeader) -> StreamInfo:
    """Return a recorded stream as the network would describe it."""
    return StreamInfo(
        header.name,
        header.type,
        header.source_id,
        header.hostname,
        header.uid,
        header.channel_count,
        header.rate_hz,
        DTYPES[header.channel_format].name,
        header.labels,
        header.units,
        header.kinds,
    )


def _last_s(folder: SessionFolder, point: ResumePoint, clock: Clock) -> float:
    """Return where this machine's LSL clock stood at the last sample that the session has; NaN where nothing tells."""
    parts = [part for part in folder.part_numbers() if len(folder.streams(part)[SIGNAL].stamps)]
    begun = {entry["part"]: entry for entry in folder.info.clock}
    if point.previous is None or not parts or parts[-1] not in begun:
        return math.nan
    newest = begun[parts[-1]]
    offset_s = _offset_s(folder, [part for part in parts if begun.get(part, {}).get("boot") == newest.get("boot")])
    first_s = float(folder.streams(parts[-1])[SIGNAL].stamps[0]) + offset_s
    if not abs(first_s - newest["lsl_s"]) <= FOREIGN_S:
        return math.nan  # never measured, or stamped by a clock that nobody measures
    return brought_over(point.previous.stamp_s + offset_s, parts[-1], folder.info.clock, clock)


def _offset_s(folder: SessionFolder, parts: Sequence[int]) -> float:
    """Return the newest clock offset of some parts; a life that was short has measured none. NaN for none at all."""
    measured = [offsets for part in parts if len(offsets := folder.streams(part)[SIGNAL].offsets)]
    return float(measured[-1][-1, 1]) if measured else math.nan
