"""The desk: each marker goes out once, stamped with the moment of its showing; commands wake it; listeners hear."""

from __future__ import annotations

import threading
import uuid

import pytest

from acquisition.clock import FakeClock, LiveClock
from acquisition.cue_desk import CueDesk
from acquisition.cues import Event
from acquisition.discovery import SourceSpec, bind_markers, bind_stream
from acquisition.inlet import MarkerInlet, lsl_clock_s
from acquisition.montage import load_montage
from acquisition.outlet import MarkerOutlet, OutletSpec, SignalOutlet
from acquisition.paradigm import PHASES, SESSION_END, SESSION_START, ParadigmPlan

#: Two trials of 10 s after 1 s still.
SMALL = ParadigmPlan(still_s=1.0, n_trials=2)
#: A plan that is over in a fraction of a second.
QUICK = ParadigmPlan(0.05, 0.03, 0.05, 0.03, 0.05, n_trials=3)
SOON_S = 20.0


class Heard:
    """Remembers the markers that were pushed."""

    def __init__(self) -> None:
        self.markers: list[tuple[str, float]] = []

    def push(self, text: str, stamp_s: float) -> None:
        self.markers.append((text, stamp_s))


def test_markers_are_stamped_when_they_are_shown():
    """On time by the plan, on the LSL clock; after a stall by the moment in which it was over."""
    clock, heard = FakeClock(monotonic_s=1_000.0, lsl_s=50_000.0), Heard()
    desk = CueDesk(SMALL, heard.push, clock)
    desk.command(Event.START)
    stalls = iter([1.0, 5.5])
    desk.run(wait=lambda left_s: clock.sleep(next(stalls, left_s)))
    planned = SMALL.events()
    assert [text for text, _ in heard.markers] == [text for _, text in planned]
    late = dict(enumerate([0, 0, 3.5, 0.5]))
    expected = [50_000.0 + at_s + late.get(i, 0.0) for i, (at_s, _) in enumerate(planned)]
    assert [stamp_s for _, stamp_s in heard.markers] == pytest.approx(expected, abs=1e-9)
    summary = desk.summary()
    assert summary["completed"] is True
    assert summary["late"] == {"n": 2, "max_s": pytest.approx(3.5), "overtaken": 1}
    assert summary["counts"] == {SESSION_START: 1, **dict.fromkeys(PHASES, 2), SESSION_END: 1}
    assert [row["overtaken"] for row in summary["sent"][:4]] == [False, False, True, False]


def test_whoever_listens_hears_of_every_change_and_no_more():
    """A look that finds nothing new is silent; a press that means nothing too."""
    clock, told = FakeClock(), []
    desk = CueDesk(SMALL, Heard().push, clock)
    with desk.listening(lambda: told.append(clock.elapsed_s)):
        for event in (Event.PAUSE, Event.START, Event.START, None, Event.PAUSE):
            desk.turn(event)
        clock.sleep(1.0)
        desk.turn()
    desk.command(Event.STOP)
    assert told == [0.0, 0.0, 1.0]
    assert desk.over and desk.summary()["completed"] is False


def test_a_command_wakes_a_run_that_waits():
    """A run that waits without end for its start ends as soon as somebody ends it."""
    desk = CueDesk(SMALL, Heard().push, LiveClock())
    thread = threading.Thread(target=desk.run)
    thread.start()
    desk.command(Event.START)
    desk.command(Event.STOP)
    thread.join(SOON_S)
    assert not thread.is_alive()
    assert [sent.cue.text for sent in desk.sent] == [SESSION_START, SESSION_END]


def test_markers_arrive_on_a_real_inlet_with_the_stamps_of_their_showing():
    """Found beside the signal; every marker once and in order, each with the very stamp that the desk gave it."""
    source_id = uuid.uuid4().hex
    spec = OutletSpec.of(load_montage("eeg16"), "Amp", source_id)
    with SignalOutlet(spec), MarkerOutlet("Flexion cues", source_id) as outlet:
        signal, _ = bind_stream(SourceSpec(source_id=source_id), load_montage("eeg16"))
        found = bind_markers(signal)
        assert found is not None and found.source_id == f"{source_id}-markers" and found.type == "Markers"
        assert not outlet.heard
        with MarkerInlet(found) as inlet:
            assert outlet.heard
            desk = CueDesk(QUICK, outlet.push, LiveClock(lsl_clock_s))
            desk.command(Event.START)
            desk.run()
            came: list[tuple[float, str]] = []
            waiting, clock = threading.Event(), LiveClock()
            give_up_s = clock.monotonic_s() + SOON_S
            while len(came) < len(QUICK.events()) and clock.monotonic_s() < give_up_s:
                came += inlet.pull()
                waiting.wait(0.01)
    assert [text for _, text in came] == [text for _, text in QUICK.events()]
    assert [stamp_s for stamp_s, _ in came] == [sent.stamp_s for sent in desk.sent]
    assert [stamp_s for stamp_s, _ in came] == sorted(stamp_s for stamp_s, _ in came)
