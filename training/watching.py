"""Watching: nobody, where no progress is shown. What there is to hear, each stage says by a protocol of its own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


class Nobody:
    """Hears whatever is told, and does nothing."""

    def __getattr__(self, name: str) -> Callable[..., None]:
        if name.startswith("_"):  # copying and pickling ask for these, and must learn that there are none
            raise AttributeError(name)
        return lambda *values: None


#: Fits every protocol of a watcher.
NOBODY: Any = Nobody()
