"""What is made once for a whole run of the tests, by whichever worker asks first; the others wait for it."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from training.file_lock import locked


def once(factory: pytest.TempPathFactory, name: str, make: Callable[[Path], None]) -> Path:
    """Return a folder that one worker has filled; all read it, so whoever changes its files copies it.

    Parameters
    ----------
    factory : TempPathFactory
        Of this worker; the workers' folders lie side by side.
    name : str
        Of the folder.
    make : callable
        Fills the empty folder that it is given. Where it fails, the next who asks tries anew.
    """
    base = factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        base = base.parent
    whole, begun = base / f"once-{name}", base / f"once-{name}-begun"
    with locked(base / f"once-{name}.lock"):
        if not whole.exists():
            shutil.rmtree(begun, ignore_errors=True)
            begun.mkdir()
            make(begun)
            begun.rename(whole)
    return whole
