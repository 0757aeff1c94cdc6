"""How sure the figures of an evaluation are made."""

from __future__ import annotations

from dataclasses import dataclass

from training.permuted import N_PERMUTED
from training.statistics.metrics import N_BOOTSTRAP


@dataclass(frozen=True)
class Sureness:
    """Permuted deals of the control, draws of a bootstrap, and their seed."""

    permutations: int = N_PERMUTED
    bootstrap: int = N_BOOTSTRAP
    seed: int = 0
