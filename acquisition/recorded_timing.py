"""How the time of a recorded session ran: the amplifier's true rate and its clock, part by part, from the folder alone.

Slow drift is never a loss, so nothing else in the record says it: it is in the stamps and in the clock offsets.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from acquisition.formats.xdf import XdfStream
from acquisition.items import SIGNAL
from acquisition.montage import Montage
from acquisition.sender_clock import Offset, SenderClock
from acquisition.session import SessionFolder
from acquisition.source import StampJudge
from acquisition.stamps import StampDecider
from acquisition.timing import Timing


def recorded_timing(folder: SessionFolder) -> list[dict[str, Any]]:
    """Return the timing of the signal in each part that has samples, as ``Timing.to_json`` with the part's number.

    Parameters
    ----------
    folder : SessionFolder
        A session; one of a file, or of stamps that a replay made, has no timing of its own.

    Raises
    ------
    RecordingError
        If a part cannot be read.
    """
    live = (folder.info.source or {}).get("kind") == "lsl" and folder.info.decisions is None
    return [{"part": part, **timing.to_json()} for part, timing in _timings(folder)] if live else []


def _timings(folder: SessionFolder) -> Iterator[tuple[int, Timing]]:
    montage = Montage.from_json(folder.info.montage)
    for part in folder.part_numbers():
        signal = folder.streams(part)[SIGNAL]
        if len(signal.stamps):
            yield part, timing_of(signal, montage)


def timing_of(signal: XdfStream, montage: Montage) -> Timing:
    """Return how the time of one recorded stream ran, up to its end.

    Parameters
    ----------
    signal : XdfStream
        With samples, of numbers.
    montage : Montage
        Its rate, and its sample counter if it has one.
    """
    decider = StampDecider(montage.rate_hz, part=1, counter_modulo=montage.counter_modulo, any_rate=True)
    decider.push(signal.stamps, _counts(signal, montage.counter))
    clock = SenderClock()
    for sent_s, offset_s in signal.offsets.tolist():
        clock.measured(Offset(sent_s + offset_s, offset_s, math.nan))
    offset_s = None if clock.newest is None else clock.newest.offset_s
    return replace(StampJudge(decider, montage).timing, offset_s=offset_s, drift_ppm=clock.drift_ppm)


def _counts(signal: XdfStream, counter: str | None) -> NDArray[np.float64] | None:
    labels = [label.casefold() for label in signal.header.labels]
    if counter is None or counter.casefold() not in labels or signal.values is None:
        return None
    return np.asarray(signal.values[:, labels.index(counter.casefold())], np.float64)
