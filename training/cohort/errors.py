"""What a cohort is refused for; hangs below :class:`training.errors.TrainingError` (law 10)."""

from __future__ import annotations

from training.errors import TrainingError


class CohortError(TrainingError):
    """A file, row or cell of a cohort that cannot be used."""

    kind = "cohort"
