"""Rows side by side: each in a process of its own, alone on its LSL network, its log kept in its folder.

A row that crashes, hangs or fails takes no other with it.
"""

from __future__ import annotations

import multiprocessing
import os
import sys
import time
import traceback
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path

from tests.lsl import write_settings

from . import pair_rows  # noqa: F401 - enters its rows into the table
from .rig import Rig
from .rows import TABLE

#: Seconds that a row may take on a busy machine.
ROW_S = 120.0
#: Lines of its log that go with a failure.
TAIL = 12

# Processes come from a server that has no threads and no LSL: neither survives a fork.
_CONTEXT = multiprocessing.get_context("forkserver")
_CONTEXT.set_forkserver_preload([__name__])


@dataclass(frozen=True)
class Outcome:
    """How a row went.

    Parameters
    ----------
    name : str
        Of the row.
    passed : bool
        Whether all of it held.
    seconds : float
        How long it took.
    log : Path
        What it said.
    """

    name: str
    passed: bool
    seconds: float
    log: Path

    @property
    def tail(self) -> str:
        """The last lines of its log."""
        return "\n".join(self.log.read_text(encoding="utf-8", errors="replace").splitlines()[-TAIL:])


def play_rows(names: Sequence[str], url: str, folder: Path, side: int) -> Iterator[Outcome]:
    """Play rows, so many at a time, and yield how each went as it ends.

    Parameters
    ----------
    names : sequence of str
        Keys of ``TABLE``; the same one may come more than once.
    url : str
        Of a Redis that a scorer works on.
    folder : Path
        Where each row gets a folder of its own.
    side : int
        Rows at a time.
    """
    with ThreadPoolExecutor(side) as pool:
        running = [pool.submit(play_row, name, url, folder / f"{n}-{name}") for n, name in enumerate(names)]
        for done in as_completed(running):
            yield done.result()


def play_row(name: str, url: str, folder: Path) -> Outcome:
    """Play one row in a process of its own."""
    folder.mkdir(parents=True)
    log = folder / "log"
    begun_s = time.monotonic()
    process = _CONTEXT.Process(target=_play, args=(name, url, folder, log))
    process.start()
    process.join(ROW_S)
    if process.is_alive():
        process.kill()
        process.join()
        with log.open("a", encoding="utf-8") as file:
            file.write(f"\nit did not end within {ROW_S:.0f} s\n")
    if (process.exitcode or 0) < 0:
        with log.open("a", encoding="utf-8") as file:
            file.write(f"\nits process was ended by signal {-process.exitcode}\n")
    return Outcome(name, process.exitcode == 0, time.monotonic() - begun_s, log)


def _play(name: str, url: str, folder: Path, log: Path) -> None:
    with log.open("ab", buffering=0) as file:
        os.dup2(file.fileno(), sys.stdout.fileno())
        os.dup2(file.fileno(), sys.stderr.fileno())
    os.environ["LSLAPICFG"] = str(write_settings(folder / "lsl_api.cfg"))
    try:
        with Rig(url, folder) as rig:
            TABLE[name](rig)
    except BaseException:
        traceback.print_exc()
        raise SystemExit(1) from None
