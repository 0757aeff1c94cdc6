"""Proof: which lanes give a window the same bits whatever lies beside it, and so may serve (pure but for the runs).

On a GPU another number of windows means other kernels and with them other sums. Within one bucket the shape is always
the same, so its bits may well depend on nothing but the window; between two buckets they need not. Hence the lanes that
serve are the largest sound one and those that give its very bits; a single window then runs among padding in a bucket
of eight rather than get another score than it would among seven others.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from inference.engines.inputs import window_shape
from inference.engines.parity import GOLDEN_SET, LOUD, golden_window
from inference.engines.tensorrt.lane import Outputs, same_bits
from inference.manifest import ModelManifest


class Runs(Protocol):
    """What is asked of a lane."""

    bucket: int

    def run(self, x: NDArray[np.float32], padding: float = 0.0) -> Outputs:
        """Return the outputs of up to ``bucket`` windows."""
        ...


@dataclass(frozen=True)
class LaneProof:
    """What was found of one lane.

    Attributes
    ----------
    bucket : int
        Windows per call.
    repeatable : bool
        The same bits in two runs.
    invariant : bool
        The same bits in any slot, beside any neighbours and beside padding of any kind, NaN included.
    agrees : bool
        The bits of the largest sound lane.
    largest : float
        Largest difference from a golden logit; 0 when the manifest has none, infinite when one is no number.
    within : bool
        Whether that is within the manifest's tolerance.
    """

    bucket: int
    repeatable: bool
    invariant: bool
    agrees: bool
    largest: float
    within: bool

    @property
    def sound(self) -> bool:
        """Whether a batch in this lane changes nothing."""
        return self.repeatable and self.within and self.invariant


def prove(lanes: Sequence[Runs], model: ModelManifest) -> tuple[LaneProof, ...]:
    """Run the golden windows through every lane.

    Parameters
    ----------
    lanes : sequence
        In the order of their buckets.
    model : ModelManifest
        Whose golden windows and tolerance these are; without any, the standard set is run and no logit compared.
    """
    [tensor] = model.inputs
    wanted = [(one.window, one.seed) for one in model.golden] or GOLDEN_SET
    x = np.stack([golden_window(window, seed, window_shape(tensor)) for window, seed in wanted])
    alone = [_alone(lane, x) for lane in lanes]
    expected = np.array([one.logit for one in model.golden] or alone[0]["logit"], np.float64)
    first = [_prove_one(lane, x, bits, expected, model.logit_atol) for lane, bits in zip(lanes, alone, strict=True)]
    anchor = _anchor(first, alone)
    return tuple(
        LaneProof(p.bucket, p.repeatable, p.invariant, same_bits(bits, anchor), p.largest, p.within)
        for p, bits in zip(first, alone, strict=True)
    )


def serving(proofs: Iterable[LaneProof]) -> tuple[int, ...]:
    """Return the buckets that may serve, smallest first; one alone for one window where no batch is sound; or none."""
    proofs = tuple(proofs)
    together = tuple(p.bucket for p in proofs if p.sound and p.agrees)
    singly = tuple(p.bucket for p in proofs if p.bucket == 1 and p.repeatable and p.within)
    return together or singly


def _prove_one(
    lane: Runs, x: NDArray[np.float32], alone: Outputs, expected: NDArray[np.float64], atol: float
) -> LaneProof:
    off = np.abs(alone["logit"].astype(np.float64) - expected)
    largest = float(np.max(off)) if np.isfinite(off).all() else float("inf")
    repeatable = same_bits(alone, _alone(lane, x))
    invariant = _unmoved(lane, x, alone)
    return LaneProof(lane.bucket, repeatable, invariant, False, largest, largest <= atol)


def _anchor(proofs: Sequence[LaneProof], alone: Sequence[Outputs]) -> Outputs:
    """Return the bits that a lane must have to serve: those of the largest sound one."""
    sound = [bits for proof, bits in zip(proofs, alone, strict=True) if proof.sound]
    return (sound or alone)[-1]


def _alone(lane: Runs, x: NDArray[np.float32], padding: float = 0.0) -> Outputs:
    return _joined([lane.run(x[i : i + 1], padding) for i in range(len(x))])


def _unmoved(lane: Runs, x: NDArray[np.float32], alone: Outputs) -> bool:
    """Return whether every window keeps its bits beside bad padding, in every slot, and among loud neighbours."""
    padded = (_alone(lane, x, filler) for filler in (float("nan"), float(LOUD)))
    loud = np.resize(x * LOUD, (lane.bucket, *x.shape[1:]))
    middle = (_joined([_in_slot(lane, window, lane.bucket // 2, loud) for window in x]),)
    return all(same_bits(alone, other) for other in (*padded, *middle)) and _unmoved_by_slot(lane, x, alone)


def _unmoved_by_slot(lane: Runs, x: NDArray[np.float32], alone: Outputs) -> bool:
    """Return whether every window has its bits in every slot: they take turns in full batches."""
    turns = [(np.arange(lane.bucket) + shift) % len(x) for shift in range(len(x))]
    return all(same_bits({name: value[turn] for name, value in alone.items()}, lane.run(x[turn])) for turn in turns)


def _in_slot(lane: Runs, window: NDArray[np.float32], slot: int, loud: NDArray[np.float32]) -> Outputs:
    batch = loud.copy()
    batch[slot] = window
    return {name: value[slot : slot + 1] for name, value in lane.run(batch).items()}


def _joined(parts: Sequence[Outputs]) -> Outputs:
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
