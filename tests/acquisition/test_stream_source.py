"""A live stream as a source: searched for in vain, lost with and without its markers, found again."""

from __future__ import annotations

import time
import uuid
from dataclasses import replace

import numpy as np
import pytest

from acquisition.clock import LiveClock
from acquisition.decisions import Decision
from acquisition.discovery import SourceSpec
from acquisition.errors import StreamNotFound
from acquisition.inlet import lsl_clock_s
from acquisition.montage import Channel, Montage
from acquisition.outlet import MarkerOutlet, OutletSpec, SignalOutlet
from acquisition.source import Raw, RawMarker, StampJudge
from acquisition.stamps import StampDecider
from acquisition.stream_source import StreamSource

MONTAGE = Montage("counted", 1000.0, (Channel("C3", "eeg"), Channel("C4", "eeg")))


@pytest.fixture
def source_id():
    """Return an id that no other test's stream has."""
    return uuid.uuid4().hex


@pytest.fixture
def source(source_id):
    """Return a source that looks for it."""
    judge = StampJudge(StampDecider(1000.0, part=1), MONTAGE)
    opened = StreamSource(SourceSpec(source_id=source_id), MONTAGE, judge, LiveClock(lsl_clock_s), patience_s=0.0)
    yield opened
    opened.close()


def send(outlet: SignalOutlet, n: int = 100, first_s: float | None = None) -> float:
    """Send n samples, taken just now or from a moment on; return the moment of the next."""
    first_s = lsl_clock_s() - n / 1000.0 if first_s is None else first_s
    outlet.push(np.zeros((n, 2), np.float32), first_s + np.arange(n) / 1000.0)
    return first_s + n / 1000.0


def pull_until(source: StreamSource, seen, tries: int = 400) -> list:
    """Pull until something is among what came."""
    items: list = []
    for _ in range(tries):
        items += source.pull(0.05)
        if seen(items):
            return items
    raise AssertionError(f"it never came; there is {[type(item).__name__ for item in items]}, link {source.state}")


def has(kind):
    """Return whether an item of a type is there."""
    return lambda items: any(isinstance(item, kind) for item in items)


def test_a_stream_that_never_comes_is_given_up_with_its_name(source, source_id):
    """Nothing hangs: after its patience the search says what it looked for."""
    with pytest.raises(StreamNotFound, match=source_id):
        pull_until(source, lambda _: False)
    assert source.state[0] == "SEARCHING"


def test_samples_markers_and_offsets_are_handed_over_with_their_decisions(source, source_id):
    """A segment begins before the first sample; a marker comes with the decision on its place."""
    spec = OutletSpec.of(MONTAGE, "Counted", source_id)
    with SignalOutlet(spec) as signal, MarkerOutlet("Counted markers", source_id) as markers:
        pull_until(source, lambda _: source.state[0] == "SETTLING")
        send(signal)
        markers.push("rest", lsl_clock_s())
        items = pull_until(source, has(RawMarker))
        kinds = [item.kind for item in items if isinstance(item, Decision)]
        assert kinds == ["segment", "marker"]
        assert [h.name for h in source.headers] == ["Counted", "Counted markers"]
        described = source.headers[0]
        assert (described.labels, described.units) == (MONTAGE.labels, ("uV",) * MONTAGE.n_channels)
        assert described.kinds == tuple(kind.upper() for kind in MONTAGE.kinds), "in the stream's own word"
        assert source.info is not None and source.info.source_id == source_id
        assert source.calibration_at(0) is None


def test_the_first_samples_of_an_inlet_are_never_called_settled(source, source_id):
    """Filters that had settled before a hole have not after it, and only its far side tells of the hole."""
    with SignalOutlet(OutletSpec.of(MONTAGE, "Counted", source_id)) as signal:
        pull_until(source, lambda _: source.state[0] == "SETTLING")
        next_s = send(signal)
        pull_until(source, has(Raw))
        assert source.state[0] == "SETTLING"
        send(signal, first_s=next_s)
        pull_until(source, has(Raw))
        assert source.state[0] == "LIVE"


def test_markers_that_die_leave_the_signal_alive(source, source_id):
    """The signal goes on when only its marker stream is gone."""
    with SignalOutlet(OutletSpec.of(MONTAGE, "Counted", source_id)) as signal:
        with MarkerOutlet("Counted markers", source_id):
            pull_until(source, lambda _: source.state[0] == "SETTLING")
            next_s = send(signal)
            pull_until(source, has(Raw))
        for _ in range(20):
            next_s = send(signal, 20, next_s)
            source.pull(0.02)
        send(signal, 20, next_s)
        assert has(Raw)(pull_until(source, has(Raw)))


def test_markers_that_come_late_or_again_are_found(source, source_id):
    """Cues may be started after the session, and started again in its middle."""
    with SignalOutlet(OutletSpec.of(MONTAGE, "Counted", source_id)) as signal:
        pull_until(source, lambda _: source.state[0] == "SETTLING")
        next_s = send(signal)
        pull_until(source, has(Raw))
        for text in ("rest", "flexion"):
            with MarkerOutlet("Counted markers", source_id) as markers:
                while not markers.heard:
                    next_s = send(signal, 20, next_s)
                    source.pull(0.02)
                    time.sleep(0.02)
                markers.push(text, lsl_clock_s())
                found = pull_until(source, has(RawMarker))
                assert [item.text for item in found if isinstance(item, RawMarker)] == [text]


def test_a_stream_that_comes_back_changed_is_told_and_not_taken(source, source_id):
    """The same id with another setup is not the same source; the session waits for the right one (law 6)."""
    spec = OutletSpec.of(MONTAGE, "Counted", source_id)
    with SignalOutlet(spec) as signal:
        pull_until(source, lambda _: source.state[0] == "SETTLING")
        send(signal)
        pull_until(source, has(Raw))
    pull_until(source, lambda _: source.state[0] == "LOST")
    with SignalOutlet(replace(spec, units=("mV", "uV"))) as signal:
        pull_until(source, lambda _: "came back with unit mV instead of uV" in source.state[1])
        assert source.state[0] == "LOST"
    with SignalOutlet(spec) as signal:
        pull_until(source, lambda _: source.state[0] == "SETTLING")
        send(signal)
        kinds = [item.kind for item in pull_until(source, has(Raw)) if isinstance(item, Decision)]
        assert kinds == ["lost", "segment"]
