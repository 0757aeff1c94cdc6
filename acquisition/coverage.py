"""Coverage: which of a montage's channels a stream has, and which two streams have all of them together."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

from acquisition.montage import Montage


def channels_in(montage: Montage, labels: Sequence[str]) -> frozenset[str]:
    """Return the labels of the montage's channels that a stream with these labels has."""
    known = {label.strip().casefold() for label in labels}
    names = {
        channel.label: {name.casefold() for name in (channel.label, *channel.aliases)} for channel in montage.channels
    }
    return frozenset(label for label, own in names.items() if own & known)


def pairs_of(montage: Montage, streams: Sequence[Sequence[str]]) -> list[tuple[int, int]]:
    """Return which two streams have a montage together, each channel in one of them alone.

    Parameters
    ----------
    montage : Montage
    streams : sequence of sequence of str
        The labels of each stream.

    Returns
    -------
    list of (int, int)
        Places of the two; the one with more EEG, whose grid it will be, is the first.
    """
    having = [channels_in(montage, labels) for labels in streams]
    eeg = {channel.label for channel in montage.channels if channel.kind == "eeg"}
    pairs = [
        (one, two) for one, two in combinations(range(len(streams)), 2) if _share(montage, having[one], having[two])
    ]
    return [(one, two) if len(having[one] & eeg) >= len(having[two] & eeg) else (two, one) for one, two in pairs]


def _share(montage: Montage, one: frozenset[str], two: frozenset[str]) -> bool:
    return bool(one and two) and not one & two and one | two == set(montage.labels)
