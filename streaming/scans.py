"""Scans: how a session hears of the scores of its patient's scans; as plain records, whatever made them.

A scan is scored beside the sessions, before or while they run. Who puts the processes together knows where scores lie
and hands the bridge something that tells what is new.
"""

from __future__ import annotations

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
