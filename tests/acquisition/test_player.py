"""The player's pace and stamps, on a clock that only moves when it sleeps."""

from pathlib import Path

import numpy as np
import pytest

from acquisition.clock import FakeClock
from acquisition.montage import load_montage
from acquisition.paradigm import ParadigmPlan
from acquisition.player import Faults, Piece, patient_pieces, play, recording_pieces
from acquisition.recording import Marker, Recording
from acquisition.simulator import Patient, render

AMP16 = load_montage("amp16")
PLAN = ParadigmPlan(still_s=1.0)


class Heard:
    """Remembers what was pushed and when."""

    def __init__(self, clock: FakeClock) -> None:
        self._clock = clock
        self.at_s: list[float] = []
        self.samples: list[np.ndarray] = []
        self.stamps_s: list[np.ndarray] = []
        self.markers: list[tuple[float, float, str]] = []

    def push(self, samples, stamps_s):
        """Take what an outlet of either kind is given."""
        if isinstance(samples, str):
            self.markers.append((self._clock.elapsed_s, stamps_s - 50_000.0, samples))
            return
        self.at_s.append(self._clock.elapsed_s)
        self.samples.append(samples)
        self.stamps_s.append(stamps_s - 50_000.0)

    @property
    def stamps(self) -> np.ndarray:
        return np.concatenate(self.stamps_s)


@pytest.fixture
def clock() -> FakeClock:
    """Return a clock of the test's own."""
    return FakeClock()


@pytest.fixture
def heard(clock: FakeClock) -> Heard:
    """Return an outlet that remembers."""
    return Heard(clock)


def counting(n: int) -> list[Piece]:
    """Return n samples at 1000 Hz of which each is its own number."""
    t_s = np.arange(n) / 1000
    return [Piece(np.arange(n, dtype=np.float32)[:, None], t_s, t_s)]


def recording(stamps, markers=(), rate_hz=1000.0) -> Recording:
    """Return a recording of one channel that counts its samples."""
    stamps = np.asarray(stamps, dtype=np.float64)
    return Recording(
        path=Path("x.xdf"), sha256="", format="xdf", labels=("C3",), units=("uV",), rate_hz=rate_hz,
        samples=np.arange(len(stamps), dtype=np.float32)[:, None], stamps=stamps,
        markers=tuple(Marker(s, t) for s, t in markers), name="x", source_id="x", hostname="x", origin="recorded",
        assumed=(), problems=(),
    )  # fmt: skip


def test_twenty_samples_go_out_every_twenty_milliseconds(clock, heard):
    """Pushes are on a grid that is counted from the start; the last sample of each is fresh."""
    played = play(counting(100), heard, None, clock, rate_hz=1000.0)
    assert played.n_samples == 100
    assert [len(part) for part in heard.samples] == [20] * 5
    np.testing.assert_allclose(heard.at_s, [0.02, 0.04, 0.06, 0.08, 0.10], atol=1e-9)
    np.testing.assert_allclose(heard.stamps, np.arange(100) / 1000, atol=1e-9)


def test_lateness_does_not_add_up(clock, heard):
    """Each sleep overshooting by 7 ms leaves the hundredth push 7 ms late, not 700."""
    sleep = clock.sleep
    clock.sleep = lambda seconds: sleep(seconds + 0.007) if seconds > 0 else None
    play(counting(2000), heard, None, clock, rate_hz=1000.0)
    assert max(np.array(heard.at_s) - 0.02 * np.arange(1, 101)) < 0.0071
    np.testing.assert_allclose(heard.stamps, np.arange(2000) / 1000, atol=1e-9)


def test_after_a_stall_what_is_due_goes_out_at_once_with_its_own_stamps(clock, heard):
    """A frozen sender's samples come late, look late, and none is missing."""
    play(counting(4000), heard, None, clock, rate_hz=1000.0, faults=Faults(stall=[(1000, 2.0)]))
    assert clock.elapsed_s == pytest.approx(4.0)
    at_s = np.concatenate([[at] * len(part) for at, part in zip(heard.at_s, heard.samples, strict=True)])
    lag_s = at_s - heard.stamps
    assert lag_s[1000] == pytest.approx(2.02)
    assert lag_s[3500] < 0.021
    assert np.array_equal(np.concatenate(heard.samples)[:, 0], np.arange(4000))


def test_dropped_samples_leave_a_hole_in_the_stamps(clock, heard):
    """What is lost on the way is seen by count and by stamp alike."""
    faults = Faults(drop=[(5, 8), (15, 30), (39, 40)])
    played = play(counting(60), heard, None, clock, rate_hz=1000.0, faults=faults)
    kept = np.concatenate(heard.samples)[:, 0].astype(int)
    assert sorted(set(range(60)) - set(kept)) == [5, 6, 7, *range(15, 30), 39]
    np.testing.assert_allclose(heard.stamps, kept / 1000, atol=1e-9)
    assert played.n_samples == len(kept)


def test_nothing_goes_out_before_go_and_the_stream_stays_until_it_may_close(clock, heard):
    """The first sample waits for the inlets, the end waits for the count."""
    answers = {"go": iter([False] * 50 + [True]), "until": iter([False] * 100 + [True])}
    play(
        counting(20), heard, None, clock, rate_hz=1000.0,
        go=lambda: next(answers["go"]), until=lambda: next(answers["until"]),
    )  # fmt: skip
    assert heard.at_s[0] == pytest.approx(50 * 0.02 + 0.02)
    assert clock.elapsed_s == pytest.approx(1.0 + 0.02 + 2.0)
    assert heard.stamps[0] == pytest.approx(1.0)


def test_nothing_goes_out_while_it_is_held(clock, heard):
    """What was due meanwhile goes out at once, with the stamps that it always had; a stop does not wait."""
    play(counting(2_000), heard, None, clock, rate_hz=1000.0, held=lambda n: n >= 1_000 and clock.elapsed_s < 3.0)
    assert max(at_s for at_s in heard.at_s if at_s < 3.0) == pytest.approx(1.0)
    assert len(heard.stamps) == 2_000 and clock.elapsed_s == pytest.approx(3.0, abs=0.03)
    np.testing.assert_allclose(heard.stamps, np.arange(2_000) / 1000, atol=1e-9)
    held = play(counting(2_000), heard, None, clock, rate_hz=1000.0, stop=lambda: clock.elapsed_s > 9.0, held=bool)
    assert held.n_samples == 20


def test_stop_ends_an_endless_patient(clock, heard):
    """A demonstration ends when it is told to, not before."""
    pieces = patient_pieces(Patient(0, 1), ParadigmPlan(n_trials=None), AMP16)
    played = play(pieces, heard, heard, clock, rate_hz=1000.0, stop=lambda: clock.elapsed_s > 2.5)
    assert 2400 < played.n_samples <= 2500
    assert heard.markers[0][2] == "session-start"


def test_a_patient_s_samples_are_those_of_render_and_markers_come_with_their_sample(clock, heard):
    """Played is rendered, and the marker on the very end is sent too (law 1)."""
    plan = ParadigmPlan(still_s=1.0, n_trials=1)
    played = play(patient_pieces(Patient(0, 1), plan, AMP16, plan.total_s), heard, heard, clock, rate_hz=1000.0)
    whole = render(Patient(0, 1), plan, plan.total_s, AMP16)
    assert np.array_equal(np.concatenate(heard.samples), whole.samples)
    assert [(round(stamp_s * 1000), text) for _, stamp_s, text in heard.markers] == list(whole.markers)
    assert all(0 <= at_s - stamp_s <= 0.0201 for at_s, stamp_s, _ in heard.markers)
    assert played.n_markers == 6


@pytest.mark.parametrize("seconds", [0.5, 1.0, 1.5])
def test_a_patient_ends_after_the_seconds_that_were_asked_for(clock, heard, seconds):
    """An end inside a generated block, or on its edge, is exact; its marker comes along."""
    play(patient_pieces(Patient(0, 1), PLAN, AMP16, seconds), heard, heard, clock, rate_hz=1000.0)
    assert len(heard.stamps) == seconds * 1000
    assert [text for _, _, text in heard.markers] == [text for _, text in PLAN.events(seconds)]


@pytest.mark.parametrize("speed", [0.5, 4.0])
def test_speed_divides_the_time_that_passes_and_the_stamps(clock, heard, speed):
    """At another speed a stamp still is when the sample was sent."""
    play(counting(2000), heard, None, clock, rate_hz=1000.0, speed=speed)
    assert clock.elapsed_s == pytest.approx(2.0 / speed, abs=0.021)
    np.testing.assert_allclose(heard.stamps, np.arange(2000) / 1000 / speed, atol=1e-9)


def test_a_speed_of_nothing_is_refused(clock, heard):
    """Nothing would ever be sent."""
    with pytest.raises(ValueError, match="speed must be above 0, got 0"):
        play([], heard, None, clock, rate_hz=1000.0, speed=0)


def test_a_recording_keeps_its_hole_and_what_lay_before_it_is_not_held_back(clock, heard):
    """3 s without samples are 3 s without samples, wherever the push's edge lies (law 4)."""
    stamps = 700.0 + np.concatenate([np.arange(1507) / 1000, 4.507 + np.arange(500) / 1000])
    played = play(recording_pieces(recording(stamps)), heard, None, clock, rate_hz=1000.0)
    at_s = np.concatenate([[at] * len(part) for at, part in zip(heard.at_s, heard.samples, strict=True)])
    assert played.n_samples == 2007
    assert heard.stamps[1507] - heard.stamps[1506] == pytest.approx(3.001)
    assert at_s[1506] < 1.521
    assert at_s[1507] == pytest.approx(4.52, abs=0.02)


@pytest.mark.parametrize("step_s", [-200_000.0, 90.0])
def test_a_clock_that_was_reset_takes_no_time(clock, heard, step_s):
    """The step is in the stamps that are sent; nobody waits a day for it."""
    stamps = 700.0 + np.arange(200) / 1000
    stamps[100:] += step_s
    play(recording_pieces(recording(stamps)), heard, None, clock, rate_hz=1000.0)
    assert clock.elapsed_s == pytest.approx(0.2)
    assert heard.stamps[100] - heard.stamps[99] == pytest.approx(step_s + 0.001)


def test_a_recording_s_markers_come_with_the_sample_that_they_belong_to(clock, heard):
    """The grid sample at or after the stamp; one after the end comes at the end."""
    stamps = 700.0 + np.arange(3000) / 1000
    markers = [(700.0005, "flexion"), (701.0, "rest"), (705.0, "session-end")]
    play(recording_pieces(recording(stamps, markers)), heard, heard, clock, rate_hz=1000.0)
    assert [text for _, _, text in heard.markers] == ["flexion", "rest", "session-end"]
    np.testing.assert_allclose([stamp_s for _, stamp_s, _ in heard.markers], [0.0005, 1.0, 5.0], atol=1e-9)
    np.testing.assert_allclose([at_s for at_s, _, _ in heard.markers], [0.02, 1.02, 3.0], atol=1e-9)


def test_an_empty_recording_sends_nothing(clock, heard):
    """No samples, no pushes, no error."""
    assert play(recording_pieces(recording([])), heard, None, clock, rate_hz=1000.0).n_samples == 0
