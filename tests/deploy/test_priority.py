"""Priority: of real processes, which any user may put behind others, and of this one where it is allowed."""

from __future__ import annotations

import errno
import os
import resource
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event
from types import SimpleNamespace

import pytest

from deploy.priority import SERVING, answer_at_once, go_first, tell_group
from deploy.roles import scorer
from deploy.settings import load

#: Whether Linux shares the processor among sessions first.
GROUPS = Path("/proc/self/autogroup")
needs_groups = pytest.mark.skipif(not GROUPS.exists(), reason="this system has no groups of sessions")

AT_ONCE = """
import os, time
from deploy.priority import answer_at_once, go_first
went = go_first()
print(went, answer_at_once(1), os.sched_getscheduler(0) == os.SCHED_RR, flush=True)
if os.sched_getscheduler(0) == os.SCHED_RR:
    while True:
        pass
"""
FIRST = "from deploy.priority import go_first; import os; print(go_first(), os.getpriority(os.PRIO_PROCESS, 0))"


@contextmanager
def behind(*, own_session: bool) -> Iterator[int]:
    """Have a process behind others, in a session of its own or in this one's; it ends whatever becomes of a test."""
    with subprocess.Popen(["nice", "-n", "3", "sleep", "100"], start_new_session=own_session) as process:
        try:
            while Path(f"/proc/{process.pid}/cmdline").read_bytes().split(b"\0")[0] != b"sleep":
                assert process.poll() is None
            yield process.pid
        finally:
            process.kill()


def group(pid: int) -> str:
    """Return what Linux says of a process's group: nothing where no session was begun since the machine's start."""
    return Path(f"/proc/{pid}/autogroup").read_text()


@needs_groups
def test_the_group_of_a_session_has_the_nice_of_its_first_process() -> None:
    """Without that, nice would say nothing beside other sessions."""
    with behind(own_session=True) as pid:
        before = group(pid)
        tell_group(pid)
        nice = os.getpriority(os.PRIO_PROCESS, pid)
        assert nice != 0
        assert before.endswith(" nice 0\n")
        assert group(pid) == before.replace("nice 0", f"nice {nice}")


@needs_groups
def test_a_group_that_others_share_is_left_alone() -> None:
    """A process in somebody else's session says nothing about it."""
    with behind(own_session=False) as pid:
        before = group(pid)
        tell_group(pid)
        assert group(pid) == before


def test_a_process_that_is_gone_is_no_fault() -> None:
    """It died between its start and this."""
    with subprocess.Popen(["true"]) as process:
        process.wait()
    tell_group(process.pid)


def test_whoever_may_goes_first_and_says_so() -> None:
    """Who may depends on this machine; what is said is true in either case."""
    done = subprocess.run([sys.executable, "-c", FIRST], capture_output=True, text=True, check=True)
    allowed, nice = done.stdout.split()
    assert (allowed == "True") is (int(nice) == SERVING)


def test_whoever_may_not_goes_on_as_before(monkeypatch: pytest.MonkeyPatch) -> None:
    """A refusal of the system is no error of ours."""

    def refused(which: int, who: int, nice: int) -> None:
        raise PermissionError(which, who, nice)

    monkeypatch.setattr(os, "setpriority", refused)
    assert go_first() is False


def test_whoever_goes_first_may_compute_at_once_and_is_ended_where_that_never_ends() -> None:
    """A core of a small machine is not lost to a computation that hangs; where that is not allowed, nothing changes."""
    done = subprocess.run([sys.executable, "-c", AT_ONCE], capture_output=True, text=True, check=False)
    went, allowed, in_force = (word == "True" for word in done.stdout.split())
    assert allowed is in_force and went >= allowed
    assert done.returncode == (-signal.SIGXCPU if allowed else 0), done.stderr


@pytest.mark.parametrize("cause", [errno.EPERM, errno.EINVAL, errno.ENOSYS], ids=errno.errorcode.get)
def test_whoever_may_not_compute_at_once_goes_on_as_before(monkeypatch: pytest.MonkeyPatch, cause: int) -> None:
    """Nice may be allowed where real-time scheduling is not, or is not known; no limit is set then."""
    limits: list[object] = []

    def refused(which: int, policy: int, param: object) -> None:
        raise OSError(cause, os.strerror(cause))

    monkeypatch.setattr(os, "getpriority", lambda which, who: SERVING)
    monkeypatch.setattr(os, "sched_setscheduler", refused)
    monkeypatch.setattr(resource, "setrlimit", lambda which, limit: limits.append(limit))
    assert answer_at_once() is False and not limits


@pytest.mark.parametrize(("soft", "limits"), [(resource.RLIM_INFINITY, [(10_000_000, -1)]), (1_000_000, [])])
def test_a_stricter_limit_of_somebody_else_stays(
    monkeypatch: pytest.MonkeyPatch, soft: int, limits: list[tuple[int, int]]
) -> None:
    """Of how long a thread may compute without a pause."""
    found: list[tuple[int, int]] = []
    monkeypatch.setattr(os, "getpriority", lambda which, who: SERVING)
    monkeypatch.setattr(os, "sched_setscheduler", lambda *what: None)
    monkeypatch.setattr(resource, "getrlimit", lambda which: (soft, resource.RLIM_INFINITY))
    monkeypatch.setattr(resource, "setrlimit", lambda which, limit: found.append(limit))
    assert answer_at_once() and found == limits


def test_whoever_was_not_put_before_others_asks_for_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """A scorer that somebody starts by hand is a process like others."""
    asked: list[object] = []
    monkeypatch.setattr(os, "getpriority", lambda which, who: 0)
    monkeypatch.setattr(os, "sched_setscheduler", lambda *what: asked.append(what))
    assert answer_at_once() is False and not asked


def test_a_scorer_computes_at_once_when_it_is_ready(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its loading and its golden windows are no patient's hurry; nor may scorers have every core for themselves."""
    steps: list[str] = []

    def opened(*arguments: object, **options: object) -> SimpleNamespace:
        steps.append("open")
        return SimpleNamespace(run=lambda: steps.append("run"))

    monkeypatch.setattr(scorer, "open_scorer", opened)
    monkeypatch.setattr(scorer, "answer_at_once", lambda: steps.append("at once"))
    monkeypatch.setattr(os, "cpu_count", lambda: 2)
    scorer.run("one", load({"models.scorers": 1}), Event())
    scorer.run("two", load({"models.scorers": 2}), Event())
    assert steps == ["open", "at once", "run", "open", "run"]
