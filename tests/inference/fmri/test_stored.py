"""A stored score as it is read back, whatever has become of it."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from inference.errors import FmriRefused
from inference.fmri.shelf import Shelf
from inference.fmri.stored import MOST_BYTES, check_whole, event_of, read
from inference.fmri_event import choose
from tests.inference.fmri.scores import BUNDLE, SCAN, put, values


@pytest.mark.parametrize(
    ("content", "words"), [(b"{", "Expecting"), (b"[]", "holds no object"), (None, "No such file")]
)
def test_a_score_that_cannot_be_read_is_refused(tmp_path: Path, content: bytes | None, words: str) -> None:
    """In words, with what to do."""
    folder = put(tmp_path)
    (folder / "score.json").unlink()
    if content is not None:
        (folder / "score.json").write_bytes(content)
    with pytest.raises(
        FmriRefused, match=rf"score\.json, of a scan's score, cannot be read: .*{words}.*Remove it, and score"
    ):
        read(folder)
    [(kind, notice)] = Shelf(tmp_path, "P-01", BUNDLE).new()
    assert kind == "notice" and words in notice["text"] and "flexion fmri score" in notice["remedy"]


def test_an_event_is_what_the_contract_says() -> None:
    """Six keys, and of the quality what a session needs; what is missing is null."""
    assert event_of(values()) == {
        "patient": "P-01",
        "scan_sha256": SCAN,
        "scanned_on": "2026-03-31",
        "bundle_sha256": BUNDLE,
        "logit": 0.5,
        "quality": {"slices": 20, "problems": []},
    }
    assert event_of({"quality": 3})["quality"] == {"slices": None, "problems": None}
    assert event_of({"logit": [1], "patient": {}})["logit"] == {} == event_of({"patient": [1]})["patient"]


DEEP = b"[" * 100_000 + b"]" * 100_000


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (DEEP, "nested too deeply"),
        (b'{"a": ' + DEEP + b"}", "nested too deeply"),
        (b'{"patient": "\\ud800"}', "half a character"),
        (b'{"\\ud800": 1}', "half a character"),
        (b"\xff\xfe\x00", "decode"),
        (b" " * (MOST_BYTES + 1), "more than 1048576 bytes"),
    ],
)
def test_what_json_cannot_hold_again_is_refused(tmp_path: Path, content: bytes, words: str) -> None:
    """In words, to a session as a notice; nothing is thrown."""
    folder = put(tmp_path)
    (folder / "score.json").write_bytes(content)
    with pytest.raises(FmriRefused, match=words):
        read(folder)
    [(kind, notice)] = Shelf(tmp_path, "P-01", BUNDLE).new()
    assert kind == "notice" and words in notice["text"]


@pytest.mark.parametrize("number", ["1e400", "-1e400", "NaN", "Infinity", "1" + "0" * 400, "1" + "0" * 5000])
@pytest.mark.parametrize("key", ["logit", "slices"])
def test_numbers_beyond_all_bounds_come_as_what_is_refused(tmp_path: Path, key: str, number: str) -> None:
    """The event can be written down, and is refused by name."""
    folder = put(tmp_path)
    text = json.dumps(values()).replace(f'"{key}": {20 if key == "slices" else 0.5}', f'"{key}": {number}')
    (folder / "score.json").write_text(text)
    [(kind, event)] = Shelf(tmp_path, "P-01", BUNDLE).new()
    assert kind == "fmri" and json.dumps(event, allow_nan=False, ensure_ascii=False).encode()
    assert f"{key} must be a" in str(choose([event], "P-01", None))


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"scanned_on": None}, "scanned_on must be a text, not null"),
        ({"scanned_on": "x"}, "scanned_on is 'x', expected a day"),
        ({"attention": None}, "attention must be an object, not null"),
        ({"attention": {"title": "x", "first_level_mm": 1.0, "in_brain": 2.0}}, "in_brain is 2.0"),
        ({"interval": [0.1]}, "interval must have two ends"),
        ({"probability": None}, "probability must be a number, not null"),
        ({"scan": {}}, "scan.assumed is missing"),
        ({"quality": {"slices": 3, "problems": [], "flags": 1}}, "quality.flags must be a list"),
    ],
)
def test_a_score_that_cannot_be_shown_is_refused(tmp_path: Path, changes: dict[str, Any], words: str) -> None:
    """By the file and the key, with what to do; a whole one gives its day."""
    folder = put(tmp_path)
    assert check_whole(folder, values()) == date(2026, 3, 31)
    spoiled = {"probability": None, "interval": None, "quality": {"slices": 0, "problems": ["It moved"], "flags": []}}
    assert check_whole(folder, values(**spoiled)) == date(2026, 3, 31)
    with pytest.raises(FmriRefused) as refused:
        check_whole(folder, values(**changes))
    assert words in refused.value.message and SCAN in refused.value.message
    assert refused.value.remedy.startswith(f"Remove {folder}.")
