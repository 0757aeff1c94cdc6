"""What the end-to-end tests share: the real command, run with the bundles that ship."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.conformance.commanding import FLEXION, Running

Start = Callable[..., Running]


@pytest.fixture(scope="module")
def start() -> Iterator[Start]:
    """Return a function that starts ``flexion`` in a folder; what still runs at the module's end is ended."""
    running: list[Running] = []

    def starter(folder: Path, *arguments: str, **variables: str) -> Running:
        settings = {"FLEXION_DATA_DIR": str(folder / "data"), **variables}
        running.append(Running(folder, [FLEXION, *arguments], **settings))
        return running[-1]

    yield starter
    for command in running:
        command.kill()


@pytest.fixture(scope="session")
def free_ports() -> Callable[[], int]:
    """Return a function that names a loopback TCP port on which nobody listens."""

    def port() -> int:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            number: int = probe.getsockname()[1]
        return number

    return port
