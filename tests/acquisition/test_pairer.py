"""Two judged streams in one order of recording: places found, slips followed, nothing lost unsaid (laws 2 and 3)."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import Phase, example, given, settings
from hypothesis import strategies as st

from acquisition.decisions import Decision
from acquisition.items import ClockOffset, Raw, RawMarker
from acquisition.pairer import OFFSET_PATIENCE_S, PARTNER_PATIENCE_S, Pairer
from acquisition.session import SessionFolder
from acquisition.stamps import StampDecider
from tests.acquisition.conftest import SMALL
from tests.acquisition.test_session import info
from tests.acquisition.two_amplifiers import (
    COLUMNS,
    EMG_SCALE,
    MONTAGE,
    RATE,
    Amplifier,
    Life,
    Network,
    all_there,
    bits,
    by_stream,
    decided,
    distances,
    live,
    read_back,
)

N = 6_000
SIZES = st.lists(st.integers(1, 400), min_size=2, max_size=4)
COARSE = st.lists(st.integers(20, 400), min_size=1, max_size=3)
#: Holes that an amplifier's own stamps show: longer than its jitter, after it is known.
HOLES = st.lists(st.tuples(st.integers(1_500, 5_000), st.sampled_from((6, 15, 20, 21, 30, 400, 1_200))), max_size=3)


def eeg(n=N, **changes):
    """Return an EEG amplifier; its clock shows 100 s when the table is set."""
    return Amplifier(n, **{"clock_s": 100.0, **changes})


def emg(n=N, **changes):
    """Return an EMG amplifier, which sends whole numbers, on another clock."""
    return Amplifier(n, **{"clock_s": 52_000.0, "n_channels": 3, "dtype": "int32", **changes})


def accounted(items, one, two):
    """Check that every sample of both is recorded once, in order, and that the taken ones are as many of each."""
    for stream, amplifier in ((0, one), (2, two)):
        decisions, stamps, paired = by_stream(items, stream)
        assert np.array_equal(stamps, amplifier.stamps)
        lines = [Decision.from_line(line) for line in decisions]
        untaken = sum(line.data["n"] for line in lines if line.kind in ("reject", "unpaired"))
        assert untaken + np.count_nonzero(paired) == len(stamps)
        assert all(0 <= line.at <= len(stamps) for line in lines)
        assert [line.at for line in lines] == sorted(line.at for line in lines)


@settings(max_examples=20, deadline=None)
@example(
    start=-475.79484813778345,
    ppms=(147, -196),
    holes=([(2362, 1200), (2325, 1200)], []),
    sizes=([39, 1], [400, 40], [400], [400]),
)
@given(
    start=st.floats(-900, 900),
    ppms=st.tuples(st.integers(-200, 200), st.integers(-200, 200)),
    holes=st.tuples(HOLES, HOLES),
    sizes=st.tuples(SIZES, SIZES, SIZES, SIZES),
)
def test_the_result_depends_on_the_two_streams_alone(start, ppms, holes, sizes) -> None:
    """However both are cut, the same rows are paired by the same decisions, none further than a sample off (law 1)."""
    one, two = eeg(ppm=ppms[0]), emg(start=start, ppm=ppms[1])
    for amplifier, own in zip((one, two), holes, strict=True):
        for first, n in own:
            amplifier.drop(first, n)
    items = all_there(one, two, sizes[0], sizes[1])
    again = all_there(one, two, sizes[2], sizes[3])
    for stream in (0, 2):
        for this, other in zip(by_stream(items, stream), by_stream(again, stream), strict=True):
            assert np.array_equal(this, other)
    accounted(items, one, two)
    assert np.abs(distances(items)).max(initial=0) <= 1


@pytest.mark.parametrize(("ppms", "n_slips"), [((0, 0), 0), ((100, -100), 8), ((-200, 200), 16), ((30, 10), 1)])
def test_slips_come_as_the_rates_say(ppms, n_slips) -> None:
    """One each time that the partner has lagged or led by another sample, the first after three quarters of one."""
    n = 40_000
    one, two = eeg(n, ppm=ppms[0]), emg(n, ppm=ppms[1])
    items = all_there(one, two)
    slow = ppms[0] > ppms[1]
    begun, *slips = decided(items, "slip")
    assert begun.data["n"] == 0 and abs(begun.data["error_s"]) < 0.1e-3
    assert [slip.data["n"] for slip in slips] == [1 if slow else -1] * n_slips
    assert len(decided(items, "reject", reason="unpaired", n=1)) == n_slips * slow
    assert len(decided(items, "bridged", n=1)) == n_slips * slow
    assert len(decided(items, "unpaired", reason="slip", n=1)) == n_slips * (not slow)


@settings(max_examples=20, deadline=None)
@given(ppms=st.tuples(st.integers(-200, 200), st.integers(-200, 200)), start=st.floats(-0.5, 0.5))
def test_the_stated_error_is_the_error(ppms, start) -> None:
    """Each slip says how far the partner lies off from then on; true time agrees to a quarter of a sample."""
    one, two = eeg(20_000, ppm=ppms[0]), emg(20_000, ppm=ppms[1], start=start)
    pending = None
    for item in all_there(one, two):
        if isinstance(item, Decision) and item.kind == "slip":
            pending = item.data["error_s"] * RATE
        elif isinstance(item, Raw) and item.partner is not None and pending is not None:
            true = float(item.joined[0, 5]) / EMG_SCALE - float(item.joined[0, 0])
            assert true == pytest.approx(pending, abs=0.25)
            pending = None


def test_stamps_that_jitter_make_no_slips() -> None:
    """A sender whose chunks are up to 5 ms late stays where it is; a lasting move of its clock is followed."""
    one, two = eeg(30_000, jitter=1.0), emg(30_000, jitter=5.0)
    assert [slip.data["n"] for slip in decided(all_there(one, two), "slip")] == [0]
    two.stamps[15_000:] -= 0.008
    _, *moved = decided(all_there(one, two), "slip")
    assert sum(slip.data["n"] for slip in moved) in (-9, -8, -7)
    assert 15_000 < moved[0].data["sample"] < 16_000


def test_a_measured_offset_moves_the_place() -> None:
    """An offset that is measured anew is in force from then on, and for what waits before the first one too."""
    one, two = eeg(), emg()
    two.offsets = [(300.0, -52_000.0), (3_000.0, -51_999.99)]
    slips = decided(all_there(one, two), "slip")
    assert [slip.data["n"] for slip in slips[:2]] == [0, 10]
    assert 3_400 < slips[1].data["sample"] < 3_600  # once the median of the last second has moved


def test_a_short_hole_of_the_partner_is_bridged_a_long_one_ends_the_segment() -> None:
    """A grid sample counts as received only if both have it (contract)."""
    one, two = eeg(), emg()
    two.drop(3_000, 20)
    two.drop(4_000, 21)
    items = all_there(one, two)
    assert [(d.at, d.data["n"]) for d in decided(items, "bridged")] == [(3_020, 20)]
    assert [(d.at, d.data["n"]) for d in decided(items, "lost", reason="partner")] == [(4_041, 21)]
    assert [d.data["first_sample"] for d in decided(items, "segment")] == [0, 4_041]


def test_holes_of_both_that_meet_are_one_hole() -> None:
    """Two holes of 15 samples, one after the other, are 30 for the grid: a line may bridge 20 (law 4)."""
    one, two = eeg(), emg()
    one.drop(3_000, 15)
    two.drop(3_015, 15)
    items = all_there(one, two)
    assert decided(items, "bridged") == []
    assert [(d.at, d.data["n"]) for d in decided(items, "lost")] == [(3_015, 30)]
    assert [d.data["n"] for d in decided(items, "unpaired", reason="absent")] == [15]


def test_what_the_streams_own_judges_reject_stays_rejected() -> None:
    """Samples that come twice are no rows of the grid, and no partners of one."""
    one, two = eeg(), emg()
    one.repeat(3_000, 2)
    two.repeat(4_000, 3)
    items = all_there(one, two)
    assert len(decided(items, "reject", reason="duplicate")) == 2
    assert [d.data for d in decided(items, "unpaired")] == [{"n": 3, "reason": "duplicate"}]
    accounted(items, one, two)
    assert np.abs(distances(items)).max() < 0.1


def test_a_hole_that_stamps_hide_is_followed_within_a_second() -> None:
    """The partner loses 4 samples, fewer than its jitter may explain: its place moves once the median has."""
    one, two = eeg(), emg()
    two.drop(3_000, 4)
    items = all_there(one, two)
    assert [slip.data["n"] for slip in decided(items, "slip")] == [0, 4]
    off = distances(items)
    assert np.abs(off[4_000:]).max() < 0.1 and np.abs(off[:3_000]).max() < 0.1


def test_a_clock_that_was_reset_is_waited_for() -> None:
    """Until its offset is measured again nobody knows where its samples belong; then none is missing."""
    one, two = eeg(), emg()
    two.reset(3_000, -1_000.0)
    items = all_there(one, two)
    assert np.abs(distances(items)).max() < 0.1 and len(distances(items)) == N
    one.reset(4_000, 500.0)
    items = all_there(one, two)
    assert np.abs(distances(items)).max() < 1.1 and len(decided(items, "clock_reset")) == 1
    assert [d.data["reason"] for d in decided(items, "segment")] == ["start", "clock_reset"]


def test_a_clock_that_is_reset_twice_before_it_is_measured_costs_what_lies_between() -> None:
    """Nobody ever knew how far that clock was off: neither stream's samples of it are paired."""
    for which in (0, 1):
        amplifiers = eeg(), emg()
        amplifiers[which].reset(3_000, 1_000.0)
        amplifiers[which].reset(3_200, 1_000.0)
        items = all_there(*amplifiers)
        accounted(items, *amplifiers)
        assert len(distances(items)) == pytest.approx(N - 200, abs=2)
        assert np.abs(distances(items)).max() < 1.1


def test_a_partner_that_goes_is_given_up_and_taken_again() -> None:
    """Rows wait 500 ms, then are lost in runs of at most a second; a new segment begins with the partner's return."""
    one, two = eeg(12_000), emg(12_000)
    two.drop(4_000, 3_000)
    items = [item for out in live(one.chunks((20,)), two.chunks((20,))) for item in out]
    lost = decided(items, "lost", reason="partner")
    assert sum(d.data["n"] for d in lost) == pytest.approx(3_000, abs=1)
    assert len(lost) >= 3 and all(d.data["n"] <= 1_000 for d in lost)
    assert [d.data["reason"] for d in decided(items, "segment")] == ["start", "gap"]
    assert decided(items, "unpaired") == [] and np.abs(distances(items)).max() < 0.1


def test_a_partner_later_than_500_ms_is_lost_for_that_span() -> None:
    """What comes after its row was given up is late; a burst within the time is taken whole."""
    one, two = eeg(), emg()
    patient = [item for out in live(one.chunks((20,)), two.chunks((20,)), (Network(), Network(5, [(3_000, 400)])))
               for item in out]  # fmt: skip
    assert decided(patient, "unpaired") == decided(patient, "lost") == []
    late = [item for out in live(one.chunks((20,)), two.chunks((20,)), (Network(), Network(5, [(3_000, 900)])))
            for item in out]  # fmt: skip
    (unpaired,) = decided(late, "unpaired")
    assert unpaired.data["reason"] == "late" and unpaired.data["n"] == pytest.approx(400, abs=60)
    assert sum(d.data["n"] for d in decided(late, "lost")) == unpaired.data["n"]


def test_the_partner_waits_for_a_signal_that_comes_in_a_burst() -> None:
    """The signal's own latency costs nothing: 3 s late, every row finds its partner."""
    one, two = eeg(), emg()
    items = [item for out in live(one.chunks((20,)), two.chunks((20,)), (Network(5, [(2_000, 3_000)]), Network()))
             for item in out]  # fmt: skip
    assert decided(items, "unpaired") == decided(items, "lost") == [] and len(distances(items)) > N - 20


def test_a_partner_that_was_there_first_waits_for_no_row_that_never_was() -> None:
    """In the part of a later life the grid does not begin at 0, and what came before its first row has none."""
    one, two = eeg(), emg(start=-300.0)
    pairer = Pairer(RATE, COLUMNS, part=2, next_sample=5_000, next_segment=3)
    decider = StampDecider(RATE, part=2, next_sample=5_000, next_segment=3)
    items = [item for out in live(one.chunks((20,), decider), two.chunks((20,)), pairer=pairer) for item in out]
    assert [d.data for d in decided(items, "unpaired")] == [{"n": 300, "reason": "absent"}]
    (segment,) = decided(items, "segment")
    assert (segment.part, segment.data["segment"], segment.data["first_sample"]) == (2, 3, 5_000)


def test_the_partner_does_not_wait_for_ever() -> None:
    """A signal that is away for over a minute leaves its partner's samples without a row."""
    pairer = Pairer(RATE, COLUMNS)
    two = emg(1_000).chunks((1_000,))[0][1]
    assert [item for item in pairer.push([], two, 0.0) if isinstance(item, Raw)] == []
    assert decided(pairer.push([], [], PARTNER_PATIENCE_S - 0.1), "unpaired") == []
    (given_up,) = decided(pairer.push([], [], PARTNER_PATIENCE_S), "unpaired")
    assert given_up.data == {"n": 1_000, "reason": "absent"}


def test_rows_wait_for_a_clock_that_was_not_measured_yet() -> None:
    """The first measurement takes a second: as long as the partner sends, that is not its absence."""
    one, two = eeg(), emg()
    two.offsets = [(2_500.0, -52_000.0)]
    items = [item for out in live(one.chunks((20,)), two.chunks((20,))) for item in out]
    assert decided(items, "lost") == [] and len(distances(items)) > N - 20
    two.offsets = []
    pairer = Pairer(RATE, COLUMNS)
    first, second = one.chunks((N,))[0][1], two.chunks((N,))[0][1]
    assert decided(pairer.push(first, second, 0.0), "reject") == []
    assert decided(pairer.push([], [], OFFSET_PATIENCE_S), "reject")[0].data == {"n": 1_000, "reason": "unpaired"}


def test_markers_and_offsets_pass_in_their_order() -> None:
    """A marker stands after the rows that it came after, also among rows that wait for the end of a run."""
    one, two = eeg(), emg()
    two.drop(2_000, 300)
    chunks = one.chunks((100,))
    said = [
        item
        for at, (_, items) in enumerate(chunks, start=1)
        for item in [*items, RawMarker(str(at * 100), 0.0), Decision("marker", 1, 0, at * 100, {"sample": at * 100})]
    ]
    pairer = Pairer(RATE, COLUMNS, patience_s=np.inf)
    items = pairer.push(said, [item for _, items in two.chunks((700,)) for item in items], 0.0) + pairer.finish()
    assert [int(item.text) for item in items if isinstance(item, RawMarker)] == list(range(100, N + 1, 100))
    assert [(d.at, d.data["sample"]) for d in decided(items, "marker")] == [(n, n) for n in range(100, N + 1, 100)]
    assert {item.stream for item in items if isinstance(item, ClockOffset)} == {0, 2}


def test_the_error_is_told_while_there_is_a_pair() -> None:
    """The heartbeat's figure: in seconds, none before the first pair and none while the partner is away."""
    one, two = eeg(), emg(start=0.4)
    pairer = Pairer(RATE, COLUMNS)
    assert pairer.error_s is None
    pairer.push(one.chunks((N,))[0][1], two.chunks((N,))[0][1], 0.0)
    assert pairer.error_s == pytest.approx(0.4e-3, abs=1e-5)
    more = eeg(2 * N).chunks((N,))[1][1]
    pairer.push([item for item in more if isinstance(item, Raw)], [], 6.0)
    pairer.push([], [], 9.0)
    assert pairer.error_s is None


FAULT = st.one_of(
    st.tuples(st.just("drop"), st.integers(0, N), st.integers(1, 1_500)),
    st.tuples(st.just("repeat"), st.integers(0, N), st.integers(1, 40)),
    st.tuples(st.just("reset"), st.integers(1, N), st.sampled_from((-3_000.0, -0.5, 0.3, 90.0))),
)
NETWORK = st.builds(
    Network, st.integers(1, 700), st.lists(st.tuples(st.integers(0, N), st.integers(50, 3_000)), max_size=2)
)


#: Without shrinking: each try writes a folder.
@settings(max_examples=25, deadline=None, phases=(Phase.explicit, Phase.reuse, Phase.generate))
@given(
    faults=st.tuples(st.lists(FAULT, max_size=3), st.lists(FAULT, max_size=3)),
    networks=st.tuples(NETWORK, NETWORK),
    sizes=st.tuples(COARSE, COARSE),
    start=st.floats(-900, 900),
    ppms=st.tuples(st.integers(-200, 200), st.integers(-200, 200)),
)
def test_what_was_made_live_is_what_the_folder_says(faults, networks, sizes, start, ppms) -> None:
    """Whatever happens to either: the same windows to the bit, the same ledger, and it balances (laws 1 to 3)."""
    one, two = eeg(ppm=ppms[0]), emg(start=start, ppm=ppms[1])
    for amplifier, own in zip((one, two), faults, strict=True):
        for fault, at, what in own:
            getattr(amplifier, fault)(min(at, len(amplifier.truth) - 1), what)
    with tempfile.TemporaryDirectory() as data:
        folder = SessionFolder.create(Path(data), info(montage=MONTAGE.to_json()))
        life = Life(folder, SMALL)
        made = []
        for items in live(one.chunks(sizes[0], life.decider), two.chunks(sizes[1]), networks, life.pairer, 12_000):
            made += items
            life.take(items)
        rest = life.pairer.finish()
        life.take([*rest, Decision("end", 1, 0, 0, {"reason": "test"})])
        accounted(made + rest, one, two)
        windows, ledger = read_back(folder, SMALL)
        assert bits(windows) == bits(life.windows)
        assert ledger == life.chain.ledger and ledger.balanced
        rows, partners = (len(folder._part_file(1).streams[stream].stamps) for stream in (0, 2))
        assert rows == ledger.received + sum(n for why, n in ledger.rejected.items() if why != "partner")
        assert partners == ledger.received + ledger.rejected.get("partner", 0)
