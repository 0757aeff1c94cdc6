"""Oracle: an engine's logits held against float64, window by window, when it is made ready on a machine.

The golden logits of a manifest are another engine's, in float32. What is compared here is the model itself: the same
graph in float64, on windows like those of patients, of loose and saturated electrodes, of silence, and on one impulse
at either end. It needs torch and onnx; an engine that serves needs neither.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from inference.bundle import Bundle
from inference.engines.inputs import window_shape
from inference.engines.parity import PROVING_SET, Run, golden_window
from inference.errors import EngineAbsent, EngineUnavailable


@dataclass(frozen=True)
class Held:
    """One golden window: the logit that an engine finds, and the one that the model has in float64."""

    window: str
    seed: int
    logit: float
    exact: float

    @property
    def difference(self) -> float:
        """How far the engine is off; not a number where it gives none."""
        return abs(self.logit - self.exact)


def exact_run(bundle: Bundle) -> Run:
    """Return what runs a bundle of EEG and EMG in float64.

    Raises
    ------
    EngineAbsent
        If torch or onnx is not installed.
    BundleMismatch
        If the bundle scores no stream.
    EngineUnavailable, BundleError
        If its graph is none that is known in float64.
    """
    _ = bundle.signal  # refuses one of scans
    try:
        from inference.engines.torch_engine import TorchEngine
    except ImportError as error:
        raise EngineAbsent(
            f"There is nothing here to hold {bundle.words} against: float64 needs torch and onnx ({error}).",
            subject=bundle.name,
            remedy="Install flexion[training], or try the golden windows alone: flexion models verify.",
        ) from error
    return TorchEngine(bundle, precision="fp64").run


def hold(engine: Run, exact: Run, bundle: Bundle) -> tuple[Held, ...]:
    """Run every window of the proving set through both, one at a time."""
    [tensor] = bundle.model.inputs
    held = []
    for window, seed in PROVING_SET:
        x = {tensor.name: golden_window(window, seed, window_shape(tensor))[np.newaxis]}
        held.append(Held(window, seed, float(engine(x)["logit"][0]), float(exact(x)["logit"][0])))
    return tuple(held)


def check(bundle: Bundle, backend: str, held: Sequence[Held]) -> None:
    """Refuse an engine that is further from float64 than the manifest allows.

    Raises
    ------
    EngineUnavailable
        Names the worst window and both logits.
    """
    # A difference that is no number is worse than any.
    worst = max(held, key=lambda one: np.nan_to_num(one.difference, nan=np.inf))
    if not worst.difference <= bundle.model.logit_atol:
        raise EngineUnavailable(
            f"{backend} is not the model {bundle.words}: for golden window {worst.window} {worst.seed} it "
            f"gives the logit {worst.logit:.9g}, float64 {worst.exact:.9g}; {bundle.model.logit_atol:g} is allowed.",
            subject=bundle.name,
            remedy="Name another engine; this one would score patients by another model.",
        )
