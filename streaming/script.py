"""The Lua scripts: what must happen in one act, or not at all.

Each lies in its own file under ``scripts/``, whose head lists its keys, arguments and return value. They keep to what
Redis 6.2 knows, and start with a write that takes no memory wherever they must work at ``maxmemory``.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from importlib.resources import files
from typing import Any

from redis import Redis
from redis.exceptions import NoScriptError

#: What a script takes and Redis stores as bytes.
Value = bytes | str | int | float


class Script:
    """One script, sent once to each server and called by its hash from then on.

    Parameters
    ----------
    name : str
        Its file under ``scripts/``, without the ending.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.text = files("streaming").joinpath("scripts", f"{name}.lua").read_text(encoding="utf-8")
        self.sha = hashlib.sha1(self.text.encode(), usedforsecurity=False).hexdigest()

    def __call__(self, redis: Redis, keys: Sequence[str], args: Iterable[Value] = ()) -> Any:
        """Run it and return its reply, bytes where it returns strings."""
        values = [*keys, *args]
        try:
            return redis.evalsha(self.sha, len(keys), *values)
        except NoScriptError:
            # Nothing has run yet: a server that was started anew has forgotten the text.
            return redis.eval(self.text, len(keys), *values)


def flat(fields: dict[bytes, bytes]) -> list[bytes]:
    """Return the fields of an entry as arguments: field, value, field, value."""
    return [part for item in fields.items() for part in item]
