"""One session's two streams, read from a real Redis."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from redis.exceptions import ResponseError

from dashboard import feed as feed_module
from dashboard.cursor import START, Cursor
from dashboard.feed import Feed
from streaming import keys
from streaming.connection import connect_async
from tests.dashboard.conftest import Teller


def with_feed(url: str, teller: Teller, scenario: Callable[[Feed], Awaitable[None]]) -> None:
    """Run a scenario with a feed of the teller's session."""

    async def life() -> None:
        feed = Feed(connect_async(url, "test", blocking=True), teller.session, teller.bed)
        try:
            await scenario(feed)
        finally:
            await feed.close()

    asyncio.run(life())


def bodies(frames: list[bytes]) -> list[dict[str, Any]]:
    """Return the messages of server-sent events."""
    return [json.loads(frame.decode().split("data: ")[1]) for frame in frames]


def test_both_streams_are_read_and_results_lose_what_no_screen_shows(redis_url: str, teller: Teller) -> None:
    """One feed brings events and results, each under its own place."""

    async def scenario(feed: Feed) -> None:
        teller.window(0)
        teller.result(0)
        await feed.load()
        assert feed.record.count("window") == feed.record.count("result") == 1
        shown = feed.record.entries()[-1]
        assert shown["type"] == "result"
        assert "embedding" not in shown["data"]

    with_feed(redis_url, teller, scenario)


def test_a_viewer_that_comes_back_gets_exactly_what_it_lacks(redis_url: str, teller: Teller) -> None:
    """Last-Event-ID: lossless, and nothing twice, though two streams have no common order (law 7)."""

    async def scenario(feed: Feed) -> None:
        teller.window(0)
        await feed.load()
        place = feed.cursor
        teller.result(0)
        teller.window(1)
        await feed.load()
        lacking = feed.since(place)
        assert lacking is not None
        assert sorted(m["type"] for m in bodies(lacking)) == ["result", "window"]
        assert feed.since(feed.cursor) == []

    with_feed(redis_url, teller, scenario)


def test_a_place_that_is_not_known_needs_a_snapshot(
    redis_url: str, teller: Teller, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of another session, ahead of the stream, or long ago: then the whole is told anew."""
    monkeypatch.setattr(feed_module, "MESSAGES_KEPT", 2)

    async def scenario(feed: Feed) -> None:
        await feed.load()
        early = feed.cursor
        for index in range(5):
            teller.window(index)
        await feed.load()
        assert feed.since(None) is None
        assert feed.since(Cursor("OTHER")) is None
        assert feed.since(early) is None
        assert feed.since(feed.cursor.moved("events", (1 << 60, 0))) is None

    with_feed(redis_url, teller, scenario)


def test_an_entry_that_cannot_be_read_becomes_a_notice(redis_url: str, teller: Teller) -> None:
    """Bad input is seen, and holds up nothing after it (law 10)."""

    async def scenario(feed: Feed) -> None:
        teller.redis.xadd(keys.results(teller.session), {"h": "{}"})
        for type, data in (("window", "{}"), ("source", "[1]")):
            teller.redis.xadd(keys.events(teller.session), {"type": type, "data": data})
        teller.result(1)
        await feed.load()
        notices = [e["data"]["text"] for e in feed.record.entries() if e["type"] == "notice"]
        told = " ".join(notices)
        assert "schema" in told and "a window that is none" in told and "a source that is none" in told
        assert len(notices) == 3
        assert feed.record.count("result") == 1

    with_feed(redis_url, teller, scenario)


def test_a_notice_is_nobody_s_sign_of_life(redis_url: str, teller: Teller) -> None:
    """Each role may notice something: a bridge that fell silent looks no younger for what others say (law 7)."""
    teller.tell("source", {"state": "LIVE"})
    teller.window(0)
    teller.result(0)

    async def scenario(feed: Feed) -> None:
        await feed.load()
        did = dict(feed.progress.seen_s)
        teller.tell("notice", {"level": "warning", "text": "The engine has changed."})
        await feed.load()
        assert (did, {*did}) == (feed.progress.seen_s, {"bridge", "scorer"})

    with_feed(redis_url, teller, scenario)


def test_a_wiped_redis_is_read_from_its_new_beginning(redis_url: str, teller: Teller) -> None:
    """What is told again after a wipe is heard, is no progress, and no viewer resumes over it."""

    async def scenario(feed: Feed) -> None:
        stored = keys.events(teller.session)
        teller.redis.xadd(stored, {"type": "window", "data": json.dumps({"index": 0})}, id=f"{1 << 44}-0")
        teller.result(0)
        await feed.load()
        place, since_s = feed.cursor, feed.progress.since_s
        teller.redis.flushall()
        await feed.read(0.0)
        teller.window(0)
        teller.window(1)
        teller.result(0)
        await feed.load()
        assert feed.record.count("window") == 2
        assert feed.progress.since_s == since_s
        assert feed.since(place) is None

    with_feed(redis_url, teller, scenario)


def test_a_server_that_cannot_say_where_a_stream_ends_is_not_taken_for_wiped() -> None:
    """Only a stream that is not there begins anew; any other word is a failure."""
    assert feed_module._end(ResponseError("no such key")) == START
    with pytest.raises(ResponseError, match="WRONGTYPE"):
        feed_module._end(ResponseError("WRONGTYPE Operation against a key holding the wrong kind of value"))
