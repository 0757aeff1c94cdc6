"""What a bundle of scans says of its scans: nothing missing, nothing unknown."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest

from inference.bundle import Bundle
from inference.errors import BundleError, BundleMismatch
from inference.manifest import ModelManifest, read_manifest
from tests.inference import tiny

FILES = {"card.md": "0" * 64, "model.onnx": "0" * 64, "head.npz": "0" * 64}
FAULTS = [
    ("backbone", None, r"backbone must be a text, not null"),
    ("preparation", 3, r"preparation must be an object, not a number"),
    ("scan", None, r"scan must be an object, not null"),
    ("cam.file", "weights.npz", r"cam\.file is 'weights\.npz', which is none of the bundle's files"),
    ("cam.layers", [], r"cam\.layers is \[\], expected linear and relu in turn, ends with linear"),
    ("cam.layers", ["linear", "relu"], r"cam\.layers is \['linear', 'relu'\], expected linear and relu in turn"),
    ("cam.layers", ["linear", "gelu"], r"cam\.layers\[1\] is 'gelu', expected one of linear, relu"),
    ("cam.gain", 1, r"cam\.gain is not a known key"),
    ("sanity.correlation", 1.5, r"sanity\.correlation is 1\.5, expected a finite number from -1 to 1"),
    ("sanity.n_slices", 0, r"sanity\.n_slices is 0, expected at least 1"),
    ("sanity", None, r"sanity must be an object, not null"),
    ("montage", {}, r"montage is not a known key"),
]


def value(**changes: Any) -> dict[str, Any]:
    """Return a manifest of kind fmri, as ``json.loads`` would."""
    whole = copy.deepcopy(tiny.fmri_manifest()) | {"files": FILES}
    whole["cam"] = {"file": "head.npz", "layers": ["linear", "relu", "linear"]}
    return whole | changes


def changed(path: str, to: Any) -> dict[str, Any]:
    """Return a manifest with one key, of any depth, changed."""
    whole = value()
    *above, last = path.split(".")
    inner = whole
    for key in above:
        inner = inner[key]
    inner[last] = to
    return whole


def test_an_image_model_says_its_scans_and_its_readout() -> None:
    """Everything that the bedside needs to score a scan, and to say where the model looked."""
    manifest = read_manifest(value(), "x")
    assert isinstance(manifest, ModelManifest) and manifest.image is not None and manifest.signal is None
    assert (manifest.image.backbone, manifest.image.cam.layers) == ("tiny", ("linear", "relu", "linear"))
    assert (manifest.image.sanity.correlation, manifest.image.sanity.n_slices) == (0.1, 20)


@pytest.mark.parametrize(("path", "to", "words"), FAULTS, ids=[f"{fault[0]}={fault[1]}" for fault in FAULTS])
def test_a_wrong_key_is_refused_by_name(path: str, to: Any, words: str) -> None:
    """With what was expected."""
    with pytest.raises(BundleError, match=words):
        read_manifest(changed(path, to), "x")


def test_without_feature_maps_nobody_knows_where_it_looked() -> None:
    """An output of four axes that is named features."""
    logit = {"name": "logit", "shape": ["n"], "dtype": "float32"}
    pooled = {"name": "features", "shape": ["n", 4], "dtype": "float32"}
    for outputs in ([logit], [logit, pooled]):
        with pytest.raises(BundleError, match=r"outputs has no features of four axes"):
            read_manifest(value(outputs=outputs), "x")


def test_a_model_of_signals_scores_no_scan(bundle: Bundle, fmri_bundle: Bundle, bundles: Path) -> None:
    """Nor does a model of scans score a stream."""
    assert bundle.model.image is None and fmri_bundle.image.backbone == "tiny"
    assert Bundle.load_image(bundles / "tiny-fmri") == fmri_bundle
    with pytest.raises(
        BundleMismatch, match=r"tiny .* is of kind eeg_emg and scores no scan\. Name a bundle of kind fmri"
    ):
        Bundle.load_image(bundles / "tiny")
    with pytest.raises(BundleMismatch, match=r"is of kind fmri and scores no stream"):
        _ = fmri_bundle.signal
