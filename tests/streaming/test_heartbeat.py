"""Signs of life, heard as they come (law 7)."""

from __future__ import annotations

import asyncio
import os
import signal

import pytest

from streaming import keys, subscription
from streaming.connection import connect, connect_async
from streaming.errors import RecordError, TransportDown
from streaming.heartbeat import Beat, Heartbeat
from streaming.subscription import AsyncSubscription, Subscription

from .makers import fill


def hear(listening):
    """Return the next heartbeat."""
    message = listening.get(5.0)
    assert message is not None
    return Beat.decode(message.data)


def test_a_heartbeat_says_who_and_what(redis, session):
    """Role, name, session, process and what it has to say, counted from its start."""
    listening = Subscription(redis, [keys.HEARTBEATS])
    heart = Heartbeat(redis, "bridge", "bed-4", session=session, clock=lambda: 7.5)
    heart.beat({"state": "live"})
    heart.beat()
    first, second = hear(listening), hear(listening)
    assert (first.role, first.name, first.session, first.pid) == ("bridge", "bed-4", session, os.getpid())
    assert (first.at_monotonic, first.info, first.n) == (7.5, {"state": "live"}, 0)
    assert (second.info, second.n) == ({}, 1)
    listening.close()


def test_heartbeats_go_on_at_maxmemory(redis):
    """Contact is not lost when memory is (law 7)."""
    listening = Subscription(redis, [keys.HEARTBEATS])
    fill(redis)
    Heartbeat(redis, "scorer", "a").beat()
    assert hear(listening).role == "scorer"
    listening.close()


@pytest.mark.anyio
async def test_the_screen_hears_them_too(redis, server):
    """The asynchronous listener hears plain channels and patterns."""
    async with connect_async(server.url, "screen") as client:
        listening = AsyncSubscription(client, [keys.HEARTBEATS, "flexion:{*}:wave"])
        await listening.open()
        Heartbeat(redis, "scorer", "a").beat()
        redis.publish(keys.wave("s"), b"x")
        heard = [await listening.next(), await listening.next()]
        assert {message.channel for message in heard} == {keys.HEARTBEATS, keys.wave("s")}
        await listening.close()


@pytest.mark.anyio
async def test_the_channels_of_the_screen_may_change(redis, server):
    """One connection follows what is watched now; before it is open it only notes what that is."""
    async with connect_async(server.url, "screen") as client:
        listening = AsyncSubscription(client)
        await listening.follow(["a"])
        await listening.open()
        await listening.follow(["a", "b"])
        while not (redis.publish("a", b"1") and redis.publish("b", b"2")):
            pass
        assert {(await listening.next()).channel for _ in range(2)} == {"a", "b"}
        await listening.follow(["b"])
        while redis.publish("a", b"3"):
            pass
        await listening.close()


@pytest.mark.anyio
async def test_a_silent_connection_is_asked_whether_it_lives(redis, server, monkeypatch):
    """Silence alone is no failure: many an evening nobody publishes anything."""
    monkeypatch.setattr(subscription, "SILENT_S", 0.02)
    async with connect_async(server.url, "screen") as client:
        listening = AsyncSubscription(client, ["a"])
        await listening.open()
        heard = asyncio.create_task(listening.next())
        await asyncio.sleep(0.1)
        while not redis.publish("a", b"1"):
            pass
        assert (await heard).data == b"1"
        await listening.close()


@pytest.mark.anyio
async def test_a_connection_that_does_not_answer_is_down(redis, server, monkeypatch):
    """A server that is stopped, or a line that was cut unseen, is found out without a message; then it goes on."""
    monkeypatch.setattr(subscription, "SILENT_S", 0.02)
    monkeypatch.setattr(subscription, "REPLY_S", 0.1)
    async with connect_async(server.url, "screen") as client:
        listening = AsyncSubscription(client, ["a"])
        await listening.open()
        os.kill(server.pid, signal.SIGSTOP)
        try:
            with pytest.raises(TransportDown):
                await listening.next()
        finally:
            os.kill(server.pid, signal.SIGCONT)
        await listening.open()
        while not redis.publish("a", b"1"):
            pass
        assert (await listening.next()).data == b"1"
        await listening.close()


@pytest.mark.anyio
async def test_a_connection_that_broke_is_opened_again(redis, server):
    """It listens as before."""
    async with connect_async(server.url, "screen") as client:
        listening = AsyncSubscription(client, ["a"])
        await listening.open()
        redis.client_kill_filter(_type="pubsub")
        with pytest.raises(TransportDown):
            await listening.next()
        await listening.open()
        while not redis.publish("a", b"1"):
            pass
        assert (await listening.next()).channel == "a"
        await listening.close()


@pytest.mark.anyio
async def test_a_change_while_a_connection_is_opened_again_is_not_sent_on_the_old_one(redis, server, monkeypatch):
    """It is listened to as soon as the new one stands."""
    async with connect_async(server.url, "screen") as client:
        listening = AsyncSubscription(client, ["a"])
        await listening.open()
        connect_again, sent = listening._connection.connect, []

        async def connecting() -> None:
            monkeypatch.setattr(listening, "_send", lambda *command: sent.append(command))
            await listening.follow(["b"])
            monkeypatch.undo()
            await connect_again()

        monkeypatch.setattr(listening._connection, "connect", connecting)
        await listening.open()
        assert sent == []
        while not redis.publish("b", b"1"):
            pass
        assert (await listening.next()).channel == "b"
        await listening.close()


def test_listening_goes_on_after_a_break(redis, server):
    """A connection that broke is opened again, and listens as before."""
    listening = Subscription(redis, [keys.HEARTBEATS])
    redis.client_kill_filter(_type="pubsub")
    with pytest.raises(TransportDown):
        listening.get(5.0)
    assert listening.get(0.05) is None
    Heartbeat(redis, "scorer", "a").beat()
    assert hear(listening).role == "scorer"
    listening.close()


@pytest.mark.parametrize("message", [b"", b"[]", b"{}", b"\xff"])
def test_a_message_that_is_no_heartbeat_is_refused(message):
    """What others publish there is not believed (law 10)."""
    with pytest.raises(RecordError, match="is no heartbeat"):
        Beat.decode(message)


def test_listening_to_nothing_is_named(tmp_path):
    """A listener says that there is no server, as every client does."""
    with pytest.raises(TransportDown, match="is out of reach"):
        Subscription(connect(f"unix://{tmp_path}/none.sock", "test"), [keys.HEARTBEATS])
