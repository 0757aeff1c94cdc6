"""One judged stream that waits: its samples with their places on its own grid, and what stands between them."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

from acquisition.alignment import Clock, Track
from acquisition.decisions import Decision
from acquisition.items import SIGNAL, ClockOffset, Item, Raw, RawMarker


@dataclass(frozen=True)
class Stretch:
    """Samples that follow each other.

    Parameters
    ----------
    raw : Raw
        The samples.
    first : int
        Place of the first on the stream's own grid; of rejected ones, of the sample that follows them.
    track : Track
        The clock of their segment.
    arrived_s : float
        When they came, on the clock of this machine.
    reason : str
        Why the stream's own judge rejected them; empty where it took them.
    """

    raw: Raw
    first: int
    track: Track
    arrived_s: float
    reason: str = ""


class Judged:
    """What came of one stream and was not used yet, oldest first.

    Parameters
    ----------
    rate_hz : float
        Of its grid.
    """

    def __init__(self, rate_hz: float) -> None:
        self.queue: deque[Stretch | Decision | RawMarker | ClockOffset] = deque()
        self._rate_hz = rate_hz
        self._clock = Clock()
        self._track = Track(rate_hz, self._clock)
        self._next = 0
        self._rejected: deque[tuple[int, str]] = deque()

    def take(self, items: Sequence[Item], now_s: float) -> None:
        """Take what came, with the decisions that its own judge took on it."""
        for item in items:
            if isinstance(item, Raw):
                self._samples(item, now_s)
            elif isinstance(item, Decision) and item.kind == "reject":
                self._rejected.append((item.count("n"), item.word("reason")))
            else:
                self._follow(item)
                self.queue.append(item)

    def _follow(self, item: Decision | RawMarker | ClockOffset) -> None:
        if isinstance(item, ClockOffset):
            if item.stream == SIGNAL:  # the markers beside it may have a clock of their own
                self._clock.measure(item.offset_s)
        elif not isinstance(item, Decision):
            return
        elif item.kind == "segment":
            self._next = item.count("first_sample")
            self._track.close()
            self._track = Track(self._rate_hz, self._clock)
        elif item.kind in ("bridged", "lost"):
            self._next += item.count("n")
        elif item.kind == "clock_reset":
            self._clock.over = True
            self._clock = Clock()

    def _samples(self, raw: Raw, now_s: float) -> None:
        while self._rejected and len(raw):
            n_left, reason = self._rejected.popleft()
            self.queue.append(Stretch(raw.part(0, n_left), self._next, self._track, now_s, reason))
            if n_left > len(raw):
                self._rejected.appendleft((n_left - len(raw), reason))
            raw = raw.part(n_left, len(raw))
        if len(raw):
            self._track.push(raw.stamps, self._next)
            self.queue.append(Stretch(raw, self._next, self._track, now_s))
            self._next += len(raw)

    def close(self) -> None:
        """Nothing comes any more."""
        self._track.close()
        self._clock.over = True

    @property
    def head(self) -> Stretch | None:
        """The next samples, where they are what comes next and were not rejected."""
        head = self.queue[0] if self.queue else None
        return head if isinstance(head, Stretch) and not head.reason else None

    def pop(self, n_samples: int) -> Raw:
        """Use the first samples of the head."""
        head = self.head
        assert head is not None
        self.queue.popleft()
        if n_samples < len(head.raw):
            rest = head.raw.part(n_samples, len(head.raw))
            self.queue.appendleft(Stretch(rest, head.first + n_samples, head.track, head.arrived_s))
        return head.raw.part(0, n_samples)
