"""The conditioned signal of a whole session, in stretches without a hole: what every measure reads (laws 1 and 4).

It is the chain's own filter output, from the same tape as every score. It is taken before the artifact stage: that
stage scales mixtures of channels up and down with the signal, by limits that were frozen at rest, and is not there at
all before its calibration; a measure that compares the power of two phases would measure the stage too. What the stage
is for, blinks, lies below the bands that are measured here; an electrode that pops is one trial of a median.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from acquisition.chain import Chain, ChainSpec, Step, drive
from acquisition.decisions import Decision
from acquisition.measures.trials import Trial, trials_of
from acquisition.montage import Montage
from acquisition.phases import PhaseTimeline
from acquisition.quality import CELL_SAMPLES
from acquisition.reel import Samples


@dataclass(frozen=True, eq=False)
class Stretch:
    """The settled signal of one segment, in whole cells.

    Parameters
    ----------
    begin : int
        Where its segment begins on the session's grid: from there to `first_sample` the filters settle.
    first_sample : int
        Its first settled sample on the session's grid.
    x_uv : ndarray, shape (n_samples, n_channels), float32
        Filtered microvolts.
    good : ndarray of bool, shape (n_samples // 100, n_channels)
        The verdict on each cell.
    """

    begin: int
    first_sample: int
    x_uv: NDArray[np.float32]
    good: NDArray[np.bool_]

    @property
    def stop(self) -> int:
        """The sample of the session's grid after its last."""
        return self.first_sample + len(self.x_uv)

    def trace(self, column: int) -> NDArray[np.float64]:
        """Return one channel, shape (n_samples,), in microvolts."""
        return self.x_uv[:, column].astype(np.float64)

    def quality(self, span: range, columns: Iterable[int]) -> float:
        """Return the least share of good cells, over channels, of the cells that a span of the grid touches."""
        first = (span.start - self.first_sample) // CELL_SAMPLES
        stop = -(-(span.stop - self.first_sample) // CELL_SAMPLES)
        return min(float(self.good[first:stop, column].mean()) for column in columns)


@dataclass(frozen=True, eq=False)
class Conditioned:
    """A session as measures read it.

    Parameters
    ----------
    labels : tuple of str
        Of the channels.
    rate_hz : float
        Sampling rate.
    n_samples : int
        Samples of the session's grid, lost ones included.
    stretches : tuple of Stretch
        In order; between two of them lies a gap.
    trials : tuple of Trial
        In order.
    """

    labels: tuple[str, ...]
    rate_hz: float
    n_samples: int
    stretches: tuple[Stretch, ...]
    trials: tuple[Trial, ...]

    def lacks(self, labels: Iterable[str]) -> tuple[str, ...]:
        """Return which of these channels there are not."""
        return tuple(label for label in labels if label not in self.labels)

    def columns(self, labels: Iterable[str]) -> tuple[int, ...]:
        """Return the columns of channels that there are."""
        return tuple(self.labels.index(label) for label in labels)


def condition(
    tape: Iterable[Decision | Samples], montage: Montage, mains_hz: float, spec: ChainSpec | None = None
) -> Conditioned:
    """Run a whole tape through the chain and keep its filtered signal, its cells and its phases.

    Parameters
    ----------
    tape : iterable of Decision and samples
        Of a session's folder or a recording.
    montage : Montage
        Its channels.
    mains_hz : float
        Mains frequency.
    spec : ChainSpec, optional
        The contract's by default.

    Raises
    ------
    DecisionError, RateError
        As the chain does.
    """
    spec = spec or ChainSpec()
    chain = Chain(montage, mains_hz, spec)
    timeline = PhaseTimeline()
    gathered: dict[int, _Gathered] = {}
    for step in drive(chain, _noting_markers(tape, timeline)):
        _gather(step, gathered)
    stretches = tuple(segment.stretch(spec.window.settling) for segment in gathered.values())
    stretches = tuple(stretch for stretch in stretches if len(stretch.good))
    # One sample more than there are: a phase that no marker ends reaches past the end, and is left out for it.
    trials = trials_of(timeline.spans(0, chain.next_sample + 1))
    return Conditioned(montage.labels, montage.rate_hz, chain.next_sample, stretches, trials)


def _noting_markers(tape: Iterable[Decision | Samples], timeline: PhaseTimeline) -> Iterator[Decision | Samples]:
    for item in tape:
        if isinstance(item, Decision) and item.kind == "marker" and item.data.get("phase") is not None:
            timeline.mark(item.count("sample"), item.word("phase"))
        yield item


@dataclass
class _Gathered:
    """What came of one segment so far."""

    begin: int
    traces: list[NDArray[np.float32]] = field(default_factory=list)
    good: list[NDArray[np.bool_]] = field(default_factory=list)

    def stretch(self, settling: int) -> Stretch:
        x_uv = np.concatenate(self.traces)
        n_channels = x_uv.shape[1]
        good = np.array(self.good, dtype=bool).reshape(-1, n_channels)[settling // CELL_SAMPLES :]
        settled = x_uv[settling : settling + len(good) * CELL_SAMPLES]
        return Stretch(self.begin, self.begin + settling, settled, good)


def _gather(step: Step, gathered: dict[int, _Gathered]) -> None:
    for traces in step.traces:
        segment = gathered.setdefault(traces.segment, _Gathered(traces.first_sample))
        segment.traces.append(traces.x_uv)
        segment.good += [cell.good for cell in step.cells]
