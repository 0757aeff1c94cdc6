"""Batching: which windows go through the engine together, and how long they wait for each other."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from hypothesis import given
from hypothesis import strategies as st

from inference.batching import GATHER_S, batches, gather_s


@dataclass(frozen=True)
class Delivered:
    """A delivery of a fake consumer."""

    index: int
    deliveries: int
    model: str = "a"
    end_s: float = math.nan
    session: str = "s"


def at_most(n: int) -> Callable[[str], int]:
    """Return the same size for every model."""
    return lambda model: n


ends = st.one_of(st.just(math.nan), st.floats(0, 100))
deliveries = st.lists(st.tuples(st.integers(1, 3), st.sampled_from("ab"), ends), max_size=12).map(
    lambda rows: [Delivered(i, *row) for i, row in enumerate(rows)]
)
sizes = st.fixed_dictionaries({"a": st.integers(1, 5), "b": st.integers(1, 5)})


def test_new_windows_go_together_in_order() -> None:
    """Up to the size of a batch."""
    new = [Delivered(i, 1) for i in range(5)]
    assert batches(new, at_most(2)) == [new[:2], new[2:4], new[4:]]
    assert batches([], at_most(8)) == []


def test_a_window_that_comes_again_goes_alone_and_last() -> None:
    """It may be the one that killed a scorer."""
    read = [Delivered(0, 2), Delivered(1, 1), Delivered(2, 2), Delivered(3, 1)]
    assert batches(read, at_most(8)) == [[read[1], read[3]], [read[0]], [read[2]]]


def test_whoever_waited_longest_goes_first() -> None:
    """By the end of the window; one that was made again from the folder has none and is last."""
    read = [Delivered(0, 1), Delivered(1, 1, end_s=7.0), Delivered(2, 1, end_s=3.0), Delivered(3, 1, end_s=5.0)]
    assert batches(read, at_most(2)) == [[read[2], read[3]], [read[1], read[0]]]


@given(deliveries, sizes)
def test_every_window_runs_once_with_its_own_model(read: Sequence[Delivered], size: dict[str, int]) -> None:
    """In batches that its engine allows."""
    found = batches(read, size.__getitem__)
    assert sorted(one.index for batch in found for one in batch) == [one.index for one in read]
    for batch in found:
        assert len({one.model for one in batch}) == 1 and len(batch) <= size[batch[0].model]
        assert len(batch) == 1 or all(one.deliveries == 1 for one in batch)


@given(deliveries, sizes)
def test_nobody_is_overtaken_by_a_younger_window_of_the_same_model(
    read: Sequence[Delivered], size: dict[str, int]
) -> None:
    """And no batch begins before one whose oldest window is older."""
    found = [batch for batch in batches(read, size.__getitem__) if batch[0].deliveries == 1]
    for model in size:
        of_model = [one.end_s for batch in found for one in batch if one.model == model]
        assert_ordered(of_model)
    assert_ordered([batch[0].end_s for batch in found])


def assert_ordered(ends_s: Sequence[float]) -> None:
    """Ends grow, and what has none comes last."""
    known = [end_s for end_s in ends_s if not math.isnan(end_s)]
    assert known == sorted(known) and not any(math.isnan(end_s) for end_s in ends_s[: len(known)])


@given(deliveries, st.integers(0, 4), sizes, st.floats(0, 1))
def test_nothing_waits_longer_than_it_may(
    read: Sequence[Delivered], n_sessions: int, size: dict[str, int], waited_s: float
) -> None:
    """And nothing at all once the time is over, or before anything was read."""
    wait_s = gather_s(read, n_sessions, size.__getitem__, waited_s)
    assert wait_s == 0.0 or 0.0 < wait_s <= GATHER_S - waited_s
    assert read or wait_s == 0.0


def test_it_waits_only_where_a_neighbour_may_come() -> None:
    """Not for one bed alone, not in a full batch, not for an engine that runs one at a time."""
    one = [Delivered(0, 1, session="s1")]
    assert gather_s(one, 2, at_most(4), 0.005) == GATHER_S - 0.005
    assert gather_s(one, 1, at_most(4), 0.0) == 0.0
    assert gather_s(one, 2, at_most(1), 0.0) == 0.0
    assert gather_s([*one, Delivered(1, 1, session="s1")], 2, at_most(2), 0.0) == 0.0
    assert gather_s([Delivered(0, 2, session="s1")], 2, at_most(4), 0.0) == 0.0


@given(st.integers(1, 8), st.data())
def test_a_deadly_window_takes_no_neighbour_with_it(n: int, data: st.DataObject) -> None:
    """A scorer dies at one window of a batch, thrice: every other is committed before it is dead-lettered."""
    deadly = data.draw(st.integers(0, n - 1))
    waiting = set(range(n))
    for delivery in (1, 2, 3):
        for batch in batches([Delivered(i, delivery) for i in sorted(waiting)], at_most(8)):
            if deadly in {one.index for one in batch}:
                break
            waiting -= {one.index for one in batch}
    assert waiting == {deadly}
