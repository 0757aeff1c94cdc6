"""Which Redis runs, and that a private one comes back."""

from __future__ import annotations

import os
import signal

import pytest
import structlog

from deploy.redis_choice import ASK_S, PATIENCE_S, RETRY_S, ChosenRedis
from streaming.connection import connect
from streaming.errors import ServerFailed, TransportDown


@pytest.fixture
def choose(clock):
    """Return a function that makes a choice, closed with the test."""
    made = []

    def make(url=None, folder=None):
        log = structlog.get_logger()
        made.append(ChosenRedis(url, folder, allow_bundled=True, log=log, monotonic_s=clock.monotonic_s))
        return made[-1]

    yield make
    for chosen in made:
        chosen.close()


def test_a_named_redis_is_used_and_left_alone(choose, redis_url):
    """The start line says which one it is; it outlives us."""
    chosen = choose(redis_url)
    chosen.open()
    assert chosen.url == redis_url
    assert redis_url in chosen.words
    chosen.look()
    chosen.close()
    assert connect(redis_url, "test").ping()


def test_a_named_redis_that_is_away_is_refused(choose, tmp_path):
    """Before anything else is started."""
    with pytest.raises(TransportDown, match="redis.sock"):
        choose(f"unix://{tmp_path}/redis.sock").open()


def test_a_private_redis_that_dies_comes_back(choose, clock):
    """At the same address, so that nobody needs to be told."""
    chosen = choose()
    chosen.open()
    url = chosen.url
    assert chosen.words.startswith("private ")
    os.kill(chosen._server.pid, signal.SIGKILL)
    chosen._server._process.wait()
    chosen.look()
    assert chosen.url == url
    assert connect(url, "test").ping()


def test_a_private_redis_that_cannot_start_is_tried_again(choose, clock, monkeypatch):
    """Not in every look: it would keep the supervisor from its children."""
    chosen = choose()
    chosen.open()
    tries = []

    def fail():
        tries.append(clock.now_s)
        raise ServerFailed("no", subject="x")

    chosen._server.stop()
    monkeypatch.setattr(chosen._server, "start", fail)
    for _ in range(4):
        chosen.look()
        clock.sleep(RETRY_S / 2)
    assert len(tries) == 2


def test_a_private_redis_on_a_full_disk_goes_on_without_its_log(choose, clock, monkeypatch):
    """It is asked once a second; one that does not answer is left alone for longer."""
    chosen = choose()
    chosen.open()
    asked = []

    def full():
        asked.append(clock.now_s)
        if len(asked) == 2:
            raise TransportDown("frozen", subject="x")
        return True

    monkeypatch.setattr(chosen._server, "spare_disk", full)
    begun_s = clock.now_s
    for _ in range(40):
        chosen.look()
        clock.sleep(ASK_S / 2)
    assert [now_s - begun_s for now_s in asked[:4]] == [0, ASK_S, ASK_S + PATIENCE_S, 2 * ASK_S + PATIENCE_S]


def test_a_private_redis_of_one_run_leaves_nothing(choose):
    """Its folder goes with it; one that lasts keeps its folder."""
    chosen = choose()
    chosen.open()
    folder = chosen._temporary
    assert os.path.isdir(folder)
    chosen.close()
    assert not os.path.exists(folder)


def test_a_lasting_redis_keeps_its_folder(choose, tmp_path):
    """What it held is found again after a crash."""
    chosen = choose(folder=tmp_path / "redis")
    chosen.open()
    chosen.close()
    assert (tmp_path / "redis").is_dir()
