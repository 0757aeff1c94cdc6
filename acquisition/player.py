"""Player: sends a simulated patient or a recording as a live amplifier would, sample by sample on time.

Every due time is counted from one monotonic origin (target += step), so lateness never adds up: after a stall what is
due goes out at once, with the stamps that it always had. A recording keeps its gaps: a hole in its stamps is a hole in
what is sent and in the time that passes. Nothing goes out before ``go`` or while it is ``held``, and the stream stays
until ``until``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

from acquisition.clock import Clock

if TYPE_CHECKING:
    from acquisition.montage import Montage
    from acquisition.paradigm import ParadigmPlan
    from acquisition.recording import Recording
    from acquisition.simulator import Patient

#: Samples of one push: 20 ms at 1000 Hz, as amplifiers send them.
CHUNK = 20
#: How often ``go`` and ``until`` are asked, in s.
ASK_S = 0.02
#: Longest hole of a recording that is waited for, in s. A longer step, or one backward, is a clock that was reset.
LONGEST_HOLE_S = 60.0
#: Samples of a recording handled at once.
BLOCK = 1000


@dataclass(frozen=True)
class Piece:
    """A stretch of what is to be sent.

    Parameters
    ----------
    samples : ndarray, shape (n_samples, n_channels)
        In the outlet's units.
    due_s : ndarray, shape (n_samples,)
        When each is sent, in s since the start; never falls.
    stamps_s : ndarray, shape (n_samples,)
        What each is stamped, in s since the start.
    markers : sequence of (float, float, str)
        When each is sent, what it is stamped, its text.
    """

    samples: NDArray[np.generic]
    due_s: NDArray[np.float64]
    stamps_s: NDArray[np.float64]
    markers: Sequence[tuple[float, float, str]] = ()


@dataclass(frozen=True)
class Faults:
    """What goes wrong on purpose, by the number of the sample; for tests of whatever listens.

    Parameters
    ----------
    drop : sequence of (int, int)
        Samples first to last (not included) are never sent; the stamps around them show it.
    stall : sequence of (int, float)
        Before this sample the sender freezes for so many seconds, then sends what is due at once.
    """

    drop: Sequence[tuple[int, int]] = ()
    stall: Sequence[tuple[int, float]] = ()


@dataclass(frozen=True)
class Played:
    """How much was sent."""

    n_samples: int
    n_markers: int


class Signal(Protocol):
    """Where samples go: ``outlet.SignalOutlet``, or a list in a test."""

    def push(self, samples: NDArray[np.generic], stamps_s: NDArray[np.float64]) -> None:
        """Send samples with a stamp for each."""
        ...


class Markers(Protocol):
    """Where markers go: ``outlet.MarkerOutlet``, or a list in a test."""

    def push(self, text: str, stamp_s: float) -> None:
        """Send one marker."""
        ...


def patient_pieces(
    patient: Patient, plan: ParadigmPlan, montage: Montage, seconds: float | None = None
) -> Iterator[Piece]:
    """Yield a simulated patient, without end or for some seconds.

    Parameters
    ----------
    patient, plan, montage
        As for ``simulator.stream``.
    seconds : float, optional
        How long; without end by default. A marker on the very end is sent too.
    """
    from acquisition.simulator import stream  # scipy: not for players of recordings

    rate_hz = montage.rate_hz
    n_left = None if seconds is None else round(seconds * rate_hz)
    for block in stream(patient, plan, montage):
        n = len(block.samples) if n_left is None else min(len(block.samples), n_left)
        t_s = np.arange(block.first_sample, block.first_sample + n) / rate_hz
        end = block.first_sample + n
        last = n_left is not None and n == n_left
        markers = [(at / rate_hz, text) for at, text in block.markers if at < end or (last and at == end)]
        if last and n == len(block.samples):
            markers += [(t, text) for t, text in plan.events(end / rate_hz) if round(t * rate_hz) == end]
        yield Piece(block.samples[:n], t_s, t_s, [(t, t, text) for t, text in markers])
        if last:
            return
        n_left = None if n_left is None else n_left - n


def recording_pieces(recording: Recording) -> Iterator[Piece]:
    """Yield a recording, its stamps counted from its first sample.

    Parameters
    ----------
    recording : Recording
        Holes in its stamps pass in real time; a step backward, or beyond ``LONGEST_HOLE_S``, takes one sample's time.
    """
    if not len(recording.stamps):
        return
    stamps_s = recording.stamps - recording.stamps[0]
    due_s = _due(stamps_s, recording.rate_hz)
    markers = _markers_due(recording, stamps_s, due_s)
    n = len(stamps_s)
    for first in range(0, n, BLOCK):
        end = min(n, first + BLOCK)
        until_s = np.inf if end == n else due_s[end]
        now = [marker for marker in markers if marker[0] < until_s]
        markers = markers[len(now) :]
        yield Piece(recording.samples[first:end], due_s[first:end], stamps_s[first:end], now)


def play(
    pieces: Iterable[Piece],
    signal: Signal,
    markers: Markers | None,
    clock: Clock,
    *,
    rate_hz: float,
    speed: float = 1.0,
    go: Callable[[], bool] = lambda: True,
    until: Callable[[], bool] = lambda: True,
    stop: Callable[[], bool] = lambda: False,
    held: Callable[[int], bool] = lambda n_sent: False,
    faults: Faults = Faults(),
) -> Played:
    """Send everything on time.

    Parameters
    ----------
    pieces : iterable of Piece
        From ``patient_pieces`` or ``recording_pieces``.
    signal, markers : outlets
        Where to; None sends no markers.
    clock : Clock
        Monotonic time for the pace, the LSL clock for the stamps.
    rate_hz : float
        Nominal rate, for the length of a push.
    speed : float
        How much faster than the patient. Stamps follow the wall: at speed 2 they are half as far apart, so that a
        sample's stamp is when it was sent.
    go : callable
        Asked until it is True before anything is sent: a consumer that merely exists may miss the first samples.
    until : callable
        Asked until it is True after the last sample: an inlet loses what it has not pulled when its outlet closes.
    stop : callable
        Asked before each push; True ends at once.
    held : callable
        Asked before each push, with the number of samples sent; waits while it is True: an inlet that cannot follow
        loses what its buffer does not hold, without a word.
    faults : Faults
        What goes wrong on purpose.

    Returns
    -------
    Played
        Samples and markers sent.
    """
    if not speed > 0:
        raise ValueError(f"speed must be above 0, got {speed}")
    _await(go, stop, clock)
    sender = _Sender(signal, markers, clock, speed, faults, CHUNK / rate_hz)
    for piece in pieces:
        if not sender.send(piece, stop, held):
            break
    _await(until, stop, clock)
    return Played(sender.n_samples, sender.n_markers)


class _Sender:
    """The pace of one play."""

    def __init__(
        self, signal: Signal, markers: Markers | None, clock: Clock, speed: float, faults: Faults, step_s: float
    ) -> None:
        self._signal, self._markers, self._clock, self._speed, self._faults = signal, markers, clock, speed, faults
        self._step_s = step_s
        self._origin_s, self._origin_lsl_s = clock.monotonic_s(), clock.lsl_s()
        self._target_s = step_s
        self._n_seen = 0
        self._stalls = list(faults.stall)
        self.n_samples = self.n_markers = 0

    def send(self, piece: Piece, stop: Callable[[], bool], held: Callable[[int], bool]) -> bool:
        """Send one piece; False if it was stopped."""
        waiting = list(piece.markers)
        start = 0
        while start < len(piece.due_s) or waiting:
            upcoming_s = min([*piece.due_s[start : start + 1], *(marker[0] for marker in waiting[:1])])
            self._reach(upcoming_s / self._speed)
            _await(lambda: not held(self.n_samples), stop, self._clock)
            if stop():
                return False
            before_s = self._target_s * self._speed - 1e-9
            end = start + int(np.searchsorted(piece.due_s[start:], before_s))
            now = [marker for marker in waiting if marker[0] < before_s]
            self._push(piece, start, end)
            self._mark(now)
            start, waiting = end, waiting[len(now) :]
        return True

    def _reach(self, wall_s: float) -> None:
        """Wait for the first target after `wall_s`; targets are whole steps from the origin, whenever one looks."""
        n_steps = int((wall_s + 1e-9) / self._step_s) + 1
        self._target_s = max(self._target_s, n_steps * self._step_s)
        self._clock.sleep(self._origin_s + self._target_s - self._clock.monotonic_s())

    def _push(self, piece: Piece, start: int, end: int) -> None:
        for first, last in self._kept(self._n_seen, self._n_seen + end - start):
            part = slice(start + first - self._n_seen, start + last - self._n_seen)
            self._signal.push(piece.samples[part], self._origin_lsl_s + piece.stamps_s[part] / self._speed)
            self.n_samples += last - first
        self._n_seen += end - start

    def _kept(self, first: int, end: int) -> Iterator[tuple[int, int]]:
        """Yield the stretches of samples that are sent, after the stalls that lie before them."""
        while self._stalls and self._stalls[0][0] < end:
            self._clock.sleep(self._stalls.pop(0)[1])
        for gone, back in self._faults.drop:
            if gone < end and back > first:
                if gone > first:
                    yield first, gone
                first = min(back, end)
        if first < end:
            yield first, end

    def _mark(self, now: Sequence[tuple[float, float, str]]) -> None:
        if self._markers is None:
            return
        for _, stamp_s, text in now:
            self._markers.push(text, self._origin_lsl_s + stamp_s / self._speed)
            self.n_markers += 1


def _await(condition: Callable[[], bool], stop: Callable[[], bool], clock: Clock) -> None:
    while not condition() and not stop():
        clock.sleep(ASK_S)


def _due(stamps_s: NDArray[np.float64], rate_hz: float) -> NDArray[np.float64]:
    """Return when each sample is sent: its stamp, were its clock never reset."""
    steps_s = np.diff(stamps_s, prepend=stamps_s[0])
    reset = (steps_s < 0) | (steps_s > LONGEST_HOLE_S)
    reset[0] = False
    return np.asarray(np.cumsum(np.where(reset, 1.0 / rate_hz, steps_s)))


def _markers_due(
    recording: Recording, stamps_s: NDArray[np.float64], due_s: NDArray[np.float64]
) -> list[tuple[float, float, str]]:
    """Return when each marker is sent (with the first sample at or after its stamp), its stamp, its text."""
    timed = []
    for marker in recording.markers:
        stamp_s = marker.stamp_s - float(recording.stamps[0])
        at_or_after = np.flatnonzero(stamps_s >= stamp_s)
        sent_s = float(due_s[at_or_after[0]]) if len(at_or_after) else float(due_s[-1])
        timed.append((sent_s, stamp_s, marker.text))
    return sorted(timed, key=lambda marker: marker[0])
