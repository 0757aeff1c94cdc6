"""A peer: another project's program, run in a process of its own with the liblsl that it brings.

Two of them in one process could get in each other's way; and their versions differ, as they do on a ward.
"""

from __future__ import annotations

import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import IO

from tests.conftest import lacking

#: What a peer writes on stdout, on a line of its own, once it is ready.
READY = "ready"
#: Variables by which a peer would take our liblsl in place of its own.
LIBRARIES = ("MNE_LSL_LIB", "PYLSL_LIB")
#: Longest wait for a peer's end in s.
END_S = 20.0
REPOSITORY = Path(__file__).parents[2]


class Peer:
    """A module of this folder that runs.

    Parameters
    ----------
    name : str
        The module.
    arguments : object
        Of its command line.
    """

    def __init__(self, name: str, *arguments: object) -> None:
        command = [sys.executable, "-m", f"tests.peers.{name}", *map(str, arguments)]
        own = {key: value for key, value in os.environ.items() if key not in LIBRARIES}
        environment = {**own, "LSLAPICFG": lsl_settings()}
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=REPOSITORY, env=environment, text=True
        )

    def await_ready(self) -> None:
        """Wait until it says so."""
        said = []
        while line := self._said.readline():
            if line.strip() == READY:
                return
            said.append(line)
        raise AssertionError(f"the peer ended before it was ready: {''.join(said)}")

    def finish(self) -> str:
        """Wait for its end; return what it said since it was ready."""
        said = self._said.read()
        assert self._process.wait(END_S) == 0, said
        return said

    def kill(self) -> None:
        """End it if it still runs."""
        self._process.kill()
        self._process.communicate()

    @property
    def _said(self) -> IO[str]:
        assert self._process.stdout is not None
        return self._process.stdout


def need(package: str) -> None:
    """Skip the test where a peer is not installed; fail it in CI. It is not imported here."""
    if find_spec(package) is None:
        lacking(f"{package}, of the extra 'dev'")


def lsl_settings() -> str:
    """Return the path of LSL's settings for a peer: the test run's own, and where its streams are to be looked for.

    On one machine alone, liblsl before 1.18 hears from the last of several outlets only, unless it asks at every port.
    """
    path = Path(os.environ["LSLAPICFG"])
    text = path.read_text().replace("[lab]\n", "[lab]\nKnownPeers = {127.0.0.1}\n")
    asking = path.with_name("peers.cfg")
    asking.write_text(text)
    return str(asking)
