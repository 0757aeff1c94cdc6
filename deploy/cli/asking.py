"""Asking a Flexion that runs: a command through its Redis, and its answer."""

from __future__ import annotations

import getpass
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from acquisition.errors import BadInput
from deploy.errors import NotServed, WrongUse

if TYPE_CHECKING:
    from deploy.settings import Settings


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
        If nobody answers in time.
    Refused
        If it is refused.
    """
    from streaming.connection import connect
    from streaming.control import Control

    with connect(settings.redis_url or _private(settings), "ask", blocking=True) as redis:
        reply = Control(redis).send(name, args, getpass.getuser(), timeout_s)
    if reply.error is not None:
        raise Refused(reply.error)
    return dict(reply.data)


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
