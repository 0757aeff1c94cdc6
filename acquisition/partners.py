"""Partners: two streams that have a montage's channels together, such as those of an EEG and an EMG amplifier (law 10).

One stream that has all of them is preferred. Of two the first is the session's grid: as they were named, or else the
one with more EEG. Several pairs are refused as several streams are: never the first match.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import permutations

from acquisition.discovery import WAIT_S, SourceSpec, StreamInfo, choose, find_streams, fit
from acquisition.errors import AmbiguousStream, StreamRefused
from acquisition.montage import Channel, Montage

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
    seen = find_streams(wait_s, lambda streams: all(any(map(one.matches, streams)) for one in asked))
    return choose_sources(seen, criteria, partner, montage, unit)


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
        return _named(seen, criteria, partner, montage, unit)
    try:
        return Sources(choose(list(filter(criteria.matches, seen)), seen, criteria, montage, unit)[0])
    except StreamRefused:
        pairs = [pair for pair in pairs_of(seen, montage, unit) if any(map(criteria.matches, pair.streams))]
        if not pairs:
            raise
    return _only(pairs, montage)


def pairs_of(seen: Sequence[StreamInfo], montage: Montage, unit: str | None = None) -> list[Sources]:
    """Return every pair of streams that has each of the montage's channels exactly once, the one with more EEG first.

    Parameters
    ----------
    seen : sequence of StreamInfo
        With full descriptions.
    montage, unit
        As for ``bind_sources``.
    """
    return list(_fitting(permutations(seen, 2), montage, unit))


def halves(montage: Montage, channels: Sequence[str]) -> tuple[Montage, Montage]:
    """Return what the signal's stream and what the partner's stream must have.

    Parameters
    ----------
    montage : Montage
        The whole.
    channels : sequence of str
        Of the partner, as in ``Sources.channels``.
    """
    own = [channel for channel in montage.channels if channel.label not in channels]
    others = [channel for channel in montage.channels if channel.label in channels]
    counted = montage.counter in channels
    return replace(montage, channels=tuple(own)), replace(
        montage,
        channels=tuple(others),
        counter=montage.counter if counted else None,
        counter_modulo=montage.counter_modulo if counted else None,
    )


def fit_pair(
    signal: StreamInfo, partner: StreamInfo, montage: Montage, unit: str | None = None, *, disjoint: bool = False
) -> Sources:
    """Return two streams as the sources of a montage.

    A channel that both have is the signal's. The montage's sample counter must be in the signal's stream; it is used in
    the partner's too, where it is there.

    Parameters
    ----------
    signal, partner : StreamInfo
    montage, unit
        As for ``bind_sources``.
    disjoint : bool
        Refuse a channel that both have.

    Raises
    ------
    StreamRefused
        If they do not have the montage's channels together, or one of them does not fit by itself.
    """
    own, others = _covered(signal, montage), _covered(partner, montage)
    both = [label for label in own if label in others]
    missing = [label for label in montage.labels if label not in own and label not in others]
    channels = [label for label in others if label not in own]
    what = ""
    if missing:
        what = f"lack {', '.join(missing)} of montage {montage.name}"
    elif not own or not channels:
        lacking = signal if not own else partner
        what = f"are one too many: {lacking.words} adds no channel of montage {montage.name}"
    elif disjoint and both:
        what = f"both have {', '.join(both)}"
    if what:
        message = f"{signal.title} and {partner.words} together {what}."
        raise StreamRefused(message, subject=montage.name, remedy="Name the two that are meant.")
    if montage.counter is not None and _has(partner, Channel(montage.counter, "eeg")):
        channels.append(montage.counter)
    first, second = halves(montage, channels)
    fit(signal, first, unit)
    fit(partner, second, unit)
    return Sources(signal, partner, tuple(channels))


def _named(
    seen: Sequence[StreamInfo], criteria: SourceSpec, partner: SourceSpec, montage: Montage, unit: str | None
) -> Sources:
    """Choose among the pairs that were asked for, in the order that was asked for."""
    signals, partners = (
        [info for info in seen if asked.matches(info) and not info.is_text] for asked in (criteria, partner)
    )
    asked = [(one, other) for one in signals for other in partners if one is not other]
    if not signals or not partners:
        choose([], seen, partner if signals else criteria, montage)  # refuses with what there is
    if not asked:
        message = f"{signals[0].title} was named twice."
        raise StreamRefused(message, subject=signals[0].name, remedy="Name two streams, or leave the partner out.")
    if len(asked) == 1:
        return fit_pair(*asked[0], montage, unit)  # or refuses with the reason
    if fitting := list(_fitting(asked, montage, unit, as_named=True)):
        return _only(fitting, montage)
    message = f"None of the {len(asked)} pairs of streams that were named fits montage {montage.name}."
    raise StreamRefused(message, subject=montage.name, remedy=_REMEDY)


def _fitting(
    pairs: Iterable[tuple[StreamInfo, ...]], montage: Montage, unit: str | None, *, as_named: bool = False
) -> Iterator[Sources]:
    for signal, partner in pairs:
        if not as_named and _rank(signal, montage) < _rank(partner, montage):
            continue
        try:
            yield fit_pair(signal, partner, montage, unit, disjoint=not as_named)
        except StreamRefused:
            continue


def _rank(info: StreamInfo, montage: Montage) -> tuple[int, str, str, str]:
    """Return what decides which of two comes first: the EEG, then something that is the same every time."""
    n_eeg = sum(channel.kind == "eeg" and _has(info, channel) for channel in montage.channels)
    return n_eeg, info.source_id, info.hostname, info.name


def _only(pairs: Sequence[Sources], montage: Montage) -> Sources:
    if len(pairs) == 1:
        return pairs[0]
    listed = "; ".join(pair.line for pair in pairs)
    message = f"{len(pairs)} pairs of streams have the channels of montage {montage.name}: {listed}."
    raise AmbiguousStream(message, subject=montage.name, remedy=_REMEDY)


def _covered(info: StreamInfo, montage: Montage) -> tuple[str, ...]:
    """Return the montage's channels that a stream has."""
    if info.is_text or info.rate_hz != montage.rate_hz:
        fit(info, montage)  # refuses with its reason
    return tuple(channel.label for channel in montage.channels if _has(info, channel))


def _has(info: StreamInfo, channel: Channel) -> bool:
    names = {name.casefold() for name in (channel.label, *channel.aliases)}
    return any(label.strip().casefold() in names for label in info.labels)
