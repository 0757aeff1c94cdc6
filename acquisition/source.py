"""Where a session's samples come from: a live stream, a replayed stream or a file, behind one interface.

A source hands over what happened in the order in which it must be recorded and obeyed: decisions, and the raw samples
between them (law 2). Who decides is the judge: ``StampJudge`` looks at the stamps of a live stream, ``GivenJudge``
repeats the decisions that a recording already carries, by sample count (law 1).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain, islice, repeat
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from acquisition.decisions import Decision
from acquisition.errors import RateError
from acquisition.formats.xdf_header import DTYPES, STRING, StreamHeader
from acquisition.items import ClockOffset as ClockOffset
from acquisition.items import Item as Item
from acquisition.items import Raw as Raw
from acquisition.items import RawMarker as RawMarker
from acquisition.items import interleave as interleave
from acquisition.montage import Binding, Montage
from acquisition.recording import Recording
from acquisition.stamps import StampDecider
from acquisition.tape import in_order
from acquisition.timing import Pairing, Timing


class Judge(Protocol):
    """Takes the decisions on a stream of samples."""

    def judge(self, raw: Raw, counters: NDArray[np.float64] | None) -> list[Decision]:
        """Return the decisions that belong before, inside or right after these samples."""
        ...

    def marker(self, stamp_s: float, text: str) -> Decision | None:
        """Return the decision on a marker, None when it is already among those given."""
        ...

    def calibration_at(self, at: int) -> Decision | None:
        """Return the calibration that was taken after ``at`` samples, if this judge knows one."""
        ...

    def returned(self, passed_s: float, *, anew: bool) -> None:
        """Hear how much time has passed from the last sample to the next one, where the stream was silent or away.

        Parameters
        ----------
        passed_s : float
            By this machine's clock.
        anew : bool
            Whether another life of the stream begins, after which nothing may hang together with what was before.
        """
        ...

    @property
    def wrong_rate(self) -> RateError | None:
        """Why the stream is not to be taken, once its stamps have told its rate."""
        ...

    @property
    def timing(self) -> Timing:
        """What the stamps tell of the stream's rate."""
        ...


class StampJudge:
    """Decides from stamps and counters, for a stream that nobody has judged before."""

    def __init__(self, decider: StampDecider, montage: Montage) -> None:
        self.decider = decider
        self._montage = montage

    def judge(self, raw: Raw, counters: NDArray[np.float64] | None) -> list[Decision]:
        """Return the decisions on these samples, oldest first."""
        return self.decider.push(raw.stamps, counters)

    def marker(self, stamp_s: float, text: str) -> Decision | None:
        """Return the decision that puts a marker on the grid."""
        return self.decider.marker(stamp_s, text, self._montage)

    def calibration_at(self, at: int) -> Decision | None:
        """Return None: a live stream has no calibration yet."""
        return None

    def returned(self, passed_s: float, *, anew: bool) -> None:
        """Hand the time on to whoever counts what is lost."""
        self.decider.returned(passed_s, anew=anew)

    @property
    def wrong_rate(self) -> RateError | None:
        """The refusal of a rate that is not the nominal one."""
        return self.decider.wrong_rate

    @property
    def timing(self) -> Timing:
        """The effective rate, once it is known."""
        ppm = self.decider.rate_ppm
        rate_hz = None if ppm is None else self.decider.rate_hz * (1 + ppm * 1e-6)
        return Timing(rate_hz, ppm, self.decider.allowance)


class GivenJudge:
    """Repeats recorded decisions by sample count; takes none of its own.

    Parameters
    ----------
    decisions : iterable of Decision
        From ``flatten_decisions``, or ``rounds.again``: taken one by one, so that there may be no end to them.
    n_samples, n_decisions : int
        What an earlier life has already recorded of both, calibrations not counted.
    """

    def __init__(self, decisions: Iterable[Decision], n_samples: int = 0, n_decisions: int = 0) -> None:
        self._calibrations: dict[int, Decision] = {}
        self._rest = islice(self._without_calibrations(decisions), n_decisions, None)
        self._next = next(self._rest, None)
        self._at = n_samples

    def judge(self, raw: Raw, counters: NDArray[np.float64] | None) -> list[Decision]:
        """Return the recorded decisions up to the end of these samples."""
        self._at += len(raw)
        due = []
        while self._next is not None and self._next.at <= self._at:
            due.append(self._next)
            self._next = next(self._rest, None)
        return due

    def _without_calibrations(self, decisions: Iterable[Decision]) -> Iterator[Decision]:
        """Yield the others; a calibration stands before the others of its place, so that it is known in time."""
        for decision in decisions:
            if decision.kind == "calibration":
                self._calibrations[decision.at] = decision
            else:
                yield decision

    def marker(self, stamp_s: float, text: str) -> Decision | None:
        """Return None: the markers' decisions are among those given."""
        return None

    def calibration_at(self, at: int) -> Decision | None:
        """Return the recorded calibration that was taken after ``at`` samples."""
        return self._calibrations.get(at)

    def returned(self, passed_s: float, *, anew: bool) -> None:
        """Do nothing: what was lost is among the decisions given."""

    @property
    def wrong_rate(self) -> None:
        """None: the rate was judged when the decisions were taken."""

    @property
    def timing(self) -> Timing:
        """Nothing: a replayed stream's stamps are the player's."""
        return Timing()


#: Decisions that belong to one life of one session and are never handed to a replay.
OWN_TO_A_LIFE = frozenset({"term", "voided", "index"})


def flatten_decisions(parts: Sequence[Recording], decisions: Sequence[Decision]) -> list[Decision]:
    """Address the decisions of a recording in several parts by one running count of its samples.

    Parameters
    ----------
    parts : sequence of Recording
        Part 1, part 2, ... in order.
    decisions : sequence of Decision
        As recorded: ``at`` counts within a part.

    Returns
    -------
    list of Decision
        All in part 1, ``at`` counting from the first sample of the first part, without those that are a life's own.
    """
    before = np.concatenate([[0], np.cumsum([len(p.stamps) for p in parts])])
    kept = [d for d in decisions if d.kind not in OWN_TO_A_LIFE]
    flat = [Decision(d.kind, 1, d.stream, int(before[d.part - 1]) + d.at, _unsigned(d.data)) for d in kept]
    return in_order(flat)


def _unsigned(data: Mapping[str, Any]) -> dict[str, Any]:
    """Return a decision's data without the person who took it: to the replay it is one of those handed over."""
    return {key: value for key, value in data.items() if key != "author"}


def own_decisions(decisions: Sequence[Decision]) -> int:
    """Return how many decisions of a replayed session were handed over to it: no calibrations, no marks by a person."""
    others = OWN_TO_A_LIFE | {"calibration"}
    return sum(1 for d in decisions if d.kind not in others and "author" not in d.data)


class Source(Protocol):
    """What the bridge reads: pulled until it is finished, then closed."""

    @property
    def state(self) -> tuple[str, str]:
        """The link's state and its cause in words."""
        ...

    @property
    def headers(self) -> Sequence[StreamHeader]:
        """The streams, the signal first; known once something was pulled."""
        ...

    @property
    def binding(self) -> Binding:
        """How the signal's columns become the montage's channels; known once something was pulled."""
        ...

    @property
    def finished(self) -> bool:
        """True when nothing will ever come again."""
        ...

    def pull(self, timeout_s: float) -> list[Item]:
        """Return what came since the last call, in order, waiting for at most ``timeout_s``."""
        ...

    def calibration_at(self, at: int) -> Decision | None:
        """Return the calibration that the source's judge knows for this place."""
        ...

    @property
    def timing(self) -> Sequence[Timing]:
        """How the time of each of its streams runs."""
        ...

    @property
    def pairing(self) -> Pairing | None:
        """How the second of two streams stands to the first; None where there is one stream alone."""
        ...

    def close(self) -> None:
        """Let go of everything."""
        ...


class FileSource:
    """A recording handed over as fast as it is taken, with the decisions that it carries.

    Parameters
    ----------
    parts : sequence of Recording
        The recording, in order.
    binding : Binding
        Its columns as the montage's channels.
    decisions : iterable of Decision
        From ``flatten_decisions``, or ``rounds.again``.
    rounds : int
        How often the parts are handed over; 0 without end.
    n_samples, n_decisions : int
        What an earlier life has already recorded of both.
    """

    #: Samples handed over per pull: 1 s, for a hundred a second; 0.1 s would take twice as long, 10 s hardly less.
    BLOCK = 1000

    def __init__(
        self,
        parts: Sequence[Recording],
        binding: Binding,
        decisions: Iterable[Decision],
        *,
        rounds: int = 1,
        n_samples: int = 0,
        n_decisions: int = 0,
    ) -> None:
        self.binding = binding
        self.headers = headers_of(parts[0])
        self.finished = False
        self.timing: tuple[Timing, ...] = ()
        self.pairing = None
        self._judge = GivenJudge(decisions, n_samples, n_decisions)
        self._at = n_samples
        self._pieces = self._cut(played(parts, rounds), n_samples)

    @property
    def state(self) -> tuple[str, str]:
        """A file is always there."""
        return ("LOST", "end of the recording") if self.finished else ("LIVE", "")

    def pull(self, timeout_s: float) -> list[Item]:
        """Return the next block of the recording with the decisions on it."""
        piece = next(self._pieces, None)
        if piece is None:
            self.finished = True
            return []
        raw, markers = piece
        first, self._at = self._at, self._at + len(raw)
        return [*markers, *interleave(raw, first, self._judge.judge(raw, None))]

    def calibration_at(self, at: int) -> Decision | None:
        """Return the recorded calibration for this place."""
        return self._judge.calibration_at(at)

    def close(self) -> None:
        """Nothing to let go of."""

    def _cut(self, parts: Iterable[Recording], skip: int) -> Iterator[tuple[Raw, list[RawMarker]]]:
        """Yield each block of samples with the markers that were stamped before its end and after the one before."""
        for recording in parts:
            n = len(recording.stamps)
            before_s = recording.stamps[min(skip, n) - 1] if skip else -np.inf
            markers = deque(RawMarker(m.text, m.stamp_s) for m in recording.markers if m.stamp_s > before_s)
            for start in range(min(skip, n), n, self.BLOCK):
                stop = min(start + self.BLOCK, n)
                until_s = recording.stamps[stop - 1] if stop < n else np.inf
                now = []
                while markers and markers[0].stamp_s <= until_s:
                    now.append(markers.popleft())
                yield Raw(recording.samples[start:stop], recording.stamps[start:stop]), now
            skip = max(0, skip - n)


def played(parts: Sequence[Recording], rounds: int) -> Iterator[Recording]:
    """Yield parts so many times over; 0 without end."""
    return chain.from_iterable(repeat(parts, rounds) if rounds else repeat(parts))


def headers_of(recording: Recording) -> tuple[StreamHeader, StreamHeader]:
    """Return the headers under which a recording's signal and markers are recorded again."""
    name = recording.name or recording.path.name
    signal = StreamHeader(
        name,
        "EEG",
        format_of(recording.samples.dtype),
        recording.rate_hz,
        len(recording.labels),
        recording.labels,
        recording.units,
        source_id=recording.source_id,
        hostname=recording.hostname,
        origin=recording.origin,
    )
    return signal, markers_header(name, recording.source_id, recording.hostname)


def markers_header(name: str, source_id: str, hostname: str) -> StreamHeader:
    """Return the header of the markers beside a signal that has no stream of markers."""
    return StreamHeader(f"{name} markers", "Markers", STRING, 0.0, 1, source_id=source_id, hostname=hostname)


def format_of(dtype: np.dtype[Any]) -> str:
    """Return XDF's word for a numeric type; what it has no word for is recorded as double64, which holds it."""
    return next((word for word, known in DTYPES.items() if known == dtype), "double64")


def read_decisions(path: Path) -> list[Decision]:
    """Read a file of decisions, one to a line."""
    return [Decision.from_line(line) for line in path.read_bytes().splitlines() if line.strip()]
