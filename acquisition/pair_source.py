"""Two live LSL streams as one source: each found, watched and judged by itself, paired into one order of recording.

The first stream is the session's grid and has the markers. The session goes on while the partner is away: what the grid
lacks then is lost, by decisions (law 3). Both states are told as one, the worse of them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from acquisition.clock import Clock
from acquisition.decisions import Decision
from acquisition.formats.xdf_header import StreamHeader
from acquisition.items import Item
from acquisition.montage import Binding, Montage
from acquisition.pairer import Pairer
from acquisition.pairing import partner_columns
from acquisition.stream_source import StreamSource
from acquisition.timing import Pairing, Timing

#: States of a link from good to bad: of two streams the worse is told.
BY_BADNESS = ("LIVE", "SETTLING", "LATE", "CONNECTING", "STALLED", "SEARCHING", "LOST")


class PairSource:
    """One source made of two streams.

    Parameters
    ----------
    signal : StreamSource
        The first stream, with the montage's channels that it gives, and its markers.
    partner : StreamSource
        The second, with the others; without markers.
    montage : Montage
        The whole.
    make_pairer : callable
        Makes the pairer, given the partner's columns that stand beside the signal's.
    clock : Clock
        Time.
    unit : str or None
        The user's word for channels whose unit is unstated.
    partner_header : StreamHeader or None
        The partner's header as an earlier life recorded it: then the session goes on without waiting for the partner.
    """

    def __init__(
        self,
        signal: StreamSource,
        partner: StreamSource,
        montage: Montage,
        make_pairer: Callable[[Sequence[int]], Pairer],
        clock: Clock,
        *,
        unit: str | None = None,
        partner_header: StreamHeader | None = None,
    ) -> None:
        self._signal = signal
        self._partner = partner
        self._montage = montage
        self._make_pairer = make_pairer
        self._clock = clock
        self._unit = unit
        self._partner_header = partner_header
        self._pairer: Pairer | None = None
        self._early: list[Item] = []
        self.finished = False
        self.binding: Binding
        self.headers: Sequence[StreamHeader] = ()

    @property
    def state(self) -> tuple[str, str]:
        """The worse of both links' states, and its cause in words; the partner's names it."""
        signal, (partner, cause) = self._signal.state, self._partner.state
        name = self._partner.info.name if self._partner.info is not None else "second stream"
        links = [signal, (partner, cause and f"{name}: {cause}")]
        worst = max((state for state, _ in links), key=BY_BADNESS.index)
        return worst, "; ".join(cause for state, cause in links if state == worst and cause)

    @property
    def pairing(self) -> Pairing:
        """How the partner stands to the signal now."""
        doubts_s = [timing.uncertainty_s for timing in self.timing]
        known_s = [doubt_s for doubt_s in doubts_s if doubt_s is not None]
        return Pairing(
            *self._partner.state,
            error_s=self._pairer.error_s if self._pairer is not None else None,
            uncertainty_s=sum(known_s) if len(known_s) == len(doubts_s) else None,
        )

    @property
    def timing(self) -> tuple[Timing, ...]:
        """How the time of the signal, then of the partner, runs."""
        return (*self._signal.timing, *self._partner.timing)

    def pull(self, timeout_s: float) -> list[Item]:
        """Return what came of both since the last call, in the order of recording; search for what is not there.

        Nothing is handed over before both have been found: what they are is written at the head of the record.

        Raises
        ------
        StreamNotFound, AmbiguousStream, StreamRefused, RateError
            As ``StreamSource.pull``, of either stream.
        """
        if self._pairer is None:
            return self._begin(timeout_s)
        # The signal first: what its newest rows belong to has come by the time that the partner is asked.
        first = self._signal.pull(timeout_s)
        return self._pairer.push(first, self._partner.pull(0.0), self._clock.monotonic_s())

    def _begin(self, timeout_s: float) -> list[Item]:
        """Find the partner, then the signal, so that its first rows have partners; hand over what came with them."""
        if not self._partner.headers:  # once it is open its inlet keeps what comes until the signal is there
            self._early += self._partner.pull(timeout_s if self._partner_header is None else 0.0)
        partner = self._partner.headers[0] if self._partner.headers else self._partner_header
        if partner is None:
            return []
        first = self._signal.pull(timeout_s)
        if not self._signal.headers:
            return []
        signal = self._signal.headers[0]
        columns = partner_columns(signal.labels, partner.labels)
        labels = (*signal.labels, *(partner.labels[column] for column in columns))
        units = (*_units(signal), *(_units(partner)[column] for column in columns))
        self.binding = self._montage.bind(labels, units, unit=self._unit)
        self.headers = (*self._signal.headers, partner)
        self._pairer = self._make_pairer(columns)
        second, self._early = self._early, []
        return self._pairer.push(first, second, self._clock.monotonic_s())

    def calibration_at(self, at: int) -> Decision | None:
        """Return the calibration that the signal's judge knows for this place."""
        return self._signal.calibration_at(at)

    def close(self) -> None:
        """Let go of both."""
        self._signal.close()
        self._partner.close()


def _units(header: StreamHeader) -> Sequence[str | None]:
    return header.units or (None,) * len(header.labels)
