"""Errors of putting it together; the tree is ``acquisition.errors``, these are its branches here.

::

    FlexionError
    ├── NotPlayed               exit code 1: a recording that had no turn
    ├── WrongUse                exit code 2: options that do not go together
    ├── BadInput
    │   └── SettingsError       a key or value of flexion.toml or FLEXION_* that is not known or not allowed
    └── BadEnvironment
        └── NotServed           exit code 4: other bundles that do not come to serve; what served before goes on
"""

from __future__ import annotations

from acquisition.errors import BadEnvironment, BadInput, FlexionError
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


class NotServed(BadEnvironment):
    """The processes that were to serve other bundles did not begin; the old ones go on serving."""

    kind = "not_served"
