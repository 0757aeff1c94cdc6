"""The states of a live source on a clock of the test's own: what is noticed when, what is said, what is taken again."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from structlog.testing import capture_logs

from acquisition.discovery import StreamInfo
from acquisition.errors import AmbiguousStream, RateError, StreamNotFound, StreamRefused
from acquisition.items import ClockOffset
from acquisition.link import STALLED_AFTER_S, TRANSITIONS, State
from acquisition.sender_clock import Offset
from acquisition.stamps import LastSample, StampDecider

from .scripted import INFO, LOST, Script, kinds

REFUSED = StreamRefused("Stream 'Amp' on bed4-pc came back with 8 channels instead of 2.")


@pytest.fixture
def script(monkeypatch) -> Script:
    """Return a source that has nothing yet."""
    return Script(monkeypatch)


@pytest.fixture
def live(script):
    """Return a source that is live, and its inlet."""
    script.pull()
    inlet = script.find()
    script.stream(inlet, 1.0)
    assert script.state == "LIVE"
    return script, inlet


def test_every_change_is_one_line_with_its_cause(script):
    """From the search to the loss: each state is said once, those that want somebody's eyes as warnings."""
    with capture_logs() as said:
        script.pull(5)
        script.search.opening = True
        script.pull(5)
        script.search.opening, script.search.refusal = False, LOST
        script.pull(5)
        inlet = script.find()
        script.stream(inlet, 0.5)
        script.wait(2.0)
        script.stream(inlet, 0.5)
        inlet.dead = True
        script.pull(5)
    lines = [(line["state"], line["log_level"], line["cause"]) for line in said if line["event"] == "source"]
    assert lines == [
        ("CONNECTING", "info", "connecting"),
        ("LOST", "warning", LOST.message),
        ("CONNECTING", "info", "connecting"),
        ("SETTLING", "info", "filters are settling"),
        ("LIVE", "info", ""),
        ("STALLED", "warning", "no sample for 1 s"),
        ("LIVE", "info", ""),
        ("LOST", "warning", LOST.message),
    ]
    assert {line["stream"] for line in said[3:]} == {"Amp"}


def test_a_silent_source_is_stalled_within_a_second(live):
    """Its connection stays up and nothing comes: 0.9 s, and the pull that notices."""
    script, _ = live
    script.wait(STALLED_AFTER_S - 0.02)
    assert script.state == "LIVE"
    script.pull(2)
    assert script.source.state[0] == "STALLED"
    script.wait(3.0)
    assert script.source.state[1] == "no sample for 4 s"


def test_a_burst_of_old_samples_is_late_until_it_has_caught_up(live):
    """After a stall of 5 s its samples come at once: late while what arrives is old, and no decision on them."""
    script, inlet = live
    script.wait(5.0)
    script.clock.sleep(0.02)
    states, items = [], []
    for age_s in (4.02, 3.02, 2.02, 1.02, 0.02):
        script.send(inlet, 1000, age_s=age_s)
        items += script.pull()
        states.append(script.state)
    assert states == ["LATE", "LATE", "LATE", "LATE", "LIVE"]
    assert kinds(items) == []


def test_a_source_that_goes_on_ends_the_search_for_another(live):
    """While it is silent another one of its name is looked for."""
    script, inlet = live
    script.wait(2.0)
    search = script.search
    assert (search.silent, search.known, search.stopped) == ("u1", inlet.info, False)
    script.stream(inlet, 0.1)
    assert script.state == "LIVE" and search.stopped and not inlet.left


def test_a_source_that_was_started_anew_while_it_was_silent_is_taken(live):
    """A machine that went down without a word never ends its connection: the new stream does."""
    script, inlet = live
    script.wait(2.0)
    again = script.find("u2")
    assert inlet.left and script.state == "SETTLING"
    items = script.stream(again, 0.5)
    lost = [item.data["n"] for item in items if getattr(item, "kind", "") == "lost"]
    assert kinds(items) == ["lost", "segment"] and abs(lost[0] - 2_000) < 60


def test_what_is_in_the_way_of_a_return_is_told_and_ends_nothing(live):
    """Changed, or two of its name: the state stays LOST, with the reason; the right one is taken later."""
    script, inlet = live
    inlet.dead = True
    script.pull(2)
    assert inlet.left and script.state == "LOST"
    for refusal in (REFUSED, AmbiguousStream("2 streams are source_id 'amp-1'.")):
        script.search.refusal = refusal
        script.wait(30.0)
        assert script.source.state[0] == "LOST" and script.source.state[1].endswith(f": {refusal.message}")
    script.search.refusal = None
    script.wait(1.0)
    assert script.source.state[1] == "stream lost, searching for 61 s"
    script.stream(script.find("u2"), 0.1)
    assert script.state == "LIVE"


@pytest.mark.parametrize("refusal", [REFUSED, AmbiguousStream("2 streams are any signal.")])
def test_what_is_in_the_way_of_a_beginning_is_raised(script, refusal):
    """A session that has had no stream yet does not begin with a wrong one."""
    script.pull()
    script.search.refusal = refusal
    with pytest.raises(type(refusal)):
        script.pull()


def test_a_stream_that_was_never_there_is_given_up_in_time(script):
    """Its patience is 10 s."""
    script.pull()
    script.search.refusal = StreamNotFound("No stream on the network is that.")
    script.wait(9.9)
    with pytest.raises(StreamNotFound):
        script.wait(0.3)


def test_a_later_life_waits_for_its_stream_without_end(monkeypatch):
    """Nobody abandons a patient: a refusal is told, and no patience runs out."""
    script = Script(monkeypatch, known=INFO)
    script.pull()
    assert script.search.known == INFO
    script.search.refusal = REFUSED
    script.wait(60.0)
    state, cause = script.source.state
    assert state == "SEARCHING" and cause == f"searching for the stream for 60 s: {REFUSED.message}"


def test_a_later_life_knows_how_long_it_was_away(monkeypatch):
    """The last sample of the life before was 100 s ago; the sender's clock began anew since."""
    place = {"part": 2, "next_sample": 5_000, "next_segment": 1, "previous": LastSample(60_000.0)}
    script = Script(monkeypatch, StampDecider(1000.0, **place), known=INFO, last_s=50_000.0 - 100.0)
    script.pull()
    items = script.stream(script.find(), 0.1, ahead_s=-49_000.0)
    lost = [item.data["n"] for item in items if getattr(item, "kind", "") == "lost"]
    assert kinds(items) == ["lost", "clock_reset", "segment"] and abs(lost[0] - 100_000) < 100


def test_a_machine_that_was_started_anew_loses_what_passed_by_our_clock(live):
    """The sender's stamps begin near 0: lost is the time that it was away, then a reset and a segment (law 3)."""
    script, inlet = live
    inlet.dead = True
    script.wait(90.0)
    again = script.find("u2")
    items = script.stream(again, 3.0, ahead_s=40.0 - script.clock.lsl_s())
    lost = [item.data["n"] for item in items if getattr(item, "kind", "") == "lost"]
    assert kinds(items) == ["lost", "clock_reset", "segment"] and abs(lost[0] - 90_000) < 100
    assert script.state == "LIVE"
    assert script.source.timing[0].offset_s == pytest.approx(script.clock.lsl_s() - 43.0, abs=0.1)


def test_a_clock_that_leaps_on_an_open_connection_makes_nothing_late(live):
    """After a reset the stamps tell no age: what arrives is taken for just sent."""
    script, inlet = live
    items = script.stream(inlet, 2.0, ahead_s=-300.0)
    assert kinds(items) == ["clock_reset", "segment"]
    assert script.state == "LIVE"


def test_a_device_that_stamps_by_a_clock_of_its_own_is_not_late(script):
    """LSL measures its machine's clock; that its stamps are of another one shows at once."""
    script.pull()
    inlet = script.find()
    inlet.offsets.append(Offset(script.clock.lsl_s(), 0.001, 1e-4))
    items = script.stream(inlet, 1.0, ahead_s=-49_990.0)
    assert script.state == "LIVE"
    assert [item for item in items if isinstance(item, ClockOffset)] == [
        ClockOffset(0, pytest.approx(50_000.0, abs=0.1), 0.001)
    ]


def test_filters_that_have_not_settled_are_said(live):
    """Fresh samples whose filters settle are not live yet."""
    script, inlet = live
    script.settled = False
    script.stream(inlet, 0.1)
    assert script.state == "SETTLING"


def test_a_wrong_rate_ends_a_session_that_has_just_begun(script):
    """Known after two seconds, raised to whoever started it."""
    script.pull()
    inlet = script.find()
    with pytest.raises(RateError, match="runs at 500.00 Hz"):
        script.stream(inlet, 5.0, rate=0.5)


def test_a_stream_that_comes_back_at_a_wrong_rate_is_left_until_it_is_started_again(live):
    """The session goes on; the same start of that stream is not taken a second time, and the cause says why."""
    script, inlet = live
    script.stream(inlet, 20.0)
    inlet.dead = True
    script.wait(1.0)
    wrong = script.find("u2")
    script.stream(wrong, 5.0, rate=0.5)
    assert wrong.left and script.state == "LOST"
    refusal = script.search.barred["u2"]
    assert isinstance(refusal, RateError) and "runs at 500.00 Hz" in refusal.message
    script.stream(script.find("u3"), 1.0)
    assert script.state == "LIVE"


def test_its_timing_is_told(live):
    """Effective rate, allowance, offset with its uncertainty and age."""
    script, inlet = live
    inlet.offsets.append(Offset(script.clock.lsl_s(), 0.0, 2e-4))
    script.stream(inlet, 15.0)
    (timing,) = script.source.timing
    assert timing.rate_hz == pytest.approx(1000.0, abs=0.01) and timing.allowance == 5.0
    assert (timing.offset_s, timing.uncertainty_s, timing.drift_ppm) == (0.0, 2e-4, None)
    assert timing.measured_s_ago == pytest.approx(15.0)


def test_closing_lets_go_of_everything(live):
    """The inlet and a search under way."""
    script, inlet = live
    script.wait(2.0)
    script.source.close()
    assert inlet.left and script.search.stopped


STEPS = st.sampled_from(["wait", "long", "chunk", "old", "die", "find", "refuse", "opening"])


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=st.lists(STEPS, max_size=40))
def test_whatever_happens_each_change_is_lawful_and_said_once(monkeypatch, steps: list[str]):
    """No sequence of deaths, silences, bursts and returns breaks the table, or says a state twice in a row."""
    script = Script(monkeypatch, known=INFO)
    inlet = None
    lawful = {(before, after) for (before, _), after in TRANSITIONS.items()}
    with capture_logs() as said:
        for number, step in enumerate(steps):
            script.pull()
            searching = script.searches and not script.search.stopped and script.search.found is None
            if step == "find" and searching:
                inlet = script.find(f"u{number}")
            elif step in ("refuse", "opening") and searching:
                script.search.refusal = REFUSED if step == "refuse" else None
                script.search.opening = step == "opening"
            elif inlet is not None and not inlet.left and step in ("chunk", "old"):
                script.send(inlet, age_s=5.0 if step == "old" else 0.0)
            elif inlet is not None and step == "die":
                inlet.dead = True
            script.wait({"wait": 0.2, "long": 2.0}.get(step, 0.02))
    states = [State("SEARCHING"), *(State(line["state"]) for line in said if line["event"] == "source")]
    assert set(pairwise(states)) <= lawful
    assert all(one is not other for one, other in pairwise(states))


def test_the_stream_as_it_was_found_is_told(live):
    """Who asks gets what was bound."""
    script, inlet = live
    assert isinstance(script.source.info, StreamInfo) and script.source.info.uid == inlet.info.uid
