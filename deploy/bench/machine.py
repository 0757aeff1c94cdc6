"""The machine that something was measured on, and one core of it for what must not use more."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

#: Where Linux describes its processors.
CPUINFO = Path("/proc/cpuinfo")
#: Average number of running processes above which a machine is not quiet before anything is measured.
QUIET_LOAD = 0.5


@dataclass(frozen=True)
class Machine:
    """Where and when, as far as it decides how fast.

    Parameters
    ----------
    measured_utc : str
        When.
    processor : str
        Its model, as it calls itself.
    cores : int
        That this process may use.
    memory_gib : float
        All of it.
    system : str
        Kernel and its version.
    python : str
        Its version.
    versions : mapping of str to str
        Of the libraries that do the work; one that is not installed is left out.
    load_1m : float
        Running processes over the last minute, before anything was measured.
    """

    measured_utc: str
    processor: str
    cores: int
    memory_gib: float
    system: str
    python: str
    versions: dict[str, str]
    load_1m: float

    @property
    def quiet(self) -> bool:
        """Whether nothing else ran before."""
        return self.load_1m < QUIET_LOAD

    @property
    def words(self) -> str:
        """The machine in the words of a table."""
        return f"{self.processor}, {self.cores} cores, {'quiet' if self.quiet else f'busy (load {self.load_1m:.1f})'}"

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON values."""
        return {**asdict(self), "quiet": self.quiet}


def this_machine(libraries: Iterable[str]) -> Machine:
    """Return what is measured on, with the versions of those libraries that are installed."""
    return Machine(
        measured_utc=datetime.now(UTC).isoformat(timespec="seconds"),
        processor=processor(),
        cores=len(os.sched_getaffinity(0)),
        memory_gib=round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1),
        system=f"{platform.system()} {platform.release()}",
        python=platform.python_version(),
        versions={name: version(name) for name in libraries if installed(name)},
        load_1m=os.getloadavg()[0],
    )


def installed(library: str) -> bool:
    """Tell whether a library can be imported here, without importing it."""
    return find_spec(library) is not None


def processor(cpuinfo: Path = CPUINFO) -> str:
    """Return the processor's model, or its kind where nothing names the model."""
    lines = cpuinfo.read_text("utf-8").splitlines() if cpuinfo.exists() else []
    models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return models[0] if models else platform.machine()


@contextmanager
def one_core() -> Iterator[None]:
    """Keep this process on one core inside the block; libraries that start threads then have no other either."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {max(before)})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)
