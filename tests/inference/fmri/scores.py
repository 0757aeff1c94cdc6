"""Scores of scans as they are kept, for tests of those who read them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from inference.fmri.record import keep

SCAN, OTHER_SCAN, BUNDLE, OTHER_BUNDLE = "a" * 64, "b" * 64, "c" * 64, "d" * 64


def values(**changes: Any) -> dict[str, Any]:
    """Return the content of a score."""
    return {
        "schema": "flexion.fmri/1",
        "patient": "P-01",
        "scan_sha256": SCAN,
        "scanned_on": "2026-03-31",
        "bundle_sha256": BUNDLE,
        "logit": 0.5,
        "probability": 0.6,
        "interval": [0.4, 0.8],
        "origin": "clinical",
        "quality": {"slices": 20, "problems": [], "flags": [], "fd_mean_mm": 0.1},
        "scan": {"assumed": []},
        "attention": {"title": "Where the image model looked", "first_level_mm": 36.0, "in_brain": 0.9},
        **changes,
    }


def put(data: Path, *, patient: str = "P-01", **changes: Any) -> Path:
    """Keep a score and return its folder."""
    content = values(**changes)
    files = {"slices.csv": b"slice\n", "score.json": json.dumps(content).encode()}
    return keep(data, patient, content["scan_sha256"], content["bundle_sha256"], files)
