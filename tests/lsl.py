"""LSL in tests: settings that keep it to one test run, and which tests use it."""

from __future__ import annotations

import random
import uuid
from collections.abc import Callable, Iterator
from inspect import isfunction, unwrap
from pathlib import Path
from types import CodeType

import pytest

#: Below the ports that the system hands out by itself, above LSL's own.
PORTS = range(18_000, 32_000, 256)
#: Each outlet and each resolver binds two; beyond the range they take ports at which nobody looks for them.
PORT_RANGE = 128
#: By what a test offers a stream in its own process; one that starts a process that does is marked by hand.
OUTLETS = {"SignalOutlet", "MarkerOutlet", "StreamOutlet"}
_SETTINGS = """\
[multicast]
ResolveScope = machine
[lab]
SessionID = {session}
[ports]
MulticastPort = {multicast}
BasePort = {base}
PortRange = {n}
[tuning]
MulticastMinRTT = 0.05
[log]
level = -2
"""


def write_settings(path: Path) -> Path:
    """Write settings with which streams are offered to, and found by, those alone who have the same file.

    A session of its own keeps streams apart. Ports of its own keep them findable: LSL's usual 32 are full with 16
    outlets and resolvers on the whole machine, and a stream beyond them is often not found. On one machine alone a
    question reaches one stream at once, and the others when the ports are asked one by one, 0.5 s later by default; on
    a network all answer within 10 ms.
    """
    base = random.SystemRandom().choice(PORTS)  # no test's seed may make two runs alike
    text = _SETTINGS.format(session=uuid.uuid4().hex, multicast=base, base=base + 1, n=PORT_RANGE)
    path.write_text(text, encoding="utf-8")
    return path


def offers_streams(item: pytest.Function) -> bool:
    """Tell whether a test offers a stream: by itself, in a fixture, or in a function of its module that it calls."""
    fixtures = [definition.func for several in item._fixtureinfo.name2fixturedefs.values() for definition in several]
    waiting: list[Callable[..., object]] = [item.function, *fixtures]
    seen: set[Callable[..., object]] = set()
    while waiting:
        function = waiting.pop()
        seen.add(function)
        names = {name for code in _codes(function.__code__) for name in code.co_names}
        if names & OUTLETS:
            return True
        known = function.__globals__
        called = (known[name] for name in names if getattr(known.get(name), "__module__", "") == known["__name__"])
        waiting += {unwrap(one) for one in called if isfunction(unwrap(one))} - seen
    return False


def _codes(code: CodeType) -> Iterator[CodeType]:
    """Yield a function's code and that of the functions inside it."""
    yield code
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _codes(constant)
