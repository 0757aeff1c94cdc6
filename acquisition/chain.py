"""The chain: decisions and samples in, windows out; live, replay, scoring and training use this very object (law 1).

Conditioning, quality, artifact stage, windowing and ledger as one. Windows are a pure function of the samples and the
decisions between them; ``drive`` is the one loop that takes them from a tape.

Decisions, and what they carry in ``data``
------------------------------------------
``segment`` {segment, first_sample, reason} : from the next sample on, a new segment at that sample of the grid.
``bridged`` {n} : n grid samples, 1 to 20, are missing before the next sample; a straight line stands for them.
``lost`` {n, reason} : n grid samples are missing; the open segment ends.
``reject`` {n, reason} : the next n samples are not taken onto the grid.
``unpaired`` {n, reason} : the next n samples of the partner are not taken; counted.
``slip`` {sample, n, error_s} : the partner's next sample that is taken goes to that grid sample: n off the place that
    it would have had, error_s off by its stamp. Nothing of the signal; other decisions say what is taken.
``clock_reset`` {step_s} : counted.
``marker`` {text, phase, sample} : the phase that begins at that grid sample, or none.
``calibration`` {the values of a Calibration, hash} : in force from the next block of the grid on.
``index`` {next} : the index of the next window.
``end`` {reason} : the session's end.
``term`` {term}, ``voided`` {lines} : nothing of the signal.
"""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from acquisition.artifact import ArtifactSpec, ArtifactStage, Calibration
from acquisition.conditioning import ConditioningSpec, Filter, Repair
from acquisition.decisions import Decision, canonical_json
from acquisition.errors import DecisionError, SequenceError
from acquisition.ledger import PARTNER, Book, Ledger
from acquisition.montage import Montage
from acquisition.paradigm import MARKERS
from acquisition.passband import passbands
from acquisition.phases import PhaseTimeline
from acquisition.quality import BRIDGED, CELL_SAMPLES, Cell, CellJudge, QualitySpec
from acquisition.reel import Reel, Samples
from acquisition.segment import Grid
from acquisition.windowing import Block, Provenance, Window, Windower, WindowSpec

#: Counts changes of the algorithms that no setting shows; part of the fingerprint.
ALGORITHM = 1


@dataclass(frozen=True)
class ChainSpec:
    """Everything that decides what a window's samples are, but montage and mains.

    Parameters
    ----------
    conditioning : ConditioningSpec
        Repair and filters.
    artifact : ArtifactSpec
        The EEG artifact stage.
    window : WindowSpec
        Length, stride and settling.
    quality : QualitySpec
        Limits of good signal.
    """

    conditioning: ConditioningSpec = field(default_factory=ConditioningSpec)
    artifact: ArtifactSpec = field(default_factory=ArtifactSpec)
    window: WindowSpec = field(default_factory=WindowSpec)
    quality: QualitySpec = field(default_factory=QualitySpec)

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the whole spec, in hex; a bundle names the one that it was trained behind."""
        whole = asdict(self) | {"algorithm": ALGORITHM, "cell_samples": CELL_SAMPLES}
        return hashlib.sha256(canonical_json(whole).encode()).hexdigest()


@dataclass(frozen=True, eq=False)
class Traces:
    """Filtered samples for the screen, from before the artifact stage.

    Parameters
    ----------
    segment : int
        Their segment.
    first_sample : int
        The first one's place on the session's grid.
    x_uv : ndarray, shape (n_samples, n_channels), float32
        Microvolts.
    """

    segment: int
    first_sample: int
    x_uv: NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Step:
    """What one decision or one push brought about.

    Parameters
    ----------
    windows : tuple of Window
        Completed, oldest first.
    traces : tuple of Traces
        For the screen.
    n_taken : int
        Samples consumed, rejected ones too. Fewer than were pushed: ``calibration`` is due; push the rest after it.
    calibration : Calibration or None
        Due now. Record it as a ``calibration`` decision and have it obeyed before the next push.
    cells : tuple of Cell
        Verdicts completed.
    """

    windows: tuple[Window, ...] = ()
    traces: tuple[Traces, ...] = ()
    n_taken: int = 0
    calibration: Calibration | None = None
    cells: tuple[Cell, ...] = ()


class Chain:
    """The signal path of one session.

    Parameters
    ----------
    montage : Montage
        Channels, rate and rail.
    mains_hz : float
        Mains frequency, 50 or 60.
    spec : ChainSpec, optional
        Settings; the defaults are the contract's.
    resampled_from_hz : float, optional
        Rate of the recording, where it was resampled.

    Raises
    ------
    RateError
        If the montage's rate is too low for the filters.

    Examples
    --------
    >>> from acquisition.montage import load_montage
    >>> chain = Chain(load_montage("amp16"))
    >>> chain.obey(Decision("segment", 1, 0, 0, {"segment": 0, "first_sample": 0, "reason": "start"})).windows
    ()
    >>> step = chain.push(np.random.default_rng(0).normal(size=(14_000, 16)))
    >>> [(window.index, window.first_sample) for window in step.windows]
    [(0, 4000)]
    """

    def __init__(
        self,
        montage: Montage,
        mains_hz: float = 50.0,
        spec: ChainSpec | None = None,
        *,
        resampled_from_hz: float | None = None,
    ) -> None:
        spec = spec or ChainSpec()
        self._montage = montage
        self._spec = spec
        self._mains_hz = mains_hz
        self._eeg = montage.eeg
        self._repair = Repair(montage.n_channels, spec.conditioning, montage.full_scale_uv)
        self._filter = Filter(montage, mains_hz, spec.conditioning)
        self._judge = CellJudge(montage.rate_hz, mains_hz, spec.quality)
        self._artifact = ArtifactStage([montage.labels[column] for column in self._eeg], spec.artifact)
        self._phases = PhaseTimeline()
        self.fingerprint = spec.fingerprint
        provenance = Provenance(self.fingerprint, mains_hz, montage.rate_hz, resampled_from_hz)
        self._windower = Windower(spec.window, spec.quality, montage.kinds, provenance, self._phases)
        self._grid = Grid(spec.window.settling)
        self._ledger = self._grid.book.ledger
        self._n_out = 0
        self._rest: list[NDArray[Any]] = []
        self._recorded = True
        self._recorded_book: Book | None = None
        self._unrecorded_from: int | None = None
        self._verbs: dict[str, Callable[[Decision], None]] = {
            "segment": self._begin,
            "bridged": lambda decision: self._grid.bridge(decision.count("n", least=1)),
            "lost": self._lose,
            "reject": lambda decision: self._grid.reject(decision.count("n"), decision.word("reason")),
            "unpaired": lambda decision: self._grid.book.reject(decision.count("n"), PARTNER),
            "slip": lambda decision: self._grid.book.reject(0, PARTNER),
            "clock_reset": lambda decision: self._grid.book.reset_clock(),
            "marker": self._mark,
            "calibration": lambda decision: self._artifact.obey(Calibration.from_json(decision.data)),
            "index": self._number,
            "end": lambda decision: self._grid.close(end=True),
            "term": lambda decision: None,
            "voided": lambda decision: None,
        }

    @property
    def montage(self) -> Montage:
        """The channels that it works on."""
        return self._montage

    @property
    def filters(self) -> dict[str, dict[str, Any]]:
        """What its filters let through and their delay, by kind of channel; see ``passband``."""
        return passbands(self._spec.conditioning, self._montage.rate_hz, self._mains_hz)

    @property
    def next_sample(self) -> int:
        """The place of the next sample on the session's grid."""
        return self._grid.book.next_sample

    @property
    def open(self) -> bool:
        """Whether a segment is open, so that samples can be pushed."""
        return self._grid.open

    @property
    def next_index(self) -> int:
        """The index that the next window gets."""
        return self._windower.next_index

    @property
    def settled(self) -> bool:
        """Whether the filters have settled on the open segment, so that what comes next can be in a window."""
        return self.open and self.next_sample - self._grid.first_sample >= self._spec.window.settling

    @property
    def ledger(self) -> Ledger:
        """Where every sample went so far; whole at any moment, so that another thread may tell it (law 3)."""
        return self._ledger

    @property
    def calibration(self) -> Calibration | None:
        """The calibration that was obeyed, off or not."""
        return self._artifact.calibration

    @property
    def recorded(self) -> bool:
        """Whether the samples that come now are in the session folder.

        Set it to False when recording fails: windows with any sample from here on are flagged ``unrecorded``. Obeying
        ``lost`` with the reason ``unrecorded``, which opens the next part, sets it back: the ledger then goes on from
        what the folder holds, with these samples as a hole.
        """
        return self._recorded

    @recorded.setter
    def recorded(self, recorded: bool) -> None:
        if self._recorded and not recorded:
            self._recorded_book = self._grid.book.copy()
            self._unrecorded_from = self.next_sample
        self._recorded = recorded

    @property
    def n_unrecorded(self) -> int:
        """Grid samples since recording failed: what ``lost`` with the reason ``unrecorded`` has to declare."""
        return self.next_sample - self._recorded_book.next_sample if self._recorded_book else 0

    def obey(self, decision: Decision) -> Step:
        """Let a decision take effect between two samples.

        Parameters
        ----------
        decision : Decision
            Of any kind.

        Returns
        -------
        Step
            Empty: only samples complete windows.

        Raises
        ------
        DecisionError
            If its kind is not known, its data is not what the kind carries, or it contradicts those before it.
        """
        verb = self._verbs.get(decision.kind)
        if verb is None:
            message = f"A decision of kind {decision.kind!r} is not known; expected one of {', '.join(self._verbs)}."
            remedy = "Read the folder with the version of Flexion that made it."
            raise DecisionError(message, subject=decision.kind, remedy=remedy)
        verb(decision)
        self._ledger = self._grid.book.ledger
        return Step()

    def _begin(self, decision: Decision) -> None:
        segment, first_sample = decision.count("segment"), decision.count("first_sample")
        self._grid.begin(segment, first_sample)
        self._repair.begin()
        self._filter.begin()
        self._artifact.begin(segment, first_sample + self._spec.window.settling)
        self._windower.begin(segment)
        self._n_out, self._rest = 0, []
        if self._recorded:
            self._unrecorded_from = None

    def _lose(self, decision: Decision) -> None:
        n_samples = decision.count("n")
        if decision.word("reason") == "unrecorded" and self._recorded_book:
            self._grid.book, self._recorded_book, self._recorded = self._recorded_book, None, True
        self._grid.miss(n_samples)

    def _mark(self, decision: Decision) -> None:
        phase = decision.data.get("phase")
        if phase is None:
            return
        if phase not in MARKERS:
            raise decision.unfit("phase", f"one of {', '.join(MARKERS)}, or null")
        self._phases.mark(decision.count("sample"), phase)

    def _number(self, decision: Decision) -> None:
        self._windower.next_index = decision.count("next", least=self._windower.next_index)

    def push(self, x_uv: ArrayLike) -> Step:
        """Take the next samples, up to the moment at which a calibration falls due.

        Parameters
        ----------
        x_uv : array, shape (n_samples, n_channels)
            Microvolts as received, NaN and infinities included; none at all (n_samples 0) is fine. Not changed.

        Returns
        -------
        Step
            What they brought about.

        Raises
        ------
        SequenceError
            If no segment is open, a calibration that is due was not obeyed, or the shape is not the montage's.
        """
        x = np.ascontiguousarray(x_uv, dtype=np.float64)
        if x.ndim != 2 or x.shape[1] != self._montage.n_channels:
            message = f"Samples of shape {x.shape} were pushed; expected (n_samples, {self._montage.n_channels})."
            raise SequenceError(message, subject="x_uv", remedy="Bind the stream to the montage first.")
        if self._artifact.due:
            raise SequenceError("A calibration is due and was not obeyed.", remedy="Obey it before the next samples.")
        n_skipped = self._grid.skip(len(x))
        x = x[n_skipped : n_skipped + self.room]
        step = self._take(x, n_skipped) if len(x) else Step(n_taken=n_skipped)
        self._ledger = self._grid.book.ledger
        return step

    @property
    def room(self) -> int:
        """How many samples the next push takes before a calibration falls due; at least the one that ends a hole."""
        if self.calibration is not None:
            return sys.maxsize
        due_at = self._grid.first_sample + self._spec.window.settling + self._spec.artifact.calibration_samples
        return max(due_at - self.next_sample, 1)

    def _take(self, x_uv: NDArray[np.float64], n_skipped: int) -> Step:
        n_bridged = self._grid.receive(len(x_uv))
        repaired = self._repair.push(x_uv, n_bridged)
        filtered = self._filter.push(repaired)
        traces = Traces(self._grid.segment, self.next_sample - len(filtered), filtered.astype(np.float32))
        arrays: list[NDArray[Any]] = [repaired.raw_uv, repaired.held_uv, repaired.causes, repaired.at_rail, filtered]
        windows, cells = self._cut(arrays)
        return Step(windows, (traces,), n_skipped + len(x_uv), self._artifact.due, cells)

    def _cut(self, arrays: list[NDArray[Any]]) -> tuple[tuple[Window, ...], tuple[Cell, ...]]:
        """Cut what came, and what was left over, into blocks of the segment's grid."""
        if self._rest:
            arrays = [np.concatenate(pair) for pair in zip(self._rest, arrays, strict=True)]
        stop = len(arrays[0]) // CELL_SAMPLES * CELL_SAMPLES
        made = [
            self._block(*(array[row : row + CELL_SAMPLES] for array in arrays)) for row in range(0, stop, CELL_SAMPLES)
        ]
        self._rest = [array[stop:].copy() for array in arrays] if stop < len(arrays[0]) else []
        return tuple(window for window, _ in made if window), tuple(cell for _, cell in made)

    def _block(
        self,
        raw_uv: NDArray[np.float64],
        held_uv: NDArray[np.float64],
        causes: NDArray[np.uint8],
        at_rail: NDArray[np.bool_],
        filtered: NDArray[np.float64],
    ) -> tuple[Window | None, Cell]:
        cell = self._judge.judge(self._grid.first_sample + self._n_out, raw_uv, held_uv, causes, at_rail)
        in_force, settled = self._artifact.in_force, self._n_out >= self._spec.window.settling
        x_uv = filtered.astype(np.float32)
        x_uv[:, self._eeg] = self._artifact.push(filtered[:, self._eeg], cell.good[self._eeg], settled=settled)
        self._n_out += CELL_SAMPLES
        stop = self._grid.first_sample + self._n_out
        recorded = self._unrecorded_from is None or stop <= self._unrecorded_from
        n_bridged = int(np.count_nonzero(causes[:, 0] & BRIDGED))
        window = self._windower.push(Block(x_uv, cell, n_bridged, in_force, recorded))
        if window:
            self._grid.book.window(self._windower.n_new())
        return window, cell


def drive(
    chain: Chain,
    tape: Iterable[Decision | Samples],
    on_decision: Callable[[Decision], None] | None = None,
) -> Iterator[Step]:
    """Take a tape through a chain; where a calibration falls due, take the tape's or else make the decision.

    Parameters
    ----------
    chain : Chain
        New, or where the last tape left it.
    tape : iterable of Decision and samples
        In the order of the record: decisions stand before the samples that they concern.
    on_decision : callable, optional
        Told of each decision that was made here, before it is obeyed, so that it can be recorded.

    Yields
    ------
    Step
        One for each decision and each push.
    """
    reel = Reel(tape)
    for item in reel:
        if isinstance(item, Decision):
            yield chain.obey(item)
            continue
        at, x_uv = item.at, item.x_uv
        while len(x_uv):
            step = chain.push(x_uv)
            yield step
            at, x_uv = at + step.n_taken, x_uv[step.n_taken :]
            if step.calibration:
                decision = reel.calibration_at(item.part, at) if not len(x_uv) else None
                if decision is None:
                    decision = Decision("calibration", item.part, 0, at, step.calibration.to_json())
                    if on_decision:
                        on_decision(decision)
                yield chain.obey(decision)
