"""Outlet to inlet over the real loopback: channel 0 is the sample's number, stamps are the sender's own."""

import multiprocessing
import os
import signal
import threading
import time
import uuid
from contextlib import ExitStack, suppress

import numpy as np
import pytest

from acquisition.clock import LiveClock
from acquisition.discovery import SourceSpec, bind_markers, bind_stream
from acquisition.errors import LostSource, SequenceError
from acquisition.inlet import Inlet, MarkerInlet, lsl_clock_s
from acquisition.montage import Channel, Montage
from acquisition.outlet import MarkerOutlet, OutletSpec, SignalOutlet
from acquisition.player import Piece, play

MONTAGE = Montage("counted", 1000.0, (Channel("C3", "eeg"), Channel("C4", "eeg")))


def numbered(n: int) -> list[Piece]:
    """Return n samples, channel 0 their number."""
    t_s = np.arange(n) / 1000
    return [Piece(np.column_stack([np.arange(n), -np.arange(n)]).astype(np.float32), t_s, t_s)]


@pytest.fixture
def outlet():
    """Return an open signal of two channels."""
    with SignalOutlet(OutletSpec.of(MONTAGE, "Counted", uuid.uuid4().hex)) as opened:
        yield opened


@pytest.fixture
def inlet(outlet):
    """Return an open inlet of it."""
    info, _ = bind_stream(SourceSpec(source_id=outlet.spec.source_id), MONTAGE)
    with Inlet(info) as opened:
        yield opened


def pull(inlet: Inlet, n: int, timeout_s: float = 10.0):
    """Pull until n samples have come."""
    deadline_s, chunks = time.monotonic() + timeout_s, []
    while sum(map(len, chunks)) < n and time.monotonic() < deadline_s:
        chunks.append(inlet.pull(0.1))
    return np.concatenate([c.samples for c in chunks]), np.concatenate([c.stamps_s for c in chunks])


def test_every_sample_arrives_in_order_with_its_own_stamp(outlet, inlet):
    """What the player sends is what the inlet pulls, value and stamp."""
    played = threading.Thread(
        target=play, args=(numbered(500), outlet, None, LiveClock(lsl_clock_s)), kwargs={"rate_hz": 1000.0}
    )
    played.start()
    samples, stamps_s = pull(inlet, 500)
    played.join()
    assert np.array_equal(samples[:, 0], np.arange(500))
    assert np.array_equal(samples[:, 1], -np.arange(500))
    assert samples.dtype == np.float32
    np.testing.assert_allclose(np.diff(stamps_s), 0.001, atol=1e-9)


def test_a_hole_is_in_the_stamps_untouched(outlet, inlet):
    """No dejitter: 2 s that are missing are 2 s in the stamps."""
    outlet.push(np.zeros((20, 2)), 100 + np.arange(20) / 1000)
    outlet.push(np.ones((20, 2)), 102.02 + np.arange(20) / 1000)
    samples, stamps_s = pull(inlet, 40)
    assert stamps_s[20] - stamps_s[19] == pytest.approx(2.001)
    assert samples[:, 0].tolist() == [0.0] * 20 + [1.0] * 20


def test_what_was_pulled_is_the_caller_s(outlet, inlet):
    """A later pull does not overwrite an earlier one's samples."""
    outlet.push(np.full((20, 2), 1.0), 100 + np.arange(20) / 1000)
    first = inlet.pull(5.0)
    outlet.push(np.full((20, 2), 2.0), 100.02 + np.arange(20) / 1000)
    pull(inlet, 20)
    assert (first.samples == 1.0).all()


def test_no_samples_are_an_empty_chunk(inlet):
    """Silence is no error here; the link watches it."""
    chunk = inlet.pull(0.0)
    assert len(chunk) == 0
    assert chunk.samples.shape == (0, 2)


def test_the_two_stamps_that_mean_something_else_to_lsl_are_moved_a_microsecond(outlet, inlet):
    """0 would be stamped now and -1 deduced; both are true stamps of a rebased recording."""
    outlet.push(np.zeros((3, 2)), np.array([-1.0, -0.5, 0.0]))
    _, stamps_s = pull(inlet, 3)
    np.testing.assert_allclose(stamps_s, [-1.0, -0.5, 0.0], atol=2e-6)


def test_the_clock_offset_is_measured_beside_the_pulling(inlet):
    """The first measurement takes 0.64 s; on one machine the offset is nothing. Each is handed over once."""
    deadline_s, taken = time.monotonic() + 10, []
    while not taken and time.monotonic() < deadline_s:
        inlet.pull(0.05)
        taken = inlet.take_offsets()
    (offset,) = taken
    assert abs(offset.offset_s) <= offset.uncertainty_s + 0.01
    assert 0 < offset.uncertainty_s < 0.1
    assert abs(offset.time_s - lsl_clock_s()) < 10
    assert inlet.take_offsets() == []


def test_markers_come_with_their_stamps(outlet):
    """Texts of any alphabet, in order."""
    info, _ = bind_stream(SourceSpec(source_id=outlet.spec.source_id), MONTAGE)
    with MarkerOutlet("Cues", outlet.spec.source_id) as markers:
        found = bind_markers(info)
        assert found is not None
        with MarkerInlet(found) as inlet:
            assert inlet.pull() == []
            markers.push("flexion", 100.5)
            markers.push("Ruhe – µ", 101.25)
            got, deadline_s = [], time.monotonic() + 5
            while len(got) < 2 and time.monotonic() < deadline_s:
                got += inlet.pull()
            assert got == [(100.5, "flexion"), (101.25, "Ruhe – µ")]
            markers.close()
            with pytest.raises(LostSource, match="Stream 'Cues' on .* is gone"):
                _pull_until_lost(inlet.pull)


def test_a_source_that_closes_is_an_error_at_once(outlet, inlet):
    """No silent recovery: the link searches, and says so."""
    outlet.close()
    with pytest.raises(
        LostSource, match="Stream 'Counted' on .* is gone: its process ended, or the network did"
    ) as lost:
        _pull_until_lost(lambda: inlet.pull(0.05))
    assert lost.value.remedy
    assert lost.value.__cause__ is not None


def test_a_stream_that_has_gone_before_the_inlet_opens_is_an_error(outlet):
    """Between finding and opening a source can die."""
    info, _ = bind_stream(SourceSpec(source_id=outlet.spec.source_id), MONTAGE)
    outlet.close()
    with pytest.raises(LostSource, match="is gone"):
        Inlet(info).open()


def test_using_a_closed_end_is_a_programming_error(outlet):
    """Pull needs open, push comes before close."""
    info, _ = bind_stream(SourceSpec(source_id=outlet.spec.source_id), MONTAGE)
    with pytest.raises(SequenceError, match="Inlet of stream 'Counted' on .* is not open"):
        Inlet(info).pull(0.0)
    outlet.close()
    with pytest.raises(SequenceError, match="Outlet 'Counted' is closed"):
        outlet.push(np.zeros((1, 2)), np.array([1.0]))
    Inlet(info).close()


def _send(source_id: str) -> None:
    with SignalOutlet(OutletSpec.of(MONTAGE, "Counted", source_id)) as outlet:
        play(numbered(60_000), outlet, None, LiveClock(lsl_clock_s), rate_hz=1000.0)


@pytest.fixture
def sender():
    """Return a function that starts a sender in a process of its own (spawned: LSL does not survive a fork)."""
    with ExitStack() as stack:

        def start(source_id: str):
            process = multiprocessing.get_context("spawn").Process(target=_send, args=(source_id,), daemon=True)
            process.start()
            stack.callback(_end, process)
            return process

        yield start


def _end(process) -> None:
    with suppress(ProcessLookupError):
        os.kill(process.pid, signal.SIGCONT)
        process.kill()
    process.join(10)


@pytest.mark.faults
def test_a_killed_sender_is_lost_at_once(sender):
    """SIGKILL closes the connection; LSL with recovery would say nothing for ever."""
    source_id = uuid.uuid4().hex
    process = sender(source_id)
    info, _ = bind_stream(SourceSpec(source_id=source_id), MONTAGE, wait_s=20.0)
    with Inlet(info) as inlet:
        samples, _ = pull(inlet, 100)
        assert np.array_equal(np.diff(samples[:, 0]), np.ones(len(samples) - 1))
        process.kill()
        with pytest.raises(LostSource):
            _pull_until_lost(lambda: inlet.pull(0.05))


@pytest.mark.faults
def test_a_frozen_sender_is_silence_then_a_burst_without_loss(sender):
    """SIGSTOP raises nothing, now or later: only silence and the samples' age show it."""
    source_id = uuid.uuid4().hex
    process = sender(source_id)
    info, _ = bind_stream(SourceSpec(source_id=source_id), MONTAGE, wait_s=20.0)
    with Inlet(info) as inlet:
        before, _ = pull(inlet, 100)
        os.kill(process.pid, signal.SIGSTOP)
        drained = inlet.pull(0.3)
        assert len(inlet.pull(0.3)) == 0
        os.kill(process.pid, signal.SIGCONT)
        after, _ = pull(inlet, 300)
        numbers = np.concatenate([before, drained.samples, after])[:, 0]
        assert np.array_equal(np.diff(numbers), np.ones(len(numbers) - 1))


def _pull_until_lost(pull_once, timeout_s: float = 10.0) -> None:
    deadline_s = time.monotonic() + timeout_s
    while time.monotonic() < deadline_s:
        pull_once()
        time.sleep(0.005)
