"""What every test may ask for: the shared recordings, a real Redis of its own, a free port.

A missing server, browser or recording skips on a laptop and fails in CI (``CI=true``), so that nothing is left out
unseen there.
"""

from __future__ import annotations

import gc
import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections import Counter
from collections.abc import Generator, Iterator
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import NoReturn

import pytest
from hypothesis import settings

from tests.lsl import offers_streams, write_settings

#: Where the public recordings lie: beside the repository, or where the variable says.
SHARED_DATA = Path(os.environ.get("SHARED_DATA", Path(__file__).parents[2] / "shared" / "data"))
#: Offers streams, but tests the words of a refusal: minutes of starting commands, and nothing of LSL in motion.
WORDS_ONLY = "test_refusals.py"
#: A Redis on a local disk answers in tens of milliseconds; seconds mean that it will not come.
REDIS_START_S = 10.0

# torch's threads wait for one another awake: where several workers share the cores, they burned most of the time. It
# reads this when it is imported, which is later; what trains has one thread by itself.
os.environ.setdefault("OMP_NUM_THREADS", "1")
# How long an example takes says something of the machine alone.
settings.register_profile("flexion", deadline=None)
settings.load_profile("flexion")


@pytest.hookimpl(wrapper=True)
def pytest_collection(session: pytest.Session) -> Generator[None, object, object]:
    """Look for no garbage while the tests are collected, and never again among what they are made of.

    Modules and tests are a million objects that stay; to look through them again and again took two fifths of the time.
    """
    gc.disable()
    try:
        _import_own_share(session.config)
        return (yield)
    finally:
        gc.enable()
        gc.freeze()


def _import_own_share(config: pytest.Config) -> None:
    """Import every n-th file first, another one in each of n workers, where they collect all tests.

    In a fresh clone their assertions are to be rewritten, and kept for the next who imports them. In one order and at
    one pace each worker would rewrite every file.
    """
    worker, tests = os.environ.get("PYTEST_XDIST_WORKER"), Path(__file__).parent
    if worker is None or [Path(name).resolve() for name in config.args] != [tests]:
        return
    n_workers = int(os.environ["PYTEST_XDIST_WORKER_COUNT"])
    for path in sorted(tests.rglob("test_*.py"))[int(worker.removeprefix("gw")) :: n_workers]:
        with suppress(Exception, pytest.skip.Exception):  # whatever is wrong with it is said where it is collected
            import_module(".".join(path.relative_to(tests.parent).with_suffix("").parts))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark every test that hears real LSL streams; the files with the most slow tests come first.

    Workers take whole files: a long one that is begun last keeps all but one of them waiting.
    """
    for item in items:
        if isinstance(item, pytest.Function) and offers_streams(item) and item.path.name != WORDS_ONLY:
            item.add_marker("loopback")
    slow = Counter(item.path for item in items if item.get_closest_marker("slow"))
    items.sort(key=lambda item: -slow[item.path])


def lacking(what: str) -> NoReturn:
    """Skip the test that lacks something of this machine; fail it in CI."""
    if os.environ.get("CI") == "true":
        pytest.fail(f"CI lacks {what}")
    pytest.skip(f"this machine lacks {what}")


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Return the folder of the public recordings, read-only, never copied into the repository."""
    if not SHARED_DATA.is_dir():
        # Absent even in CI for whoever has only the repository: those tests prove more, they are not the floor.
        pytest.skip(f"no shared recordings at {SHARED_DATA}; SHARED_DATA names them")
    return SHARED_DATA


@pytest.fixture(scope="session", autouse=True)
def lsl_alone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Keep LSL on this machine and in a session of its own, in this process and its children.

    Streams of other test runs, and of the ward, are neither found nor offered to; liblsl reads this at its first use.
    """
    path = write_settings(tmp_path_factory.mktemp("lsl") / "lsl_api.cfg")
    before = os.environ.get("LSLAPICFG")
    os.environ["LSLAPICFG"] = str(path)
    yield path
    os.environ.pop("LSLAPICFG")
    if before is not None:
        os.environ["LSLAPICFG"] = before


@pytest.fixture(scope="session")
def redis_server() -> Iterator[str]:
    """Return the URL of a real Redis on a unix socket, alone for this run; its test empties it by `redis_url`."""
    binary = shutil.which("redis-server") or shutil.which("valkey-server")
    if binary is None:
        lacking("redis-server (or valkey-server) on PATH")
    with tempfile.TemporaryDirectory(prefix="flexion-redis-") as folder:
        socket_path = Path(folder, "redis.sock")
        options = ["--port", "0", "--unixsocket", str(socket_path), "--dir", folder, "--save", ""]
        server = subprocess.Popen([binary, *options], stdout=subprocess.DEVNULL)
        try:
            _await_socket(socket_path, server)
            yield f"unix://{socket_path}"
        finally:
            server.terminate()
            server.wait(REDIS_START_S)


@pytest.fixture
def redis_url(redis_server: str) -> str:
    """Return the URL of an empty Redis."""
    from redis import Redis

    with Redis.from_url(redis_server) as client:
        client.flushall()
    return redis_server


@pytest.fixture
def free_port() -> int:
    """Return a loopback TCP port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


@pytest.fixture(scope="session")
def chromium() -> str:
    """Return the path of a Chromium that browser tests drive."""
    found = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if found is None:
        lacking("chromium on PATH")
    return found


def _await_socket(path: Path, server: subprocess.Popen[bytes]) -> None:
    from redis import Redis
    from redis.exceptions import ConnectionError as NoConnection

    deadline = time.monotonic() + REDIS_START_S
    while time.monotonic() < deadline and server.poll() is None:
        try:
            Redis(unix_socket_path=str(path)).ping()
            return
        except NoConnection:
            time.sleep(0.01)
    raise RuntimeError(f"redis-server did not answer on {path} within {REDIS_START_S:.0f} s")
