"""A judged stream that waits: every sample has its place on the stream's own grid."""

from __future__ import annotations

import numpy as np

from acquisition.decisions import Decision
from acquisition.items import ClockOffset, Raw, RawMarker
from acquisition.judged import Judged, Stretch


def raw(first, n):
    """Return numbered samples."""
    return Raw(np.arange(first, first + n)[:, None], np.arange(first, first + n) / 1000.0)


def decision(kind, **data):
    """Return a decision on the stream."""
    return Decision(kind, 1, 0, 0, data)


def test_places_follow_the_decisions():
    """Holes move what follows on, rejected samples have no place, also where they lie across chunks."""
    judged = Judged(1000.0)
    judged.take([decision("segment", segment=0, first_sample=50, reason="start"), raw(0, 10)], 1.0)
    judged.take([decision("bridged", n=3), raw(10, 5), decision("reject", n=7, reason="backward"), raw(15, 4)], 2.0)
    judged.take([raw(19, 10)], 3.0)
    stretches = [item for item in judged.queue if isinstance(item, Stretch)]
    assert [(s.first, len(s.raw), s.reason, s.arrived_s) for s in stretches] == [
        (50, 10, "", 1.0), (63, 5, "", 2.0), (68, 4, "backward", 2.0), (68, 3, "backward", 3.0), (68, 7, "", 3.0),
    ]  # fmt: skip
    assert [item.kind for item in judged.queue if isinstance(item, Decision)] == ["segment", "bridged"]


def test_the_head_is_used_from_its_front():
    """What is left of it keeps its place; what is no sample has to be taken first."""
    judged = Judged(1000.0)
    judged.take([RawMarker("rest", 0.0), raw(0, 10)], 0.0)
    assert judged.head is None
    judged.queue.popleft()
    assert judged.pop(4).samples[:, 0].tolist() == [0, 1, 2, 3]
    assert judged.head is not None and judged.head.first == 4
    assert len(judged.pop(6)) == 6 and judged.head is None


def test_only_the_stream_s_own_clock_counts():
    """Markers may come from another machine, whose clock is measured too; a clock that was reset is not known again."""
    judged = Judged(1000.0)
    judged.take([raw(0, 10), ClockOffset(1, 0.0, 7.0)], 0.0)
    before = judged.head
    assert before is not None and before.track.clock.first_s is None
    judged.take([ClockOffset(0, 0.0, 9.0)], 0.0)
    assert before.track.clock.first_s == 9.0
    judged.take([decision("clock_reset", step_s=-5.0), decision("segment", first_sample=10, reason="clock_reset")], 0.0)
    judged.take([raw(10, 5)], 0.0)
    after = judged.queue[-1]
    assert isinstance(after, Stretch) and after.track.clock.first_s is None and before.track.clock.over
