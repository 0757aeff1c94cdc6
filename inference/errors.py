"""Every refusal of this package: a bundle, an engine or a score that does not fit, with the way out (law 10).

The branches that this package adds to the tree of :mod:`acquisition.errors`::

    BadInput                    exit code 3
    ├── BundleError             a bundle folder, manifest or file that cannot be trusted
    ├── BundleMismatch          a bundle that does not fit the stream; never adapted silently (law 6)
    ├── FmriRefused             an fMRI score of another patient, another bundle or no number
    └── ScanError               an fMRI scan that cannot be read, or may not be scored
    BadEnvironment              exit code 4
    └── EngineUnavailable       no engine of the list runs the bundle on this machine
    FlexionError                exit code 1
    └── EngineError             a running engine refused an input or failed on it
"""

from __future__ import annotations

from acquisition.errors import BadEnvironment, BadInput, FlexionError


class BundleError(BadInput):
    """A bundle folder, its manifest or one of its files cannot be trusted."""

    kind = "bundle"


class BundleMismatch(BadInput):
    """A bundle does not fit the stream, or is not the one that the session is bound to."""

    kind = "bundle_mismatch"


class FmriRefused(BadInput):
    """An fMRI score belongs to another patient or another bundle, or is no number."""

    kind = "fmri_refused"


class ScanError(BadInput):
    """An fMRI scan cannot be read, or is nothing that may be scored."""

    kind = "scan"


class EngineUnavailable(BadEnvironment):
    """No engine of the list runs the bundle on this machine."""

    kind = "engine_unavailable"


class EngineError(FlexionError):
    """A running engine refused an input or failed on it."""

    kind = "engine"
