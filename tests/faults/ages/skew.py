"""Wall clocks that can be set, for a few processes: a shim of thirty lines of C, for whoever has a compiler."""

from __future__ import annotations

import mmap
import shutil
import struct
import subprocess
from pathlib import Path

#: The shim's source.
SOURCE = Path(__file__).with_name("skew.c")


class Skew:
    """A wall clock that is ahead of the machine's by what it is told.

    Parameters
    ----------
    folder : Path
        Where the shim and its number lie.
    """

    def __init__(self, folder: Path) -> None:
        library, number = folder / "skew.so", folder / "skew.ns"
        number.write_bytes(bytes(8))
        subprocess.run([_compiler(), "-shared", "-fPIC", "-O1", "-o", library, SOURCE, "-ldl"], check=True)
        #: What a process needs in its environment to go by this clock.
        self.variables = {"LD_PRELOAD": str(library), "SKEW_FILE": str(number)}
        with number.open("r+b") as file:
            self._number = mmap.mmap(file.fileno(), 8)

    def set(self, seconds: float) -> None:
        """Be ahead by so many seconds; below zero behind."""
        self._number[:8] = struct.pack("<q", round(seconds * 1e9))


def _compiler() -> str:
    return shutil.which("cc") or shutil.which("gcc") or ""


def possible() -> bool:
    """Tell whether this machine can make the shim."""
    return bool(_compiler())
