"""Stored: the content of a score's folder as it is read back, whatever has become of it since it was written.

What JSON cannot hold again (NaN, a number beyond all bounds, half a character) comes as a text or is refused here, so
that everything that a session takes on from here can be written down and told.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

from acquisition.fields import Fields, is_whole
from inference.errors import FmriRefused
from inference.fmri_event import REMEDY

#: The file that makes a folder a score.
SCORE = "score.json"
#: What a session takes of a score (contract), and what of its quality.
EVENT = ("patient", "scan_sha256", "scanned_on", "bundle_sha256", "logit")
EVENT_QUALITY = ("slices", "problems")
#: Bytes of the largest ``score.json`` that is read: a hundred times what is written.
MOST_BYTES = 1 << 20
#: Digits beyond which a whole number is none that a score has.
MOST_DIGITS = 15


def read(folder: Path) -> dict[str, Any]:
    """Return the content of a score.

    Raises
    ------
    FmriRefused
        If it cannot be read or is no object; what is no number (NaN) comes as a text, to be refused by name.
    """
    path = folder / SCORE
    try:
        with path.open("rb") as file:
            content = file.read(MOST_BYTES + 1)
        if len(content) > MOST_BYTES:
            raise unreadable(path, f"it has more than {MOST_BYTES} bytes")
        values = json.loads(content, parse_constant=str, parse_float=_number, parse_int=_whole)
        if not is_whole(values):
            raise unreadable(path, "it holds half a character")
    except OSError as error:
        raise unreadable(path, error.strerror or str(error)) from error
    except ValueError as error:
        raise unreadable(path, str(error)) from error
    except RecursionError as error:
        raise unreadable(path, "it is nested too deeply") from error
    if not isinstance(values, dict):
        raise unreadable(path, "it holds no object")
    return values


def event_of(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the ``fmri`` event of a score; what it lacks is null, and what has no place in it an empty object."""
    quality = values.get("quality")
    of = quality if isinstance(quality, dict) else {}
    facts = {key: _plain(values.get(key)) for key in EVENT}
    return {**facts, "quality": {key: _plain(of.get(key)) for key in EVENT_QUALITY}}


def check_whole(folder: Path, values: Mapping[str, Any]) -> date:
    """Refuse a score that lacks what people are shown of it, and return the day of its scan.

    Raises
    ------
    FmriRefused
        Names the file and the key.
    """
    fields = Fields(values, str(folder / SCORE), "", FmriRefused, f"Remove {folder}. {REMEDY}")
    for key in ("patient", "scan_sha256", "bundle_sha256"):
        fields.text(key)
    fields.text("origin", among=("synthetic", "clinical"))
    fields.object("scan").texts("assumed")
    quality, attention = fields.object("quality"), fields.object("attention")
    quality.count("slices")
    quality.texts("flags")
    if not quality.texts("problems"):
        fields.number("probability", low=0.0, high=1.0)
        if len(fields.numbers("interval", low=0.0)) != 2:
            raise fields.refuse("interval", "must have two ends")
    attention.text("title")
    attention.number("first_level_mm")
    attention.number("in_brain", low=0.0, high=1.0)
    return fields.day("scanned_on")


def unreadable(path: Path, why: str) -> FmriRefused:
    """Return the refusal of a score, or of the folder that it would be in."""
    return FmriRefused(
        f"{path}, of a scan's score, cannot be read: {why}.",
        subject=str(path),
        remedy="Remove it, and score the scan again: flexion fmri score.",
    )


def _number(text: str) -> float | str:
    value = float(text)
    return value if math.isfinite(value) else text


def _whole(text: str) -> int | str:
    return int(text) if len(text) <= MOST_DIGITS else text


def _plain(value: object) -> object:
    """Return a value that an event may hold: a text, a number, or a list of texts; an empty object for any other."""
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        return value
    return {}
