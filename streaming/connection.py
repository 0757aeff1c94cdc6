"""Clients of Redis, with every timeout and retry in one place.

Nothing is retried behind the caller's back: a reply that was lost does not mean that the command was not done, and the
library's own defaults have been seen to block a write for 59 s, report a failure, and leave the entry written. A call
either returns, or raises `TransportDown` within 2 s (a blocking read: 2 s after its block); the caller decides what is
harmless to repeat. Replies are bytes, in the shapes of RESP2, which every server since 6.2 speaks alike.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, cast

import redis
import redis.asyncio
from redis.asyncio.retry import Retry as AsyncRetry
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError as NoConnection
from redis.exceptions import MasterDownError, NoPermissionError, ReadOnlyError, ResponseError
from redis.exceptions import TimeoutError as NoReply
from redis.retry import Retry

from streaming.errors import TransportDown, UnfitServer

#: Seconds to connect, and seconds for the rest of a call; together the 2 s within which a call has ended.
CONNECT_S, REPLY_S = 0.5, 1.5
#: Longest that a blocking read may block; its client waits this much longer for the reply.
MAX_BLOCK_S = 1.0
#: Oldest server whose streams have all that is used here: XAUTOCLAIM, XPENDING IDLE, and IDs of the caller's choice.
OLDEST = (6, 2)
#: First words of replies that say: not now. They are states of the server, not mistakes of a caller.
UNABLE_WORDS = ("MISCONF", "CLUSTERDOWN", "NOREPLICAS", "BUSY ")
#: The same where redis-py has a class for the first word, and takes the word away.
UNABLE = (ReadOnlyError, MasterDownError, NoPermissionError)
#: Where a URL has its password: after the user, or by its name.
_PASSWORDS = re.compile(r"(://[^:/@]*:)[^/]*(?=@)|([?&]password=)[^&]*")
#: The least that Redis's own documentation calls a wide read, for windows of 640 kB: 0.45 ms becomes 0.42 ms, and the
#: 99th percentile 2.4 becomes 0.9 ms.
READ_SIZE = 1 << 20


class Client(redis.Redis):
    """redis-py's client, whose failures of transport are `TransportDown`.

    Parameters
    ----------
    url : str
        Where it leads, password masked.
    """

    url: str = ""

    def execute_command(self, *args: Any, **options: Any) -> Any:
        """Send one command and return its reply.

        Raises
        ------
        TransportDown
            If there is no reply, or the server says that it cannot work now.
        """
        with translated(self.url):
            return cast(Any, super()).execute_command(*args, **options)

    def publish_all(self, channel: str, messages: Iterable[bytes]) -> None:
        """Publish messages in one round trip: one each would cost more than making them.

        Raises
        ------
        TransportDown
            If there is no reply; some may have been sent.
        """
        pipeline = self.pipeline(transaction=False)
        for message in messages:
            pipeline.publish(channel, message)
        with translated(self.url):
            pipeline.execute()


class AsyncClient(redis.asyncio.Redis):
    """The same for asyncio."""

    url: str = ""

    async def execute_command(self, *args: Any, **options: Any) -> Any:
        """Send one command and return its reply; see `Client`."""
        with translated(self.url):
            return await cast(Any, super()).execute_command(*args, **options)


def connect(url: str, name: str, *, blocking: bool = False) -> Client:
    """Return a client; nothing is sent before its first command.

    Parameters
    ----------
    url : str
        ``unix://PATH``, ``redis://HOST:PORT/DB`` or ``rediss://...``.
    name : str
        What the client is called in CLIENT LIST: the role.
    blocking : bool
        Whether its commands may block, up to ``MAX_BLOCK_S``; such a client is for one thread.

    Raises
    ------
    UnfitServer
        If the URL is none of Redis's.
    """
    with _addressed(url):
        client = cast(Client, Client.from_url(url, retry=Retry(NoBackoff(), 0), **_policy(name, blocking)))
    client.url = masked(url)
    return client


def connect_async(url: str, name: str, *, blocking: bool = False) -> AsyncClient:
    """Return a client for asyncio with the same policy; see `connect`."""
    with _addressed(url):
        client = cast(
            AsyncClient, AsyncClient.from_url(url, retry=AsyncRetry(NoBackoff(), 0), **_policy(name, blocking))
        )
    client.url = masked(url)
    return client


def _policy(name: str, blocking: bool) -> dict[str, Any]:
    return {
        "client_name": name,
        "socket_connect_timeout": CONNECT_S,
        "socket_timeout": REPLY_S + (MAX_BLOCK_S if blocking else 0.0),
        "socket_read_size": READ_SIZE,
        "protocol": 2,
        "decode_responses": False,
        "health_check_interval": 0,
    }


def masked(url: str) -> str:
    """Return the URL with its password hidden; safe to show and to log.

    Examples
    --------
    >>> masked("redis://user:secret@ward-1:6379/0")
    'redis://user:***@ward-1:6379/0'
    >>> masked("unix:///run/flexion/redis.sock?password=secret")
    'unix:///run/flexion/redis.sock?password=***'
    """
    return _PASSWORDS.sub(lambda found: f"{found[1] or found[2]}***", url)


@contextmanager
def _addressed(url: str) -> Iterator[None]:
    """Turn what redis-py says of an address that it does not know into words."""
    try:
        yield
    except ValueError as error:
        raise UnfitServer(
            f"{masked(url)} is no address of Redis: {error}.",
            subject=masked(url),
            remedy="Write unix://PATH or redis://HOST:PORT/DB.",
        ) from error


@contextmanager
def translated(url: str) -> Iterator[None]:
    """Turn redis-py's failures of transport inside the block into `TransportDown`."""
    try:
        yield
    except (NoConnection, NoReply) as error:
        raise _down(
            url, f"is out of reach: {str(error).strip('.')}", "Start it, or name the one that runs: --redis URL."
        ) from error
    except ResponseError as error:
        if not isinstance(error, UNABLE) and not str(error).startswith(UNABLE_WORDS):
            raise
        raise _down(url, f"cannot work now: {error}", "Look at its log, its disk and its users.") from error


def _down(url: str, what: str, remedy: str) -> TransportDown:
    return TransportDown(f"Redis at {url} {what}.", subject=url, remedy=remedy)


@dataclass(frozen=True)
class ServerInfo:
    """What a server says of itself.

    Parameters
    ----------
    flavour : str
        ``redis`` or ``valkey``.
    version : str
        Its version.
    run_id : str
        Made anew by every start: another one means that the tail of what it held may be lost.
    pid : int
        Its process, on its own machine.
    policy : str
        ``maxmemory-policy``; anything but ``noeviction`` may throw windows away.
    """

    flavour: str
    version: str
    run_id: str
    pid: int
    policy: str

    @property
    def evicts(self) -> bool:
        """Whether the server may throw away what it holds when memory runs out."""
        return self.policy != "noeviction"


def server_info(client: Client) -> ServerInfo:
    """Ask a server who it is, and refuse one that is too old or that evicts.

    Raises
    ------
    TransportDown
        If it does not answer.
    UnfitServer
        If it is older than 6.2, or throws data away when memory runs out.
    """
    said = client.info("server") | client.info("memory")
    version = str(said.get("valkey_version", said["redis_version"]))
    info = ServerInfo(
        flavour="valkey" if "valkey_version" in said else "redis",
        version=version,
        run_id=str(said["run_id"]),
        pid=int(said["process_id"]),
        policy=str(said["maxmemory_policy"]),
    )
    if tuple(int(part) for part in version.split(".")[:2]) < OLDEST:
        raise _unfit(client, f"is version {version}; expected 6.2 or newer", "Install a newer one.")
    if info.evicts:
        raise _unfit(
            client,
            f"throws data away when memory runs out (maxmemory-policy {info.policy}); expected noeviction",
            "Run: redis-cli CONFIG SET maxmemory-policy noeviction",
        )
    return info


def _unfit(client: Client, what: str, remedy: str) -> UnfitServer:
    return UnfitServer(f"Redis at {client.url} {what}.", subject=client.url, remedy=remedy)
