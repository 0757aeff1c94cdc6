"""StampDecider: stamps and counters become decisions, the same ones at any chunking (laws 1, 3 and 4)."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from acquisition.decisions import Decision
from acquisition.errors import RateError
from acquisition.montage import load_montage
from acquisition.stamps import LastSample, StampDecider

RATE = 1000.0
START_S = 512_345.25
#: The last of 5000 samples of an earlier part.
LAST = LastSample(START_S + 4.999)


def regular(n, *, first=0, rate=RATE):
    """Stamps of n samples on the grid from sample `first` on."""
    return START_S + (first + np.arange(n)) / rate


def holed(n, *holes):
    """Regular stamps of n samples; each hole is (samples before it, samples missing)."""
    index = np.arange(n)
    for before, missing in holes:
        index[before:] += missing
    return START_S + index / RATE, index


def decide(stamps, counters=None, *, sizes=None, **settings):
    """Push stamps in chunks of these sizes, the rest at once."""
    decider = StampDecider(RATE, part=1, **settings)
    decisions = []
    for start, stop in cuts(len(stamps), sizes):
        decisions += decider.push(stamps[start:stop], None if counters is None else counters[start:stop])
    return decider, decisions


def cuts(n, sizes):
    """Starts and stops of the chunks."""
    return list(pairwise([0, *np.clip(np.cumsum(sizes or [n]), 0, n).tolist(), n]))


def brief(decisions):
    """Kind, place and data of each decision."""
    return [(d.kind, d.at, dict(d.data)) for d in decisions]


def begin(at=0, segment=0, first=0, reason="start"):
    """The segment decision in brief."""
    return ("segment", at, {"segment": segment, "first_sample": first, "reason": reason})


def test_a_clean_stream_is_one_segment():
    """Nine regular minutes are one decision, and the grid counts every sample (law 3)."""
    decider, decisions = decide(regular(540_000))
    assert brief(decisions) == [begin()]
    assert decider.next_sample == decider.at == 540_000
    assert decider.rate_ppm == pytest.approx(0, abs=0.01)


@pytest.mark.parametrize("missing", [6, 20])
def test_a_short_hole_is_bridged(missing):
    """A hole of up to 20 samples is bridged by a straight line and stays in its segment (law 4)."""
    stamps, _ = holed(3000, (1500, missing))
    decider, decisions = decide(stamps)
    assert brief(decisions) == [begin(), ("bridged", 1500, {"n": missing})]
    assert decider.next_sample == 3000 + missing


@pytest.mark.parametrize("missing", [21, 5000])
def test_a_long_hole_is_lost_and_opens_a_segment(missing):
    """A hole of more than 20 samples is declared lost, exactly, and the next segment begins behind it (law 4)."""
    stamps, _ = holed(3000, (1500, missing))
    decider, decisions = decide(stamps)
    lost = ("lost", 1500, {"n": missing, "reason": "gap"})
    assert brief(decisions) == [begin(), lost, begin(1500, 1, 1500 + missing, "gap")]
    assert decider.next_sample == 3000 + missing


@pytest.mark.parametrize("missing", [1, 3, 20, 21, 700])
def test_a_counter_shows_every_hole_exactly(missing):
    """With a counter one missing sample is seen, whatever the stamps say (law 3)."""
    stamps, counters = holed(3000, (1500, missing))
    decider, decisions = decide(stamps, counters)
    kind = "bridged" if missing <= 20 else "lost"
    assert [(d.kind, d.at, d.data["n"]) for d in decisions if "n" in d.data] == [(kind, 1500, missing)]
    assert decider.next_sample == 3000 + missing


@pytest.mark.parametrize("missing", [0, 1, 127, 128, 255, 256, 257, 1000])
def test_a_counter_that_turns_over_is_exact_too(missing):
    """An 8-bit counter gives the hole modulo 256, the stamps say how many turns (law 3)."""
    stamps, counters = holed(3000, (1500, missing))
    decider, _ = decide(stamps, counters % 256, counter_modulo=256)
    assert decider.next_sample == 3000 + missing


def test_stamp_jitter_does_not_matter_with_a_counter():
    """Wildly late chunks of a sender with a counter are no holes."""
    rng = np.random.default_rng(3)
    stamps = regular(20_000) + np.repeat(rng.uniform(0, 0.2, 200), 100)
    _, decisions = decide(stamps, np.arange(20_000))
    assert brief(decisions) == [begin()]


@pytest.mark.parametrize("jitter_s", [0.002, 0.0025])
def test_stamps_that_jitter_are_no_holes(jitter_s):
    """Each stamp off by up to 2.5 ms either way: no sample is invented, none declared lost."""
    rng = np.random.default_rng(5)
    stamps = regular(60_000) + rng.uniform(-jitter_s, jitter_s, 60_000)
    decider, decisions = decide(stamps)
    assert brief(decisions) == [begin()]
    assert decider.allowance == 5.0


@pytest.mark.parametrize("chunk", [10, 20, 32, 64])
def test_the_senders_chunk_is_learnt(chunk):
    """A sender whose chunks come early and late by half a chunk is given one and a half chunks."""
    rng = np.random.default_rng(7)
    n = 60_000 // chunk * chunk
    stamps = regular(n) + np.repeat(rng.uniform(-0.5, 0.5, n // chunk) * chunk / RATE, chunk)
    decider, decisions = decide(stamps)
    assert brief(decisions) == [begin()]
    assert decider.allowance == pytest.approx(1.5 * chunk, rel=0.1)


def test_bursts_with_one_stamp_are_a_chunk():
    """A sender that gives the 20 samples of a chunk one stamp loses none of them."""
    decider, decisions = decide(START_S + np.repeat(np.arange(1000), 20) * 0.020)
    assert brief(decisions) == [begin()]
    assert decider.next_sample == 20_000


def test_random_losses_are_not_taken_for_a_chunk():
    """Holes at random places end regular runs too; they must not buy themselves an allowance."""
    rng = np.random.default_rng(11)
    places = np.sort(rng.choice(np.arange(1000, 59_000, 150), 60, replace=False))
    stamps, index = holed(60_000, *[(int(place), 12) for place in places])
    decider, decisions = decide(stamps)
    assert [d.at for d in decisions if d.kind == "bridged"] == places.tolist()
    assert decider.next_sample == index[-1] + 1


def test_what_the_allowance_hides_is_caught_as_a_step():
    """Small holes inside the jitter allowance add up to a step of the medians, which is declared lost (law 3)."""
    rng = np.random.default_rng(13)
    late = np.where(np.arange(1000) < 300, rng.uniform(-0.01, 0.01, 1000), 0)
    stamps, index = holed(20_000, (10_000, 15), (10_600, 15), (11_200, 15))
    decider, decisions = decide(stamps + np.repeat(late, 20))
    lost = [d for d in decisions if d.kind == "lost"]
    assert [d.data["reason"] for d in lost] == ["gap"]
    assert [d.kind for d in decisions] == ["segment", "lost", "segment"]
    assert abs(decider.next_sample - index[-1] - 1) <= decider.allowance == 30
    assert 10_000 < lost[0].at < 13_000


@pytest.mark.parametrize("ppm", [-900, 50, 900])
def test_slow_drift_is_the_true_rate(ppm):
    """A crystal that is off is measured and shown, and nothing is declared lost."""
    decider, decisions = decide(regular(120_000, rate=RATE * (1 + ppm * 1e-6)))
    assert brief(decisions) == [begin()]
    assert decider.rate_ppm == pytest.approx(ppm, abs=5)


@pytest.mark.parametrize("rate", [998.5, 1001.5, 995.0])
def test_a_rate_beyond_1000_ppm_is_refused(rate):
    """No crystal is that far off: the stream is refused with both rates."""
    with pytest.raises(RateError, match=rf"states 1000 Hz, but by its own stamps it runs at {rate:.2f} Hz") as refusal:
        decide(regular(60_000, rate=rate))
    assert "Set the amplifier to the montage's rate" in str(refusal.value)


@pytest.mark.parametrize("rate", [250.0, 500.0, 985.0, 1015.0, 2000.0])
def test_a_grossly_wrong_rate_is_refused_within_two_seconds(rate):
    """An amplifier at another rate does not get as far as a window."""
    decider = StampDecider(RATE, part=1)
    with pytest.raises(RateError, match="states 1000 Hz"):
        decider.push(regular(2000, rate=rate))


def test_two_early_holes_are_not_a_wrong_rate():
    """A stumbling start is holes, not a wrong rate."""
    stamps, _ = holed(5000, (200, 100), (900, 300))
    _, decisions = decide(stamps)
    assert [d.data["n"] for d in decisions if d.kind == "lost"] == [100, 300]


def test_a_repeated_sample_is_a_duplicate():
    """A stamp that came already is rejected, and the grid does not count it (law 3)."""
    stamps = np.insert(regular(3000), 1501, regular(3000)[1500])
    decider, decisions = decide(stamps)
    assert brief(decisions) == [begin(), ("reject", 1501, {"n": 1, "reason": "duplicate"})]
    assert (decider.next_sample, decider.at) == (3000, 3001)


def test_a_chunk_sent_twice_is_rejected_sample_by_sample():
    """Forty stamps again are forty duplicates; what follows them goes on where it was."""
    stamps = np.concatenate([regular(2000), regular(2000)[-40:], regular(1000, first=2000)])
    decider, decisions = decide(stamps)
    assert [d.data["reason"] for d in decisions[1:]] == ["duplicate"] * 40
    assert decider.next_sample == 3000


def test_a_counter_tells_duplicates_from_backward_samples():
    """The same count again is a duplicate, an older one is backward; both are rejected."""
    order = [*range(1500), 1499, 1490, *range(1500, 3000)]
    decider, decisions = decide(regular(3000)[order], np.array(order))
    assert [(d.at, d.data["reason"]) for d in decisions[1:]] == [(1500, "duplicate"), (1501, "backward")]
    assert decider.next_sample == 3000


def test_a_straggling_chunk_is_backward():
    """A chunk that comes after its successor is rejected: its places are taken."""
    order = [*range(2000), *range(2020, 2040), *range(2000, 2020), *range(2040, 4000)]
    decider, decisions = decide(regular(4000)[order])
    assert [d.kind for d in decisions] == ["segment", "bridged", *["reject"] * 20]
    assert {d.data.get("reason") for d in decisions[2:]} == {"backward"}
    assert decider.next_sample == 4000


@pytest.mark.parametrize("back_s", [1.5, 600.0])
def test_a_clock_that_goes_back_is_reset_with_nothing_lost(back_s):
    """A clock set back opens a segment with 0 lost: every sample stays."""
    stamps = np.concatenate([regular(2000), regular(2000, first=2000) - back_s])
    decider, decisions = decide(stamps)
    assert [d.kind for d in decisions] == ["segment", "clock_reset", "segment"]
    assert decisions[1].data["step_s"] == pytest.approx(0.001 - back_s)
    assert brief(decisions[2:]) == [begin(2000, 1, 2000, "clock_reset")]
    assert decider.next_sample == 4000


def test_a_clock_that_goes_back_a_little_is_known_after_twenty_samples():
    """Twenty regular samples behind the grid are no stragglers: the clock was set back."""
    stamps = np.concatenate([regular(2000), regular(2000, first=2000) - 0.50037])
    decider, decisions = decide(stamps)
    assert [d.kind for d in decisions] == ["segment", *["reject"] * 20, "clock_reset", "segment"]
    assert decider.next_sample == 3980


def test_a_clock_that_leaps_a_minute_is_reset_without_a_counter():
    """Nobody knows what was lost over a leap of more than 60 s: a new segment, 0 lost."""
    stamps = np.concatenate([regular(2000), regular(2000, first=2000) + 61])
    decider, decisions = decide(stamps)
    assert [d.kind for d in decisions] == ["segment", "clock_reset", "segment"]
    assert decider.next_sample == 4000


def test_a_counter_measures_a_hole_of_more_than_a_minute():
    """With a counter a hole of 100 s is lost, exactly."""
    stamps, counters = holed(4000, (2000, 100_000))
    decider, decisions = decide(stamps, counters)
    assert [(d.kind, d.data.get("n")) for d in decisions[1:2]] == [("lost", 100_000)]
    assert decider.next_sample == 104_000


def test_a_counter_that_begins_anew_is_a_reset():
    """A device that restarts counts from 0: after twenty samples that is believed."""
    counters = np.concatenate([np.arange(50_000, 52_000), np.arange(2000)])
    decider, decisions = decide(regular(4000), counters)
    assert [d.kind for d in decisions] == ["segment", *["reject"] * 20, "clock_reset", "segment"]
    assert decider.next_sample == 3980


def test_a_counter_that_leaps_beyond_the_stamps_is_a_reset():
    """A count a minute ahead of the clock is another count, not a loss."""
    counters = np.concatenate([np.arange(2000), 10_000_000 + np.arange(2000)])
    decider, decisions = decide(regular(4000), counters)
    assert [d.kind for d in decisions] == ["segment", "clock_reset", "segment"]
    assert decider.next_sample == 4000


def test_a_backlog_after_a_stall_never_hides_in_a_window():
    """A stall of 300 ms, then its samples in one burst: lost, rejected, and a new segment where it goes on (law 4)."""
    arrival = np.concatenate([regular(2000), np.full(300, START_S + 2.3) + np.arange(300) * 1e-5])
    stamps = np.concatenate([arrival, regular(2000, first=2300) + 0.003])
    decider, decisions = decide(stamps)
    kinds = [d.kind for d in decisions]
    assert kinds[:3] == ["segment", "lost", "segment"]
    assert kinds.count("segment") == 3 and "clock_reset" not in kinds
    last = next(d for d in reversed(decisions) if d.kind == "segment")
    assert last.at >= 2290 and abs(decider.next_sample - 4300) <= 10


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf, 1e300])
def test_a_stamp_that_is_no_time_counts_as_regular(bad):
    """A sample whose stamp is rubbish follows the one before it."""
    stamps = regular(3000)
    stamps[[0, 1500, 1501, 2999]] = bad
    stamps[0] = stamps[1] - 1 / RATE
    decider, decisions = decide(stamps)
    assert brief(decisions) == [begin()]
    assert decider.next_sample == 3000


def test_a_count_that_is_no_number_is_the_next():
    """A NaN in the counter is taken for a regular step; holes beside it are still exact."""
    stamps, index = holed(3000, (2000, 3))
    counters = index.astype(float)
    counters[1500] = np.nan
    _, decisions = decide(stamps, counters)
    assert brief(decisions) == [begin(), ("bridged", 2000, {"n": 3})]


def test_a_part_that_begins_to_count_is_believed():
    """The part before had no counter; from the first count on, this one is exact."""
    decider = StampDecider(RATE, part=2, next_sample=5000, next_segment=1, previous=LAST)
    index = np.concatenate([np.arange(5000, 5100), np.arange(5103, 5200)])
    decisions = decider.push(START_S + index / RATE, index)
    assert brief(decisions) == [begin(0, 1, 5000, "resume"), ("bridged", 100, {"n": 3})]


def test_no_samples_are_no_decisions():
    """An empty chunk changes nothing."""
    decider = StampDecider(RATE, part=1)
    assert decider.push(np.empty(0)) == []
    assert (decider.next_sample, decider.offset_s) == (0, None)


def test_a_later_life_declares_the_time_between_lost():
    """The next part knows its last sample: what is missing is lost for the reason resume (law 3)."""
    decider = StampDecider(RATE, part=2, next_sample=5000, next_segment=3, previous=LAST)
    decisions = decider.push(regular(100, first=7000))
    assert brief(decisions) == [("lost", 0, {"n": 2000, "reason": "resume"}), begin(0, 3, 7000, "resume")]
    assert decisions[0].part == 2
    assert decider.next_sample == 7100


def test_a_later_life_that_misses_nothing_loses_nothing():
    """A part that goes on at the very next sample opens a segment with 0 lost."""
    decider = StampDecider(RATE, part=2, next_sample=5000, next_segment=1, previous=LAST)
    assert brief(decider.push(regular(10, first=5000))) == [begin(0, 1, 5000, "resume")]


@pytest.mark.parametrize("shift_s", [-3.0, 61.0])
def test_a_later_life_on_another_clock_loses_nothing(shift_s):
    """A clock that went back, or on by more than a minute, says nothing about what was lost."""
    decider = StampDecider(RATE, part=2, next_sample=5000, next_segment=1, previous=LAST)
    decisions = decider.push(regular(10, first=5000) + shift_s)
    assert [d.kind for d in decisions] == ["clock_reset", "segment"]
    assert decisions[1].data == {"segment": 1, "first_sample": 5000, "reason": "resume"}


def test_a_later_life_counts_by_the_counter():
    """With a counter the loss between two parts is exact and may be longer than a minute."""
    previous = LastSample(float(regular(5000)[-1]), counter=4999)
    decider = StampDecider(RATE, part=2, next_sample=5000, next_segment=1, previous=previous)
    decisions = decider.push(regular(10, first=99_000) + 0.004, np.arange(99_000, 99_010))
    assert brief(decisions[:1]) == [("lost", 0, {"n": 94_000, "reason": "resume"})]


def test_recording_again_after_a_full_disk_names_its_reason():
    """What passed while nothing was recorded is lost for the record, for the reason unrecorded."""
    decider = StampDecider(RATE, part=2, next_sample=5000, previous=LAST, resume="unrecorded")
    assert decider.push(regular(10, first=5500))[0].data == {"n": 500, "reason": "unrecorded"}


def test_a_marker_belongs_to_the_sample_at_or_after_its_stamp():
    """A marker on a sample is that sample's; between two it is the later one's."""
    decider, _ = decide(regular(5000))
    montage = load_montage("amp16")
    on = decider.marker(START_S + 1.234, "flexion", montage)
    between = decider.marker(START_S + 1.2341, "a cough", montage)
    assert on == Decision("marker", 1, 0, 5000, {"text": "flexion", "phase": "flexion", "sample": 1234})
    assert between.data == {"text": "a cough", "phase": None, "sample": 1235}


@pytest.mark.parametrize("stamp_s", [START_S - 3, float("nan")])
def test_a_marker_from_before_the_grid_belongs_to_its_begin(stamp_s):
    """A marker before the first sample is in force from sample 0, one without a time from the next sample on."""
    decider, _ = decide(regular(50))
    expected = 0 if stamp_s < START_S else 50
    assert decider.marker(stamp_s, "rest", load_montage("amp16")).data["sample"] == expected


def test_a_marker_inside_a_hole_has_its_place_on_the_grid():
    """Lost samples have places too: a marker that fell into a hole is not moved behind it."""
    stamps, _ = holed(3000, (1500, 500))
    decider, _ = decide(stamps)
    assert decider.marker(START_S + 1.750, "rest", load_montage("amp16")).data["sample"] == 1750


@st.composite
def rough_streams(draw):
    """Streams with holes, bursts, jitter, duplicates, stragglers and clock jumps, and ways to cut them."""
    n = draw(st.integers(1, 2500))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    chunk = draw(st.sampled_from([1, 1, 10, 20, 50]))
    index = np.arange(n, dtype=np.int64)
    for _ in range(draw(st.integers(0, 4))):
        index[rng.integers(0, n) :] += rng.choice([1, 4, 7, 20, 21, 400, 100_000])
    jitter = np.repeat(rng.normal(0, draw(st.sampled_from([0, 1e-4, 2e-3, 1e-2])), n // chunk + 1), chunk)[:n]
    stamps = START_S + index / RATE + jitter
    for _ in range(draw(st.integers(0, 3))):
        place, width = rng.integers(0, n), int(rng.integers(1, 60))
        source = slice(max(0, place - width), place)
        stamps, index = np.insert(stamps, place, stamps[source]), np.insert(index, place, index[source])
    if draw(st.booleans()):
        stamps[rng.integers(0, len(stamps)) :] += rng.choice([-5.0, -0.3, 0.3, 70.0])
    if draw(st.booleans()):
        stamps[rng.integers(0, len(stamps))] = rng.choice([np.nan, np.inf, stamps[0]])
    counters = index % 256 if draw(st.booleans()) else None
    sizes = draw(st.lists(st.integers(1, 700), max_size=12))
    return stamps, counters, sizes


@settings(max_examples=60, deadline=None)
@given(rough_streams())
def test_decisions_do_not_depend_on_chunking(stream):
    """The same stamps give the same decisions however they arrive, and the grid adds up (laws 1 and 3)."""
    stamps, counters, sizes = stream
    outcomes = []
    for way in (None, sizes, [1] * len(stamps)):
        try:
            decider, decisions = decide(stamps, counters, sizes=way, counter_modulo=None if counters is None else 256)
        except RateError as refusal:
            outcomes.append(str(refusal))
            continue
        outcomes.append((decisions, decider.next_sample, decider.offset_s))
        missing = sum(d.data["n"] for d in decisions if d.kind in ("lost", "bridged"))
        assert decider.next_sample == len(stamps) + missing - sum(d.kind == "reject" for d in decisions)
        assert [d.at for d in decisions] == sorted(d.at for d in decisions)
        firsts = [d.data["first_sample"] for d in decisions if d.kind == "segment"]
        assert firsts == sorted(firsts)
    assert outcomes[0] == outcomes[1] == outcomes[2]


@pytest.mark.parametrize("n", [2_500, 20_000])
def test_time_that_stands_still_is_refused(n):
    """All stamps equal is no rate at all; to look at it, nothing is refused and every sample is taken or rejected."""
    with pytest.raises(RateError, match="states 1000 Hz, but by its own stamps no time passes"):
        decide(np.full(n, START_S))
    decider, decisions = decide(np.full(n, START_S), any_rate=True)
    rejected = sum(d.data["n"] for d in decisions if d.kind == "reject")
    lost = sum(d.data["n"] for d in decisions if d.kind in ("lost", "bridged"))
    assert decider.next_sample - lost + rejected == n


def test_any_rate_can_be_looked_at():
    """Stamps beyond what is a crystal's error: no refusal, and how far off they are is told."""
    decider, _ = decide(regular(15_000, rate=998.0), any_rate=True)
    assert decider.rate_ppm == pytest.approx(-2000, rel=0.1)
    with pytest.raises(RateError):
        decide(regular(15_000, rate=998.0))
