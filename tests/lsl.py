"""LSL kept to one test run: a file of settings for liblsl, which reads it at its first use."""

from __future__ import annotations

import random
import uuid
from pathlib import Path

#: Below the ports that the system hands out by itself, above LSL's own.
PORTS = range(18_000, 32_000, 256)
#: Each outlet and each resolver binds two; beyond the range they take ports at which nobody looks for them.
PORT_RANGE = 128
_SETTINGS = """\
[multicast]
ResolveScope = machine
[lab]
SessionID = {session}
[ports]
MulticastPort = {multicast}
BasePort = {base}
PortRange = {n}
[log]
level = -2
"""


def write_settings(path: Path) -> Path:
    """Write settings with which streams are offered to, and found by, those alone who have the same file.

    A session of its own keeps streams apart. Ports of its own keep them findable: LSL's usual 32 are full with 16
    outlets and resolvers on the whole machine, and a stream beyond them is often not found.
    """
    base = random.SystemRandom().choice(PORTS)  # no test's seed may make two runs alike
    text = _SETTINGS.format(session=uuid.uuid4().hex, multicast=base, base=base + 1, n=PORT_RANGE)
    path.write_text(text, encoding="utf-8")
    return path
