"""The engines that ``flexion bench engines`` measures: each a process, each with its own Python if it needs one."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from acquisition.errors import BadEnvironment, BadInput
from inference.engines.registry import check_name

#: Where these sources lie; another environment finds them by it.
ROOT = Path(__file__).parents[2]
#: What a busy neighbour does: matrix products on one thread, which take the caches too.
BUSY = "import numpy\nx = numpy.ones((256, 256), 'float32')\nwhile True: x @ x"
ONE_THREAD = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}


@dataclass(frozen=True)
class Peer:
    """An engine and the Python that runs it."""

    name: str
    python: str = sys.executable

    @classmethod
    def parse(cls, text: str) -> Peer:
        """Return the peer of ``NAME=PYTHON``.

        Raises
        ------
        BadInput
            If it is not of that form, names no engine, or the Python is not there.
        """
        name, _, python = text.partition("=")
        if not python:
            raise BadInput(f"--peer {text} has no Python.", subject=text, remedy="Give it as NAME=PYTHON.")
        check_name(name)
        if not os.access(python, os.X_OK):
            raise BadInput(f"--peer {text}: {python} cannot be run.", subject=text, remedy="Name a Python.")
        return cls(name, python)


class Unable(Exception):
    """An engine cannot do what was asked, in its own words."""


class EngineProcess:
    """A running engine; see :mod:`deploy.bench.engine_process`.

    Raises
    ------
    Unable
        If its backend is not there.
    """

    def __init__(self, peer: Peer) -> None:
        command = [peer.python, "-m", "deploy.bench.engine_process", peer.name]
        environ = {**os.environ, "PYTHONPATH": str(ROOT)}
        self._peer = peer
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT, env=environ
        )
        try:
            self.python = str(self._answer()["python"])
        except Unable:
            self.__exit__(None, None, None)
            raise

    def ask(self, do: str, **values: Any) -> dict[str, Any]:
        """Have an order done.

        Raises
        ------
        Unable
            If the engine refuses.
        BadEnvironment
            If its process died.
        """
        assert self._process.stdin is not None
        try:
            print(json.dumps({"do": do, **values}), file=self._process.stdin, flush=True)
        except BrokenPipeError:
            raise self._death() from None
        return self._answer()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        # Its pipes are closed, not read to their end: a process that it left behind may hold them. An order that it
        # never read cannot be written any more.
        with suppress(BrokenPipeError), self._process:
            self._process.kill()

    def _answer(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise self._death()
        found: dict[str, Any] = json.loads(line)
        if "error" in found:
            raise Unable(found["error"])
        return found

    def _death(self) -> BadEnvironment:
        return BadEnvironment(
            f"The process of {self._peer.name} died ({self._peer.python}).",
            subject=self._peer.name,
            remedy="Its last words are above; that environment needs numpy and the engine's library.",
        )


@contextmanager
def started(peers: Sequence[Peer]) -> Iterator[tuple[dict[str, EngineProcess], dict[str, str]]]:
    """Yield the peers that run, and why the others do not, by their names."""
    running: dict[str, EngineProcess] = {}
    absent: dict[str, str] = {}
    with ExitStack() as stack:
        for peer in peers:
            try:
                running[peer.name] = stack.enter_context(EngineProcess(peer))
            except Unable as why:
                absent[peer.name] = str(why)
        yield running, absent


@contextmanager
def neighbours(n: int) -> Iterator[None]:
    """Keep n processes busy inside the block."""
    busy = [subprocess.Popen([sys.executable, "-c", BUSY], env={**os.environ, **ONE_THREAD}) for _ in range(n)]
    try:
        yield
    finally:
        for process in busy:
            process.kill()
            process.wait()
