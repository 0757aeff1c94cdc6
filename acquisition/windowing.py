"""Windows: counted off a conditioned segment, block by block (laws 1 and 4).

A window depends on the samples and decisions alone, never on chunk sizes, arrival times or replay speed. It never spans
a gap: a gap ends the segment. Window k of a segment starts at the segment's first sample + settling + k * stride.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from acquisition.errors import BadInput
from acquisition.phases import PhaseTimeline, Span
from acquisition.quality import CELL_SAMPLES, Cell, QualitySpec, faults_of, sqi_of, weight_of

#: Everything that a window may be flagged with.
FLAGS = ("bridged", "resampled", "uncalibrated", "unrecorded")


@dataclass(frozen=True)
class WindowSpec:
    """Length, stride and settling of windows, in samples; all multiples of the 100-sample grid.

    Parameters
    ----------
    n_samples : int
        Length of a window.
    stride : int
        From one window's start to the next; never more than the length, so that no sample falls between two.
    settling : int
        Samples at the start of a segment that are in no window, while the filters forget the start.
    """

    n_samples: int = 10_000
    stride: int = 10_000
    settling: int = 4_000

    def __post_init__(self) -> None:
        for name, least in (("n_samples", 1), ("stride", 1), ("settling", 0)):
            value = getattr(self, name)
            if value % CELL_SAMPLES or value < least:
                raise _refused(name, f"{value} samples; expected a multiple of {CELL_SAMPLES}, {least} or more.")
        if self.stride > self.n_samples:
            raise _refused("stride", f"{self.stride} samples; expected at most the window's length, {self.n_samples}.")


def _refused(name: str, what: str) -> BadInput:
    return BadInput(f"The window's {name} is {what}", subject=f"window.{name}", remedy="Set it to such a number.")


@dataclass(frozen=True, eq=False)
class Window:
    """One window, ready for an engine.

    Parameters
    ----------
    index : int
        Counts all windows of the session from 0, in order.
    segment : int
        The segment that it was cut from.
    first_sample : int
        Its first sample on the session's grid, lost samples included.
    x_uv : ndarray, shape (n_samples, n_channels), float32
        Conditioned samples in microvolts; C order, read-only, owned.
    channel_quality : tuple of float
        Share of good cells of each channel.
    faults : tuple of tuple of str
        What was found wrong in any cell of each channel, of ``quality.FAULTS``.
    sqi : float
        The least, over the kinds of channel, of the mean channel quality.
    weight : float
        Its weight in the outcome, ``quality.weight_of(sqi)``.
    flags : tuple of str
        Sorted, of ``FLAGS``.
    n_bridged : int
        Samples that a straight line stands for.
    phases : tuple of (str, int, int)
        Phase, first offset in the window, number of samples; in order, nothing where no phase is known.
    calibration : str
        Hash of the calibration that its last sample went through; empty where none was in force.
    fingerprint : str
        Of the signal chain.
    mains_hz, rate_hz : float
        Mains frequency of the notch, sampling rate.
    resampled_from_hz : float or None
        Rate of the recording, where it was resampled.
    """

    index: int
    segment: int
    first_sample: int
    x_uv: NDArray[np.float32]
    channel_quality: tuple[float, ...]
    faults: tuple[tuple[str, ...], ...]
    sqi: float
    weight: float
    flags: tuple[str, ...]
    n_bridged: int
    phases: tuple[Span, ...]
    calibration: str
    fingerprint: str
    mains_hz: float
    rate_hz: float
    resampled_from_hz: float | None


@dataclass(frozen=True)
class Provenance:
    """What every window of a chain carries of where it comes from.

    Parameters
    ----------
    fingerprint : str
        Of the signal chain.
    mains_hz, rate_hz : float
        Mains frequency of the notch, sampling rate.
    resampled_from_hz : float or None
        Rate of the recording, where it was resampled.
    """

    fingerprint: str
    mains_hz: float
    rate_hz: float
    resampled_from_hz: float | None


@dataclass(frozen=True, eq=False)
class Block:
    """100 conditioned samples of the open segment, ready to be windowed.

    Parameters
    ----------
    x_uv : ndarray, shape (100, n_channels), float32
        Conditioned microvolts.
    cell : Cell
        The verdict on them.
    n_bridged : int
        Samples of them that a straight line stands for.
    calibration : str
        Hash of the calibration that they went through; empty where none was in force.
    recorded : bool
        Whether all of them are in the session folder.
    """

    x_uv: NDArray[np.float32]
    cell: Cell
    n_bridged: int
    calibration: str
    recorded: bool


class Windower:
    """Cut a segment into windows by counting its blocks.

    Parameters
    ----------
    spec : WindowSpec
        Length, stride and settling.
    quality : QualitySpec
        What an SQI weighs.
    kinds : sequence of str
        Kind of each channel.
    provenance : Provenance
        What every window carries.
    phases : PhaseTimeline
        The markers; read when a window is made.
    """

    def __init__(
        self,
        spec: WindowSpec,
        quality: QualitySpec,
        kinds: Sequence[str],
        provenance: Provenance,
        phases: PhaseTimeline,
    ) -> None:
        self._spec = spec
        self._quality = quality
        self._kinds = tuple(kinds)
        self._provenance = provenance
        self._phases = phases
        self._blocks: deque[Block] = deque(maxlen=spec.n_samples // CELL_SAMPLES)
        self._segment = -1
        self._n_pushed = 0
        self.next_index = 0

    def begin(self, segment: int) -> None:
        """Start a segment; what is left of the one before is in no window."""
        self._segment = segment
        self._n_pushed = 0
        self._blocks.clear()

    def push(self, block: Block) -> Window | None:
        """Take the next block of the segment and return the window that it completes."""
        self._n_pushed += CELL_SAMPLES
        settled = self._n_pushed - self._spec.settling
        if settled <= 0:
            return None
        self._blocks.append(block)
        beyond = settled - self._spec.n_samples
        return self._window() if beyond >= 0 and beyond % self._spec.stride == 0 else None

    def n_new(self) -> int:
        """Return how many samples of the segment the window just made was the first to cover."""
        first = self._n_pushed == self._spec.settling + self._spec.n_samples
        return self._spec.n_samples if first else self._spec.stride

    def _window(self) -> Window:
        blocks = tuple(self._blocks)
        x_uv = np.concatenate([block.x_uv for block in blocks])
        x_uv.flags.writeable = False
        good = np.array([block.cell.good for block in blocks])
        bits = np.bitwise_or.reduce([block.cell.fault_bits for block in blocks])
        quality = tuple((np.count_nonzero(good, axis=0) / len(blocks)).tolist())
        sqi = sqi_of(quality, self._kinds)
        first_sample = blocks[0].cell.first_sample
        index, self.next_index = self.next_index, self.next_index + 1
        return Window(
            index=index,
            segment=self._segment,
            first_sample=first_sample,
            x_uv=x_uv,
            channel_quality=quality,
            faults=tuple(faults_of(int(channel)) for channel in bits),
            sqi=sqi,
            weight=weight_of(sqi, self._quality),
            flags=self._flags(blocks),
            n_bridged=sum(block.n_bridged for block in blocks),
            phases=self._phases.spans(first_sample, len(x_uv)),
            calibration=blocks[-1].calibration,
            fingerprint=self._provenance.fingerprint,
            mains_hz=self._provenance.mains_hz,
            rate_hz=self._provenance.rate_hz,
            resampled_from_hz=self._provenance.resampled_from_hz,
        )

    def _flags(self, blocks: Sequence[Block]) -> tuple[str, ...]:
        raised = {
            "bridged": any(block.n_bridged for block in blocks),
            "resampled": self._provenance.resampled_from_hz is not None,
            "uncalibrated": not all(block.calibration for block in blocks),
            "unrecorded": not all(block.recorded for block in blocks),
        }
        return tuple(flag for flag in FLAGS if raised[flag])
