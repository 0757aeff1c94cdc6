"""Artifacts: blinks and electrode pops in the EEG, scaled down by a stage that is frozen once (law 1).

Works on whole blocks of 100 samples of the segment's grid, after the filter, so its output is the same for every
chunking. Calibration takes the first 30 s of settled signal that lie in one segment. Its values are part of the record:
stored as numbers, read back, never computed again, because eigenvectors differ between processors.

In force, a block is winsorised at eight robust scales; then each principal component whose RMS over the last five
winsorised blocks is above its threshold is scaled down to it. The gain runs in a straight line from the block before to
this one, so that no step arises at the grid's edges.
"""

from __future__ import annotations

import hashlib
import math
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import chain
from typing import Any

import numpy as np
from numpy.typing import NDArray

from acquisition.decisions import canonical_json
from acquisition.errors import BadInput, DecisionError
from acquisition.quality import CELL_SAMPLES

#: Median absolute deviation to standard deviation, of a normal distribution.
_MAD_TO_SD = 1.4826

#: A channel whose robust scale is below this, in microvolts, carries nothing that could be winsorised.
_LEAST_SCALE_UV = 1e-3

#: The gain's way through a block: its last sample has the new gain.
_RAMP = (np.arange(1, CELL_SAMPLES + 1) / CELL_SAMPLES)[:, None]


@dataclass(frozen=True)
class ArtifactSpec:
    """The artifact stage.

    Parameters
    ----------
    calibration_samples : int
        Settled samples in one segment that calibrate; a multiple of 100.
    exclude_below : float
        A channel of less quality over these is left out.
    min_channels : int
        With fewer channels left the stage stays off.
    min_good : float
        With a lesser share of good cells the stage stays off.
    winsor_scales : float
        Samples are clipped at so many robust scales (1.4826 * MAD).
    rms_blocks : int
        Blocks over which a component's RMS runs.
    threshold_mads : float
        A component's threshold is the median of its RMS and so many (plain) MADs of it.
    """

    calibration_samples: int = 30_000
    exclude_below: float = 0.5
    min_channels: int = 4
    min_good: float = 0.5
    winsor_scales: float = 8.0
    rms_blocks: int = 5
    threshold_mads: float = 5.0

    def __post_init__(self) -> None:
        n_cells, rest = divmod(self.calibration_samples, CELL_SAMPLES)
        if rest or n_cells * self.min_good < self.rms_blocks:
            message = (
                f"A calibration of {self.calibration_samples} samples is too short or no multiple of {CELL_SAMPLES}; "
                f"expected {self.rms_blocks} blocks in the share {self.min_good:g} of it."
            )
            remedy = "Set artifact.calibration_samples to a longer multiple."
            raise BadInput(message, subject="artifact.calibration_samples", remedy=remedy)


@dataclass(frozen=True)
class Calibration:
    """What the artifact stage was frozen at.

    Parameters
    ----------
    segment, first_sample : int
        Where its samples begin: segment, and sample of the session's grid.
    n_good : int
        Cells in which every channel that is not excluded was good.
    channels, excluded : tuple of str
        Labels of the EEG channels that it works on, and of those that pass untouched.
    scales_uv : tuple of float
        Robust scale of each channel.
    basis : tuple of tuple of float
        Principal components: a row for each channel, a column for each component.
    thresholds_uv : tuple of float
        The RMS to which each component is held.
    off : bool
        Whether the stage stays off for the session.
    reason : str
        Why it does.
    """

    segment: int
    first_sample: int
    n_good: int
    channels: tuple[str, ...] = ()
    excluded: tuple[str, ...] = ()
    scales_uv: tuple[float, ...] = ()
    basis: tuple[tuple[float, ...], ...] = ()
    thresholds_uv: tuple[float, ...] = ()
    off: bool = False
    reason: str = ""

    @cached_property
    def hash(self) -> str:
        """SHA-256 of the values, in hex."""
        return hashlib.sha256(canonical_json(self._values()).encode()).hexdigest()

    def _values(self) -> dict[str, Any]:
        return {
            "segment": self.segment,
            "first_sample": self.first_sample,
            "n_good": self.n_good,
            "channels": list(self.channels),
            "excluded": list(self.excluded),
            "scales_uv": list(self.scales_uv),
            "basis": [list(row) for row in self.basis],
            "thresholds_uv": list(self.thresholds_uv),
            "off": self.off,
            "reason": self.reason,
        }

    def to_json(self) -> dict[str, Any]:
        """Return the values and their hash: the data of a ``calibration`` decision."""
        return self._values() | {"hash": self.hash}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Calibration:
        """Read a calibration back, bit for bit.

        Raises
        ------
        DecisionError
            If the values are not a calibration, or not those that were hashed.
        """
        try:
            calibration = cls(
                segment=int(data["segment"]),
                first_sample=int(data["first_sample"]),
                n_good=int(data["n_good"]),
                channels=tuple(str(label) for label in data["channels"]),
                excluded=tuple(str(label) for label in data["excluded"]),
                scales_uv=_floats(data["scales_uv"]),
                basis=tuple(_floats(row) for row in data["basis"]),
                thresholds_uv=_floats(data["thresholds_uv"]),
                off=bool(data["off"]),
                reason=str(data["reason"]),
            )
        except (KeyError, TypeError, ValueError) as error:
            raise _unreadable(f"is not one ({type(error).__name__}: {error})") from error
        if not calibration._is_whole():
            raise _unreadable("has values that do not fit its channels")
        if calibration.hash != data.get("hash"):
            raise _unreadable(f"has the hash {data.get('hash')!r}, but its values give {calibration.hash!r}")
        return calibration

    def _is_whole(self) -> bool:
        n = 0 if self.off else len(self.channels)
        numbers = (*self.scales_uv, *self.thresholds_uv, *chain.from_iterable(self.basis))
        square = len(self.basis) == n and all(len(row) == n for row in self.basis)
        return square and len(self.scales_uv) == len(self.thresholds_uv) == n and all(map(math.isfinite, numbers))


def _floats(values: Sequence[float]) -> tuple[float, ...]:
    return tuple(float(value) for value in values)


def _unreadable(what: str) -> DecisionError:
    message = f"The stored calibration {what}."
    return DecisionError(message, subject="calibration", remedy="Restore decisions.jsonl from a copy.")


class ArtifactStage:
    """The artifact stage of one session.

    Parameters
    ----------
    labels : sequence of str
        Labels of the EEG channels.
    spec : ArtifactSpec
        Its settings.
    """

    def __init__(self, labels: Sequence[str], spec: ArtifactSpec) -> None:
        self._labels = tuple(labels)
        self._spec = spec
        self._kernel: _Kernel | None = None
        self._blocks: list[NDArray[np.float64]] = []
        self._good: list[NDArray[np.bool_]] = []
        self._origin = (0, 0)
        self.calibration: Calibration | None = None
        self.due: Calibration | None = None

    @property
    def in_force(self) -> str:
        """Hash of the calibration that blocks go through; empty before it and when the stage is off."""
        return self._kernel.hash if self._kernel else ""

    def begin(self, segment: int, first_settled: int) -> None:
        """Start a segment whose settled signal begins at a sample of the session's grid."""
        self._origin = (segment, first_settled)
        self._blocks, self._good = [], []
        if self._kernel:
            self._kernel.begin()

    def push(self, x_uv: NDArray[np.float64], good: NDArray[np.bool_], *, settled: bool) -> NDArray[np.float64]:
        """Take the next block of the segment and return what is to be used in its place.

        Parameters
        ----------
        x_uv : ndarray, shape (100, n_eeg)
            Filtered microvolts.
        good : ndarray of bool, shape (n_eeg,)
            The verdict on the cell.
        settled : bool
            Whether the filter has settled.

        Returns
        -------
        ndarray, shape (100, n_eeg)
            The same array until a calibration is in force.
        """
        if self._kernel:
            return self._kernel.push(x_uv)
        if settled and self.calibration is None:
            self._collect(x_uv, good)
        return x_uv

    def _collect(self, x_uv: NDArray[np.float64], good: NDArray[np.bool_]) -> None:
        self._blocks.append(x_uv)
        self._good.append(good)
        if len(self._blocks) * CELL_SAMPLES == self._spec.calibration_samples:
            self.due = calibrate(self._blocks, self._good, self._labels, *self._origin, self._spec)

    def obey(self, calibration: Calibration) -> None:
        """Put a calibration in force from the next block on, for the rest of the session.

        Raises
        ------
        DecisionError
            If another one is in force, or it names channels that the montage lacks.
        """
        if self.calibration is not None and self.calibration.hash != calibration.hash:
            raise _unreadable(f"{calibration.hash[:12]} comes after {self.calibration.hash[:12]}; a session has one")
        unknown = [label for label in calibration.channels if label not in self._labels]
        if unknown:
            raise _unreadable(f"names {', '.join(unknown)}, which is no EEG channel of the montage")
        if self.calibration is None and not calibration.off:
            self._kernel = _Kernel(calibration, self._labels, self._spec)
        self.calibration, self.due = calibration, None
        self._blocks, self._good = [], []


class _Kernel:
    """A calibration at work."""

    def __init__(self, calibration: Calibration, labels: Sequence[str], spec: ArtifactSpec) -> None:
        self.hash = calibration.hash
        self._columns = [labels.index(label) for label in calibration.channels]
        self._clip_uv = spec.winsor_scales * np.array(calibration.scales_uv)
        self._basis = np.array(calibration.basis)
        self._back = np.ascontiguousarray(self._basis.T)
        self._thresholds_uv = np.array(calibration.thresholds_uv)
        self._squares: deque[NDArray[np.float64]] = deque(maxlen=spec.rms_blocks)
        self.begin()

    def begin(self) -> None:
        self._squares.clear()
        self._gain = np.ones(len(self._columns))

    def push(self, x_uv: NDArray[np.float64]) -> NDArray[np.float64]:
        clean = x_uv.copy()
        clean[:, self._columns] = self._suppress(np.clip(x_uv[:, self._columns], -self._clip_uv, self._clip_uv))
        return clean

    def _suppress(self, winsorised: NDArray[np.float64]) -> NDArray[np.float64]:
        components = winsorised @ self._basis
        self._squares.append(np.einsum("ij,ij->j", components, components))
        rms = _rms(self._squares)
        # Where a component is silent there is nothing to suppress, and 0 / 0 is not asked.
        gain = np.where(rms > self._thresholds_uv, self._thresholds_uv / np.maximum(rms, np.finfo(float).tiny), 1.0)
        ramp = self._gain + (gain - self._gain) * _RAMP
        self._gain = gain
        return np.asarray(winsorised - (components * (1.0 - ramp)) @ self._back)


def _rms(squares: Sequence[NDArray[np.float64]] | deque[NDArray[np.float64]]) -> NDArray[np.float64]:
    """Return the RMS over blocks from their sums of squares, added in order."""
    return np.asarray(np.sqrt(sum(squares, np.zeros_like(squares[0])) / (len(squares) * CELL_SAMPLES)))


def calibrate(
    blocks: Sequence[NDArray[np.float64]],
    good: Sequence[NDArray[np.bool_]],
    labels: Sequence[str],
    segment: int,
    first_sample: int,
    spec: ArtifactSpec,
) -> Calibration:
    """Return the calibration that settled blocks of one segment give.

    Parameters
    ----------
    blocks : sequence of ndarray, shape (100, n_eeg)
        Filtered microvolts.
    good : sequence of ndarray of bool, shape (n_eeg,)
        The verdict on each block's cell.
    labels : sequence of str
        Labels of the EEG channels.
    segment, first_sample : int
        Where the blocks begin.
    spec : ArtifactSpec
        Settings of the stage.
    """
    verdicts = np.array(good, dtype=bool).reshape(len(blocks), len(labels))
    included = verdicts.mean(axis=0) >= spec.exclude_below
    while True:
        chosen = np.flatnonzero(verdicts[:, included].all(axis=1)).tolist()
        reason = _refusal(int(included.sum()), len(chosen), len(blocks), spec)
        if reason:
            break
        signal = [np.ascontiguousarray(blocks[index][:, included]) for index in chosen]
        scales = _robust_scales(np.concatenate(signal))
        if (scales >= _LEAST_SCALE_UV).all():
            break
        included[included] = scales >= _LEAST_SCALE_UV
    names = tuple(label for label, use in zip(labels, included, strict=True) if use)
    excluded = tuple(label for label in labels if label not in names)
    if reason:
        return Calibration(segment, first_sample, len(chosen), names, excluded, off=True, reason=reason)
    basis, thresholds = _components(signal, scales, spec)
    rows = tuple(tuple(row) for row in basis.tolist())
    return Calibration(
        segment, first_sample, len(chosen), names, excluded, tuple(scales.tolist()), rows, tuple(thresholds.tolist())
    )


def _refusal(n_channels: int, n_good: int, n_cells: int, spec: ArtifactSpec) -> str:
    if n_channels < spec.min_channels:
        return f"{n_channels} usable EEG channels, {spec.min_channels} are needed"
    if n_good < spec.min_good * n_cells:
        return f"{n_good} of {n_cells} cells good, {math.ceil(spec.min_good * n_cells)} are needed"
    return ""


def _robust_scales(x_uv: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(_MAD_TO_SD * np.median(np.abs(x_uv - np.median(x_uv, axis=0)), axis=0))


def _components(
    signal: Sequence[NDArray[np.float64]], scales: NDArray[np.float64], spec: ArtifactSpec
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the principal components of winsorised blocks and the threshold of each."""
    clip_uv = spec.winsor_scales * scales
    winsorised = [np.clip(block, -clip_uv, clip_uv) for block in signal]
    covariance = np.zeros((len(scales), len(scales)))
    for block in winsorised:
        covariance += block.T @ block
    _, basis = np.linalg.eigh(covariance / (len(winsorised) * CELL_SAMPLES))
    basis = np.ascontiguousarray(basis)
    squares = [np.einsum("ij,ij->j", block @ basis, block @ basis) for block in winsorised]
    last = range(spec.rms_blocks, len(squares) + 1)
    rms = np.array([_rms(squares[stop - spec.rms_blocks : stop]) for stop in last])
    median = np.median(rms, axis=0)
    return basis, median + spec.threshold_mads * np.median(np.abs(rms - median), axis=0)
