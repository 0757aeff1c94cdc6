"""Priority: what serves a bed goes before the other work of its machine, where the system allows it.

A process has the nice of the one that starts it. But where Linux shares the processor among sessions of processes first
(``kernel.sched_autogroup_enabled``), one that begins a session of its own is in a group that knows nothing of its nice;
so the group is told.
"""

from __future__ import annotations

import os
from pathlib import Path

#: Nice of what serves a bed: with it, a process has three quarters of a core that it shares with one of nice 0.
SERVING = -5


def go_first() -> bool:
    """Go before other work, with all processes that this one starts from now on; return whether that is allowed.

    It is with CAP_SYS_NICE, which root has outside of containers, and under a limit of nice (``LimitNICE=-5`` of
    systemd, ``nice -5`` of limits.conf).
    """
    try:
        os.setpriority(os.PRIO_PROCESS, 0, SERVING)
    except PermissionError:
        return False
    tell_group(os.getpid())
    return True


def tell_group(pid: int) -> None:
    """Give the group of a process its nice; nothing where there are no such groups, or where that is not allowed.

    Parameters
    ----------
    pid : int
        A process that has begun a session of its own; of any other it would change the group of whoever started it.
    """
    try:
        nice = os.getpriority(os.PRIO_PROCESS, pid)
        if nice and os.getsid(pid) == pid:
            Path(f"/proc/{pid}/autogroup").write_text(str(nice))
    except OSError:  # also where the process is gone
        return
