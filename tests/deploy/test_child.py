"""Child: it dies with its supervisor, and ends when told; with real processes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

#: Real seconds that a process may take to start and die on a loaded machine.
PATIENCE_S = 20.0

CHILD = """
import sys, threading
from deploy.child import die_with_parent, stop_event
die_with_parent()
stop = stop_event()
print("ready", flush=True)
stop.wait()
print("stopped", flush=True)
"""
PARENT = f"""
import os, subprocess, sys
env = dict(os.environ, SUPERVISOR_PID=str(os.getpid()))
child = subprocess.Popen([sys.executable, "-c", {CHILD!r}], env=env, start_new_session=True)
print(child.pid, flush=True)
child.wait()
"""


def start(script: str, **variables: str) -> subprocess.Popen[str]:
    """Start a Python process whose stdout can be read."""
    environment = {**os.environ, **variables}
    return subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True, env=environment)


def test_a_child_dies_with_its_supervisor():
    """A supervisor that is killed leaves no orphan behind that would hold a lease, a port or an inlet."""
    parent = start(PARENT)
    child_pid = int(parent.stdout.readline())
    assert parent.stdout.readline() == "ready\n"
    parent.kill()
    parent.wait()
    # The child held the pipe's other end: its end is the pipe's.
    assert parent.stdout.read() == ""
    assert not alive(child_pid)


def test_a_child_whose_supervisor_is_gone_already_does_not_start():
    """Between the start and the kernel's promise the supervisor may have died."""
    child = start(CHILD, SUPERVISOR_PID="1" if os.getpid() != 1 else "2")
    assert child.stdout.read() == ""
    assert child.wait() == -signal.SIGKILL


def test_a_role_runs_without_a_supervisor_and_ends_when_told():
    """Started by hand or by systemd, a role ends by SIGTERM as by SIGINT."""
    for number in (signal.SIGTERM, signal.SIGINT):
        child = start(CHILD)
        assert child.stdout.readline() == "ready\n"
        child.send_signal(number)
        assert child.stdout.read() == "stopped\n"
        assert child.wait() == 0


def alive(pid: int) -> bool:
    """Return whether the process still runs; a zombie that nobody has reaped does not."""
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        try:
            with open(f"/proc/{pid}/stat") as stat:
                state = stat.read().rpartition(")")[2].split()[0]
        except FileNotFoundError:
            return False
        if state == "Z":
            return False
        time.sleep(0.01)
    return True
