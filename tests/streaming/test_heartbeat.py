"""Signs of life, heard as they come (law 7)."""

from __future__ import annotations

import os

import pytest

from streaming import keys
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
        heard = [await listening.get(5.0), await listening.get(5.0)]
        assert {message.channel for message in heard} == {keys.HEARTBEATS, keys.wave("s")}
        assert await listening.get(0.01) is None
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
