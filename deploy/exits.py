"""The exit codes of every command, in one place.

An error's class names its own code (``FlexionError.exit_code``); a run that ends without an error has the code of its
results.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

#: The ledger balances and every window has a fate, whatever the outcome's state.
OK = 0
#: The ledger does not balance, a window has no fate, or something unexpected happened.
UNBALANCED = 1
#: An option or argument that the command does not know, or that does not go with the others.
WRONG_USE = 2
#: A file, stream, channel, name or setting that does not fit.
BAD_INPUT = 3
#: A server, port, disk or library that this machine lacks.
ENVIRONMENT = 4
#: The GPU failed under a role's process; its next life may do what this one cannot. A command of a person ends with
#: `ENVIRONMENT` then.
DEVICE_LOST = 5


def of_result(result: Mapping[str, Any]) -> int:
    """Return the exit code that one result object (``flexion.result/1``) stands for."""
    windows = result["windows"]
    fates = windows["scored"] + windows["not_scored"] + windows["dead_lettered"]
    # A session without a model is recorded, not scored: no window waits for a fate.
    everything_has_a_fate = result["bundles"]["eeg_emg"] is None or windows["made"] == windows["published"] == fates
    return OK if result["ledger"]["balanced"] and everything_has_a_fate else UNBALANCED


def worst(codes: Iterable[int]) -> int:
    """Return the code of a run of several sessions: the largest, as a refusal weighs more than a count."""
    return max(codes, default=OK)
