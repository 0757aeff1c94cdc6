"""How late the screen is: clocks are tied, samples and windows found on the page, bytes counted."""

from __future__ import annotations

import base64
import json

import numpy as np
import pytest

from acquisition.errors import BadEnvironment, SequenceError
from deploy.bench import browser, first_view, running_demo, screen
from deploy.bench.clock_tie import ROUNDED_S, ClockTie
from deploy.bench.first_view import View, Wire, line
from deploy.bench.machine import Machine
from deploy.bench.running_demo import RunningDemo
from deploy.bench.screen import ScreenReport, latencies, stages, views_spread
from deploy.bench.spread import Spread
from deploy.bench.watched import Watched
from deploy.cli import bench

HERE = Machine("2026-11-22T10:00:00+00:00", "Some CPU", 2, 8.0, "Linux 6", "3.11", {"redis": "8"}, 0.1)
#: The page's clock reads 0 when LSL's reads 1000 s, to the last bit.
TIE = ClockTie(1000.0, 1000.0)
SESSION = {"rate_hz": 1000.0, "filters": {kind: {"delay_ms": 46.2, "delay_at_hz": 10} for kind in ("eeg", "emg")}}
#: Milliseconds from a frame's last sample to when it was sent, from there to the page, and from there to the screen.
SENT, CAME, DRAWN = 8.0, 4.0, 30.0


def seen(seconds=30, n_windows=2, dropped=()):
    """Return what a page saw: frames of 20 samples from LSL's 1000 s on, each drawn whole, every window scored."""
    frames, draws = [], [0.0, None]
    for end in range(20, 1000 * seconds + 1, 20):
        if end - 20 not in dropped:
            frames += [end + SENT + CAME, end - 20, 20, 1000 + (end - 1) / 1000, 1000 + (end - 1 + SENT) / 1000]
        draws += [end + SENT + CAME + DRAWN, end]
    messages = [[0.0, "session", SESSION]]
    numbers = []
    for index in range(n_windows):
        end = 4000 + 10_000 * (index + 1)
        window = {"index": index, "first_sample": end - 10_000, "n_samples": 10_000}
        result = {"index": index, "state": "scored", "first_sample": end - 10_000}
        outcome = {"probability": 0.6, "parts": {"eeg_emg": {"windows": index + 1}}}
        told = [("window", 5, window), ("result", 50, result), ("outcome", 120, outcome)]
        messages += [[end - 1.0 + late_ms, name, data] for name, late_ms, data in told]
        numbers += [end - 1.0 + 130, index + 1]
    text = json.dumps({"frames": frames, "draws": draws, "numbers": numbers, "messages": messages, "liveMs": 62.0})
    return Watched.read(text)


def test_clocks_are_tied_by_what_all_readings_allow():
    """However uneven the way there and the way back; the truth lies within what is stated, rounding included."""
    rng = np.random.default_rng(1)
    readings = []
    for begin_s in np.arange(50.0, 51.0, 0.01):
        there_s, back_s = rng.exponential(0.004), rng.exponential(0.0005)
        page_ms = np.floor(10 * 1000 * (begin_s + there_s - 40.0)) / 10  # LSL's clock is 40 s ahead
        readings.append((begin_s, page_ms, begin_s + there_s + back_s))
    tie = ClockTie.of(readings)
    assert tie.lower_s <= 40.0 <= tie.upper_s
    assert abs(tie.offset_s - 40.0) <= tie.uncertainty_s < 0.001


def test_clocks_that_drifted_are_tied_less_closely():
    """What holds before and after holds in between; a clock that was set while it was read is no clock."""
    tie = ClockTie(40.0, 40.001).with_drift(ClockTie(40.004, 40.005))
    assert (tie.lower_s, tie.upper_s) == (40.0, 40.005)
    with pytest.raises(SequenceError, match=r"moved against each other by 99\d\.\d ms"):
        ClockTie.of([(50.0, 0.0, 50.001), (51.001, 0.0, 51.002)])
    assert ROUNDED_S >= 1e-4


def test_every_sample_counts_from_its_own_stamp():
    """The first of a frame is 19 ms older than the last; all of a frame are drawn at once here."""
    late_ms = seen().sample_to_pixel_ms(TIE)
    assert len(late_ms) == 30_000 - 20  # the first draw has none before it to count from
    last = SENT + CAME + DRAWN + 1  # the sample before `end` was taken 1 ms before it
    assert late_ms.min() == pytest.approx(last) and late_ms.max() == pytest.approx(last + 19)


def test_what_did_not_come_is_not_counted():
    """Neither a frame that was dropped on the way, nor a page that was drawn anew."""
    assert len(seen(dropped=(400, 420)).sample_to_pixel_ms(TIE)) == 30_000 - 60
    one = seen()
    jumped = Watched(one.frames, one.draws[[0, 1, -1]], one.numbers, one.messages)
    assert len(jumped.sample_to_pixel_ms(TIE)) == 0


def test_a_window_counts_from_its_last_sample_to_the_frame_with_its_number():
    """And the messages in between say where the time goes."""
    watched = seen()
    assert watched.window_to_number_ms(TIE) == pytest.approx([130.0, 130.0])
    spent = watched.window_stages_ms(TIE)
    assert [list(np.round(values)) for values in spent.values()] == [[50.0, 50.0], [120.0, 120.0]]
    frames = watched.frame_stages_ms(TIE)
    assert [values.mean() for values in frames.values()] == pytest.approx([SENT, CAME + 1])
    assert watched.jitter_ms() == pytest.approx(np.zeros(1500))


def test_two_windows_may_stand_behind_one_number():
    """A number that came late is late for both; what is told twice after a lost line counts once."""
    watched = seen()
    late = Watched(watched.frames, watched.draws, watched.numbers[1:], [*watched.messages, *watched.messages])
    assert late.window_to_number_ms(TIE) == pytest.approx([10_130.0, 130.0])


def test_a_window_that_makes_no_number_is_left_out():
    """The first one of a session is not enough for a number, so that nothing is late."""
    watched = seen()
    messages = [(at_ms, type, data) for at_ms, type, data in watched.messages]
    at_ms, _, first = next(told for told in messages if told[1] == "outcome")
    messages[messages.index((at_ms, "outcome", first))] = (at_ms, "outcome", {**first, "probability": None})
    late = Watched(watched.frames, watched.draws, watched.numbers[1:], messages)
    assert late.window_to_number_ms(TIE) == pytest.approx([130.0])


def test_a_window_from_before_the_page_is_left_out():
    """Its samples never came here, so that nobody knows when they were taken."""
    watched = seen()
    later = Watched(watched.frames[1000:], watched.draws, watched.numbers, watched.messages)
    assert later.window_to_number_ms(TIE) == pytest.approx([130.0])
    nothing = Watched(watched.frames[:0], watched.draws, watched.numbers, watched.messages)
    assert len(nothing.window_to_number_ms(TIE)) == 0 == len(nothing.jitter_ms())


def test_a_report_says_quantiles_aims_and_where_the_time_goes():
    """People read a table, machines JSON, docs/figures.md its rows; an aim without a measurement is missed."""
    views = [View(400.0, 1200.0, 61_000, 5000, 900, 36), View(500.0, 1900.0, 63_000, 5100, 1100, 37)]
    spreads = (*latencies(seen(), TIE), *views_spread(views), *stages(seen(), TIE))
    report = ScreenReport(HERE, spreads, ("A note.",), {"seconds": 30})
    head, rows = report.table()
    assert head[0] == "what" and rows[0][0] == "sample to pixel" and rows[0][6] == "p95 150 ms: met"
    assert rows[3][6] == "p50 1500 ms: missed" and rows[4][1] == "62 kB"
    told = report.to_json()
    assert (told["bench"], told["seconds"], told["lines"][1]["n"], told["lines"][1]["met"]) == ("screen", 30, 2, True)
    assert len(report.figures()) == 5 and report.figures()[0].endswith("| 2026-11-22 | `flexion bench screen` |")
    assert "p95 " in report.figures()[0] and report.words.endswith("A note.")
    nothing = Spread("nothing", np.empty(0), aim=1.0)
    assert (nothing.met, nothing.at("p50"), nothing.row()[1:6]) == (False, None, ("", "", "", "", "0"))


def test_what_belongs_beside_the_figures():
    """The clocks' uncertainty, and the delay of the filters, which is none of the times."""
    notes = screen._notes(seen(), ClockTie(1.0, 1.001), "147", 30.0, [View(1.0, 2.0, 70_000, 3000, 4000, 36)])
    assert "tied to 0.50 ms" in notes[1] and notes[2] == "Beside it the filters delay 10 Hz by 46 ms."
    assert notes[3].endswith("asks 36 times; 3 kB of its bytes are events, and 4 kB of live signal come beside them.")


class Session:
    """What a page's connection to Chromium's own tools is asked for here."""

    def __init__(self):
        self.hears = {}

    def on(self, event, hear):
        self.hears[event] = hear

    def say(self, event, **said):
        self.hears[f"Network.{event}"](said)


def test_bytes_are_those_that_went_over_the_line():
    """Heads count; a stream without an end counts as far as it came; the wave is counted apart."""
    session = Session()
    wire = Wire(session)
    session.say("responseReceived", requestId="1", type="Script", response={"encodedDataLength": 200})
    session.say("dataReceived", requestId="1", encodedDataLength=900)
    session.say("loadingFinished", requestId="1", encodedDataLength=1105)
    session.say("responseReceived", requestId="2", type="EventSource", response={"encodedDataLength": 300})
    session.say("dataReceived", requestId="2", encodedDataLength=50)
    payload = base64.b64encode(bytes(680)).decode()
    session.say("webSocketFrameReceived", requestId="3", response={"opcode": 2, "payloadData": payload})
    session.say("webSocketFrameReceived", requestId="3", response={"opcode": 1, "payloadData": '{"a":1}'})
    assert (wire.page_bytes, wire.event_bytes, wire.requests, wire.wave_bytes) == (1105 + 350, 350, 2, 687)
    assert line()["downloadThroughput"] == 1_250_000


def test_a_machine_without_a_browser_says_what_to_install(monkeypatch):
    """Whatever is missing, before anything is started."""
    monkeypatch.setattr(browser, "installed", lambda library: False)
    with pytest.raises(BadEnvironment, match=r"playwright, which this machine lacks.*pip install 'flexion\[dev\]'"):
        browser.find_chromium()
    monkeypatch.setattr(browser, "installed", lambda library: True)
    monkeypatch.setattr(browser.shutil, "which", lambda name: None)
    with pytest.raises(BadEnvironment, match="none of chromium, .* is on PATH"):
        browser.find_chromium()


def test_a_page_that_shows_nothing_says_so(monkeypatch):
    """After its patience; until then it is asked again and again."""

    class Page:
        url = "http://127.0.0.1/beds/demo-1"
        asked = 0

        def evaluate(self, expression):
            self.asked += 1
            return 62.5 if expression == "there" and self.asked > 2 else None

        def wait_for_timeout(self, ms):
            """Let no time pass."""

    assert first_view.until_there(Page(), "there") == 62.5
    monkeypatch.setattr(first_view, "PATIENCE_S", 0.0)
    with pytest.raises(BadEnvironment, match="shows no live signal within 0 s"):
        first_view.until_there(Page(), "never")


def test_a_demonstration_that_does_not_begin_says_why(monkeypatch, tmp_path):
    """In its own last words; nothing of it is left."""
    monkeypatch.setenv("FLEXION_LOG__LEVEL", "shout")
    with pytest.raises(BadEnvironment, match=r"does not begin: .*\S"), RunningDemo(tmp_path):
        pass


def test_a_demonstration_that_does_not_end_is_ended(monkeypatch, tmp_path):
    """After its patience; one that has not begun in time is told to end too."""
    monkeypatch.setattr(running_demo, "READY_S", 0.0)
    monkeypatch.setattr(running_demo, "END_S", 0.01)
    demo = RunningDemo(tmp_path)
    with pytest.raises(BadEnvironment, match="it says nothing"), demo:
        pass
    assert demo._process.returncode is not None


def test_the_command_says_it_three_ways(monkeypatch, capsys):
    """A table for people, JSON for machines, Markdown for the pages of the documentation."""
    report = ScreenReport(HERE, tuple(latencies(seen(), TIE)), ("A note.",), {"seconds": 30})
    monkeypatch.setattr(screen, "run", lambda folder, seconds, views, tell: tell("It begins.") or report)
    monkeypatch.setattr("deploy.lsl_config.be_private", lambda: None)
    bench.screen(as_json=True)
    told, words = capsys.readouterr()
    assert json.loads(told)["lines"][0]["what"] == "sample to pixel" and "It begins." in words
    bench.screen(markdown=True)
    page = capsys.readouterr().out
    assert "| sample to pixel | " in page and page.rstrip().endswith("`flexion bench screen` |")
    bench.screen()
    assert "sample to pixel" in "".join(capsys.readouterr())
