"""Listening to what is published without being stored: heartbeats and waves; what was sent before is gone."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any, NamedTuple, cast

from redis import Redis
from redis.asyncio import Redis as AsyncRedis

from streaming.connection import REPLY_S, AsyncClient, Client, translated


class Message(NamedTuple):
    """What came, and on which channel."""

    channel: str
    data: bytes


class Subscription:
    """Listen to channels; a broken connection is opened again by the next `get`.

    Parameters
    ----------
    redis : Redis
        Any client; a connection of its own is opened.
    channels : sequence of str
        Names of channels; one with a ``*`` is a pattern.
    """

    def __init__(self, redis: Redis, channels: Sequence[str]) -> None:
        self._url = redis.url if isinstance(redis, Client) else ""
        self._pubsub = cast(Any, redis).pubsub(ignore_subscribe_messages=True)
        with translated(self._url):
            for channel in channels:
                (self._pubsub.psubscribe if "*" in channel else self._pubsub.subscribe)(channel)
                self._pubsub.get_message(timeout=REPLY_S)  # the server's word that it listens for us

    def get(self, timeout_s: float) -> Message | None:
        """Return the next message, or None if none comes in time.

        Raises
        ------
        TransportDown
            If Redis cannot be reached; messages of that time are lost.
        """
        end = time.monotonic() + timeout_s
        with translated(self._url):
            # A connection that was opened again hears that it listens, which is no message.
            while (message := self._pubsub.get_message(timeout=max(0.0, end - time.monotonic()))) is None:
                if time.monotonic() >= end:
                    return None
        return _message(message)

    def close(self) -> None:
        """Stop listening."""
        self._pubsub.close()


class AsyncSubscription:
    """The same for asyncio; `open` it first."""

    def __init__(self, redis: AsyncRedis, channels: Sequence[str]) -> None:
        self._url = redis.url if isinstance(redis, AsyncClient) else ""
        self._pubsub = cast(Any, redis).pubsub(ignore_subscribe_messages=True)
        self._channels = channels

    async def open(self) -> None:
        """Begin to listen."""
        with translated(self._url):
            for channel in self._channels:
                await (self._pubsub.psubscribe if "*" in channel else self._pubsub.subscribe)(channel)
                await self._pubsub.get_message(timeout=REPLY_S)

    async def get(self, timeout_s: float) -> Message | None:
        """Return the next message, or None if none comes in time; see `Subscription.get`."""
        end = time.monotonic() + timeout_s
        with translated(self._url):
            while (message := await self._pubsub.get_message(timeout=max(0.0, end - time.monotonic()))) is None:
                if time.monotonic() >= end:
                    return None
        return _message(message)

    async def close(self) -> None:
        """Stop listening."""
        await self._pubsub.aclose()


def _message(message: dict[str, Any]) -> Message:
    return Message(message["channel"].decode(), message["data"])
