"""A search in a thread of its own: what it finds is taken or let go, what it fails of is raised to who takes."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import suppress

import pytest

from acquisition.errors import LostSource, RateError, StreamRefused
from acquisition.seeker import Seeker

WAIT_S = 10.0


class Scripted:
    """Something to be found, opened and let go, when a test says so."""

    def __init__(self) -> None:
        self.there, self.openable, self.gone = threading.Event(), threading.Event(), threading.Event()
        self.refusal: Exception | None = None
        self.openings = 0

    def find(self) -> str | None:
        """Look once."""
        if self.refusal is not None:
            raise self.refusal
        return "found" if self.there.is_set() else None

    def open(self, found: str) -> str:
        """Open it, as soon as that works."""
        self.openings += 1
        if not self.openable.wait(0.01):
            raise LostSource("It is gone.")
        return f"{found}, opened"

    def let_go(self, opened: str) -> None:
        """Note what was let go."""
        self.gone.set()


@pytest.fixture
def thing():
    """Return what is sought."""
    return Scripted()


@pytest.fixture
def seeker(thing):
    """Return the search for it."""
    begun = Seeker(thing.find, thing.open, thing.let_go)
    yield begun
    begun.stop()
    begun.join()


def until(true: Callable[[], object]) -> object:
    """Wait until something is true."""
    ticking = threading.Event()
    for _ in range(round(WAIT_S / 0.01)):
        if value := true():
            return value
        ticking.wait(0.01)
    raise AssertionError("it never came")


def test_what_is_found_is_opened_and_taken(seeker, thing):
    """Nobody waits for it; a stream that is gone before it opens is looked for again."""
    assert seeker.take() is None and not seeker.opening
    thing.there.set()
    until(lambda: thing.openings > 1 and isinstance(seeker.refusal, LostSource))
    thing.openable.set()
    assert until(seeker.take) == "found, opened"
    assert seeker.opening and not thing.gone.is_set()


@pytest.mark.parametrize("refusal", [StreamRefused("It came back changed."), RateError("It runs at 985 Hz.")])
def test_a_refusal_is_told_as_long_as_it_holds(seeker, thing, refusal):
    """What is there and is not it ends no search."""
    thing.refusal = refusal
    until(lambda: seeker.refusal is thing.refusal)
    thing.refusal = None
    until(lambda: seeker.refusal is None)


def test_a_search_that_is_over_finds_nothing(seeker, thing):
    """Its thread ends."""
    seeker.stop()
    seeker.join()
    thing.there.set()
    thing.openable.set()
    assert seeker.take() is None and not thing.gone.is_set()


def test_what_was_opened_and_nobody_took_is_let_go(seeker, thing):
    """No inlet stays open that nobody pulls."""
    thing.there.set()
    thing.openable.set()
    until(lambda: seeker.opening and thing.openings)
    seeker.stop()
    assert thing.gone.wait(WAIT_S)


def test_a_fault_is_raised_to_who_takes(seeker, thing):
    """Nothing fails in silence in a thread."""
    thing.refusal = ZeroDivisionError("a fault")

    def raised() -> bool:
        with suppress(ZeroDivisionError):
            seeker.take()
            return False
        return True

    until(raised)
    seeker.stop()
    assert not thing.gone.is_set()
