"""Whole commands, timed from outside: every process that they start counts, and so does starting them."""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

#: Has a bridge say when it begins and ends, in lines that a machine reads.
SAID = {"FLEXION_LOG__LEVEL": "info", "FLEXION_LOG__FORMAT": "json"}


@dataclass(frozen=True)
class Ran:
    """What a command took.

    Parameters
    ----------
    wall_s, cpu_s : float
        From its start to its end, by the clock and of all processors.
    signal_s : float or None
        From its bridge's first sample to the last result; None without a bridge that has ended.
    failure : str
        Its last words, where it failed.
    """

    wall_s: float
    cpu_s: float
    signal_s: float | None
    failure: str


def ran(arguments: Sequence[str]) -> Ran:
    """Run one command of ours to its end."""
    cpu_s, wall_s = _children_s(), time.perf_counter()
    command = [sys.executable, "-m", "deploy", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, env={**os.environ, **SAID}, check=False)
    lines = done.stderr.splitlines()
    return Ran(
        wall_s=time.perf_counter() - wall_s,
        cpu_s=_children_s() - cpu_s,
        signal_s=bridged_s(lines),
        failure=(lines or ["it says nothing"])[-1] if done.returncode else "",
    )


def bridged_s(lines: Sequence[str]) -> float | None:
    """Return the seconds between a bridge's begin and its end in a log; None where it has not both."""
    moments = {}
    for line in lines:
        if line.startswith("{"):
            said = json.loads(line)
            if said.get("role") == "bridge":
                moments[said["event"]] = datetime.fromisoformat(said["timestamp"])
    if not {"begun", "ended"} <= moments.keys():
        return None
    return (moments["ended"] - moments["begun"]).total_seconds()


def _children_s() -> float:
    """Return the processor time of all processes that this one has waited for, and of theirs."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
