"""The ledger: it balances at every moment of every session."""

from __future__ import annotations

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from acquisition.artifact import ArtifactSpec
from acquisition.chain import ChainSpec
from acquisition.ledger import Book, Ledger
from acquisition.windowing import WindowSpec

KEYS = [
    "received",
    "declared_lost",
    "bridged",
    "in_windows",
    "discarded",
    "pending",
    "rejected",
    "clock_resets",
    "balanced",
]


def test_json_has_the_contracts_keys():
    """The JSON object is the one that reports, events and the screen agree on."""
    values = Book(0).ledger.to_json()
    assert list(values) == KEYS
    assert values["discarded"] == {"settling": 0, "gap": 0, "partial": 0, "end": 0}
    assert values["rejected"] == {"duplicate": 0, "backward": 0}
    assert values["balanced"] is True


def test_ledger_that_does_not_add_up_says_so():
    """Balance is checked, not assumed."""
    assert not Ledger(received=10, in_windows=9).balanced
    assert not Ledger(received=10, declared_lost=1, in_windows=10, partial=1).balanced


def test_every_sample_has_its_place(tape, run, noise):
    """Settling, windows, a cut window, a gap, a bridged hole and the end, counted by hand."""
    tape.begin().samples(noise(2_000))
    tape.bridge(10).samples(noise(490))
    tape.decide("reject", n=7, reason="duplicate").samples(noise(7), rejected=7)
    tape.gap(300).samples(noise(150))
    tape.decide("clock_reset", step_s=-5.0).begin("clock_reset").samples(noise(1_500))
    tape.decide("lost", n=40, reason="absent").decide("end", reason="planned")
    ledger = run(tape.items).ledger
    assert ledger.to_json() == {
        "received": 2_000 + 490 + 150 + 1_500,
        "declared_lost": 350,
        "bridged": 10,
        "in_windows": 2_000 + 1_000,
        "discarded": {"settling": 400 + 150 + 400, "gap": 340, "partial": 100 + 100, "end": 0},
        "pending": 0,
        "rejected": {"duplicate": 7, "backward": 0},
        "clock_resets": 1,
        "balanced": True,
    }


def test_end_cuts_the_last_window(tape, run, noise):
    """What the end cuts short is booked as end, and nothing is pending after it."""
    tape.begin().samples(noise(1_700))
    assert run(tape.items).ledger.pending == 300
    tape.decide("end", reason="stop")
    ledger = run(tape.items).ledger
    assert (ledger.end, ledger.pending, ledger.partial) == (300, 0, 0)


def test_hole_that_no_sample_comes_after_stays_a_hole(tape, run, noise):
    """A hole that was to be bridged when the source left is a gap."""
    tape.begin().samples(noise(500)).bridge(5).decide("end", reason="stop")
    ledger = run(tape.items).ledger
    assert (ledger.declared_lost, ledger.bridged, ledger.gap, ledger.balanced) == (5, 0, 5, True)


EVENTS = st.one_of(
    st.tuples(st.just("samples"), st.integers(1, 900)),
    st.tuples(st.just("bridge"), st.integers(1, 20)),
    st.tuples(st.just("gap"), st.integers(0, 5_000)),
    st.tuples(st.just("reject"), st.integers(1, 50)),
    st.tuples(st.just("reset"), st.just(0)),
    st.tuples(st.just("end"), st.just(0)),
)


def perform(tape, event, n, noise):
    """Put an event on the tape."""
    if event == "samples":
        tape.samples(noise(n))
    elif event == "bridge":
        tape.samples(noise(1)).bridge(n).samples(noise(1))
    elif event == "gap":
        tape.gap(n)
    elif event == "reject":
        tape.decide("reject", n=n, reason="backward").samples(noise(n), rejected=n)
    elif event == "reset":
        tape.decide("clock_reset", step_s=1.0).begin("clock_reset")
    else:
        tape.decide("end", reason="stop").begin("resume")


@given(st.lists(EVENTS, max_size=25), st.sampled_from([100, 200, 300]))
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_ledger_balances_after_every_step(run, noise, new_tape, events, stride):
    """Whatever happens, each grid sample is in one place (law 3)."""
    tape = new_tape().begin()
    for event, n in events:
        perform(tape, event, n, noise)
    spec = ChainSpec(window=WindowSpec(300, stride, 200), artifact=ArtifactSpec(calibration_samples=1_000))
    for length in range(1, len(tape.items) + 1):
        ran = run(tape.items[:length], spec)
        assert ran.ledger.balanced, tape.items[:length]
        assert ran.chain.next_sample == ran.ledger.received + ran.ledger.declared_lost
    covered = set()
    for window in ran.windows:
        covered.update(range(window.first_sample, window.first_sample + 300))
    assert len(covered) == ran.ledger.in_windows
    assert ran.chain.next_sample == tape.grid
    assert np.all(np.diff([window.index for window in ran.windows]) == 1)
