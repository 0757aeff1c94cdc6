"""Partners: two streams that have a montage's channels together, such as those of an EEG and an EMG amplifier (law 10).

One stream that has all of them is preferred. Of two the first is the session's grid: as they were named, or else the
one with more EEG. Several pairs are refused as several streams are: never the first match.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from acquisition.clock import LiveClock
from acquisition.coverage import channels_in, pairs_of
from acquisition.discovery import WAIT_S, SourceSpec, StreamInfo, choose, find_streams, fit
from acquisition.errors import AmbiguousStream, StreamNotFound, StreamRefused
from acquisition.montage import Montage

_REMEDY = "Say which: --source-id ID --partner-source-id ID, and the hostnames where two share an ID."


@dataclass(frozen=True)
class Sources:
    """Where a session's signal comes from: one stream, or two that have the montage's channels together.

    Parameters
    ----------
    signal : StreamInfo
        Its samples are the session's grid.
    partner : StreamInfo or None
        The second stream.
    channels : tuple of str
        The channels that the montage takes from the partner, its sample counter among them if it has one.
    """

    signal: StreamInfo
    partner: StreamInfo | None = None
    channels: tuple[str, ...] = ()

    @property
    def streams(self) -> tuple[StreamInfo, ...]:
        """The stream, or both."""
        return (self.signal,) if self.partner is None else (self.signal, self.partner)

    @property
    def line(self) -> str:
        """The stream, or both, for people."""
        return " with ".join(info.line for info in self.streams)


#: A signal's stream and a partner's that may be meant.
Couple = tuple[StreamInfo, StreamInfo]


def bind_sources(
    criteria: SourceSpec,
    partner: SourceSpec | None,
    montage: Montage,
    unit: str | None = None,
    wait_s: float = WAIT_S,
) -> Sources:
    """Return the one stream, or the one pair of streams, that is meant.

    Parameters
    ----------
    criteria : SourceSpec
        What is known of the signal's stream.
    partner : SourceSpec or None
        What is known of the second stream; None takes a second one only where no single stream fits.
    montage, unit, wait_s
        As for ``discovery.bind_stream``.

    Raises
    ------
    StreamNotFound, AmbiguousStream, StreamRefused
        If there is none, more than one, or it does not fit the montage.
    """
    asked = [criteria] if partner is None else [criteria, partner]
    clock = LiveClock()
    end_s = clock.monotonic_s() + wait_s
    seen: dict[str, StreamInfo] = {}
    while True:
        left_s = end_s - clock.monotonic_s()
        found = find_streams(left_s, lambda streams: all(any(map(one.matches, streams)) for one in asked))
        seen |= {info.uid: info for info in found}
        try:
            return choose_sources(list(seen.values()), criteria, partner, montage, unit)
        except (StreamNotFound, StreamRefused):
            # Half of a pair may answer sooner than the other; what no partner can complete is refused at once.
            if clock.monotonic_s() >= end_s or not any(_is_half(info, montage) for info in seen.values()):
                raise


def choose_sources(
    seen: Sequence[StreamInfo],
    criteria: SourceSpec,
    partner: SourceSpec | None,
    montage: Montage,
    unit: str | None = None,
) -> Sources:
    """Decide among the streams of the network: the pure part of ``bind_sources``.

    Parameters
    ----------
    seen : sequence of StreamInfo
        All on the network, with full descriptions.
    criteria, partner, montage, unit
        As for ``bind_sources``.
    """
    if partner is not None:
        return _only(_named(seen, criteria, partner, montage), montage, unit)
    try:
        return Sources(choose(list(filter(criteria.matches, seen)), seen, criteria, montage, unit)[0])
    except StreamRefused:
        couples = [couple for couple in couples_of(seen, montage) if any(map(criteria.matches, couple))]
        if not couples:
            raise
    return _only(couples, montage, unit)


def couples_of(seen: Sequence[StreamInfo], montage: Montage) -> list[Couple]:
    """Return every two streams that have each of the montage's channels exactly once, the one with more EEG first.

    Parameters
    ----------
    seen : sequence of StreamInfo
        With full descriptions.
    montage : Montage
    """
    some = [info for info in seen if _is_half(info, montage)]
    return [(some[one], some[two]) for one, two in pairs_of(montage, [info.labels for info in some])]


def halves(montage: Montage, channels: Sequence[str]) -> tuple[Montage, Montage]:
    """Return what the signal's stream and what the partner's stream must have.

    Parameters
    ----------
    montage : Montage
        The whole.
    channels : sequence of str
        Of the partner, as in ``Sources.channels``.
    """
    own = tuple(channel for channel in montage.channels if channel.label not in channels)
    others = tuple(channel for channel in montage.channels if channel.label in channels)
    second = replace(montage, channels=others)
    if montage.counter not in channels:
        second = replace(second, counter=None, counter_modulo=None)
    return replace(montage, channels=own), second


def fit_pair(signal: StreamInfo, partner: StreamInfo, montage: Montage, unit: str | None = None) -> Sources:
    """Return two streams as the sources of a montage.

    A channel that both have is the signal's. The montage's sample counter must be in the signal's stream; it is used in
    the partner's too, where it is there.

    Parameters
    ----------
    signal, partner : StreamInfo
    montage, unit
        As for ``bind_sources``.

    Raises
    ------
    StreamRefused
        If they do not have the montage's channels together, or one of them does not fit by itself.
    """
    own, others = channels_in(montage, signal.labels), channels_in(montage, partner.labels)
    channels = tuple(label for label in montage.labels if label in others - own)
    missing = [label for label in montage.labels if label not in own | others]
    idle = next((info for info, some in ((signal, own), (partner, channels)) if not some), None)
    if missing or idle is not None:
        lacking = f"lack {', '.join(missing)} of" if idle is None else f"are one too many: {idle.words} adds nothing to"
        message = f"{signal.title} and {partner.words} together {lacking} montage {montage.name}."
        raise StreamRefused(message, subject=montage.name, remedy="Name the two that are meant.")
    counter = montage.counter
    if counter is not None and counter.casefold() in (label.strip().casefold() for label in partner.labels):
        channels = (*channels, counter)
    for info, half in zip((signal, partner), halves(montage, channels), strict=True):
        fit(info, half, unit)
    return Sources(signal, partner, channels)


def _named(seen: Sequence[StreamInfo], criteria: SourceSpec, partner: SourceSpec, montage: Montage) -> list[Couple]:
    """Return the couples that were asked for, in the order that was asked for."""
    signals, partners = (
        [info for info in seen if asked.matches(info) and not info.is_text] for asked in (criteria, partner)
    )
    if not signals or not partners:
        choose([], seen, partner if signals else criteria, montage)  # refuses with what there is
    couples = [(one, other) for one in signals for other in partners if one is not other]
    if not couples:
        message = f"{signals[0].title} was named twice."
        raise StreamRefused(message, subject=signals[0].name, remedy="Name two streams, or leave the partner out.")
    return couples


def _only(couples: Sequence[Couple], montage: Montage, unit: str | None) -> Sources:
    """Return the one couple that fits; a single one that does not is refused with its reason."""
    if len(couples) == 1:
        return fit_pair(*couples[0], montage, unit)
    fitting = []
    for couple in couples:
        try:
            fitting.append(fit_pair(*couple, montage, unit))
        except StreamRefused:  # one of several that may be meant
            continue
    if len(fitting) == 1:
        return fitting[0]
    if not fitting:
        message = f"None of {len(couples)} pairs of streams fits montage {montage.name}."
        raise StreamRefused(message, subject=montage.name, remedy=_REMEDY)
    listed = "; ".join(pair.line for pair in fitting)
    message = f"{len(fitting)} pairs of streams have the channels of montage {montage.name}: {listed}."
    raise AmbiguousStream(message, subject=montage.name, remedy=_REMEDY)


def _is_half(info: StreamInfo, montage: Montage) -> bool:
    """Tell whether a stream has some of the montage's channels, at its rate, but not all."""
    n_channels = len(channels_in(montage, info.labels))
    return not info.is_text and info.rate_hz == montage.rate_hz and 0 < n_channels < montage.n_channels
