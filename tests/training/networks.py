"""The five image networks, as tests go through them: two in every run of the tests, the others where there is time."""

from __future__ import annotations

import pytest

from training.backbones.catalogue import NAMES

#: The one that ships, and the one whose head comes behind the pooling: all that differs between the five in kind.
OFTEN = ("shufflenet", "ghostnet")
EACH = [pytest.param(name, marks=() if name in OFTEN else pytest.mark.thorough) for name in NAMES]
