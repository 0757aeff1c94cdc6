"""Pairs two judged streams live: which sample of the partner belongs to which sample of the grid (laws 2 and 3).

The grid is that of the first stream. Each stream was judged by itself, on its own clock; here the place of the partner's
samples on the grid is found, and everything that is not taken becomes a decision. Pure: no sockets, no clock.
"""

from __future__ import annotations

from collections.abc import Sequence

from acquisition.items import Item

#: Seconds that a row of the first stream waits for its partner.
PATIENCE_S = 0.5


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
    ) -> None: ...

    @property
    def error_s(self) -> float | None:
        """How far the partner's samples lie from their places by the last second's median, in s; None unless paired."""
        ...

    def push(self, first: Sequence[Item], second: Sequence[Item], now_s: float) -> list[Item]:
        """Take what came of both streams since the last push.

        Parameters
        ----------
        first, second : sequence of Item
            As their sources handed them over; either may be empty.
        now_s : float
            Monotonic; when these came. Rows whose partner is ``patience_s`` late by it are given up, also when
            nothing comes any more.

        Returns
        -------
        list of Item
            In the order in which they are to be recorded and obeyed.
        """
        ...

    def finish(self) -> list[Item]:
        """Return what still waits, as unpaired: nothing comes any more."""
        ...
