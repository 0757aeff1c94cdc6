"""Building: write a bundle's folder so that it can be loaded; the last step of training, and of the equal fusion.

``python -m inference.building`` rewrites the equal fusion that ships. It holds the hashes of the manifests of
``lstm-bands`` and, where it ships, ``cnn-shufflenet``, so it is due whenever one of them was built anew.
"""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from inference.bundle import MANIFEST, SHIPPED, Bundle, FusionBundle, load_bundle, resolve_bundle, sha256_of_file
from inference.engines.engine import Engine
from inference.engines.parity import golden_logits

#: Method, weights and counts of the equal fusion.
EQUAL: dict[str, Any] = {
    "name": "fusion-equal",
    "version": "1.0.0",
    "kind": "fusion",
    "licence": "Apache-2.0",
    "method": "equal",
    "untrained": True,
    "weights": {"eeg_emg": 0.5, "fmri": 0.5, "bias": 0.0},
    "draws": [],
    "training": {"note": "no patient had a say in these weights"},
}
CARD = """# fusion-equal {version}

Half the calibrated log-odds of EEG and EMG, half those of resting-state fMRI. **Untrained**: no patient had a say in
these weights, and the interval holds the spread of the calibrations alone.

Made for the eeg_emg bundle {eeg_emg} and for {fmri}. With any other bundle fusion is refused.

Origin: {origin}. Research use only; not a medical device, not for diagnosis.
"""


def write_bundle(folder: Path, manifest: Mapping[str, Any]) -> Bundle | FusionBundle:
    """Write ``manifest.json`` beside the files that lie in ``folder`` and return the bundle, loaded and checked.

    Parameters
    ----------
    folder : Path
        Holds ``card.md`` and, for a model, ``model.onnx``; every file in it becomes part of the bundle.
    manifest : mapping
        All keys but ``files``, which is filled in here.

    Raises
    ------
    BundleError
        If what was written cannot be loaded; names the key.
    """
    files = sorted(path for path in folder.iterdir() if path.is_file() and path.name != MANIFEST)
    whole = {**manifest, "files": {path.name: sha256_of_file(path) for path in files}}
    text = json.dumps(whole, indent=1, sort_keys=True, ensure_ascii=False, allow_nan=False)
    (folder / MANIFEST).write_text(text + "\n", encoding="utf-8")
    return load_bundle(folder)


def rewritten(bundle: Bundle, folder: Path, **changes: Any) -> Bundle:
    """Write a copy of a model with other keys of its manifest into a folder that is not there yet, and return it.

    Raises
    ------
    BundleError
        If it cannot be loaded with them; names the key.
    """
    shutil.copytree(bundle.path, folder)
    manifest = json.loads((folder / MANIFEST).read_text("utf-8"))
    del manifest["files"]
    copy = write_bundle(folder, {**manifest, **changes})
    assert isinstance(copy, Bundle)
    return copy


def with_golden(manifest: Mapping[str, Any], engine: Engine, bundle: Bundle) -> dict[str, Any]:
    """Return ``manifest`` with the logits that ``engine`` finds for the golden windows; then write it again.

    Parameters
    ----------
    manifest : mapping
        What ``bundle`` was written from.
    engine : Engine
        Open on ``bundle``.
    bundle : Bundle
        The bundle, written once without golden windows.
    """
    golden = golden_logits(engine.run, bundle.model.inputs[0])
    return {**manifest, "golden": [asdict(one) for one in golden]}


def write_equal_fusion(folder: Path, eeg_emg: Bundle, fmri: Bundle | None = None) -> FusionBundle:
    """Write the untrained fusion of these two bundles into ``folder`` and return it.

    Parameters
    ----------
    folder : Path
        Made if need be.
    eeg_emg : Bundle
        The model whose hash it holds; its n_min and n_ready are taken over.
    fmri : Bundle, optional
        The other; without it, an fMRI score makes the fusion refuse.
    """
    folder.mkdir(parents=True, exist_ok=True)
    origins = {bundle.model.head.origin for bundle in (eeg_emg, fmri) if bundle}
    origin = "synthetic" if "synthetic" in origins else "clinical"
    manifest = EQUAL | {
        "origin": origin,
        "bundles": {"eeg_emg": eeg_emg.sha256, "fmri": fmri.sha256 if fmri else None},
        "n_min": eeg_emg.model.n_min,
        "n_ready": eeg_emg.model.n_ready,
    }
    words = fmri.words if fmri else "no fMRI bundle"
    card = CARD.format(version=EQUAL["version"], eeg_emg=eeg_emg.words, fmri=words, origin=origin)
    (folder / "card.md").write_text(card, encoding="utf-8")
    write_bundle(folder, manifest)
    return FusionBundle.load(folder)


def main() -> None:
    """Rewrite the equal fusion that ships, of the models that ship."""
    scans = SHIPPED / "cnn-shufflenet"
    fmri = Bundle.load(scans) if (scans / MANIFEST).is_file() else None
    fusion = write_equal_fusion(SHIPPED / "fusion-equal", Bundle.load(resolve_bundle("lstm-bands")), fmri)
    print(fusion.words, file=sys.stderr)


if __name__ == "__main__":
    main()
