"""Score: a prepared scan becomes one logit of the patient, and what each slice had to do with it.

The slices' logits are one observation of one patient (law 9): their plain mean is the patient's logit, or, as in the
paper, the log-odds of the mean of their probabilities. Calibration is by patient.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from inference.aggregation import pool
from inference.bundle import Bundle
from inference.engines.engine import Engine, EngineInfo
from inference.errors import BundleError, EngineError
from inference.fmri.gradcam import Attention, Readout, cam
from inference.fmri.parameters import Deviation, ExpectedScan, accept
from inference.fmri.preparation import PreparationSpec, Prepared, prepare, to_volume
from inference.fusion import Verdict, verdict
from inference.manifest import REMEDY


@dataclass(frozen=True, eq=False)
class ScanScore:
    """What the image model made of one scan.

    Attributes
    ----------
    prepared : Prepared
        The scan.
    bundle : Bundle
        The model.
    engine : EngineInfo
        What ran it.
    deviations : tuple of Deviation
        What of the scanner's settings is outside the bundle's tolerances, and may pass.
    logits : ndarray, shape (n,), float64
        One per slice, as ``prepared`` has them.
    attention : Attention
        Where the model looked.
    logit : float
        The patient's, uncalibrated.
    verdict : Verdict
        Its calibrated number.
    """

    prepared: Prepared
    bundle: Bundle
    engine: EngineInfo
    deviations: tuple[Deviation, ...]
    logits: NDArray[np.float64]
    attention: Attention
    logit: float
    verdict: Verdict

    @property
    def origin(self) -> str:
        """``synthetic`` if the scan or the model is (law 9)."""
        return "synthetic" if "synthetic" in (self.prepared.origin, self.bundle.model.head.origin) else "clinical"

    @cached_property
    def looked(self) -> NDArray[np.float32]:
        """Where the model looked, laid back into the scan: both signs, of the shape of ``prepared.mean``."""
        return to_volume(self.attention.signed.astype(np.float32), self.prepared)

    @property
    def in_brain(self) -> NDArray[np.float64]:
        """How much of each slice's attention lies in the brain, shape (n,), 0 to 1; 0 without any attention."""
        looked = np.abs(self.looked[:, :, self.prepared.indices], dtype=np.float64)
        inside = looked * self.prepared.mask[:, :, self.prepared.indices]
        total = looked.sum(axis=(0, 1))
        return np.asarray(inside.sum(axis=(0, 1)) / np.where(total > 0.0, total, 1.0))


def score_file(path: Path, bundle: Bundle, engine: Engine) -> ScanScore:
    """Prepare a scan as the bundle demands, and score it.

    Parameters
    ----------
    path : Path
        A NIfTI file of volumes over time.
    bundle : Bundle
        Of kind fmri.
    engine : Engine
        Runs its model.

    Raises
    ------
    ScanError
        If the scan cannot be read, or was taken too differently from the bundle's.
    BundleError, BundleMismatch
        If the bundle is none for scans, or its parts do not fit each other.
    EngineError
        If the engine fails.
    """
    image = bundle.image
    manifest = str(bundle.path)
    spec, expected = (
        PreparationSpec.from_json(image.preparation, manifest),
        ExpectedScan.from_json(image.scan, manifest),
    )
    prepared = prepare(path, spec)
    return score(prepared, accept(path, prepared.parameters, expected), bundle, engine)


def score(prepared: Prepared, deviations: tuple[Deviation, ...], bundle: Bundle, engine: Engine) -> ScanScore:
    """Score a scan that was prepared as the bundle demands.

    Raises
    ------
    BundleError
        If the bundle's readout is not its model's.
    EngineError
        If the engine fails, or gives what is no number.
    """
    image = bundle.image
    readout = Readout.load(bundle.path / image.cam.file, image.cam.layers)
    logits, features = run(prepared.slices, bundle, engine)
    attention = cam(features, readout)
    _check_readout(logits, attention, bundle)
    model = bundle.model
    logit = pool(logits.tolist(), [1.0] * len(logits), model.aggregation)
    line = model.calibration[model.aggregation].at(len(logits))
    return ScanScore(prepared, bundle, engine.info, deviations, logits, attention, logit, verdict(logit, line))


def run(slices: NDArray[np.float32], bundle: Bundle, engine: Engine) -> tuple[NDArray[np.float64], NDArray[np.float32]]:
    """Return the logits, shape (n,), and the feature maps, shape (n, n_features, h, w), of slices.

    Raises
    ------
    EngineError
        If the engine fails, or gives what is no number.
    """
    name, size = bundle.model.inputs[0].name, engine.info.max_batch
    batches = [engine.run({name: slices[i : i + size]}) for i in range(0, len(slices), size)]
    logits = np.concatenate([batch["logit"] for batch in batches]).astype(np.float64)
    features = np.concatenate([batch["features"] for batch in batches])
    if not (np.isfinite(logits).all() and np.isfinite(features).all()):
        raise EngineError(
            f"{bundle.words} gave a logit or a feature that is not finite.",
            subject=bundle.name,
            remedy="Try another engine or another bundle; flexion models verify tells whether this one is sound.",
        )
    return logits, features


def _check_readout(logits: NDArray[np.float64], attention: Attention, bundle: Bundle) -> None:
    """Refuse a readout that makes other logits of the features than the model does."""
    off = np.abs(attention.logits - logits) / np.maximum(1.0, np.abs(logits))
    if off.max() > bundle.model.logit_atol:
        raise BundleError(
            f"{bundle.words}: its readout gives logits that differ from its model's by up to {off.max():.2g}, "
            f"more than {bundle.model.logit_atol:g}.",
            subject=bundle.name,
            remedy=REMEDY,
        )
