"""Every refusal of this package: a bundle, an engine or a score that does not fit, with the way out (law 10).

The branches that this package adds to the tree of :mod:`acquisition.errors`::

    BadInput                    exit code 3
    ├── BundleError             a bundle folder, manifest or file that cannot be trusted
    ├── BundleMismatch          a bundle that does not fit the stream; never adapted silently (law 6)
    ├── UnknownEngine           a name that is no engine's
    ├── FmriRefused             an fMRI score of another patient, another bundle or no number
    └── ScanError               an fMRI scan that cannot be read, or may not be scored
    BadEnvironment              exit code 4
    └── EngineUnavailable       no engine of the list runs the bundle on this machine
        └── EngineAbsent        a backend whose device or library this machine does not have; nothing failed
    FlexionError                exit code 1
    └── EngineError             a running engine refused an input or failed on it
        └── EngineDrift         an engine that serves gives other bits than at its start
    FlexionError                exit code 5, of a process that must end and may be started again
    └── DeviceLost              the GPU failed under this process, which can use it no more
"""

from __future__ import annotations

from acquisition.errors import BadEnvironment, BadInput, FlexionError


class BundleError(BadInput):
    """A bundle folder, its manifest or one of its files cannot be trusted."""

    kind = "bundle"


class BundleMismatch(BadInput):
    """A bundle does not fit the stream, or is not the one that the session is bound to."""

    kind = "bundle_mismatch"


class UnknownEngine(BadInput):
    """A name in the list of engines that is no engine's."""

    kind = "unknown_engine"


class FmriRefused(BadInput):
    """An fMRI score belongs to another patient or another bundle, or is no number."""

    kind = "fmri_refused"


class ScanError(BadInput):
    """An fMRI scan cannot be read, or is nothing that may be scored."""

    kind = "scan"


class EngineUnavailable(BadEnvironment):
    """No engine of the list runs the bundle on this machine."""

    kind = "engine_unavailable"


class EngineAbsent(EngineUnavailable):
    """The device or the library of a backend is not on this machine: nothing failed."""


class EngineError(FlexionError):
    """A running engine refused an input or failed on it."""

    kind = "engine"


class EngineDrift(EngineError):
    """An engine that serves gives other bits for a golden window than at its start; its process must end."""

    kind = "engine_drift"


class DeviceLost(FlexionError):
    """The GPU failed under this process: CUDA answers every later call with the same error until the process ends.

    It is no `EngineError`, so that nothing is tried again: the process ends, is started again, and what it held goes
    to another scorer meanwhile.
    """

    exit_code = 5
    kind = "device_lost"

    @classmethod
    def because(cls, cause: str) -> DeviceLost:
        """Return the error of a GPU that failed, with the words that came with it."""
        return cls(
            f"The GPU failed: {cause.strip().splitlines()[0].rstrip('.')}.",
            subject="cuda",
            remedy="This process ends, since CUDA answers it no more; flexion live starts its scorers again.",
        )
