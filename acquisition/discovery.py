"""Find the one LSL stream that is meant, and refuse anything else with words (law 10).

Never the first match of a name: on a ward several rooms share a network, and the wrong patient is worse than none. All
streams are resolved, filtered by what was asked, and only a single one that fits the montage is bound.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, fields, replace

import pylsl
from pylsl.util import LostError
from pylsl.util import TimeoutError as LslTimeout

from acquisition.clock import LiveClock
from acquisition.errors import AmbiguousStream, BadInput, StreamNotFound, StreamRefused
from acquisition.montage import Binding, Montage
from acquisition.outlet import MARKERS_SUFFIX, MARKERS_TYPE

#: Longest search for a stream, in s.
WAIT_S = 5.0
#: Silence of the resolver in s after which all are taken to have answered: multicast first, each port after 0.5 s.
QUIET_S = 1.2
#: Longest search for a marker stream in s: beside its signal it answers in the same round, or there is none.
MARKERS_WAIT_S = 1.5
#: How often the resolver's answers are looked at, in s.
LOOK_S = 0.02
#: Seconds within which all answer that are of one source_id and host: by multicast or by port, it is one asking. Only
#: where LSL keeps to one machine the newest answers the multicast and the others their ports, half a second later.
AGREE_S = 0.1
#: Seconds between two askings of the network for what may come back at any moment. One search of LSL asks once a
#: second (an outlet was found 0.1 to 1.1 s after it was made), so that a new one is begun each time.
ASK_S = 0.25
#: Seconds that answers to one asking are awaited: peers that LSL's settings name are asked 0.5 s after the multicast.
ANSWERS_S = 1.0
#: Longest wait for one stream's full description, in s.
DESCRIBE_S = 2.0
#: numpy's name of each of LSL's sample formats.
DTYPES = {1: "float32", 2: "float64", 3: "str", 4: "int32", 5: "int16", 6: "int8", 7: "int64"}


@dataclass(frozen=True)
class SourceSpec:
    """Which stream is meant; what is None may be anything.

    Parameters
    ----------
    name, source_id, hostname, type : str, optional
        As the stream states them, to the letter.
    """

    name: str | None = None
    source_id: str | None = None
    hostname: str | None = None
    type: str | None = None

    def matches(self, info: StreamInfo) -> bool:
        """Tell whether a stream states everything that was asked for."""
        return all(getattr(info, key) == value for key, value in self._asked())

    @property
    def words(self) -> str:
        """What was asked for, for people."""
        return " and ".join(f"{key} {value!r}" for key, value in self._asked()) or "any signal"

    def _asked(self) -> list[tuple[str, str]]:
        return [(f.name, getattr(self, f.name)) for f in fields(self) if getattr(self, f.name) is not None]


@dataclass(frozen=True)
class StreamInfo:
    """A stream on the network.

    Parameters
    ----------
    name, type, source_id, hostname, uid : str
        As it states them; ``uid`` changes with each start of its outlet, ``source_id`` does not.
    channel_count : int
        Number of columns.
    rate_hz : float
        Nominal rate; 0 for irregular streams such as markers.
    dtype : str
        numpy's name of the sample type; ``str`` for texts.
    labels : tuple of str
        One per column; empty where it states none.
    units : tuple of (str or None)
        One per label; None where it states none.
    kinds : tuple of str
        One per label: the channel's type in the stream's own word; empty where it states none.
    origin : str
        ``simulated`` or ``recorded`` where it says so, else ``live``.
    xml : str
        Its full description.
    handle : pylsl.StreamInfo
        LSL's own object, with which an inlet is opened; not compared.
    """

    name: str
    type: str
    source_id: str
    hostname: str
    uid: str
    channel_count: int
    rate_hz: float
    dtype: str
    labels: tuple[str, ...] = ()
    units: tuple[str | None, ...] = ()
    kinds: tuple[str, ...] = ()
    origin: str = "live"
    xml: str = field(default="", repr=False)
    handle: pylsl.StreamInfo = field(default=None, compare=False, repr=False)

    @property
    def is_text(self) -> bool:
        """Whether it carries texts and not a signal."""
        return self.dtype == "str"

    @property
    def words(self) -> str:
        """The stream and its machine, for people."""
        return f"stream {self.name!r} on {self.hostname}"

    @property
    def title(self) -> str:
        """The same at the head of a sentence."""
        return self.words[0].upper() + self.words[1:]

    @property
    def line(self) -> str:
        """All by which it can be told from another, for people."""
        return (
            f"{self.name!r} on {self.hostname} (type {self.type!r}, source_id {self.source_id!r}, "
            f"{self.channel_count} channels, {self.rate_hz:g} Hz)"
        )

    @classmethod
    def of(cls, handle: pylsl.StreamInfo) -> StreamInfo:
        """Read LSL's own object; a full description has labels, one from the resolver has none."""
        labels = tuple(label or "" for label in handle.get_channel_labels() or ())
        units = tuple(unit or None for unit in handle.get_channel_units() or ())
        kinds = tuple(kind or "" for kind in handle.get_channel_types() or ())
        return cls(
            name=handle.name(),
            type=handle.type(),
            source_id=handle.source_id(),
            hostname=handle.hostname(),
            uid=handle.uid(),
            channel_count=handle.channel_count(),
            rate_hz=handle.nominal_srate(),
            dtype=DTYPES[handle.channel_format()],
            labels=labels,
            units=units or (None,) * len(labels),
            kinds=kinds or ("",) * len(labels),
            origin=handle.desc().child_value("origin") or "live",
            xml=handle.as_xml(),
            handle=handle,
        )


def find_streams(wait_s: float = WAIT_S, enough: Callable[[Sequence[StreamInfo]], bool] = bool) -> list[StreamInfo]:
    """Return every stream on the network with its full description, by name and host.

    Parameters
    ----------
    wait_s : float
        Longest search. It ends sooner when no new stream has answered for ``QUIET_S``.
    enough : callable
        Tells whether those that have answered, without their descriptions, are all that is looked for.
    """
    found = _resolve(wait_s, enough)
    described = [full for info in found if (full := describe(info)) is not None]
    return sorted(described, key=lambda info: (info.name, info.hostname, info.source_id))


def bind_stream(
    criteria: SourceSpec, montage: Montage, unit: str | None = None, wait_s: float = WAIT_S
) -> tuple[StreamInfo, Binding]:
    """Return the one signal stream that is meant, and how its columns become the montage's channels.

    Where several match the criteria, those that fit the montage are preferred: a microphone in the room is no reason to
    ask. Two that fit are.

    Parameters
    ----------
    criteria : SourceSpec
        What is known of it.
    montage : Montage
        What it must have: channels, rate.
    unit : str, optional
        The user's word for channels whose unit is unstated.
    wait_s : float
        Longest search.

    Raises
    ------
    StreamNotFound
        If none matches within `wait_s`.
    AmbiguousStream
        If several match and fit.
    StreamRefused
        If what matches does not fit; the cause says why.
    """
    quiet_s = AGREE_S if criteria.source_id and criteria.hostname else QUIET_S
    seen = _resolve(wait_s, lambda streams: any(criteria.matches(s) and not s.is_text for s in streams), quiet_s)
    matching = [full for info in seen if criteria.matches(info) and (full := describe(info)) is not None]
    return choose(matching, seen, criteria, montage, unit)


class Lookout:
    """The streams that answer now, asked for again and again without waiting for any of them.

    Parameters
    ----------
    ask_s : float
        Seconds between two askings.
    """

    def __init__(self, ask_s: float = ASK_S) -> None:
        self._ask_s = ask_s
        self._clock = LiveClock()
        self._searches: deque[tuple[float, pylsl.ContinuousResolver]] = deque()
        self._known: dict[str, StreamInfo] = {}

    def look(self) -> list[StreamInfo]:
        """Return who has answered in the last ``ANSWERS_S``, without their full descriptions."""
        now_s = self._clock.monotonic_s()
        while self._searches and now_s - self._searches[0][0] > ANSWERS_S:
            self._searches.popleft()
        if not self._searches or now_s - self._searches[-1][0] >= self._ask_s:
            self._searches.append((now_s, pylsl.ContinuousResolver()))
        found = {handle.uid(): handle for _, search in self._searches for handle in search.results()}
        self._known = {uid: self._known.get(uid) or StreamInfo.of(handle) for uid, handle in found.items()}
        return list(self._known.values())


def bind_markers(
    signal: StreamInfo, criteria: SourceSpec | None = None, wait_s: float = MARKERS_WAIT_S
) -> StreamInfo | None:
    """Return the marker stream that belongs to a signal; None where there is none that can be told.

    It is the one that was named; else the one whose source_id is the signal's and ``-markers``; else the one whose
    source_id is the signal's own, as of MNE-LSL's annotations; else the only one of type ``Markers`` on its host
    that is not called after another signal.

    Raises
    ------
    StreamNotFound, AmbiguousStream
        If one was named, and none or several are that.
    """
    seen = _resolve(wait_s, lambda streams: criteria is None and bool(suffixed_markers(signal, streams)), quiet_s=0.0)
    found = markers_of(signal, criteria, seen)
    if len(found) > 1 and criteria is not None:
        raise ambiguous(found, criteria)
    if not found and criteria is not None:
        raise _not_found(criteria, seen)
    return describe(found[0]) if len(found) == 1 else None


def choose(
    matching: Sequence[StreamInfo],
    seen: Sequence[StreamInfo],
    criteria: SourceSpec,
    montage: Montage,
    unit: str | None = None,
) -> tuple[StreamInfo, Binding]:
    """Decide among streams that match the criteria: the pure part of ``bind_stream``.

    Parameters
    ----------
    matching : sequence of StreamInfo
        With full descriptions.
    seen : sequence of StreamInfo
        All on the network, for the words of a refusal.
    criteria, montage, unit
        As for ``bind_stream``.
    """
    fitting: list[tuple[StreamInfo, Binding]] = []
    refusals: list[StreamRefused] = []
    for info in matching:
        try:
            fitting.append((info, fit(info, montage, unit)))
        except StreamRefused as refusal:
            refusals.append(refusal)
    if len(fitting) > 1:
        raise ambiguous([info for info, _ in fitting], criteria)
    if fitting:
        return fitting[0]
    signals = [r for r, info in zip(refusals, matching, strict=True) if not info.is_text] or refusals
    if not signals:
        raise _not_found(criteria, seen)
    if len(signals) == 1:
        raise signals[0]
    message = f"None of {len(signals)} streams fits montage {montage.name}: " + " ".join(r.message for r in signals)
    raise StreamRefused(message, subject=montage.name, remedy="Name the one that is meant, or give another montage.")


def fit(info: StreamInfo, montage: Montage, unit: str | None = None) -> Binding:
    """Return how a stream's columns become the montage's channels.

    Raises
    ------
    StreamRefused
        If kind, rate, number of labels, channels or units do not fit.
    """
    if info.is_text:
        raise _refused(info, "carries texts, not a signal", "Name the signal's stream; markers are found beside it.")
    if info.rate_hz != montage.rate_hz:
        what = f"runs at {info.rate_hz:g} Hz; montage {montage.name} needs {montage.rate_hz:g} Hz"
        raise _refused(info, what, "Set the amplifier to that rate; a live stream is never resampled.")
    if len(info.labels) != info.channel_count:
        what = f"has {info.channel_count} channels and labels {len(info.labels)} of them"
        raise _refused(info, what, "Label every channel in the amplifier's software; channels are matched by label.")
    try:
        return montage.bind(info.labels, info.units, unit=unit)
    except BadInput as error:
        message = f"{info.title} does not fit: {error.message}"
        raise StreamRefused(message, subject=info.name, remedy=error.remedy) from error


def markers_of(signal: StreamInfo, criteria: SourceSpec | None, streams: Sequence[StreamInfo]) -> list[StreamInfo]:
    """Return the streams that may be a signal's markers, as ``bind_markers`` tells them; more than one is ambiguous."""
    if criteria is not None:
        return [info for info in streams if info.is_text and criteria.matches(info)]
    others = {info.source_id + MARKERS_SUFFIX for info in streams if not info.is_text and info.source_id}
    beside = [i for i in streams if i.is_text and i.type == MARKERS_TYPE and i.hostname == signal.hostname]
    return own_markers(signal, streams) or [info for info in beside if info.source_id not in others]


def own_markers(signal: StreamInfo, streams: Sequence[StreamInfo]) -> list[StreamInfo]:
    """Return the markers that a signal's source_id tells."""
    own = [info for info in streams if signal.source_id and info.is_text and info.source_id == signal.source_id]
    return suffixed_markers(signal, streams) or own


def suffixed_markers(signal: StreamInfo, streams: Sequence[StreamInfo]) -> list[StreamInfo]:
    """Return the markers that are called after a signal's source_id: no others are meant."""
    own_id = signal.source_id + MARKERS_SUFFIX
    return [info for info in streams if signal.source_id and info.is_text and info.source_id == own_id]


def _resolve(wait_s: float, enough: Callable[[list[StreamInfo]], bool], quiet_s: float = QUIET_S) -> list[StreamInfo]:
    """Listen until enough have answered and no new one has for `quiet_s`, or `wait_s` is over.

    LSL's blocking search is not used: asked for 0.5 s it can return after 5.5 (liblsl 1.18.0.b6, measured).
    """
    clock = LiveClock()
    lookout = Lookout()
    begun_s = news_s = clock.monotonic_s()
    found: dict[str, StreamInfo] = {}
    while (now_s := clock.monotonic_s()) - begun_s < wait_s:
        new = {info.uid: info for info in lookout.look() if info.uid not in found}
        if new:
            news_s = now_s
            found |= new
        if now_s - news_s >= quiet_s and enough(list(found.values())):
            break
        clock.sleep(LOOK_S)
    return list(found.values())


def describe(info: StreamInfo) -> StreamInfo | None:
    """Ask a stream for its full description; None when it has gone since."""
    try:
        full = StreamInfo.of(pylsl.StreamInlet(info.handle, recover=False).info(DESCRIBE_S))
    except (LostError, LslTimeout):
        return None
    # The description that a stream gives of itself does not say where it was reached: an inlet of it never opens.
    return replace(full, handle=info.handle)


def _refused(info: StreamInfo, what: str, remedy: str) -> StreamRefused:
    return StreamRefused(f"{info.title} {what}.", subject=info.name, remedy=remedy)


def ambiguous(found: Sequence[StreamInfo], criteria: SourceSpec) -> AmbiguousStream:
    """Return the refusal of several streams where one is meant."""
    message = f"{len(found)} streams are {criteria.words}: " + "; ".join(info.line for info in found) + "."
    return AmbiguousStream(message, subject=criteria.words, remedy="Say which: by source_id and hostname.")


def _not_found(criteria: SourceSpec, seen: Sequence[StreamInfo]) -> StreamNotFound:
    there = "; ".join(info.line for info in seen) if seen else "none at all"
    remedy = "Start it, or open UDP 16571 and TCP 16572-16604 between the two machines."
    return StreamNotFound(
        f"No stream on the network is {criteria.words}; there is {there}.", subject=criteria.words, remedy=remedy
    )
