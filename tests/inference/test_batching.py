"""Batching: which windows go through the engine together."""

from __future__ import annotations

from dataclasses import dataclass

from hypothesis import given
from hypothesis import strategies as st

from inference.batching import batches


@dataclass(frozen=True)
class Delivered:
    """A delivery of a fake consumer."""

    index: int
    deliveries: int


def test_new_windows_go_together_in_order() -> None:
    """Up to the size of a batch."""
    new = [Delivered(i, 1) for i in range(5)]
    assert batches(new, 2) == [new[:2], new[2:4], new[4:]]
    assert batches([], 8) == []


def test_a_window_that_comes_again_goes_alone_and_last() -> None:
    """It may be the one that killed a scorer."""
    read = [Delivered(0, 2), Delivered(1, 1), Delivered(2, 2), Delivered(3, 1)]
    assert batches(read, 8) == [[read[1], read[3]], [read[0]], [read[2]]]


@given(st.integers(1, 8), st.data())
def test_a_deadly_window_takes_no_neighbour_with_it(n: int, data: st.DataObject) -> None:
    """A scorer dies at one window of a batch, thrice: every other is committed before it is dead-lettered."""
    deadly = data.draw(st.integers(0, n - 1))
    waiting = set(range(n))
    for delivery in (1, 2, 3):
        for batch in batches([Delivered(i, delivery) for i in sorted(waiting)], 8):
            if deadly in {one.index for one in batch}:
                break
            waiting -= {one.index for one in batch}
    assert waiting == {deadly}
