"""Priority: what serves a bed goes before the other work of its machine, where the system allows it.

A process has the nice of the one that starts it. But where Linux shares the processor among sessions of processes first
(``kernel.sched_autogroup_enabled``), one that begins a session of its own is in a group that knows nothing of its nice;
so the group is told.
"""

from __future__ import annotations

import os
import resource
from pathlib import Path

#: Nice of what serves a bed: with it, a process has three quarters of a core that it shares with one of nice 0.
SERVING = -5
#: Seconds that a thread which goes before all others may compute without a pause. A batch takes 0.3 s at most; one that
#: never ends would have a core for itself, so Linux ends its process then, and the supervisor starts another.
AT_MOST_S = 10


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


def answer_at_once(at_most_s: int = AT_MOST_S) -> bool:
    """Let this thread, and those that it begins, compute at once, whatever else does; return whether that is allowed.

    A window is scored in milliseconds, and one time slice of a neighbour is longer than that: nice alone lets it pass.
    So where its process goes before others already, this thread asks for real-time scheduling (``SCHED_RR``). That is
    allowed with CAP_SYS_NICE and under a limit of it (``LimitRTPRIO=1`` of systemd, ``rtprio 1`` of limits.conf).

    Parameters
    ----------
    at_most_s : int
        Seconds of computing without a pause after which Linux ends the process (``SIGXCPU``).
    """
    if os.getpriority(os.PRIO_PROCESS, 0) >= 0:
        return False
    try:
        os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(1))
    except OSError:  # not allowed, or a sandbox that knows no such scheduling
        return False
    soft, hard = resource.getrlimit(resource.RLIMIT_RTTIME)
    if soft == resource.RLIM_INFINITY or soft > at_most_s * 1_000_000:
        resource.setrlimit(resource.RLIMIT_RTTIME, (at_most_s * 1_000_000, hard))
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
