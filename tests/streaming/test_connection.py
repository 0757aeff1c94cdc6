"""Every timeout and retry is ours: a call returns, or says within its time that it could not."""

from __future__ import annotations

import os
import signal
import time

import pytest
from redis.exceptions import ResponseError

from streaming.connection import (
    MAX_BLOCK_S,
    REPLY_S,
    ServerInfo,
    connect,
    connect_async,
    masked,
    server_info,
    translated,
)
from streaming.errors import TransportDown, UnfitServer


def test_a_server_that_is_not_there_is_named(tmp_path):
    """The address and what to do are in the message, at once (law 10)."""
    url = f"unix://{tmp_path}/none.sock"
    with pytest.raises(TransportDown, match=rf"Redis at {url} is out of reach: .*--redis URL") as caught:
        connect(url, "test").ping()
    assert caught.value.exit_code == 4
    with pytest.raises(TransportDown, match=rf"Redis at {url} is out of reach"):
        connect(url, "test").publish_all("channel", [b"one", b"two"])


def test_a_port_that_nobody_listens_on_is_named(free_port):
    """The same over TCP, with the password hidden."""
    with pytest.raises(TransportDown, match=rf"redis://me:\*\*\*@127.0.0.1:{free_port}/0 is out of reach") as caught:
        connect(f"redis://me:secret@127.0.0.1:{free_port}/0", "test").ping()
    assert "secret" not in str(caught.value) + caught.value.subject


@pytest.mark.anyio
async def test_the_same_holds_for_asyncio(tmp_path, server):
    """The asynchronous client fails in the same words, and works the same."""
    with pytest.raises(TransportDown, match="is out of reach"):
        await connect_async(f"unix://{tmp_path}/none.sock", "test").ping()
    async with connect_async(server.url, "test") as client:
        assert await client.ping() is True
        assert (await client.client_getname()) in ("test", b"test")


def test_a_frozen_server_ends_a_call_in_time_and_does_it_once(server, redis):
    """No call waits longer than its time, and none is repeated behind the caller's back.

    What was sent is done when the server wakes: a lost reply is no proof of failure.
    """
    redis.ping()
    os.kill(server.pid, signal.SIGSTOP)
    try:
        begun = time.monotonic()
        with pytest.raises(TransportDown, match="Timeout"):
            redis.xadd("stream", {"a": "b"})
        took_s = time.monotonic() - begun
    finally:
        os.kill(server.pid, signal.SIGCONT)
    assert took_s < 2 * REPLY_S
    assert redis.xlen("stream") == 1


def test_a_blocking_read_outlives_its_block(blocking):
    """A read that blocks for the longest time allowed ends without an error."""
    assert blocking.xread({"nothing": "0"}, block=round(MAX_BLOCK_S * 1000)) in ([], None)


def test_replies_are_bytes_in_the_shapes_of_resp2(server, redis, blocking):
    """The protocol is chosen, not negotiated: shapes are alike on every server."""
    redis.xadd("stream", {"a": b"\xff"}, id="1-1")
    assert redis.xread({"stream": "0"}) == [[b"stream", [(b"1-1", {b"a": b"\xff"})]]]
    assert redis.execute_command("CLIENT", "GETNAME") == b"test"
    assert blocking.get_connection_kwargs()["socket_timeout"] == REPLY_S + MAX_BLOCK_S


def test_a_mistake_of_the_caller_stays_one(redis):
    """Only failures of transport are translated."""
    redis.set("text", "a")
    with pytest.raises(ResponseError, match="WRONGTYPE"):
        redis.xlen("text")


def test_a_server_that_cannot_work_now_is_down(redis):
    """A full disk, a replica, a user without rights: states of the server, told as such."""
    redis.execute_command("ACL", "SETUSER", "reader", "on", ">pw", "~*", "+get")
    with connect(redis.url.replace("unix://", "unix://reader@") + "?password=pw", "poor") as poor:
        assert "pw" not in poor.url
        poor.connection_pool.connection_kwargs["client_name"] = None
        with pytest.raises(TransportDown, match="cannot work now: .*permission"):
            poor.set("a", "b")
    redis.execute_command("ACL", "DELUSER", "reader")
    with pytest.raises(TransportDown, match="MISCONF .* Look at its log"), translated("there"):
        raise ResponseError("MISCONF Errors writing to the AOF file: No space left on device")


def test_an_address_that_is_none_is_refused():
    """A URL that redis-py does not know is refused in our words."""
    with pytest.raises(UnfitServer, match="http://x:1 is no address of Redis: .*Write unix://PATH"):
        connect("http://x:1", "test")
    with pytest.raises(UnfitServer, match="is no address"):
        connect_async("x", "test")


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("redis://:secret@h:1/0", "redis://:***@h:1/0"),
        ("redis://user@h:1/0", "redis://user@h:1/0"),
        ("redis://u:a:b@[::1]:1", "redis://u:***@[::1]:1"),
        ("rediss://u:p%40q@h", "rediss://u:***@h"),
        ("unix:///a b/s?db=1&password=x", "unix:///a b/s?db=1&password=***"),
        ("unix:///s", "unix:///s"),
    ],
)
def test_passwords_are_hidden(url, shown):
    """No message, log or screen shows a password."""
    assert masked(url) == shown


def test_a_server_says_who_it_is(server, redis):
    """Flavour, version, run_id, process and memory come from the server itself."""
    info = server_info(redis)
    assert (info.flavour, info.pid, info.policy, info.evicts) == ("redis", server.pid, "noeviction", False)
    assert info.run_id == redis.info("server")["run_id"]
    assert tuple(int(part) for part in info.version.split(".")[:2]) >= (6, 2)


def test_a_server_that_throws_data_away_is_refused(redis):
    """Eviction would take windows without a word (law 5)."""
    redis.config_set("maxmemory-policy", "allkeys-lru")
    try:
        with pytest.raises(UnfitServer, match="maxmemory-policy allkeys-lru.*CONFIG SET maxmemory-policy noeviction"):
            server_info(redis)
    finally:
        redis.config_set("maxmemory-policy", "noeviction")


@pytest.mark.parametrize(
    ("said", "flavour"),
    [({"redis_version": "6.0.16"}, None), ({"redis_version": "7.2.4", "valkey_version": "8.1.1"}, "valkey")],
)
def test_old_servers_and_valkey_are_told_apart(redis, monkeypatch, said, flavour):
    """Older than 6.2 is refused; Valkey calls itself Redis 7.2 and says who it is beside."""
    info = redis.info()
    monkeypatch.setattr(redis, "info", lambda section: {**info, **said})
    if flavour is None:
        with pytest.raises(UnfitServer, match=r"is version 6.0.16; expected 6.2 or newer"):
            server_info(redis)
    else:
        found: ServerInfo = server_info(redis)
        assert (found.flavour, found.version) == ("valkey", "8.1.1")
