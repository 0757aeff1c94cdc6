"""Errors of putting it together; the tree is ``acquisition.errors``, these are its branches here.

::

    FlexionError
    ├── NotPlayed               exit code 1: a recording that had no turn
    ├── WrongUse                exit code 2: options that do not go together
    └── BadInput
        └── SettingsError       a key or value of flexion.toml or FLEXION_* that is not known or not allowed
"""

from __future__ import annotations

from acquisition.errors import BadInput, FlexionError
from deploy import exits


class WrongUse(FlexionError):
    """Options that do not go together."""

    exit_code = exits.WRONG_USE
    kind = "usage"


class NotPlayed(FlexionError):
    """A recording whose turn did not come."""

    kind = "not_played"


class SettingsError(BadInput):
    """A setting that is not known, or a value that it cannot have."""

    kind = "settings"
