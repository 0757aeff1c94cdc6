"""Find again what was lost, and what comes late, while a session runs: the very same stream, or words why it is not.

A session goes on with the source that it began with (law 6). An amplifier can be set up anew between two starts, two
can be given one id: then nothing is taken, the cause is told, and the search goes on for the right one.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from acquisition.clock import LiveClock
from acquisition.discovery import (
    AGREE_S,
    MARKERS_WAIT_S,
    Lookout,
    SourceSpec,
    StreamInfo,
    ambiguous,
    describe,
    fit,
    markers_of,
    own_markers,
    suffixed_markers,
)
from acquisition.errors import BadInput, StreamRefused
from acquisition.montage import Binding, Montage

#: Seconds between two askings for markers: they may be missing for the whole of a session.
MARKERS_ASK_S = 0.5
#: Channels that are named one by one where labels or units differ.
NAMED = 3
_REMEDY = "Set it up as it was, then start it again; or end this session and begin another."


class Rediscovery:
    """Looks for a stream that is known already.

    It is known by source_id and host, or by name and host where it states no source_id.

    Parameters
    ----------
    known : StreamInfo
        The stream as it was; what is empty in it (labels, units, dtype) is not known and may be anything.
    montage, unit
        As for ``discovery.bind_stream``.
    barred : mapping of str to BadInput
        Streams that are not to be taken, by uid, with the cause that is told.
    silent : str
        The uid of the stream that is open and silent: it is not found, but as long as it answers no other is it.
    """

    def __init__(
        self,
        known: StreamInfo,
        montage: Montage,
        unit: str | None = None,
        *,
        barred: Mapping[str, BadInput] | None = None,
        silent: str = "",
    ) -> None:
        self._known, self._montage, self._unit = known, montage, unit
        # A stream without a source_id is told by its name.
        name = None if known.source_id else known.name
        self._criteria = SourceSpec(name=name, source_id=known.source_id or None, hostname=known.hostname)
        self._barred = barred or {}
        self._silent = silent
        self._lookout = Lookout()
        self._clock = LiveClock()
        self._full: dict[str, StreamInfo] = {}
        self._first_s: dict[str, float] = {}

    def poll(self) -> tuple[StreamInfo, Binding] | None:
        """Return the stream as soon as it is there and no other has its name, or is the very one; else None.

        Raises
        ------
        StreamRefused
            If what is there was changed, or was barred.
        AmbiguousStream
            If several are it.
        """
        fitting: list[tuple[StreamInfo, Binding]] = []
        refusals: list[BadInput] = []
        for seen in self._candidates():
            try:
                if (found := self._checked(seen)) is not None:
                    fitting.append(found)
            except BadInput as refusal:
                refusals.append(refusal)
        same = [one for one in fitting if one[0].uid == self._known.uid != self._silent]
        if same:  # the connection broke, or we did: it lives on
            return same[0]
        if len(fitting) > 1:
            raise ambiguous([info for info, _ in fitting], self._criteria)
        if refusals and not fitting:
            raise refusals[0]
        others = [one for one in fitting if one[0].uid != self._silent]
        return others[0] if others and self._is_alone(others[0][0]) else None

    def _candidates(self) -> list[StreamInfo]:
        there = [s for s in self._lookout.look() if self._criteria.matches(s) and not s.is_text]
        # A device may give its id to several streams; then the name tells which is meant.
        named = [info for info in there if info.name == self._known.name]
        return named or there

    def _checked(self, seen: StreamInfo) -> tuple[StreamInfo, Binding] | None:
        """Return a candidate with its full description, or None if it has gone since."""
        if (refusal := self._barred.get(seen.uid)) is not None:
            raise refusal
        full = self._full.get(seen.uid) or describe(seen)
        if full is None:
            return None
        self._full[seen.uid] = full
        if (what := changes(self._known, full)) is not None:
            raise StreamRefused(f"{full.title} came back with {what}.", subject=full.name, remedy=_REMEDY)
        return full, fit(full, self._montage, self._unit)

    def _is_alone(self, info: StreamInfo) -> bool:
        """Tell whether another one of its name would have answered by now."""
        now_s = self._clock.monotonic_s()
        return now_s - self._first_s.setdefault(info.uid, now_s) >= AGREE_S


def changes(known: StreamInfo, info: StreamInfo) -> str | None:
    """Return what a stream has become since it was last seen, in words; None where it is what it was.

    Parameters
    ----------
    known : StreamInfo
        As it was; what is empty is not known.
    info : StreamInfo
        As it is, with its full description.
    """
    words = [
        _other("{:g} Hz", info.rate_hz, known.rate_hz),
        _other("{:g} channels", info.channel_count, known.channel_count),
        _other("samples of type {}", info.dtype, known.dtype),
    ]
    if not any(words):
        words = [_unlike("channel", info.labels, known.labels), _unlike("unit", info.units, known.units)]
    return " and ".join(word for word in words if word) or None


def _other(words: str, now: float | str, before: float | str) -> str:
    told = f"{before:g}" if isinstance(before, int | float) else before
    return f"{words.format(now)} instead of {told}" if before and now != before else ""


def _unlike(what: str, now: tuple[Any, ...], before: tuple[Any, ...]) -> str:
    """Return where two rows of labels or units differ; nothing where one of them is not known."""
    pairs = [f"{new or 'none'} instead of {old or 'none'}" for new, old in zip(now, before, strict=False) if new != old]
    if not pairs:
        return ""
    more = f" and {len(pairs) - NAMED} more" if len(pairs) > NAMED else ""
    return f"{what} {', '.join(pairs[:NAMED])}{more}"


class MarkerSearch:
    """Looks for a signal's markers while the session runs: cues may be started late, or again.

    Parameters
    ----------
    signal : StreamInfo
        The stream that they belong to.
    criteria : SourceSpec or None
        The markers that are meant; None takes the signal's own, as ``discovery.bind_markers`` tells them.
    """

    def __init__(self, signal: StreamInfo, criteria: SourceSpec | None = None) -> None:
        self._signal, self._criteria = signal, criteria
        self._lookout = Lookout(MARKERS_ASK_S)
        self._clock = LiveClock()
        self._all_s: float | None = self._clock.monotonic_s() + MARKERS_WAIT_S
        self._answered: dict[str, StreamInfo] = {}

    def poll(self) -> StreamInfo | None:
        """Return the marker stream as soon as there is one, and one alone; else None."""
        found = self._told(self._lookout.look())
        return describe(found[0]) if len(found) == 1 else None

    def _told(self, streams: list[StreamInfo]) -> list[StreamInfo]:
        """Return the markers that can be told by now: the only one on the host, once, when all have answered."""
        if self._criteria is not None:
            return markers_of(self._signal, self._criteria, streams)
        if self._all_s is None:
            return own_markers(self._signal, streams)
        self._answered |= {info.uid: info for info in streams}
        if self._clock.monotonic_s() < self._all_s:
            return suffixed_markers(self._signal, streams)
        self._all_s = None
        return markers_of(self._signal, None, list(self._answered.values()))
