"""What the tests of the signal path share: a small chain, tapes, and ways to cut and run them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain as joined
from itertools import cycle

import numpy as np
import pytest

from acquisition.artifact import ArtifactSpec
from acquisition.chain import Chain, ChainSpec, Step, Traces, drive
from acquisition.decisions import Decision
from acquisition.ledger import Ledger
from acquisition.montage import Channel, Montage
from acquisition.quality import Cell
from acquisition.windowing import Window, WindowSpec

#: A chain whose windows and calibration are a tenth as long, so that a test needs seconds of signal, not minutes.
SMALL = ChainSpec(window=WindowSpec(1_000, 1_000, 400), artifact=ArtifactSpec(calibration_samples=3_000))


@dataclass(frozen=True)
class Samples:
    """Samples on a tape."""

    part: int
    at: int
    x_uv: np.ndarray


@dataclass
class Tape:
    """A tape in the making: say what happens next, in order."""

    items: list[Decision | Samples] = field(default_factory=list)
    at: int = 0
    grid: int = 0
    segment: int = 0

    def decide(self, kind: str, **data: object) -> Tape:
        self.items.append(Decision(kind, 1, 0, self.at, data))
        return self

    def begin(self, reason: str = "start") -> Tape:
        self.decide("segment", segment=self.segment, first_sample=self.grid, reason=reason)
        self.segment += 1
        return self

    def samples(self, x_uv: np.ndarray, *, rejected: int = 0) -> Tape:
        self.items.append(Samples(1, self.at, x_uv))
        self.at += len(x_uv)
        self.grid += len(x_uv) - rejected
        return self

    def bridge(self, n_samples: int) -> Tape:
        self.grid += n_samples
        return self.decide("bridged", n=n_samples)

    def gap(self, n_samples: int) -> Tape:
        self.grid += n_samples
        return self.decide("lost", n=n_samples, reason="gap").begin("gap")

    def cut(self, sizes: Sequence[int]) -> Iterator[Decision | Samples]:
        """Yield the tape with its samples in chunks of these sizes, over and over."""
        sizes = cycle(sizes)
        for item in self.items:
            if isinstance(item, Decision):
                yield item
                continue
            row = 0
            while row < len(item.x_uv):
                size = next(sizes)
                yield Samples(item.part, item.at + row, item.x_uv[row : row + size])
                row += size


@dataclass
class Ran:
    """Everything that came out of a chain."""

    chain: Chain
    steps: list[Step]
    made: list[Decision]

    @property
    def windows(self) -> list[Window]:
        return list(joined.from_iterable(step.windows for step in self.steps))

    @property
    def traces(self) -> list[Traces]:
        return list(joined.from_iterable(step.traces for step in self.steps))

    @property
    def cells(self) -> list[Cell]:
        return list(joined.from_iterable(step.cells for step in self.steps))

    @property
    def ledger(self) -> Ledger:
        return self.chain.ledger

    def bits(self) -> tuple[object, ...]:
        """Return all that must not depend on chunking, as one comparable value."""
        windows = [{**vars(window), "x_uv": window.x_uv.tobytes()} for window in self.windows]
        traces = np.concatenate([trace.x_uv for trace in self.traces]).tobytes() if self.traces else b""
        cells = [(cell.first_sample, cell.fault_bits.tobytes()) for cell in self.cells]
        return windows, traces, cells, self.ledger, [decision.to_line() for decision in self.made]


@pytest.fixture
def montage() -> Montage:
    """Return a montage of five EEG and two EMG channels on an amplifier that saturates at 50 mV."""
    labels = ("C3", "C1", "C2", "C4", "P3")
    channels = (*(Channel(label, "eeg") for label in labels), Channel("RF", "emg"), Channel("BF", "emg"))
    return Montage("small", 1000.0, channels, full_scale_uv=50_000.0)


@pytest.fixture
def tape() -> Tape:
    """Return an empty tape."""
    return Tape()


@pytest.fixture
def new_tape() -> type[Tape]:
    """Return what makes an empty tape, for a test that needs many."""
    return Tape


@pytest.fixture
def small() -> ChainSpec:
    """Return the spec of the small chain."""
    return SMALL


@pytest.fixture
def run(montage: Montage) -> Callable[..., Ran]:
    """Return a function that takes a tape through a new chain."""

    def run(tape: Iterable[Decision | Samples], spec: ChainSpec = SMALL, montage: Montage = montage) -> Ran:
        chain = Chain(montage, spec=spec)
        made: list[Decision] = []
        return Ran(chain, list(drive(chain, tape, made.append)), made)

    return run


@pytest.fixture
def noise(montage: Montage) -> Callable[..., np.ndarray]:
    """Return a function that makes quiet signal: noise of 10 µV on every channel."""

    def noise(n_samples: int, seed: int = 0) -> np.ndarray:
        return np.random.default_rng(seed).normal(scale=10.0, size=(n_samples, montage.n_channels))

    return noise
