"""Bundles that fit the default montage and chain, small enough for a test."""

from __future__ import annotations

from pathlib import Path

from acquisition.chain import ChainSpec
from acquisition.montage import load_montage
from tests.inference import tiny
from tests.inference.fmri import standin


def build(folder: Path, *, scans: bool = False) -> dict[str, str]:
    """Write a model and a fusion bundle, with ``scans`` one for scans too, and return the variables that name them."""
    montage, spec = load_montage("amp16"), ChainSpec()
    shape = (spec.window.n_samples, montage.n_channels)
    manifest = tiny.manifest(
        inputs=[{"name": "x", "shape": ["batch", *shape], "dtype": "float32"}],
        montage={"name": montage.name, "labels": list(montage.labels), "kinds": list(montage.kinds)},
        window={"n_samples": spec.window.n_samples, "stride": spec.window.stride},
        fingerprint=spec.fingerprint,
    )
    bundle = tiny.write(folder / "tiny", manifest, tiny.graph(*shape).SerializeToString())
    image = standin.build(folder / "standin") if scans else None
    tiny.fused(folder / "fusion", bundle, image)
    named = {"FLEXION_MODELS__EEG_EMG": str(folder / "tiny"), "FLEXION_MODELS__FUSION": str(folder / "fusion")}
    return named | {"FLEXION_MODELS__FMRI": "none" if image is None else str(image.path)}
