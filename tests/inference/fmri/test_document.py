"""What is written down of a scan's score."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from inference.fmri.document import files_of, to_json
from inference.fmri.parameters import Deviation
from inference.fmri.score import ScanScore
from inference.fmri.stored import event_of
from inference.fmri_event import read_fmri_event

DAY = date(2026, 3, 31)


@pytest.fixture(scope="module")
def files(scored: ScanScore) -> dict[str, bytes]:
    """Return the files of the scored scan."""
    return files_of(scored, patient="P-01", scanned_on=DAY, about={"file": "sub-1_bold.nii.gz"})


def test_the_score_holds_the_event_that_a_session_reads(scored: ScanScore, files: dict[str, bytes]) -> None:
    """What the folder says is accepted by the session's own check."""
    values = json.loads(files["score.json"])
    event = read_fmri_event(event_of(values), "P-01", scored.bundle)
    assert (event.logit, event.slices, event.scanned_on) == (scored.logit, len(scored.logits), DAY)
    assert values["schema"] == "flexion.fmri/1" and values["file"] == "sub-1_bold.nii.gz"
    assert values["origin"] == "synthetic" and values["attention"]["title"] == "Where the image model looked"


def test_every_slice_has_its_row(scored: ScanScore, files: dict[str, bytes]) -> None:
    """From below, with its level, its logit and its rank; rank 1 is the slice that the score names."""
    rows = list(csv.DictReader(io.StringIO(files["slices.csv"].decode())))
    assert [int(row["slice"]) for row in rows] == scored.prepared.indices.tolist()
    assert [float(row["logit"]) for row in rows] == pytest.approx(scored.logits.tolist(), abs=1e-7)
    assert sorted(int(row["rank"]) for row in rows) == list(range(1, len(rows) + 1))
    [first] = [row for row in rows if row["rank"] == "1"]
    attention = json.loads(files["score.json"])["attention"]
    assert int(first["slice"]) == attention["first_slice"]
    assert float(first["level_mm"]) == pytest.approx(attention["first_level_mm"], abs=0.01)


def test_a_scan_that_must_not_be_used_has_no_probability(scored: ScanScore) -> None:
    """Its logit is kept for research, its problems are one sentence in a session."""
    quality = replace(scored.prepared.quality, problems=("The brain is cut off.",))
    values: dict[str, Any] = to_json(
        replace(scored, prepared=replace(scored.prepared, quality=quality)), patient="P-01", scanned_on=DAY
    )
    assert values["probability"] is None and values["interval"] is None and values["logit"] == scored.logit
    assert read_fmri_event(event_of(values), "P-01", scored.bundle).problems == ("The brain is cut off",)


def test_what_is_outside_the_bundles_tolerance_is_a_flag(scored: ScanScore) -> None:
    """Before what the scan's own quality says."""
    flagged = replace(scored, deviations=(Deviation("tr", "tr 3 s, expected 2 within 0.5", False),))
    flags = to_json(flagged, patient="P-01", scanned_on=DAY)["quality"]["flags"]
    assert flags == ["tr 3 s, expected 2 within 0.5", *scored.prepared.quality.flags]
