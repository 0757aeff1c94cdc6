"""The chain: the same windows for every chunking, and refusals in words."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from acquisition.artifact import Calibration
from acquisition.chain import Chain, ChainSpec, drive
from acquisition.conditioning import ConditioningSpec, FilterSpec
from acquisition.decisions import KINDS, Decision
from acquisition.errors import DecisionError, SequenceError
from acquisition.ledger import Book
from acquisition.montage import Channel, Montage, load_montage
from acquisition.windowing import WindowSpec


def hard(noise, seed, n_samples):
    """Return signal with everything in it that a channel can do wrong."""
    rng = np.random.default_rng(seed)
    x = noise(n_samples, seed) + rng.normal(scale=5_000, size=7)
    for length in (1, 15, 40, 250):
        first, channel = rng.integers(0, n_samples), rng.integers(7)
        x[first : first + length, channel] = rng.choice([np.nan, np.inf, -50_000.0, 49_990.0, 1e300, 40_000.0])
    first = rng.integers(0, n_samples)
    x[first : first + 30] = np.nan  # all channels at once
    x[first // 2 :, rng.integers(7)] += 25_000.0  # a step of an electrode's offset
    return x


def session(tape, noise, seed=0):
    """Return a tape with holes, doubles, a clock reset, markers, and a calibration inside."""
    tape.begin().decide("marker", text="flexion", phase="flexion", sample=500)
    tape.samples(noise(350, seed) + 300.0)
    tape.bridge(20).samples(hard(noise, seed, 2_500))
    tape.decide("reject", n=13, reason="duplicate").samples(noise(13), rejected=13)
    tape.bridge(7).samples(hard(noise, seed + 1, 517))
    tape.bridge(18).samples(noise(2_400, seed + 2))  # the calibration falls due within the hole or right after
    tape.decide("marker", text="S 3", phase=None, sample=100).decide("marker", text="rest", phase="rest", sample=4_001)
    tape.gap(377).samples(hard(noise, seed + 3, 1_931))
    tape.decide("clock_reset", step_s=-1.0).begin("clock_reset").samples(noise(2_222, seed + 4))
    return tape.decide("end", reason="planned")


@pytest.mark.parametrize("sizes", [[1], [7], [32], [100], [1_000], [1, 999, 50, 3]], ids=str)
def test_windows_do_not_depend_on_chunking(tape, run, noise, sizes):
    """The same samples and decisions give the same bytes, however they arrive (law 1)."""
    session(tape, noise)
    whole = run(tape.items)
    assert len(whole.windows) >= 7 and len(whole.made) == 1
    assert run(tape.cut(sizes)).bits() == whole.bits()


@given(st.lists(st.integers(1, 700), min_size=1, max_size=12), st.integers(0, 1_000))
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_windows_do_not_depend_on_any_chunking(run, noise, new_tape, sizes, seed):
    """Random faults, random chunks: windows, traces, verdicts, ledger and calibration are equal (law 1)."""
    tape = session(new_tape(), noise, seed)
    assert run(tape.cut(sizes)).bits() == run(tape.items).bits()


@pytest.mark.parametrize("n_before", range(3_385, 3_400))
def test_calibration_that_falls_due_in_a_hole(tape, run, noise, n_before):
    """A hole over the moment at which the calibration falls due changes nothing for any chunking."""
    tape.begin().samples(noise(n_before)).bridge(15).samples(noise(3_000))
    whole = run(tape.items)
    assert [decision.at for decision in whole.made] == [n_before + 1]
    assert run(tape.cut([1])).bits() == whole.bits()


def test_default_session_of_nine_minutes_has_53_windows():
    """Nine minutes without a gap: 53 windows, the first three uncalibrated, everything accounted for (law 3)."""
    chain = Chain(load_montage("amp16"))
    x = np.random.default_rng(0).normal(scale=10, size=(540_000, 16))
    tape = [begin(), Block(x), Decision("end", 1, 0, 540_000, {"reason": "planned"})]
    windows = [window for step in drive(chain, tape) for window in step.windows]
    assert [window.index for window in windows] == list(range(53))
    assert [window.first_sample for window in windows] == list(range(4_000, 534_000, 10_000))
    assert [window.flags for window in windows] == [("uncalibrated",)] * 3 + [()] * 50
    assert {window.calibration for window in windows[3:]} == {chain.calibration.hash}
    assert (chain.ledger.settling, chain.ledger.in_windows, chain.ledger.end) == (4_000, 530_000, 6_000)
    assert chain.ledger.balanced


def test_window_says_where_it_comes_from(montage, small):
    """Fingerprint, mains and rates travel with each window (law 6)."""
    chain = Chain(montage, 60.0, small, resampled_from_hz=512.0)
    chain.obey(begin())
    window = chain.push(np.zeros((1_400, 7))).windows[0]
    assert window.fingerprint == chain.fingerprint == small.fingerprint
    assert (window.mains_hz, window.rate_hz, window.resampled_from_hz) == (60.0, 1000.0, 512.0)
    assert window.flags == ("resampled", "uncalibrated")
    assert (window.sqi, window.weight) == (0.0, 0.0)


def test_fingerprint_covers_the_spec_and_nothing_else():
    """Any setting changes the fingerprint; it is the same in every process."""
    assert ChainSpec().fingerprint == ChainSpec().fingerprint
    other = {
        ChainSpec(),
        ChainSpec(window=WindowSpec(stride=5_000)),
        ChainSpec(conditioning=ConditioningSpec(emg=FilterSpec(low_hz=20.0))),
    }
    assert len({spec.fingerprint for spec in other}) == 3


def test_traces_come_at_once_and_before_the_artifact_stage(tape, run, noise, montage):
    """The screen gets every sample of the grid as it comes, bridged ones too, filtered only."""
    tape.begin().samples(noise(4_000)).bridge(5).samples(noise(250, 1))
    ran = run(tape.cut([50]))
    assert sum(len(trace.x_uv) for trace in ran.traces) == 4_255
    assert [trace.first_sample for trace in ran.traces[:3]] == [0, 50, 100]
    assert (ran.traces[80].first_sample, len(ran.traces[80].x_uv), ran.traces[80].x_uv.dtype) == (4_000, 55, np.float32)


def test_no_samples_at_all_is_fine(montage, small):
    """An empty push does nothing, in whatever state the chain is."""
    chain = Chain(montage, spec=small)
    assert chain.push(np.empty((0, 7))).n_taken == 0
    chain.obey(begin())
    assert chain.push(np.empty((0, 7))).windows == ()


def test_callers_array_is_neither_changed_nor_kept(montage, small, noise):
    """A caller may use its buffer again at once."""
    x = noise(3_000)
    kept = Chain(montage, spec=small)
    kept.obey(begin())
    buffer = np.empty((30, 7))
    windows = []
    for first in range(0, 3_000, 30):
        buffer[:] = x[first : first + 30]
        windows += kept.push(buffer).windows
        assert (buffer == x[first : first + 30]).all()
        buffer[:] = np.nan
    fresh = Chain(montage, spec=small)
    fresh.obey(begin())
    whole = fresh.push(x).windows
    assert [window.x_uv.tobytes() for window in windows] == [window.x_uv.tobytes() for window in whole]


def test_rejected_samples_count_as_taken_and_touch_nothing(montage, small, noise):
    """Rejected samples are consumed, over any number of pushes, and are not on the grid."""
    chain = Chain(montage, spec=small)
    chain.obey(begin())
    chain.obey(Decision("reject", 1, 0, 0, {"n": 30, "reason": "backward"}))
    assert [chain.push(noise(20)).n_taken for _ in range(2)] == [20, 20]
    assert chain.next_sample == 10
    assert chain.ledger.rejected == {"duplicate": 0, "backward": 30}


def test_samples_of_the_partner_are_counted_and_touch_nothing(montage, small, noise):
    """What was not taken of a second stream is in the ledger, outside the grid; a slip tells where the rest went."""
    chain = Chain(montage, spec=small)
    chain.obey(begin())
    chain.obey(Decision("slip", 1, 2, 0, {"sample": 0, "n": 0, "error_s": 0.0002}))
    assert chain.ledger.rejected == {"duplicate": 0, "backward": 0, "unpaired": 0, "partner": 0}
    chain.obey(Decision("unpaired", 1, 2, 0, {"n": 30, "reason": "late"}))
    chain.obey(Decision("reject", 1, 0, 0, {"n": 7, "reason": "unpaired"}))
    assert chain.push(noise(20)).n_taken == 20
    assert chain.next_sample == 13 and chain.ledger.balanced
    assert chain.ledger.rejected == {"duplicate": 0, "backward": 0, "unpaired": 7, "partner": 30}


def test_index_is_set_by_decision(montage, small, noise):
    """The next window takes the index that the decision says, never a lower one."""
    chain = Chain(montage, spec=small)
    chain.obey(begin())
    chain.obey(Decision("index", 2, 0, 0, {"next": 17}))
    assert [window.index for window in chain.push(noise(2_400)).windows] == [17, 18]
    with pytest.raises(DecisionError, match="next = 18; expected a whole number, 19 or more"):
        chain.obey(Decision("index", 2, 0, 0, {"next": 18}))


def test_samples_after_a_failed_recording_are_flagged_and_become_a_hole(montage, small, noise):
    """While unrecorded, windows say so; the next part's ledger has the folder's view (law 2, suspended by name)."""
    chain = Chain(montage, spec=small)
    chain.obey(begin())
    chain.push(noise(1_600))
    chain.recorded = False
    flags = [window.flags for window in chain.push(noise(900, 1)).windows]
    assert flags == [("uncalibrated", "unrecorded")]
    assert chain.n_unrecorded == 900
    chain.obey(Decision("lost", 2, 0, 0, {"n": 900, "reason": "unrecorded"}))
    assert chain.recorded and chain.n_unrecorded == 0
    assert (chain.ledger.received, chain.ledger.declared_lost, chain.ledger.partial) == (1_600, 900, 200)
    chain.obey(Decision("segment", 2, 0, 0, {"segment": 1, "first_sample": 2_500, "reason": "resume"}))
    assert chain.push(noise(1_400)).windows[0].flags == ("uncalibrated",)
    assert chain.ledger.balanced


def test_the_ledger_adds_up_in_the_middle_of_a_push(montage, small, noise, monkeypatch):
    """The heartbeat of another thread may look at any moment, and must not say that samples are missing (law 3)."""
    chain, place, seen = Chain(montage, spec=small), Book._place, []

    def look(book, n_samples):
        seen.append(chain.ledger.balanced)
        place(book, n_samples)

    monkeypatch.setattr(Book, "_place", look)
    chain.obey(begin())
    chain.push(noise(500))
    chain.obey(Decision("bridged", 1, 0, 500, {"n": 7}))
    chain.push(noise(300))
    assert seen == [True] * 4
    assert chain.ledger.received == 800


def test_the_folder_alone_gives_the_same_ledger(tape, run, montage, small, noise):
    """Read from the folder, an unrecorded stretch is an ordinary loss."""
    tape.begin().samples(noise(1_600)).decide("lost", n=900, reason="unrecorded")
    ledger = run(tape.items).ledger
    assert (ledger.received, ledger.declared_lost, ledger.partial, ledger.balanced) == (1_600, 900, 200, True)


def test_push_needs_an_open_segment(montage, small, noise):
    """Samples before a segment, or after the end, are a programming error."""
    chain = Chain(montage, spec=small)
    with pytest.raises(SequenceError, match="no segment is open.*segment decision first"):
        chain.push(noise(1))
    chain.obey(begin())
    assert chain.open
    chain.obey(Decision("end", 1, 0, 0, {"reason": "stop"}))
    assert not chain.open
    with pytest.raises(SequenceError, match="no segment is open"):
        chain.push(noise(1))


@pytest.mark.parametrize("shape", [(10,), (10, 6), (2, 10, 7)])
def test_wrong_shape_is_refused(montage, shape):
    """Columns are counted, not guessed."""
    with pytest.raises(SequenceError, match=r"expected \(n_samples, 7\)"):
        Chain(montage).push(np.zeros(shape))


def test_push_waits_for_a_calibration_that_is_due(montage, small, noise):
    """The chain takes samples up to the moment at which the calibration falls due, then wants the decision."""
    chain = Chain(montage, spec=small)
    chain.obey(begin())
    step = chain.push(noise(4_000))
    assert step.n_taken == 3_400
    assert step.calibration is not None
    with pytest.raises(SequenceError, match="calibration is due and was not obeyed"):
        chain.push(noise(1))
    chain.obey(Decision("calibration", 1, 0, 3_400, step.calibration.to_json()))
    assert chain.calibration == step.calibration
    assert chain.push(noise(600)).n_taken == 600


def begin(segment=0, first_sample=0):
    """Return the decision that opens a segment."""
    return Decision("segment", 1, 0, 0, {"segment": segment, "first_sample": first_sample, "reason": "start"})


class Block:
    """Samples from the start of part 1."""

    part, at = 1, 0

    def __init__(self, x_uv):
        self.x_uv = x_uv


REFUSED = [
    ("dance", {}, "kind 'dance' is not known; expected one of segment, bridged"),
    ("segment", {"segment": 0, "first_sample": 5, "reason": "gap"}, "begins at grid sample 5, but 10 comes next"),
    ("segment", {"segment": None, "first_sample": 10}, "segment = None; expected a whole number"),
    ("bridged", {"n": 0}, "n = 0; expected a whole number, 1 or more"),
    ("bridged", {"n": 21}, "A hole of 21 samples is to be bridged; expected at most 20"),
    ("bridged", {"n": 2.0}, "n = 2.0; expected a whole number"),
    ("lost", {"n": -1, "reason": "gap"}, "n = -1; expected a whole number, 0 or more"),
    ("lost", {"n": 1}, "reason = None; expected a text"),
    ("reject", {"n": 1}, "reason = None; expected a text"),
    ("reject", {"n": True, "reason": "duplicate"}, "n = True"),
    ("unpaired", {"reason": "late"}, "n = None; expected a whole number"),
    ("marker", {"phase": "jump", "sample": 3}, "phase = 'jump'; expected one of preparation, flexion"),
    ("marker", {"phase": "rest"}, "sample = None; expected a whole number"),
    ("calibration", {"hash": "x"}, "stored calibration is not one"),
    ("index", {}, "next = None; expected a whole number"),
]


@pytest.mark.parametrize(("kind", "data", "words"), REFUSED, ids=[words for *_, words in REFUSED])
def test_decision_that_cannot_be_obeyed_says_why(montage, noise, kind, data, words):
    """Rubbish and contradictions are refused with the value and what was expected (law 10)."""
    chain = Chain(montage)
    chain.obey(begin())
    chain.push(noise(10))
    with pytest.raises(DecisionError, match=words):
        chain.obey(Decision(kind, 1, 0, 10, data))


def test_bridge_needs_something_to_begin_at(montage):
    """A hole before a segment's first sample has no line."""
    chain = Chain(montage)
    with pytest.raises(DecisionError, match="before the first sample of a segment"):
        chain.obey(Decision("bridged", 1, 0, 0, {"n": 3}))
    chain.obey(begin())
    with pytest.raises(DecisionError, match="before the first sample of a segment"):
        chain.obey(Decision("bridged", 1, 0, 0, {"n": 3}))


@pytest.mark.parametrize("kind", ["term", "voided"])
def test_decisions_that_are_not_about_the_signal_change_nothing(montage, kind):
    """The folder holds more than the signal's decisions."""
    chain = Chain(montage)
    chain.obey(Decision(kind, 1, 0, 0, {}))
    assert chain.next_sample == 0 and not chain.open


def test_every_kind_of_decision_is_known(montage):
    """The kinds of the record are the kinds that the chain obeys."""
    chain = Chain(montage)
    assert sorted(chain._verbs) == sorted(KINDS)


def test_drive_tells_of_the_calibration_it_makes(tape, run, noise):
    """A calibration that no tape gives is made, told with its place, and obeyed."""
    tape.begin().samples(noise(1_000)).samples(noise(4_000, 1))
    ran = run(tape.items)
    assert [(made.kind, made.part, made.stream, made.at) for made in ran.made] == [("calibration", 1, 0, 3_400)]
    assert Calibration.from_json(ran.made[0].data) == ran.chain.calibration


@pytest.mark.parametrize("n_between", [0, 2])
def test_stored_calibration_wins_and_is_not_told_again(tape, run, noise, n_between):
    """What the record says is obeyed, not computed again, even when other decisions of its place stand before it."""
    tape.begin().samples(noise(3_400))
    made = run(tape.items).made[0]
    stored = Calibration.from_json(made.data)
    stored = replace(stored, thresholds_uv=tuple(2 * value for value in stored.thresholds_uv))
    for _ in range(n_between):
        tape.decide("marker", text="note", phase=None, sample=0)
    tape.items.append(Decision("calibration", 1, 0, 3_400, stored.to_json()))
    tape.samples(noise(2_000, 1))
    ran = run(tape.items)
    assert ran.made == []
    assert ran.chain.calibration == stored
    assert ran.windows[-1].calibration == stored.hash


def test_drive_without_a_listener(tape, montage, small, noise):
    """A tape can be scored without a record being kept."""
    tape.begin().samples(noise(3_500))
    chain = Chain(montage, spec=small)
    assert [step.n_taken for step in drive(chain, tape.items)] == [0, 3_400, 0, 100]


def test_montage_without_eeg(small, tape, run, noise):
    """Muscles alone make windows; the artifact stage stays off and says why."""
    montage = Montage("legs", 1000.0, tuple(Channel(f"M{index}", "emg") for index in range(7)))
    tape.begin().samples(noise(4_400))
    ran = run(tape.items, small, montage)
    assert ran.chain.calibration.reason == "0 usable EEG channels, 4 are needed"
    assert [window.flags for window in ran.windows] == [("uncalibrated",)] * 4


def test_the_filters_settle_once_in_each_segment():
    """Until then nothing that comes can be in a window."""
    chain = Chain(load_montage("amp16"), spec=ChainSpec(window=WindowSpec(1_000, 1_000, 400)))
    assert not chain.settled
    for segment in range(2):
        first = chain.next_sample
        chain.obey(Decision("segment", 1, 0, 0, {"segment": segment, "first_sample": first, "reason": "start"}))
        chain.push(np.zeros((399, 16)))
        assert not chain.settled
        chain.push(np.zeros((1, 16)))
        assert chain.settled
