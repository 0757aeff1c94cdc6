"""What training refuses; hangs below :class:`acquisition.errors.FlexionError` (law 10).

::

    FlexionError                exit code 1
    └── Interrupted             a run that was told to stop; it can go on
    BadInput                    exit code 3
    └── TrainingError           something that training was given, or made, does not fit
        ├── SplitError          patients cannot be dealt, or a deal is not one: shared patients, a part of one class
        ├── ConfigError         a key or value of a training configuration that is not known
        ├── FingerprintMismatch windows, or decisions on them, that another conditioning made
        ├── WeightsError        first weights of an image network that are missing, broken or of another network
        ├── RunError            a run folder that cannot be read, is being written, or belongs to something else
        └── GateError           a network that may not leave: its logit moves when nothing did
"""

from __future__ import annotations

from acquisition.errors import BadInput, FlexionError


class Interrupted(FlexionError):
    """A run was told to stop; what it had done is kept."""

    kind = "interrupted"


class TrainingError(BadInput):
    """Something that training was given, or made, does not fit."""

    kind = "training"


class SplitError(TrainingError):
    """Patients cannot be dealt to parts, or a stored deal is not one."""

    kind = "split"


class ConfigError(TrainingError):
    """A key or value of a training configuration that is not known."""

    kind = "training_config"


class FingerprintMismatch(TrainingError):
    """Windows, or decisions on them, that another conditioning made; never mixed (law 6)."""

    kind = "fingerprint_mismatch"


class WeightsError(TrainingError):
    """First weights of an image network that are missing, broken or of another network."""

    kind = "weights"


class RunError(TrainingError):
    """A run folder that cannot be read, is being written by another, or belongs to something else."""

    kind = "run"


class GateError(TrainingError):
    """A network that may not leave: its logit moves when nothing did."""

    kind = "gate"
