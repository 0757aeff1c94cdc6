"""No process of a pool outlives the one that began it, or hears Ctrl-C before it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

from training.parent import undisturbed

#: Starts a process of a pool, tells its number, and waits to be killed.
PARENT = """
import os, time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from training.parent import end_with_parent

if __name__ == "__main__":
    with ProcessPoolExecutor(1, get_context("spawn"), end_with_parent) as pool:
        print(pool.submit(os.getpid).result(), flush=True)
        time.sleep(60)
"""
#: Seconds in which an orphan must have noticed.
NOTICES_S = 20.0


def is_there(pid: int) -> bool:
    """Tell whether a process lives."""
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_processes_that_begin_undisturbed_leave_ctrl_c_to_their_parent():
    """It is blocked in them from their first instruction on, and here only meanwhile."""
    with ProcessPoolExecutor(1, get_context("spawn")) as pool:
        with undisturbed():
            job = pool.submit(signal.pthread_sigmask, signal.SIG_BLOCK, ())
        assert signal.SIGINT in job.result()
    assert signal.SIGINT not in signal.pthread_sigmask(signal.SIG_BLOCK, ())


def test_a_process_of_a_pool_ends_when_its_parent_is_killed(tmp_path):
    """Killed, the parent cannot tell it."""
    (tmp_path / "parent.py").write_text(PARENT)
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    command = [sys.executable, str(tmp_path / "parent.py")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as parent:
        assert parent.stdout is not None
        child = int(parent.stdout.readline())
        assert is_there(child)
        parent.send_signal(signal.SIGKILL)
    deadline = time.monotonic() + NOTICES_S
    while is_there(child) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not is_there(child)
