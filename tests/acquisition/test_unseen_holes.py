"""What stamps cannot show: the limits that docs/faults.md states, each on the decider itself."""

import numpy as np
import pytest

from acquisition.decisions import Decision
from acquisition.errors import RateError
from acquisition.stamps import StampDecider

#: Hz; where in the signal the hole is, and how much comes after it.
RATE, AT, AFTER = 1000.0, 10_000, 5_000
#: A sender's chunk and the jitter of its stamps, in samples.
CHUNK, JITTER = 32, 3.0


def decide(hole: int, *, at: int = AT, chunk: int = 0, counted: bool = False) -> tuple[StampDecider, list[Decision]]:
    """Return what is decided on a signal with one hole: stamps exact, or one stamp to a chunk."""
    index = np.concatenate([np.arange(at), np.arange(at + hole, at + hole + AFTER)])
    stamps = 100.0 + index / RATE
    if chunk:
        jitter = np.random.default_rng(0).uniform(0.0, JITTER, len(index) // chunk + 1) / RATE
        stamps += jitter[np.arange(len(index)) // chunk]
    decider = StampDecider(RATE, part=1)
    decisions = decider.push(stamps, index if counted else None)
    return decider, [decision for decision in decisions if decision.kind != "segment"]


@pytest.mark.parametrize("chunk", [0, CHUNK])
@pytest.mark.parametrize("hole", [1, 5, 20, 21, 2_000])
def test_a_counter_shows_every_hole(hole, chunk):
    """Where it is and how long it is, to the sample, whatever the stamps do."""
    decider, (decision,) = decide(hole, chunk=chunk, counted=True)
    assert (decision.kind, decision.at, decision.data["n"]) == ("bridged" if hole <= 20 else "lost", AT, hole)
    assert decider.next_sample == AT + hole + AFTER


@pytest.mark.parametrize("hole", [6, 15, 20, 21, 2_000])
def test_exact_stamps_show_holes_of_six_samples_and_more(hole):
    """At once, and to the sample."""
    _, (decision,) = decide(hole)
    assert (decision.kind, decision.at, decision.data["n"]) == ("bridged" if hole <= 20 else "lost", AT, hole)


@pytest.mark.parametrize("hole", [1, 2, 3, 4])
def test_exact_stamps_never_show_shorter_ones(hole):
    """The samples close up: the grid is that much shorter, and its stamps lie that much later."""
    decider, decisions = decide(hole)
    assert decisions == []
    assert decider.next_sample == AT + AFTER
    assert decider.offset_s == pytest.approx(100.0 + hole / RATE)


def test_in_its_first_tenth_of_a_second_a_stream_may_lose_45_samples_unseen():
    """Nothing is known of the sender yet; all of it lies in the settling, which is in no window."""
    assert decide(44, at=50)[1] == []
    assert [decision.data["n"] for decision in decide(46, at=50)[1]] == [46]


def test_a_sender_of_jittering_chunks_shows_at_once_what_is_longer_than_one_and_a_half_of_them():
    """To within its jitter."""
    decider, (decision,) = decide(52, chunk=CHUNK)
    assert decider.allowance == 1.5 * CHUNK
    assert (decision.kind, decision.at) == ("lost", AT)
    assert decision.data["n"] == pytest.approx(52, abs=JITTER)


@pytest.mark.parametrize("hole", [36, 45])
def test_between_one_chunk_and_one_and_a_half_it_shows_later(hole):
    """As a step of the medians, within two and a half seconds; what came meanwhile stays where it was put."""
    _, (decision,) = decide(hole, chunk=CHUNK)
    assert decision.kind == "lost" and AT + 500 <= decision.at <= AT + 2_500
    assert decision.data["n"] == pytest.approx(hole, abs=JITTER)


@pytest.mark.parametrize("hole", [1, 10, 20, 28])
def test_shorter_than_one_chunk_it_never_shows(hole):
    """Nor below 20 samples, whatever the chunk."""
    assert decide(hole, chunk=CHUNK)[1] == []


@pytest.mark.parametrize("at", [1_500, AT])
def test_a_clock_set_back_by_whole_samples_looks_like_samples_that_come_again(at):
    """Stamps alone cannot tell them from duplicates; a counter can, and does not take the step for a wrong rate."""
    index = np.arange(25_000)
    stamps = 100.0 + (index - 300 * (index >= at)) / RATE
    decisions = StampDecider(RATE, part=1).push(stamps)
    assert [d.data["reason"] for d in decisions if d.kind == "reject"] == ["duplicate"] * 300
    decider = StampDecider(RATE, part=1)
    assert [d.kind for d in decider.push(stamps, index)] == ["segment"]
    assert decider.rate_ppm == pytest.approx(0.0, abs=1.0)


@pytest.mark.parametrize("ppm", [1_500.0, 20_000.0, -20_000.0])
def test_a_counter_does_not_hide_a_wrong_rate(ppm):
    """What rises all the time is drift."""
    index = np.arange(20_000)
    with pytest.raises(RateError):
        StampDecider(RATE, part=1).push(100.0 + index / RATE * (1 + ppm * 1e-6), index)
