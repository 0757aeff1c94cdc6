"""Listening to what is published without being stored: heartbeats and waves; what was sent before is gone."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple, cast

from redis import Redis
from redis.asyncio import Redis as AsyncRedis
from redis.exceptions import TimeoutError as NoReply

from streaming.connection import REPLY_S, AsyncClient, Client, translated

#: Seconds without a message after which a connection is asked whether it lives: a line may be cut unseen.
SILENT_S = 5.0


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
    """The same for asyncio, on one connection for channels that may change; `open` it first, and after a failure.

    redis-py's own looks at the clock, the connection and its handlers for each message; of the waves of a ward there
    are more than a thousand a second, and here those that came together are read together.
    """

    def __init__(self, redis: AsyncRedis, channels: Iterable[str] = ()) -> None:
        self._url = redis.url if isinstance(redis, AsyncClient) else ""
        self._connection = cast(Any, redis).connection_pool.make_connection()
        self._channels = set(channels)
        self._open = False
        self._asked = False

    async def open(self) -> None:
        """Begin to listen.

        Raises
        ------
        TransportDown
            If Redis cannot be reached.
        """
        self._open = False  # until it stands, `follow` notes what to listen to and sends nothing
        with translated(self._url):
            await self._connection.disconnect()
            await self._connection.connect()
            self._open, self._asked = True, False
            await self._send("SUBSCRIBE", [name for name in self._channels if "*" not in name])
            await self._send("PSUBSCRIBE", [name for name in self._channels if "*" in name])

    async def follow(self, channels: Iterable[str]) -> None:
        """Listen to these channels, none of them a pattern, and to no other.

        Raises
        ------
        TransportDown
            If Redis cannot be reached; the next `open` listens to them.
        """
        before, self._channels = self._channels, set(channels)
        if self._open:
            with translated(self._url):
                await self._send("SUBSCRIBE", self._channels - before)
                await self._send("UNSUBSCRIBE", before - self._channels)

    async def next(self) -> Message:
        """Return the next message, however long it takes; one that is silent for long is asked whether it lives.

        Raises
        ------
        TransportDown
            If Redis cannot be reached; messages of that time are lost.
        """
        with translated(self._url):
            while True:
                reply = await self._reply()
                if reply[0] == b"message":
                    return Message(reply[1].decode(), reply[2])
                if reply[0] == b"pmessage":
                    return Message(reply[2].decode(), reply[3])

    async def close(self) -> None:
        """Stop listening."""
        self._open = False
        await self._connection.disconnect(nowait=True)

    async def _reply(self) -> list[Any]:
        try:
            async with asyncio.timeout(REPLY_S if self._asked else SILENT_S):
                reply = await self._connection.read_response(True, timeout=math.inf, disconnect_on_error=False)
        except TimeoutError as error:
            if self._asked:
                raise NoReply("it does not answer") from error
            self._asked = True
            await self._send("PING", [""])
            return [b"silent"]
        self._asked = False
        return cast(list[Any], reply)

    async def _send(self, command: str, names: Iterable[str]) -> None:
        if words := sorted(names):
            await self._connection.send_command(command, *words)


def _message(message: dict[str, Any]) -> Message:
    return Message(message["channel"].decode(), message["data"])
