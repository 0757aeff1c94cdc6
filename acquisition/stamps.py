"""From stamps to decisions: which grid sample each sample is, what is lost, what is bridged (laws 3 and 4).

Pure: stamps and counters in, decisions out, the same ones however the samples are cut into chunks. A decision takes
effect at the next sample and never reaches back. With a sample counter losses are exact; without one a stamp that lies
later than the sender's jitter explains is a loss, and what the jitter hid is caught as a step of the medians.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from acquisition.counter import SampleCounter
from acquisition.decisions import Decision
from acquisition.errors import RateError
from acquisition.jitter import SenderChunk
from acquisition.montage import Montage
from acquisition.offsets import FirstSeconds, Offsets
from acquisition.repeats import Repeats

#: Longest hole in samples that is bridged by a straight line (law 4).
LONGEST_BRIDGE = 20
#: Stamps of a stream that was away agree with this machine's clock within so many seconds and this share of the time.
AGREE_S, AGREE = 1.0, 0.01
#: A clock that leaps further is another clock; without a counter nobody knows what was lost.
FORWARD_RESET_S = 60.0
#: A step back beyond this is a clock reset at once; a shorter one may be a straggler.
BACKWARD_RESET_S = 1.0
#: So many samples in a row that run on regularly behind the grid are no stragglers: the clock was set back.
STRAGGLERS = 20
#: After a burst from the past the stream goes on once it is so near the grid, in samples.
BACK_AGAIN = 1.0
#: A step is regular within half a sample.
REGULAR = 0.5
#: A stamp beyond this is no time in seconds but rubbish, and counts as none (30,000 years).
LARGEST_STAMP_S = 1e12
#: A marker this close to a sample belongs to it, in samples: stamps carry rounding of about 1e-9 s.
AT = 1e-3


@dataclass(frozen=True)
class LastSample:
    """The last sample that an earlier part put on the grid.

    Parameters
    ----------
    stamp_s : float
        Its raw stamp.
    counter : int or None
        Its sample counter, where the stream has one.
    """

    stamp_s: float
    counter: int | None = None


class StampDecider:
    """Decide where the samples of one part belong.

    Parameters
    ----------
    rate_hz : float
        The montage's rate.
    part : int
        The part that the samples go to.
    at : int
        Samples that the part already has.
    next_sample : int
        Grid index of the next sample if nothing is lost.
    next_segment : int
        Number of the next segment.
    counter_modulo : int or None
        The count at which the sample counter begins again at 0; ``None`` never does.
    previous : LastSample or None
        The last sample of the part before; ``next_sample`` follows it. ``None`` where the session begins.
    resume : {"resume", "unrecorded"}
        Why samples between ``previous`` and the first new one are lost.
    any_rate : bool
        Take the stream whatever its stamps say of its rate; ``wrong_rate`` then holds what would have been raised.

    Attributes
    ----------
    wrong_rate : RateError or None
        The refusal of a stream that does not run at its nominal rate.
    """

    def __init__(
        self,
        rate_hz: float,
        *,
        part: int,
        at: int = 0,
        next_sample: int = 0,
        next_segment: int = 0,
        counter_modulo: int | None = None,
        previous: LastSample | None = None,
        resume: str = "resume",
        any_rate: bool = False,
    ) -> None:
        self.rate_hz = rate_hz
        self.part = part
        self.at = at
        self.next_sample = next_sample
        self.next_segment = next_segment
        self._counter = SampleCounter(counter_modulo, None if previous is None else previous.counter)
        self._offsets = Offsets(rate_hz)
        self._sender = SenderChunk(rate_hz)
        self._any_rate = any_rate
        self.wrong_rate: RateError | None = None
        self._first_seconds = FirstSeconds(rate_hz)
        self._repeats = Repeats(rate_hz)
        self._behind = self._rejected = 0
        self._last_rejected = math.nan
        self._open = False
        self._resume: str | None = None
        #: Samples that have passed by another clock since the last one, where the stream was away.
        self._passed: float | None = None
        self._last_raw = 0.0
        self._last: float | None = None
        if previous is not None:
            self._resume = resume
            self._last = self._last_raw = previous.stamp_s
            self._offsets.anchor(previous.stamp_s - (next_sample - 1) / rate_hz)

    @property
    def offset_s(self) -> float | None:
        """Stamp of grid sample 0 by the last second's median; ``None`` before the first sample."""
        return self._offsets.offset_s

    @property
    def rate_ppm(self) -> float | None:
        """The device's true rate against the nominal one, in parts per million; ``None`` until it is known."""
        return self._offsets.rate_ppm

    @property
    def allowance(self) -> float:
        """Samples by which a stamp may lie off without meaning loss."""
        return self._sender.allowance

    def push(self, stamps: NDArray[np.float64], counters: NDArray[Any] | None = None) -> list[Decision]:
        """Decide on the next samples.

        Parameters
        ----------
        stamps : ndarray, shape (n_samples,), float64
            Raw stamps on the stream's clock, seconds; any number of them.
        counters : ndarray, shape (n_samples,), optional
            The stream's sample counter, if the montage names one.

        Returns
        -------
        list of Decision
            In the order in which they hold; ``at`` lies before, inside or right after these samples.

        Raises
        ------
        RateError
            If the stream does not run at its nominal rate.
        """
        decisions: list[Decision] = []
        times = self._finite(np.asarray(stamps, np.float64))
        counts = None if counters is None else np.asarray(counters, np.float64)
        start = 0
        while start < len(times):
            stop = min(len(times), start + self._offsets.room)
            part = None if counts is None else counts[start:stop]
            n = self._regular(times[start:stop], part)
            if n:
                self._take(times[start : start + n], None if part is None else part[:n], decisions)
            else:
                n = 1
                self._one(float(times[start]), None if part is None else float(part[0]), decisions)
            start += n
        return decisions

    def returned(self, passed_s: float, *, anew: bool) -> None:
        """Hear how much time has passed from the last sample to the next one, where the stream was silent or away.

        Where its stamps agree they are believed, however long it was; where they do not, its clock was reset, and the
        time that has passed is what is lost.

        Parameters
        ----------
        passed_s : float
            By this machine's clock.
        anew : bool
            Whether another life of the stream begins: then a segment does, and its rate is judged anew.
        """
        self._passed = passed_s * self.rate_hz
        if anew:
            self._open = False
            self.wrong_rate = None
            self._first_seconds = FirstSeconds(self.rate_hz)
            self._offsets.begin_drift()

    def marker(self, stamp_s: float, text: str, montage: Montage) -> Decision:
        """Return the decision that puts a marker on the grid sample at or after its stamp.

        Parameters
        ----------
        stamp_s : float
            The marker's stamp on the clock of the signal's stream.
        text : str
            As it was sent.
        montage : Montage
            Says which phase the text means, if any.
        """
        sample = self.next_sample
        if self._offsets.offset_s is not None and math.isfinite(stamp_s):
            sample = max(0, math.ceil((stamp_s - self._offsets.offset_s) * self.rate_hz - AT))
        return self._decide("marker", text=text, phase=montage.phase_of(text), sample=sample)

    def _finite(self, stamps: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the stamps with those that are no number replaced by the one before and a regular step."""
        usable = np.isfinite(stamps) & (np.abs(stamps) < LARGEST_STAMP_S)
        if not usable.all():
            stamps = stamps.copy()
            before = self._last_raw
            for index in range(len(stamps)):
                if not usable[index]:
                    stamps[index] = before + 1 / self.rate_hz
                before = float(stamps[index])
        if len(stamps):
            self._last_raw = float(stamps[-1])
        return stamps

    def _late(self, stamps: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return how many samples each stamp lies behind its place if all of them are taken."""
        offset_s = self._offsets.offset_s
        assert offset_s is not None
        return (stamps - offset_s) * self.rate_hz - (self.next_sample + np.arange(len(stamps)))

    def _regular(self, stamps: NDArray[np.float64], counts: NDArray[np.float64] | None) -> int:
        """Return how many of the next samples can be taken without a decision."""
        if not self._open or self._last is None:
            return 0
        steps = np.diff(stamps, prepend=self._last)
        late = self._late(stamps)
        if counts is None:
            regular = (np.abs(late) <= self.allowance) & ~self._repeats.among(stamps, steps)
        elif self._counter.last is None:
            return 0
        else:
            regular = (self._counter.steps(counts, late) == 1) & (steps >= -BACKWARD_RESET_S)
        return len(regular) if regular.all() else int(np.argmin(regular))

    def _one(self, stamp_s: float, count: float | None, decisions: list[Decision]) -> None:
        """Decide on one sample that is not simply the next."""
        if self._last is None:
            self._begin(decisions, "start")
            return self._take_one(stamp_s, count, decisions)
        verdict, n = self._judge(stamp_s, count)
        self._passed = None
        if verdict == "reset":
            if n > 0:
                decisions.append(self._lose(n, self._resume or "gap"))
            self._reset(stamp_s, decisions)
        elif verdict in ("duplicate", "backward"):
            return self._reject(stamp_s, count, verdict, decisions)
        elif self._open and 0 < n <= LONGEST_BRIDGE:
            decisions.append(self._decide("bridged", n=n))
            self.next_sample += n
            self._offsets.begin_drift()
        elif n > 0 or not self._open:
            if n > 0:
                decisions.append(self._lose(n, self._resume or "gap"))
            self._begin(decisions, "gap" if self._resume is None else "resume")
        self._take_one(stamp_s, count, decisions)

    def _judge(self, stamp_s: float, count: float | None) -> tuple[str, int]:
        """Return what a sample is, and how many are missing before it."""
        assert self._last is not None
        back_s = self._last - stamp_s
        late = float(self._late(np.array([stamp_s]))[0])
        if self._passed is not None and (verdict := self._judge_return(count, late, self._passed)) is not None:
            return verdict
        if back_s > BACKWARD_RESET_S or (self._resume is not None and back_s >= 0):
            return "reset", 0
        n = self._counter.missing(count, late)
        if n is not None:
            if n > late + FORWARD_RESET_S * self.rate_hz or self._behind >= STRAGGLERS:
                return "reset", 0
            return ("take", n) if n >= 0 else ("duplicate" if n == -1 else "backward", 0)
        if late > FORWARD_RESET_S * self.rate_hz or self._behind >= STRAGGLERS:
            return "reset", 0
        if back_s >= 0 and self._repeats.has(stamp_s):
            return "duplicate", 0
        behind = BACK_AGAIN if self._rejected > LONGEST_BRIDGE else self.allowance
        if late < -behind:
            return "backward", 0
        ahead = 0.0 if self._resume is not None else self.allowance
        return "take", round(late) if late > ahead else 0

    def _judge_return(self, count: float | None, late: float, passed: float) -> tuple[str, int] | None:
        """Return what the first sample after an absence is by the time that has passed; None where others may tell."""
        leeway = AGREE_S * self.rate_hz + AGREE * passed
        n = self._counter.missing(count, late)
        counted = n if n is not None and abs(n + 1 - passed) <= leeway else None
        if abs(late + 1 - passed) > leeway:
            return "reset", max(0, round(passed) - 1) if counted is None else counted
        if late < 0:
            return None
        return "take", round(late) if counted is None else counted

    def _reject(self, stamp_s: float, count: float | None, reason: str, decisions: list[Decision]) -> None:
        decisions.append(self._decide("reject", n=1, reason=reason))
        self.at += 1
        self._see_rate(np.array([stamp_s]))
        if reason == "duplicate":
            return
        self._rejected += 1
        regular = self._rejected == 1 or abs((stamp_s - self._last_rejected) * self.rate_hz - 1) <= REGULAR
        self._behind = self._behind + 1 if regular else 0
        self._last_rejected = stamp_s
        if self._rejected > LONGEST_BRIDGE:
            # What is taken next does not follow what was taken last: a window must not span it (law 4).
            self._open = False

    def _reset(self, stamp_s: float, decisions: list[Decision]) -> None:
        assert self._last is not None
        decisions.append(self._decide("clock_reset", step_s=stamp_s - self._last))
        self._begin(decisions, "clock_reset" if self._resume is None else "resume")
        self._last = None
        self._offsets.anchor(stamp_s - self.next_sample / self.rate_hz)
        self._repeats.clear()

    def _begin(self, decisions: list[Decision], reason: str) -> None:
        decisions.append(
            self._decide("segment", segment=self.next_segment, first_sample=self.next_sample, reason=reason)
        )
        self.next_segment += 1
        self._open, self._resume = True, None

    def _lose(self, n: int, reason: str) -> Decision:
        decision = self._decide("lost", n=n, reason=reason)
        self.next_sample += n
        self._open = False
        self._offsets.begin_drift()
        return decision

    def _take_one(self, stamp_s: float, count: float | None, decisions: list[Decision]) -> None:
        self._take(np.array([stamp_s]), None if count is None else np.array([count]), decisions)

    def _take(self, stamps: NDArray[np.float64], counts: NDArray[np.float64] | None, decisions: list[Decision]) -> None:
        """Put samples onto the grid, one after the other."""
        self._see_rate(stamps)
        self._learn_steps(stamps)
        offsets_s = stamps - (self.next_sample + np.arange(len(stamps))) / self.rate_hz
        self.next_sample += len(stamps)
        self.at += len(stamps)
        self._last = float(stamps[-1])
        self._behind = self._rejected = 0
        self._passed = None
        if counts is not None:
            self._counter.push(counts)
        if self._offsets.push(offsets_s):
            self._renew(counts is None, decisions)

    def _see_rate(self, stamps: NDArray[np.float64]) -> None:
        self._check(lambda: self._first_seconds.push(stamps))

    def _check(self, rate: Callable[[], None]) -> None:
        """Let the rate be judged; keep its refusal where it is not to be raised."""
        try:
            rate()
        except RateError as error:
            self.wrong_rate = error
            if not self._any_rate:
                raise

    def _learn_steps(self, stamps: NDArray[np.float64]) -> None:
        last = self._last
        steps = np.empty(0) if last is None else np.diff(stamps, prepend=last) * self.rate_hz
        self._repeats.push(stamps, steps)
        self._sender.push(steps)

    def _renew(self, by_stamps: bool, decisions: list[Decision]) -> None:
        """Draw conclusions from the block of samples that is now full."""
        self._sender.learn()
        self._repeats.learn()
        chunk = self._sender.chunk or 0
        if by_stamps and (n := self._offsets.step(chunk)):
            offset_s = self._offsets.offset_s
            assert offset_s is not None
            decisions.append(self._lose(n, "gap"))
            self._offsets.anchor(offset_s - n / self.rate_hz)
        elif not by_stamps and self._offsets.leapt(chunk):
            self._offsets.begin_drift()  # the counter says that nothing is missing: the clock was set, a little
        self._check(lambda: self._offsets.check_drift(self.allowance))

    def _decide(self, kind: str, **data: Any) -> Decision:
        return Decision(kind, self.part, 0, self.at, data)
