"""``flexion`` as people run it: processes with a time limit, what they write, and whether any is left behind."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

#: The command as it is installed beside this interpreter.
FLEXION = str(Path(sys.executable).with_name("flexion"))
#: Seconds after which a command that should have ended hangs; the machine may be busy with other work.
LIMIT_S = 120.0
#: Seconds between looks at what no event tells of.
LOOK_S = 0.05
#: Variable by which every process of one command is known, whoever started it.
MARK = "STARTED_BY_TEST"


@dataclass(frozen=True)
class Done:
    """A command that has ended."""

    code: int
    stdout: str
    stderr: str

    @property
    def object(self) -> dict[str, Any]:
        """The one JSON object that ``--json`` has on stdout."""
        value = json.loads(self.stdout)
        assert isinstance(value, dict), self.stdout
        return value

    @property
    def result(self) -> dict[str, Any]:
        """The result object of a run that ended well."""
        assert self.code == 0, (self.code, self.stdout, self.stderr)
        return self.object


class Running:
    """A command that runs.

    Parameters
    ----------
    folder : Path
        Its working directory; its words are kept there.
    command : sequence of str
        Program and arguments.
    variables : str
        Environment beside the tests' own; an empty one is left out.
    """

    def __init__(self, folder: Path, command: Sequence[str], **variables: str) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.command = " ".join(command)
        self.mark = uuid.uuid4().hex
        self._words = {name: folder / f"{self.mark}.{name}" for name in ("stdout", "stderr")}
        with self._words["stdout"].open("wb") as stdout, self._words["stderr"].open("wb") as stderr:
            environment = {**clean_environment(), **variables, MARK: self.mark}
            self.process = subprocess.Popen(command, stdout=stdout, stderr=stderr, cwd=folder, env=environment)

    def children(self) -> Iterator[int]:
        """Yield every process that the command has started and that lives, but not itself."""
        sign = f"{MARK}={self.mark}".encode()
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit() and int(entry.name) != self.process.pid and sign in _environment_of(entry):
                yield int(entry.name)

    def finish(self, limit_s: float = LIMIT_S) -> Done:
        """Wait for its end; what hangs, or leaves a process behind, fails the test."""
        try:
            code = self.process.wait(limit_s)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(f"{self.command} did not end within {limit_s:g} s: {self.said()}") from None
        left = {pid: _command_of(pid) for pid in self.children()}
        self.kill()
        assert not left, f"{self.command} left {left} behind"
        return Done(code, self.said("stdout"), self.said())

    def kill(self) -> None:
        """End it and every process that it started."""
        for pid in (self.process.pid, *self.children()):
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
        self.process.wait()

    def said(self, name: str = "stderr") -> str:
        """Return what it has written so far."""
        return self._words[name].read_text("utf-8")


def await_that(true: Callable[[], bool], command: Running) -> None:
    """Wait until something is true that no event tells of, as long as the command runs."""
    deadline = time.monotonic() + LIMIT_S
    while not true():
        said = f"{command.command} ended: {command.said()}" if command.process.poll() is not None else "it never came"
        assert command.process.poll() is None and time.monotonic() < deadline, said
        time.sleep(LOOK_S)


def clean_environment() -> dict[str, str]:
    """Return this process's variables without the settings of whoever runs the tests."""
    return {k: v for k, v in os.environ.items() if not k.startswith("FLEXION_") and k != "REDIS_URL"}


def _environment_of(process: Path) -> bytes:
    try:
        return (process / "environ").read_bytes()
    except (FileNotFoundError, ProcessLookupError, PermissionError):  # it has just ended, or is somebody else's
        return b""


def _command_of(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()
    except (FileNotFoundError, ProcessLookupError):
        return "a process that has just ended"
