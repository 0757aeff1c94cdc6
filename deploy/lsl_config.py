"""LSL's own settings for our processes: a file that liblsl reads at its first use, handed on by a variable.

Whoever has settings of their own (LSLAPICFG, or a file where liblsl looks for one) keeps them.
"""

from __future__ import annotations

import os
from pathlib import Path

#: Names the file that liblsl reads.
VARIABLE = "LSLAPICFG"
#: Where liblsl looks by itself.
ELSEWHERE = (Path("lsl_api.cfg"), Path.home() / "lsl_api" / "lsl_api.cfg", Path("/etc/lsl_api/lsl_api.cfg"))
_OURS = Path(__file__).parent / "lsl"


def be_quiet() -> None:
    """Keep liblsl's own lines off stderr, in this process and its children; a private one's child stays private."""
    if VARIABLE not in os.environ:
        _use("quiet.cfg")


def be_private() -> None:
    """Offer and find streams on this machine alone, in a demonstration or a replay."""
    if os.environ.get(VARIABLE) in (None, str(_OURS / "quiet.cfg")):
        _use("private.cfg")


def _use(name: str) -> None:
    if not any(path.exists() for path in ELSEWHERE):
        os.environ[VARIABLE] = str(_OURS / name)
