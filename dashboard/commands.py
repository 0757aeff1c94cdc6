"""Commands: what a person at a page asks for, sent as the command line sends it, and the answer (law 10).

The pages do nothing themselves: the supervisor begins sessions, a session's bridge ends, marks and notes it, cues run
themselves. Each answers, refuses with words, or is not there: then that is said, with what to start.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dashboard.errors import CommandRefused
from streaming.connection import Client, connect
from streaming.control import ANSWER_S, Control
from streaming.errors import NoAnswer
from streaming.sessions import Registry

#: Who asks where a page did not say.
NOBODY = "a page"
#: Longest wait for an answer: the network is looked at for seconds; cues answer at once, or are not there.
WAIT_S = {"start": 12.0, "streams": 12.0, "cue": 2.0}
#: What to do where nobody answers.
REMEDIES = {
    "start": "Run flexion live on the amplifier's machine: without --patient it waits for sessions begun here.",
    "streams": "Run flexion live on the amplifier's machine: without --patient it waits for sessions begun here.",
    "cue": "Open the cues here, or run flexion cues with the --bed and the --redis of flexion live.",
}
#: The same for what a session's bridge answers.
NO_BRIDGE = "See whether the session's bridge runs: flexion doctor."


def ask(redis_url: str, name: str, args: Mapping[str, Any], author: str) -> dict[str, Any]:
    """Send a command, wait for its answer, and return what it gives.

    Parameters
    ----------
    redis_url : str
        The Redis that everybody shares.
    name : str
        One of ``streaming.control.COMMANDS``.
    args : mapping
        Its arguments; those that are None are left out.
    author : str
        Who asks; empty for somebody who did not say.

    Raises
    ------
    CommandRefused
        If whoever it is for refuses it, or the session that it is for has ended.
    NoAnswer
        If nobody answers.
    TextRefused
        If a mark or a note cannot be kept.
    TransportDown
        If Redis does not answer.
    """
    said = {key: value for key, value in args.items() if value is not None}
    with connect(redis_url, "dashboard-control", blocking=True) as redis:
        if not said.get("entered_in_error"):
            _check_open(redis, said.get("session"))
        return _answer(redis, name, said, author or NOBODY)


def _answer(redis: Client, name: str, args: Mapping[str, Any], author: str) -> dict[str, Any]:
    try:
        reply = Control(redis).send(name, args, author, WAIT_S.get(name, ANSWER_S))
    except NoAnswer as silence:
        remedy = REMEDIES.get(name, NO_BRIDGE)
        raise NoAnswer(silence.message, subject=silence.subject, remedy=remedy) from silence
    if reply.error is not None:
        raise CommandRefused(reply.error)
    return dict(reply.data)


def _check_open(redis: Client, session: str | None) -> None:
    """Refuse at once what nobody can carry out any more."""
    entry = None if session is None else Registry(redis).find(session)
    if entry is not None and not entry.is_open:
        message = f"Session {session} has ended ({entry.reason}); nothing more is written into it."
        remedy = "Begin another session, or mark this one as entered in error."
        raise CommandRefused({"kind": "session_over", "subject": str(session), "message": message, "remedy": remedy})
