"""Scans: how a session hears of the scores of its patient's scans; as plain records, whatever made them.

A scan is scored beside the sessions, before or while they run. Who puts the processes together knows where scores lie
and hands the bridge something that tells what is new.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, Protocol


class Scans(Protocol):
    """Where scores of one patient's scans appear."""

    def new(self) -> Sequence[tuple[str, Mapping[str, Any]]]:
        """Return the events that are due since the last look: type (``fmri`` or ``notice``) and data."""
        ...


class NoScans:
    """A patient without any scan."""

    def new(self) -> Sequence[tuple[str, Mapping[str, Any]]]:
        """Return nothing."""
        return ()


#: Nobody scores scans for this session.
NO_SCANS = NoScans()


def is_scan(line: Mapping[str, Any]) -> bool:
    """Tell whether a line of ``results.jsonl`` is an fMRI event; the others are results of windows."""
    return "scan_sha256" in line


def told_as(kind: str, data: Mapping[str, Any]) -> tuple[str, Mapping[str, Any]]:
    """Return an event about scans as it can be recorded and told: a notice in the place of what JSON cannot hold."""
    try:
        json.dumps(data, ensure_ascii=False, allow_nan=False).encode()
    except (TypeError, ValueError, RecursionError):
        remedy = "Remove it, and score the scan again: flexion fmri score."
        return "notice", {"level": "warning", "text": "An fMRI score cannot be written down.", "remedy": remedy}
    return kind, data
