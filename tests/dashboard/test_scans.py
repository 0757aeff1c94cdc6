"""A scored scan as a page gets it: slices and focus apart, kept by a browser for good, refused in words."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import httpx
import pytest

from dashboard.scan import hash_of
from dashboard.settings import DashboardSettings
from tests.dashboard.test_routes import MODEL, SCAN, SESSION, scored_scan

PATH = f"/api/v1/sessions/{SESSION}/scans/{SCAN}"
ROWS = "slice,level_mm,logit,attention,rank,in_brain\n9,-32.00,0.12,0.02,2,0.37\n10,-28.00,0.26,0.03,1,0.39\n"


def score(settings: DashboardSettings) -> Path:
    """Make the folder of a whole score."""
    shelf = scored_scan(settings)
    sanity = {"correlation": 0.05, "n_slices": 20}
    attention = {"sanity": sanity, "cell_mm": 31.4, "in_brain": 0.5, "columns": 5}
    values: dict[str, Any] = {
        "bundle_sha256": MODEL,
        "scan_sha256": SCAN,
        "scanned_on": "2026-11-10",
        "origin": "synthetic",
        "probability": 0.7,
        "bundle": {},
        "quality": {"flags": ["tr 3 s"], "problems": []},
        "attention": attention,
    }
    (shelf / "score.json").write_text(json.dumps(values))
    (shelf / "slices.csv").write_text(ROWS)
    (shelf / "underlay.png").write_bytes(b"grey")
    (shelf / "focus.png").write_bytes(b"colour")
    return shelf


def test_a_scan_tells_its_slices_its_sheets_and_its_check(client: httpx.Client, settings: DashboardSettings) -> None:
    """From below, with the rank of attention; the sanity check stands beside the map."""
    shelf = score(settings)
    told = client.get(PATH).json()
    assert told["slices"][0] == {"slice": 9, "rank": 2, "level_mm": -32.0, "in_brain": 0.37}
    assert told["attention"]["sanity"] == {"correlation": 0.05, "n_slices": 20}
    assert (told["scanned_on"], told["flags"], told["sheets"]["columns"]) == ("2026-11-10", ["tr 3 s"], 5)
    assert told["sheets"]["focus"] == f"focus.png?v={hash_of(shelf / 'focus.png')}"
    assert told["probability"] == 0.7


def test_the_scan_of_a_session_entered_in_error_is_nobody_s_result(
    client: httpx.Client, settings: DashboardSettings
) -> None:
    """Its slices are shown, no number of it is."""
    score(settings)
    path = settings.data_dir / "sessions" / SESSION / "session.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "entered_in_error": True}))
    told = client.get(PATH).json()
    assert (told["probability"], len(told["slices"])) == (None, 2)


def test_a_sheet_asked_for_by_its_hash_is_kept_for_good(client: httpx.Client, settings: DashboardSettings) -> None:
    """By another hash, or none, a browser asks again."""
    score(settings)
    address = client.get(PATH).json()["sheets"]["underlay"]
    kept, asked = client.get(f"{PATH}/{address}"), client.get(f"{PATH}/underlay.png?v=0")
    assert (kept.content, asked.content) == (b"grey", b"grey")
    assert "immutable" in kept.headers["cache-control"] and asked.headers["cache-control"] == "no-cache"
    assert client.get(f"{PATH}/focus.png").content == b"colour"
    assert client.get(f"{PATH}/attention.png").content == b"a picture"
    assert client.get(f"{PATH}/other.png").status_code in (404, 422)


def test_a_score_of_an_earlier_version_has_no_sheets(client: httpx.Client, settings: DashboardSettings) -> None:
    """Its slices are told, its sheets are none, and the refusal says how to get them."""
    shelf = score(settings)
    (shelf / "focus.png").unlink()
    assert client.get(PATH).json()["sheets"] is None
    refused = client.get(f"{PATH}/focus.png")
    assert refused.status_code == 404 and "score the scan again" in refused.json()["remedy"]


@pytest.mark.parametrize(
    "rows", [None, "slice,level_mm\n1,2\n", ROWS + "11,x,1,1,3,0.1\n", ROWS + "11,nan,1,1,3,0.1\n"]
)
def test_slices_that_cannot_be_read_are_refused_in_words(
    client: httpx.Client, settings: DashboardSettings, rows: str | None
) -> None:
    """Gone, another table, no number, and what is no number to JSON."""
    shelf = score(settings)
    (shelf / "slices.csv").unlink()
    if rows is not None:
        (shelf / "slices.csv").write_text(rows)
    refused = client.get(PATH)
    assert refused.status_code in (422, 503) and "slices.csv" in refused.json()["detail"]


def test_a_score_without_its_facts_is_shown_without_them(client: httpx.Client, settings: DashboardSettings) -> None:
    """A score that holds nothing but whose it is."""
    shelf = scored_scan(settings)
    (shelf / "slices.csv").write_text(ROWS)
    told = client.get(PATH).json()
    assert told["sheets"] is None and told["flags"] == [] and told["attention"]["sanity"] is None
