"""Asking a Flexion that runs: a command through its Redis, and its answer."""

from __future__ import annotations

import getpass
import time
from collections.abc import Mapping
from contextlib import closing
from typing import TYPE_CHECKING, Any

from acquisition.errors import BadInput
from deploy.errors import NotServed, WrongUse

if TYPE_CHECKING:
    from deploy.settings import Settings
    from streaming.connection import Client


#: Seconds in which whoever answers is heard: five heartbeats.
LIFE_S = 5.0
#: Exit codes of what is refused and is no bad input, by its kind.
CODES = {NotServed.kind: NotServed.exit_code, WrongUse.kind: WrongUse.exit_code}


class Refused(BadInput):
    """Whoever runs refused what was asked, in its own words and with its own exit code."""

    def __init__(self, refusal: Mapping[str, str]) -> None:
        super().__init__(refusal["message"], subject=refusal["subject"], remedy=refusal["remedy"])
        self.kind = refusal["kind"]
        self.exit_code = CODES.get(self.kind, BadInput.exit_code)


def ask(settings: Settings, name: str, args: Mapping[str, Any], timeout_s: float) -> dict[str, Any]:
    """Send a command and return what its answer gives.

    Raises
    ------
    WrongUse
        If no Redis is named, and none is private to a run on the data folder.
    NoAnswer
        If nobody is heard who would answer, or nobody answers in time.
    Refused
        If it is refused.
    """
    from streaming.connection import connect
    from streaming.control import Control

    with connect(settings.redis_url or _private(settings), "ask", blocking=True) as redis:
        _require_somebody(redis, name)
        reply = Control(redis).send(name, args, getpass.getuser(), timeout_s)
    if reply.error is not None:
        raise Refused(reply.error)
    return dict(reply.data)


def _require_somebody(redis: Client, name: str) -> None:
    """Refuse to wait where nobody is who answers such a command: whoever does says so once a second.

    Raises
    ------
    NoAnswer
        If nobody is heard who does.
    """
    from deploy.ear import ANSWERS, SUPERVISOR, beat_of
    from streaming import keys
    from streaming.connection import masked
    from streaming.errors import NoAnswer
    from streaming.subscription import Subscription

    others, until_s = set(), time.monotonic() + LIFE_S
    with closing(Subscription(redis, [keys.HEARTBEATS])) as beats:
        while (left_s := until_s - time.monotonic()) > 0:
            message = beats.get(left_s)
            beat = None if message is None else beat_of(message.data)
            if beat is not None and beat.role == SUPERVISOR and name in _listed(beat.info.get(ANSWERS)):
                return
            others |= {beat.role} if beat is not None else set()
    there = f"; there is only {', '.join(sorted(others))}" if others else ""
    raise NoAnswer(
        f"No flexion live that answers {name!r} runs on {masked(redis.url)}: none was heard for {LIFE_S:g} s{there}.",
        subject=name,
        remedy="Begin flexion live there, or name the Redis of the one that runs: --redis URL, or its folder: --data "
        "DIR.",
    )


def _private(settings: Settings) -> str:
    """Return the address of the private Redis that a flexion live with the same data folder has."""
    from streaming.server import SOCKET

    socket = settings.data_dir / "redis" / SOCKET
    if not socket.is_socket():
        raise WrongUse(
            f"No flexion live runs on {settings.data_dir}, and no Redis is named.",
            subject="--redis",
            remedy="Name the one of flexion live: --redis URL, REDIS_URL, or flexion.toml; or its folder: --data DIR. "
            "Where its path is too long for a socket, the Redis is elsewhere: give flexion live a shorter one.",
        )
    return f"unix://{socket}"


def _listed(value: object) -> list[object]:
    """Return a list that a heartbeat tells; one of another version may tell anything there."""
    return value if isinstance(value, list) else []
