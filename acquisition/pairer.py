"""Pairs two judged streams: which sample of the partner belongs to which sample of the grid (laws 2 and 3).

The grid is that of the first stream. Each stream was judged by itself, on its own clock; here the places of the
partner's samples on the grid are found, and what is not taken becomes a decision. Pure: no sockets, no clock.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from acquisition.alignment import Alignment
from acquisition.decisions import Decision
from acquisition.items import PARTNER, ClockOffset, Item, Raw, RawMarker
from acquisition.judged import Judged, Stretch
from acquisition.ledger import UNPAIRED
from acquisition.pair_record import PairRecord

#: Seconds that a row of the first stream waits for its partner.
PATIENCE_S = 0.5
#: Seconds that it waits while the partner sends but a clock's offset is not known yet: two measurements of it.
OFFSET_PATIENCE_S = 10.0
#: Seconds that a sample of the partner waits for its row: the first stream may come in a burst.
PARTNER_PATIENCE_S = 60.0
#: Longest run of samples without the other stream's that one decision stands for, in s.
RUN_S = 1.0


class Pairer:
    """Put two streams into one order of recording.

    Feed it what two ``StreamSource`` hand over, untouched: it maps the second's items to stream 2. What comes out, in
    order:

    - ``Raw`` of stream 0 with ``partner`` (the partner's samples in these rows: record them first, under stream 2) and
      ``joined`` (what is bound to the montage); rows that are rejected have ``joined`` and no ``partner``;
    - ``Raw`` of stream 2: samples of the partner that are not taken, behind their ``unpaired``;
    - decisions of stream 0, and ``unpaired`` and ``slip`` of stream 2, each before what it is about;
    - markers and clock offsets in the order in which they came, the second's offsets with stream 2.

    So everything that comes out is recorded under its ``stream`` in the order in which it comes. A ``Raw`` may be cut
    anywhere by ``Raw.part``. Segments are numbered from ``next_segment``, ``at`` counts from 0.

    With infinite patience the result depends on the two streams alone, however they are cut; otherwise also on when
    their samples came.

    Parameters
    ----------
    rate_hz : float
        The montage's rate, which both streams have.
    columns : sequence of int
        The partner's columns that stand beside the first's: ``pairing.partner_columns``.
    part : int
        The part that they go to.
    next_sample, next_segment : int
        As ``StampDecider`` of the first stream takes them.
    patience_s : float
        Seconds that a row waits for its partner; infinite for a recording that is all there.
    """

    def __init__(
        self,
        rate_hz: float,
        columns: Sequence[int],
        *,
        part: int = 1,
        next_sample: int = 0,
        next_segment: int = 0,
        patience_s: float = PATIENCE_S,
    ) -> None:
        self._patience_s = patience_s
        self._run = max(1, round(RUN_S * rate_hz))
        self._signal, self._partner = Judged(rate_hz), Judged(rate_hz)
        self._record = PairRecord(part, columns, next_sample, next_segment)
        self._alignment: Alignment | None = None
        #: How far the shift has moved since it was last told; None where there is nothing to tell.
        self._moved: int | None = None
        #: Rows without a partner, and samples of the partner without a row, that wait for the end of their run.
        self._lone, self._left = _Run(), _Run()
        #: The place after the last row that was paired, and the places of the rows since then that were not.
        self._paired: int | None = None
        self._gaps: deque[tuple[int, int]] = deque()

    @property
    def error_s(self) -> float | None:
        """How far the partner's samples lie after their places in s, by the last second; None unless paired."""
        return self._alignment.error_s if self._alignment is not None and self._record.open else None

    def push(self, first: Sequence[Item], second: Sequence[Item], now_s: float) -> list[Item]:
        """Take what came of both streams since the last push.

        Parameters
        ----------
        first, second : sequence of Item
            As their sources handed them over; either may be empty. The second has no markers.
        now_s : float
            Monotonic; when these came. Rows whose partner is ``patience_s`` late by it are given up, also when
            nothing comes any more.

        Returns
        -------
        list of Item
            In the order in which they are to be recorded and obeyed.
        """
        self._signal.take(first, now_s)
        self._partner.take(second, now_s)
        while self._step(now_s):
            pass
        if now_s - self._lone.since_s >= RUN_S:
            self._end_lone()
        if now_s - self._left.since_s >= RUN_S:
            self._end_left()
        return self._record.hand_over()

    def finish(self) -> list[Item]:
        """Return what still waits, paired as far as both streams reach: nothing comes any more."""
        self._signal.close()
        self._partner.close()
        while self._step(math.inf):
            pass
        self._end_lone()
        self._end_left()
        return self._record.hand_over()

    # -- one step -------------------------------------------------------------------------------

    def _step(self, now_s: float) -> bool:
        """Decide on the next samples of one stream or of both; False if they have to wait."""
        self._pass_signal()
        self._pass_partner()
        row, sample = self._signal.head, self._partner.head
        if row is not None and row.track.hopeless:
            self._skip(row, len(row.raw))
        elif sample is not None and sample.track.hopeless:
            self._leave(sample, len(sample.raw), "absent")
        elif row is not None and sample is not None and (alignment := self._aligned(row, sample)):
            self._place(row, sample, sample.first + alignment.shift)
        elif row is not None and now_s - row.arrived_s >= self._patience(row, sample):
            self._skip(row, len(row.raw))
        elif sample is not None and now_s - sample.arrived_s >= PARTNER_PATIENCE_S:
            self._leave(sample, len(sample.raw), "absent")
        else:
            return False
        return True

    def _pass_signal(self) -> None:
        """Take what stands before the next row: it is in its place now."""
        while self._signal.queue and self._signal.head is None:
            item = self._signal.queue.popleft()
            if isinstance(item, Stretch):
                self._end_lone()
                self._record.reject([item.raw], len(item.raw), item.reason)
            elif isinstance(item, Decision) and item.kind in ("segment", "lost", "clock_reset"):
                self._end_lone()
                self._record.obey(item)
            elif isinstance(item, Decision) and item.kind == "bridged":
                self._record.obey(item)
            elif self._lone.n:
                self._lone.items.append(item)
            else:
                self._record.pass_on(item)

    def _pass_partner(self) -> None:
        """Take what stands before the partner's next sample; what its judge decided is in the samples' places."""
        while self._partner.queue and self._partner.head is None:
            item = self._partner.queue.popleft()
            if isinstance(item, Stretch):
                self._leave_out(item.raw, item.reason, item.arrived_s)
            elif isinstance(item, ClockOffset):
                self._record.pass_on(replace(item, stream=PARTNER))

    def _patience(self, row: Stretch, sample: Stretch | None) -> float:
        unknown = sample is not None and None in (row.track.clock.first_s, sample.track.clock.first_s)
        return max(self._patience_s, OFFSET_PATIENCE_S) if unknown else self._patience_s

    def _aligned(self, row: Stretch, sample: Stretch) -> Alignment | None:
        """Return how the two grids lie; each segment of either stream is aligned anew."""
        known = self._alignment
        if known is not None and known.signal is row.track and known.partner is sample.track:
            return known
        if not (row.track.ready and sample.track.ready):
            return None
        self._alignment, self._moved = Alignment(row.track, sample.track, row.first, sample.first), 0
        return self._alignment

    def _place(self, row: Stretch, sample: Stretch, place: int) -> None:
        if place > row.first:
            self._skip(row, min(len(row.raw), place - row.first))
        elif place == row.first:
            self._pair(row, sample)
        else:
            reason, until = self._why_left(place, row.first)
            self._leave(sample, min(len(sample.raw), until - place), reason)

    def _why_left(self, place: int, row: int) -> tuple[str, int]:
        """Return why no row is left for a sample of the partner, and up to which place that holds."""
        if self._paired is not None and place < self._paired:
            return "slip", self._paired
        while self._gaps and self._gaps[0][1] <= place:
            self._gaps.popleft()
        start, stop = self._gaps[0] if self._gaps else (row, row)
        return ("late", stop) if place >= start else ("absent", start)

    # -- what is taken, and what is not ---------------------------------------------------------

    def _pair(self, row: Stretch, sample: Stretch) -> None:
        n = min(len(row.raw), len(sample.raw), _until_block_end(sample))
        self._end_left()
        self._end_lone()
        self._record.reach(row.first)
        self._tell_slip(row.first)
        self._record.pair(self._signal.pop(n), replace(self._partner.pop(n), stream=PARTNER))
        self._paired = row.first + n
        if self._alignment is not None:
            self._alignment.paired = True
        self._gaps.clear()
        self._follow(sample, n)

    def _tell_slip(self, place: int) -> None:
        if self._moved is not None and self._alignment is not None:
            self._record.decide("slip", PARTNER, sample=place, n=self._moved, error_s=self._alignment.error_s)
            self._moved = None

    def _skip(self, row: Stretch, n: int) -> None:
        """Leave rows without a partner."""
        n = min(n, self._run - self._lone.n)
        self._lone.add(self._signal.pop(n), row.arrived_s)
        self._record.reached = row.first + n
        if self._gaps and self._gaps[-1][1] == row.first:
            self._gaps[-1] = (self._gaps[-1][0], row.first + n)
        else:
            self._gaps.append((row.first, row.first + n))
        if self._lone.n == self._run:
            self._end_lone()

    def _leave(self, sample: Stretch, n: int, reason: str) -> None:
        """Leave samples of the partner without a row; its clock is followed all the same."""
        n = min(n, _until_block_end(sample))
        self._leave_out(self._partner.pop(n), reason, sample.arrived_s)
        self._follow(sample, n)

    def _leave_out(self, raw: Raw, reason: str, arrived_s: float) -> None:
        if reason != self._left.reason:
            self._end_left()
        while len(raw):
            n = min(len(raw), self._run - self._left.n)
            self._left.add(replace(raw.part(0, n), stream=PARTNER), arrived_s, reason)
            raw = raw.part(n, len(raw))
            if self._left.n == self._run:
                self._end_left()

    def _follow(self, sample: Stretch, n: int) -> None:
        """Look at both clocks again where one of the partner's blocks ends."""
        alignment = self._alignment
        if n == _until_block_end(sample) and alignment is not None and alignment.partner is sample.track:
            begun = alignment.paired
            moved = alignment.follow(sample.first + n)
            if moved and begun:
                self._moved = (self._moved or 0) + moved

    def _end_lone(self) -> None:
        run, self._lone = self._lone, _Run()
        if run.n:
            self._record.reject(run.items, run.n, UNPAIRED)

    def _end_left(self) -> None:
        run, self._left = self._left, _Run()
        if run.n:
            self._record.leave([item for item in run.items if isinstance(item, Raw)], run.n, run.reason)


def _until_block_end(sample: Stretch) -> int:
    return sample.track.block_end(sample.first) - sample.first


@dataclass
class _Run:
    """Samples that one decision will stand for, and what came between them."""

    items: list[Raw | Decision | RawMarker | ClockOffset] = field(default_factory=list)
    n: int = 0
    reason: str = ""
    since_s: float = math.inf

    def add(self, raw: Raw, arrived_s: float, reason: str = "") -> None:
        self.items.append(raw)
        self.n += len(raw)
        self.reason = reason
        self.since_s = min(self.since_s, arrived_s)
