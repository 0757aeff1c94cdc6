"""Markers beside a signal: kept, lost and found again, and brought to the signal's clock from another machine."""

from __future__ import annotations

from collections import deque
from dataclasses import replace

import pytest

from acquisition.clock import FakeClock
from acquisition.discovery import SourceSpec, StreamInfo
from acquisition.errors import LostSource
from acquisition.items import RawMarker
from acquisition.marker_feed import PATIENCE_S, MarkerFeed
from acquisition.sender_clock import Offset

from .scripted import INFO

CUES = StreamInfo("Cues", "Markers", "amp-1-markers", "bed4-pc", "m1", 1, 0.0, "str")
#: Our LSL clock, less those of the signal's machine and of a tablet that sends cues.
SIGNAL_S, TABLET_S = 40_000.0, 49_000.0


class ScriptedInlet:
    """An inlet of markers that a test sends."""

    def __init__(self, info: StreamInfo) -> None:
        self.info = info
        self.sent: deque[tuple[float, str]] = deque()
        self.offsets: list[Offset] = []
        self.dead = self.left = False

    def pull(self) -> list[tuple[float, str]]:
        """Return what was sent."""
        if self.dead:
            raise LostSource("Stream 'Cues' on bed4-pc is gone.")
        sent = list(self.sent)
        self.sent.clear()
        return sent

    def take_offsets(self) -> list[Offset]:
        """Return the measurements that the test put in."""
        taken, self.offsets = self.offsets, []
        return taken

    def leave(self) -> None:
        """Note that nobody wants it any more."""
        self.left = True

    close = leave


class ScriptedSeeker:
    """A search that finds what a test says."""

    begun: list[ScriptedSeeker] = []  # noqa: RUF012

    def __init__(self, find, *_: object) -> None:
        self.search = find.__self__
        self.found: ScriptedInlet | None = None
        self.stopped = False
        self.begun.append(self)

    def take(self) -> ScriptedInlet | None:
        """Return what was found."""
        return self.found

    def stop(self) -> None:
        """Note that it is over."""
        self.stopped = True

    def join(self) -> None:
        """Return at once."""


class ScriptedSearch:
    """What would ask the network; it notes for what."""

    def __init__(self, signal: StreamInfo, criteria: SourceSpec | None) -> None:
        self.signal, self.criteria = signal, criteria

    def poll(self) -> None:
        """Find nothing."""


@pytest.fixture
def feed(monkeypatch) -> MarkerFeed:
    """Return a feed that looks for markers."""
    ScriptedSeeker.begun = []
    monkeypatch.setattr("acquisition.marker_feed.Seeker", ScriptedSeeker)
    monkeypatch.setattr("acquisition.marker_feed.MarkerSearch", ScriptedSearch)
    begun = MarkerFeed(FakeClock())
    begun.seek(INFO)
    return begun


def find(feed: MarkerFeed, info: StreamInfo = CUES) -> ScriptedInlet:
    """Let the search find markers."""
    inlet = ScriptedInlet(info)
    ScriptedSeeker.begun[-1].found = inlet
    feed.pull()
    return inlet


def test_markers_of_the_signal_s_machine_are_on_its_clock(feed):
    """Their stamps are handed on as they are, measured or not; no offset is recorded of them."""
    assert not feed.hears()
    inlet = find(feed)
    assert feed.hears()
    inlet.sent.append((12.5, "rest"))
    inlet.offsets.append(Offset(50_000.0, SIGNAL_S + 0.001, 1e-4))
    feed.pull()
    assert feed.take_offsets() == []
    assert list(feed.take(None)) == [(RawMarker("rest", 12.5), 12.5)]
    assert list(feed.take(None)) == []


def test_markers_of_another_machine_are_brought_to_the_signal_s_clock(feed):
    """They wait until the offset of their own clock is measured; the raw stamp is what is recorded."""
    inlet = find(feed, replace(CUES, hostname="tablet"))
    inlet.sent.append((1_000.0, "flexion"))
    feed.pull()
    assert list(feed.take(SIGNAL_S)) == []
    measured = Offset(50_000.0, TABLET_S, 1e-4)
    inlet.offsets.append(measured)
    assert feed.take_offsets() == [measured]
    assert list(feed.take(SIGNAL_S)) == [(RawMarker("flexion", 1_000.0), 1_000.0 + TABLET_S - SIGNAL_S)]


def test_a_clock_that_nobody_can_measure_leaves_the_arrival(feed):
    """After a few seconds a marker is placed where it came; while the signal's clock is unknown it waits."""
    inlet = find(feed, replace(CUES, hostname="tablet"))
    arrived_s = feed._clock.lsl_s()
    inlet.sent.append((1_000.0, "flexion"))
    feed.pull()
    feed._clock.sleep(PATIENCE_S)
    assert list(feed.take(None)) == []
    assert list(feed.take(SIGNAL_S)) == [(RawMarker("flexion", 1_000.0), arrived_s - SIGNAL_S)]


def test_markers_that_are_gone_are_looked_for_again_as_the_same(feed):
    """What they sent before is still handed on."""
    inlet = find(feed)
    inlet.sent.append((12.5, "rest"))
    feed.pull()
    inlet.dead = True
    feed.pull()
    assert inlet.left and not feed.hears()
    assert ScriptedSeeker.begun[-1].search.criteria == SourceSpec("Cues", "amp-1-markers", "bed4-pc")
    assert [text.text for text, _ in feed.take(None)] == ["rest"]
    again = find(feed, replace(CUES, uid="m2"))
    again.sent.append((13.5, "flexion"))
    feed.pull()
    assert [text.text for text, _ in feed.take(None)] == ["flexion"]


def test_a_signal_that_came_back_keeps_its_markers_unless_they_did_too(feed):
    """The same markers are not opened twice; others of their name, after a restart of the machine, are."""
    inlet = find(feed)
    feed.seek(replace(INFO, uid="u2"))
    same = find(feed)
    assert same.left and not inlet.left
    feed.seek(replace(INFO, uid="u3"))
    anew = find(feed, replace(CUES, uid="m2"))
    assert inlet.left and not anew.left


def test_a_new_search_ends_the_one_before_and_closing_all(feed):
    """Nothing is left looking."""
    first = ScriptedSeeker.begun[-1]
    feed.seek(INFO)
    assert first.stopped
    feed.close()
    assert ScriptedSeeker.begun[-1].stopped
    inlet = ScriptedInlet(CUES)
    feed.seek(INFO)
    ScriptedSeeker.begun[-1].found = inlet
    feed.pull()
    feed.close()
    assert inlet.left
