"""Document: what is written down of a scan's score: the numbers, the slices, and where the model looked (law 6)."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping
from dataclasses import asdict
from datetime import date
from typing import Any

from inference.fmri import overlay
from inference.fmri.record import FOCUS, MAP, SHEET, SLICES, UNDERLAY
from inference.fmri.score import ScanScore

#: Name and version of the object in ``score.json``.
SCHEMA = "flexion.fmri/1"


def files_of(score: ScanScore, *, patient: str, scanned_on: date, about: Mapping[str, Any]) -> dict[str, bytes]:
    """Return every file of a score by its name.

    Parameters
    ----------
    score : ScanScore
        What is written down.
    patient : str
        Pseudonym.
    scanned_on : date
        The day of the scan, by its file or as it was given.
    about : mapping
        What only the caller knows: the file's name, the moment, the versions that ran.
    """
    document = {**to_json(score, patient=patient, scanned_on=scanned_on), **about}
    text = json.dumps(document, indent=1, ensure_ascii=False, allow_nan=False)
    return {
        SLICES: _slices(score).encode(),
        SHEET: overlay.sheet(score),
        UNDERLAY: overlay.underlay(score),
        FOCUS: overlay.focus(score),
        MAP: overlay.nifti(score),
        "score.json": text.encode() + b"\n",
    }


def to_json(score: ScanScore, *, patient: str, scanned_on: date) -> dict[str, Any]:
    """Return the object in ``score.json``; without a probability where the scan must not be used."""
    prepared, usable = score.prepared, not score.prepared.quality.problems
    return {
        "schema": SCHEMA,
        "patient": patient,
        "scan_sha256": prepared.scan_sha256,
        "scanned_on": scanned_on.isoformat(),
        "bundle_sha256": score.bundle.sha256,
        "logit": score.logit,
        "probability": score.verdict.probability if usable else None,
        "interval": list(score.verdict.interval) if usable else None,
        "origin": score.origin,
        "aggregation": score.bundle.model.aggregation,
        "quality": _quality(score),
        "scan": {"origin": prepared.origin, **asdict(prepared.parameters), "assumed": list(prepared.assumed)},
        "bundle": score.bundle.to_json(),
        "fingerprint": prepared.fingerprint,
        "engine": score.engine.to_json(),
        "attention": _attention(score),
    }


def _quality(score: ScanScore) -> dict[str, Any]:
    """Return the scan's quality; ``slices`` and ``problems`` are what a session takes of it."""
    quality = asdict(score.prepared.quality)
    flags = [*(deviation.words for deviation in score.deviations), *quality.pop("flags")]
    problems = [problem.rstrip(".") for problem in quality.pop("problems")]  # a session makes one sentence of them
    return {"slices": quality.pop("n_slices"), "problems": problems, "flags": flags, **quality}


def _attention(score: ScanScore) -> dict[str, Any]:
    """Return where the model looked, in figures: the slice with the strongest attention, and how much was brain."""
    first, sanity = score.attention.order[0], score.bundle.image.sanity
    return {
        "title": overlay.TITLE,
        "first_slice": int(score.prepared.indices[first]),
        "first_level_mm": float(score.prepared.level_mm[first]),
        "in_brain": float(score.in_brain.mean()),
        "sanity": asdict(sanity),
        "cell_mm": overlay.cell_mm(score),
        "columns": overlay.COLUMNS,
        "files": [SHEET, UNDERLAY, FOCUS, MAP],
    }


def _slices(score: ScanScore) -> str:
    """Return the table of slices, from below; rank 1 was looked at most."""
    rank = {int(i): place for place, i in enumerate(score.attention.order, 1)}
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(("slice", "level_mm", "logit", "attention", "rank", "in_brain"))
    columns = (score.prepared.indices, score.prepared.level_mm, score.logits, score.attention.strength, score.in_brain)
    for i, (index, level_mm, logit, strength, in_brain) in enumerate(zip(*columns, strict=True)):
        writer.writerow((int(index), f"{level_mm:.2f}", f"{logit:.9g}", f"{strength:.9g}", rank[i], f"{in_brain:.4f}"))
    return out.getvalue()
