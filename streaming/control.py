"""Commands to whoever runs a session, and their answers; CLI and dashboard use the same ones.

A command is for who hears it within its time: a listener that comes late, or was cut off meanwhile, passes over what
its sender has already given up.
"""

from __future__ import annotations

import json
import time
import unicodedata
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import structlog
from redis import Redis

from streaming import keys
from streaming.errors import NoAnswer, RecordError, TextRefused
from streaming.script import Script, Value
from streaming.tail import Tail, parts

#: Every command there is.
COMMANDS = ("start", "stop", "mark", "note", "cue", "streams", "serve")
#: Seconds that a sender waits for the answer, and that the command is valid.
ANSWER_S = 5.0
#: Commands and answers that are kept, about: enough to look up what was asked, and no more.
KEPT = 1000
#: Most characters of what people write: a mark is a few words at a sample, a note a paragraph.
LONGEST = {"mark": 200, "note": 2000}
#: What text may hold of the characters that control something.
LINE_CHARACTERS = "\n\t"

_APPEND = Script("append")

log = structlog.get_logger("control")


@dataclass(frozen=True)
class Command:
    """Something that a person asks for.

    Parameters
    ----------
    id : str
        Its own, to find the answer by.
    name : str
        One of ``COMMANDS``.
    args : mapping
        Its arguments, JSON values; ``session`` or ``bed`` says whom it is for.
    author : str
        Who asks.
    valid_s : float
        Seconds for which it is valid.
    """

    id: str
    name: str
    args: Mapping[str, Any]
    author: str
    valid_s: float = ANSWER_S

    def encode(self) -> list[Value]:
        """Return the fields of the stream entry."""
        args = json.dumps(self.args, separators=(",", ":"))
        return ["id", self.id, "name", self.name, "args", args, "author", self.author, "valid_s", repr(self.valid_s)]

    @classmethod
    def decode(cls, fields: Mapping[bytes, bytes]) -> Command:
        """Return the command that a stream entry holds.

        Raises
        ------
        RecordError
            If it is none.
        """
        try:
            text = {name.decode(): value.decode() for name, value in fields.items()}
            args = dict(json.loads(text["args"]))
            return cls(text["id"], text["name"], args, text["author"], float(text["valid_s"]))
        except (KeyError, TypeError, ValueError, RecursionError) as error:
            raise _refused(f"An entry of {keys.CONTROL} is no command: {error!r}.") from error


@dataclass(frozen=True)
class Reply:
    """The answer to a command.

    Parameters
    ----------
    id : str
        The command's.
    by : str
        Who answers.
    error : mapping or None
        The refusal, ``FlexionError.as_refusal()``; None when it was done.
    data : mapping
        What the command gives; JSON values.
    """

    id: str
    by: str
    error: Mapping[str, str] | None = None
    data: Mapping[str, Any] = field(default_factory=dict)

    @property
    def ok(self) -> bool:
        """Whether it was done."""
        return self.error is None

    def encode(self) -> list[Value]:
        """Return the fields of the stream entry."""
        body = json.dumps({"by": self.by, "error": self.error, "data": self.data}, separators=(",", ":"))
        return ["id", self.id, "reply", body]

    @classmethod
    def decode(cls, fields: Mapping[bytes, bytes]) -> Reply:
        """Return the answer that a stream entry holds.

        Raises
        ------
        RecordError
            If it is none.
        """
        try:
            return cls(fields[b"id"].decode(), **json.loads(fields[b"reply"]))
        except (KeyError, TypeError, ValueError) as error:
            raise _refused(f"An entry of {keys.REPLIES} is no answer: {error!r}.") from error


class Control:
    """Send commands.

    Parameters
    ----------
    redis : Redis
        A client made for blocking.
    clock : callable
        Monotonic seconds.
    """

    def __init__(self, redis: Redis, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._redis = redis
        self._clock = clock

    def send(self, name: str, args: Mapping[str, Any], author: str, timeout_s: float = ANSWER_S) -> Reply:
        """Send a command and return the answer.

        Raises
        ------
        NoAnswer
            If nobody answers in time; then nobody will carry it out either, unless somebody is at it already.
        RecordError
            If there is no such command.
        TextRefused
            If a mark or a note is empty, too long, or holds what is no text.
        """
        if name not in COMMANDS:
            raise _refused(f"There is no command {name!r}; expected one of {', '.join(COMMANDS)}.")
        if name in LONGEST:
            check_text(name, args.get("text"))
        command = Command(uuid.uuid4().hex, name, dict(args), author, timeout_s)
        replies = Tail(self._redis, keys.REPLIES)
        replies.seek_end()
        end = self._clock() + timeout_s
        _APPEND(self._redis, [keys.CONTROL], [0, KEPT, *command.encode()])
        while (left := end - self._clock()) > 0:
            for _, fields in replies.read(left):
                reply = Reply.decode(fields)
                if reply.id == command.id:
                    return reply
        raise NoAnswer(
            f"Nobody answered {name!r} within {timeout_s:g} s.",
            subject=name,
            remedy="See whether Flexion runs: flexion doctor.",
        )


class Listener:
    """Hear commands from now on, and answer them.

    Parameters
    ----------
    redis : Redis
        Client of the bridge or the supervisor; one made for blocking, where `read` is to block.
    by : str
        Who answers.
    """

    def __init__(self, redis: Redis, by: str) -> None:
        self._redis = redis
        self._by = by
        self._tail = Tail(redis, keys.CONTROL)
        self._tail.seek_end()

    def read(self, block_s: float = 0.0) -> list[Command]:
        """Return the next commands that are still valid, also those for others; what is none is nobody's."""
        heard = [(entry_id, _command_in(fields)) for entry_id, fields in self._tail.read(block_s)]
        if not heard:
            return []
        now_ms = self._now_ms()
        return [one for entry_id, one in heard if one and now_ms < parts(entry_id)[0] + one.valid_s * 1000]

    def answer(self, command: Command, data: Mapping[str, Any] | None = None) -> None:
        """Say that a command was done, and what it gives."""
        self._reply(Reply(command.id, self._by, None, dict(data or {})))

    def refuse(self, command: Command, error: Mapping[str, str]) -> None:
        """Say why a command was not done: ``FlexionError.as_refusal()``."""
        self._reply(Reply(command.id, self._by, dict(error)))

    def _reply(self, reply: Reply) -> None:
        _APPEND(self._redis, [keys.REPLIES], [0, KEPT, *reply.encode()])

    def _now_ms(self) -> float:
        seconds, microseconds = self._redis.time()
        return seconds * 1000 + microseconds / 1000


def _command_in(fields: Mapping[bytes, bytes]) -> Command | None:
    """Return the command that an entry holds; one of another version must not end who hears it."""
    try:
        return Command.decode(fields)
    except RecordError as error:
        log.warning("unreadable_command", cause=str(error))
        return None


def check_text(what: str, text: object) -> str:
    """Return what somebody wrote, if it can be kept: whatever its script, and markup is text like any other.

    Raises
    ------
    TextRefused
        If it is empty, longer than `LONGEST`, or holds characters that are no text.

    Examples
    --------
    >>> check_text("mark", "<b>قفز</b>")
    '<b>قفز</b>'
    """
    if not isinstance(text, str) or not text.strip():
        raise TextRefused(f"The {what} is empty.", subject=what, remedy="Write a few words.")
    if len(text) > LONGEST[what]:
        raise TextRefused(
            f"The {what} has {len(text):,} characters; at most {LONGEST[what]:,} are kept.",
            subject=what,
            remedy="Shorten it, or write it in parts.",
        )
    odd = [c for c in text if unicodedata.category(c) in ("Cc", "Cs") and c not in LINE_CHARACTERS]
    if odd:
        raise TextRefused(
            f"The {what} holds the character U+{ord(odd[0]):04X}, which is no text.",
            subject=what,
            remedy="Leave it out.",
        )
    return text


def _refused(message: str) -> RecordError:
    return RecordError(message, subject=keys.CONTROL, remedy="Run every role of Flexion in one version.")
