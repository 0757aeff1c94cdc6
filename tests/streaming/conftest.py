"""Real servers for the backbone's tests: the system's and the oldest that is supported, one of each per module."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from streaming.connection import Client, connect
from streaming.publisher import Publisher
from streaming.server import PrivateServer

from .makers import SESSION, run_server


@pytest.fixture(scope="module", params=["system", "bundled"])
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[PrivateServer]:
    """Run a server for the module."""
    with run_server(tmp_path_factory.mktemp("redis"), request.param) as server:
        yield server


@pytest.fixture
def redis(server: PrivateServer) -> Iterator[Client]:
    """Return a client of an empty server."""
    with connect(server.url, "test") as client:
        client.flushall()
        client.config_set("maxmemory", 1 << 30)
        yield client


@pytest.fixture
def blocking(server: PrivateServer) -> Iterator[Client]:
    """Return a client that may block."""
    with connect(server.url, "test-blocking", blocking=True) as client:
        yield client


@pytest.fixture
def anyio_backend() -> str:
    """Return the loop that the dashboard runs on."""
    return "asyncio"


@pytest.fixture
def session() -> str:
    """Return a session identifier."""
    return SESSION


@pytest.fixture
def publisher(redis: Client, session: str) -> Publisher:
    """Return an open publisher of term 1."""
    publisher = Publisher(redis, session, 1)
    publisher.open()
    return publisher
