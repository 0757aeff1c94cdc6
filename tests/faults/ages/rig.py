"""Real processes by hand: Redis, roles, bridges and amplifiers, each of which can be killed, frozen and started again.

There is no supervisor: it would start again what a fault is to leave dead.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from acquisition.montage import load_montage
from acquisition.session import SessionFolder, SessionInfo
from deploy.child import PARENT_VARIABLE
from deploy.opening import Models, Plan, entry_of, played_source
from deploy.settings import Settings, as_variables, load
from streaming.connection import connect
from streaming.control import Control
from streaming.server import PrivateServer
from streaming.sessions import Registry
from tests.faults.running import clean_environment, free_port

from .skew import Skew
from .truth import Witness

#: Seconds within which what was started must be there, on a machine that is busy.
PATIENCE_S = 90.0
#: Seconds between looks.
LOOK_S = 0.1


class Process:
    """One process of Flexion.

    Parameters
    ----------
    arguments : sequence of str
        Its role and flags.
    environment : mapping
        All its variables.
    log : Path
        Where its words go.
    """

    def __init__(self, arguments: list[str], environment: Mapping[str, str], log: Path) -> None:
        self._command = [sys.executable, "-m", "deploy", *arguments]
        self._environment = {**environment, PARENT_VARIABLE: str(os.getpid())}
        self._log = log
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it, again if need be."""
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(self._command, stdout=log, stderr=log, env=self._environment)

    def kill(self) -> None:
        """End it as a crash does."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def freeze(self) -> None:
        """Let it stand still."""
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let it go on."""
        self._signal(signal.SIGCONT)

    def _signal(self, number: signal.Signals) -> None:
        assert self._process is not None
        assert self._process.poll() is None, f"{self._command[3:]} has ended, see {self._log}"
        self._process.send_signal(number)


@dataclass(frozen=True)
class Bed:
    """A bed with its session."""

    name: str
    info: SessionInfo
    bridge: Process
    source: Process

    @property
    def session(self) -> str:
        """The session's id."""
        return self.info.session


class Rig:
    """Everything that the pages show.

    Parameters
    ----------
    folder : Path
        For all files.
    models : mapping
        Variables that name a small model.
    skew : Skew, optional
        The wall clock of Redis and of the server, where it is to be set.
    """

    def __init__(self, folder: Path, models: Mapping[str, str], skew: Skew | None = None) -> None:
        self._folder = folder
        self._skewed = {} if skew is None else skew.variables
        self.redis = PrivateServer(folder / "redis", allow_bundled=True)
        self.port = int(free_port())
        environ = clean_environment() | dict(models)
        flags = {"data_dir": folder / "data", "redis_url": self.redis.url, "dashboard.port": self.port}
        self._settings: Settings = load(flags, environ)
        self._models = Models.load(self._settings.models)
        self.beds: dict[str, Bed] = {}
        self.scorer = self._role("scorer", "--name", "scorer-1")
        self.aggregator = self._role("aggregator", "--name", "aggregator")
        #: Where the pages' server reaches Redis: a line that can fail leads from there.
        self.line_path = folder / "line.sock"
        self.dashboard = self._role("dashboard", "--redis", f"unix://{self.line_path}", **self._skewed)

    def _role(self, role: str, *arguments: str, name: str = "", **variables: str) -> Process:
        environment = clean_environment() | as_variables(self._settings) | variables
        return Process([role, *arguments], environment, self._folder / f"{name or role}.log")

    def start_redis(self) -> None:
        """Start Redis, again if need be, with the clock that is to be its own."""
        os.environ.update(self._skewed)
        try:
            self.redis.start()
        finally:
            for name in self._skewed:
                del os.environ[name]

    def freeze_redis(self) -> None:
        """Let Redis stand still."""
        os.kill(self._redis_pid, signal.SIGSTOP)

    def thaw_redis(self) -> None:
        """Let Redis go on."""
        os.kill(self._redis_pid, signal.SIGCONT)

    def kill_redis(self) -> None:
        """End Redis as a crash does."""
        os.kill(self._redis_pid, signal.SIGKILL)
        while self.redis.alive:
            time.sleep(LOOK_S)

    def wipe_redis(self) -> None:
        """Let Redis forget everything."""
        with connect(self.redis.url, "rig") as client:
            client.flushall()

    @property
    def _redis_pid(self) -> int:
        assert self.redis.pid is not None
        return self.redis.pid

    def admit(self, name: str, witness: Witness) -> Bed:
        """Begin a session of a simulated patient."""
        montage = load_montage("amp16")
        source, markers = played_source(f"Ages {name}", montage.n_channels)
        plan = Plan("demo", "simulated", f"P-{name}", name, montage, source, markers_source=markers)
        info = plan.to_info(self._models)
        with connect(self.redis.url, "rig") as client:
            Registry(client).open(entry_of(info))
        SessionFolder.create(self._settings.data_dir, info)
        witness.begin(info.session)
        flags = ("--session", info.session)
        bridge = self._role("bridge", *flags, name=f"bridge-{name}")
        source_process = self._role("play", *flags, "--seed", str(len(self.beds) + 1), name=f"source-{name}")
        bed = self.beds[name] = Bed(name, info, bridge, source_process)
        bridge.start()
        source_process.start()
        return bed

    def close(self, bed: Bed) -> None:
        """End a session as a person does."""
        with connect(self.redis.url, "rig-control", blocking=True) as client:
            assert Control(client).send("stop", {"session": bed.session}, "rig", PATIENCE_S).ok

    def answers(self) -> bool:
        """Tell whether the pages' server answers."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/healthz", timeout=1):
                return True
        except (urllib.error.URLError, OSError):
            return False

    def end(self) -> None:
        """End everything that was started, by its process."""
        for process in (self.scorer, self.aggregator, self.dashboard):
            process.kill()
        for bed in self.beds.values():
            bed.bridge.kill()
            bed.source.kill()
        if self.redis.alive:
            os.kill(self._redis_pid, signal.SIGCONT)
        self.redis.stop()


@contextmanager
def running(folder: Path, models: Mapping[str, str], skew: Skew | None = None) -> Iterator[Rig]:
    """Run Redis and every role; beds are admitted later."""
    rig = Rig(folder, models, skew)
    try:
        rig.start_redis()
        for process in (rig.dashboard, rig.scorer, rig.aggregator):
            process.start()
        deadline_s = time.monotonic() + PATIENCE_S
        while not rig.answers():
            assert time.monotonic() < deadline_s, f"no pages: see {folder}"
            time.sleep(LOOK_S)
        yield rig
    finally:
        rig.end()
