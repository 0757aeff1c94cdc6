"""A demonstration that runs beside a bench: all its real processes, on a port and in a folder of its own."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from acquisition.errors import BadEnvironment

#: The bed that is looked at.
BED = "demo-1"
#: Longest wait for the first samples, and between two looks.
READY_S = 90.0
LOOK_S = 0.5
#: Longest wait for its end: the windows' 30 s, and what it takes to write it all down.
END_S = 60.0


class RunningDemo:
    """Begin a demonstration with the block, and end it as Ctrl-C does.

    Parameters
    ----------
    folder : Path
        Where it records and what it says is kept; empty.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._said = folder / "said.txt"
        self.url = f"http://127.0.0.1:{_free_port()}"
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def page(self) -> str:
        """Address of the bedside page."""
        return f"{self.url}/beds/{BED}"

    def __enter__(self) -> Self:
        port = self.url.rpartition(":")[2]
        command = [sys.executable, "-m", "deploy", "demo", "--no-browser", "--port", port]
        with self._said.open("wb") as said:
            self._process = subprocess.Popen(
                [*command, "--data", str(self._folder / "data")], stdout=subprocess.DEVNULL, stderr=said
            )
        try:
            self._await_samples(self._process)
        except BaseException:
            self._end()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end()

    def _await_samples(self, process: subprocess.Popen[bytes]) -> None:
        """Wait for the first segment of the session.

        Raises
        ------
        BadEnvironment
            With its last words, if it ends before, or takes too long.
        """
        deadline = time.monotonic() + READY_S
        while not has_begun(_asked(f"{self.url}/api/v1/beds/{BED}")):
            if process.poll() is not None or time.monotonic() > deadline:
                lines = self._said.read_text("utf-8", "replace").split("\n")
                words = next((line for line in reversed(lines) if line.strip()), "it says nothing")
                raise BadEnvironment(
                    f"The demonstration does not begin: {words}",
                    subject="flexion demo",
                    remedy="Run it alone: flexion demo --no-browser; or ask flexion doctor.",
                )
            time.sleep(LOOK_S)

    def _end(self) -> None:
        assert self._process is not None
        self._process.send_signal(signal.SIGINT)
        try:
            self._process.wait(END_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


def has_begun(bed: dict[str, Any]) -> bool:
    """Tell whether a bed's session has samples.

    Examples
    --------
    >>> has_begun({"snapshot": {"entries": [{"type": "session"}, {"type": "segment"}]}}), has_begun({})
    (True, False)
    """
    return any(entry["type"] == "segment" for entry in bed.get("snapshot", {}).get("entries", []))


def _asked(url: str) -> dict[str, Any]:
    """Return the JSON at an address; nothing while nobody answers, or only to refuse."""
    try:
        with urllib.request.urlopen(url, timeout=LOOK_S) as answer:
            return dict(json.load(answer))
    except (urllib.error.URLError, OSError):
        return {}


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
