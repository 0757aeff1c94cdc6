"""Library: the bundles that this process holds, found by the hash that a session names; nobody chooses (law 6)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from inference.bundle import SHORT, Bundle, FusionBundle


class Library:
    """Bundles by the SHA-256 of their manifests.

    Parameters
    ----------
    bundles : iterable of Bundle or FusionBundle
        Loaded and checked.
    """

    def __init__(self, bundles: Iterable[Bundle | FusionBundle]) -> None:
        self._held = {bundle.sha256: bundle for bundle in bundles}

    def model(self, bound: Mapping[str, Any] | None) -> Bundle | None:
        """Return the model that a session is bound to by ``bound`` (name, version, sha256), if it is held."""
        bundle = self._held.get(bound["sha256"]) if bound else None
        return bundle if isinstance(bundle, Bundle) else None

    def fusion(self, bound: Mapping[str, Any] | None) -> FusionBundle | None:
        """Return the fusion bundle that a session is bound to, if it is held."""
        bundle = self._held.get(bound["sha256"]) if bound else None
        return bundle if isinstance(bundle, FusionBundle) else None

    def lack_of(self, bound: Mapping[str, Any]) -> str:
        """Return the words for a bundle that is bound and not held."""
        held = ", ".join(bundle.words for bundle in self._held.values()) or "none"
        name = f"{bound['name']} {bound['version']} ({bound['sha256'][:SHORT]})"
        return f"The session is bound to bundle {name}, which is not at hand; at hand: {held}. Name it with --bundle."
