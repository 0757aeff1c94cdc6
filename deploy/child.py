"""Child: what a process of the supervisor owes it: to end when told, and to die when it dies.

An orphan would hold a lease, a port or an inlet that the next life needs (law 5 survives it, a bed does not wait).
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys
import threading
from types import FrameType

#: The supervisor's process id, by which a child sees that it is one and whether its parent lives still.
PARENT_VARIABLE = "SUPERVISOR_PID"
#: From <linux/prctl.h>.
_PR_SET_PDEATHSIG = 1


def die_with_parent() -> None:
    """Ask the kernel to kill this process when its supervisor ends; nothing without a supervisor or off Linux."""
    parent = os.environ.get(PARENT_VARIABLE)
    if parent is None or sys.platform != "linux":
        return
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != int(parent):  # it died before the request was in force
        os.kill(os.getpid(), signal.SIGKILL)


def stop_event() -> threading.Event:
    """Return an event that SIGTERM and SIGINT set; a role's loop ends by it."""
    stop = threading.Event()

    def request(_number: int, _frame: FrameType | None) -> None:
        stop.set()

    signal.signal(signal.SIGTERM, request)
    signal.signal(signal.SIGINT, request)
    return stop
