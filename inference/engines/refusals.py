"""Refusals that every engine makes, in the same words whichever library is behind it."""

from __future__ import annotations

from inference.bundle import Bundle
from inference.errors import BundleError, EngineError
from inference.manifest import REMEDY


def failed(backend: str, bundle: Bundle, cause: object) -> EngineError:
    """Return the error of a run that failed; the engine can run the next."""
    return EngineError(
        f"{backend} failed on {bundle.words}: {cause}.",
        subject=bundle.name,
        remedy="Look at the window that it was given; the engine goes on with the next.",
    )


def unreadable(backend: str, bundle: Bundle, cause: object) -> BundleError:
    """Return the error of a graph that a backend cannot run."""
    path = bundle.model_path
    return BundleError(f"{path} cannot be run by {backend}: {cause}.", subject=str(path), remedy=REMEDY)
