"""Supervisor: real children, killed and silenced; time is turned by the test."""

from __future__ import annotations

import os
import signal
import sys
import time

import pytest
import structlog

from deploy.supervisor import (
    BACKOFF_S,
    DEVICE_LOST_S,
    HEALTHY_S,
    SILENCE_S,
    START_SILENCE_S,
    STOP_GRACE_S,
    ChildSpec,
    ChildState,
    Supervisor,
    by_code,
)
from inference.errors import BundleError, DeviceLost, EngineDrift
from inference.standby import SILENT_S
from streaming.consumer import MIN_IDLE_S

FOREVER = ("sleep", "1000")
#: Real seconds that a tiny child may take to die on a loaded machine.
PATIENCE_S = 20.0


def shell(script: str) -> tuple[str, ...]:
    """Return a command that runs a line of shell."""
    return ("sh", "-c", script)


def await_death(child) -> None:
    """Wait until the child's process is gone, without telling the supervisor."""
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)


def test_a_killed_child_comes_back(supervisor, clock):
    """A child that is killed is started again, as a new process."""
    child = supervisor.add(ChildSpec("a", FOREVER))
    first = child.pid
    os.kill(first, signal.SIGKILL)
    await_death(child)
    supervisor.look()
    assert (child.state, child.exit_code) == (ChildState.WAITING, -signal.SIGKILL)
    clock.sleep(BACKOFF_S[0])
    supervisor.look()
    assert child.state is ChildState.RUNNING
    assert child.pid != first
    assert child.restarts == 1
    os.kill(child.pid, 0)


def test_back_off_grows_and_holds(supervisor, clock):
    """The first restarts come within a second, later ones wait longer, none over ten seconds."""
    child = supervisor.add(ChildSpec("a", shell("exit 1")))
    waits = []
    for _ in range(8):
        await_death(child)
        supervisor.look()
        waits.append(round(child.due_s - clock.now_s, 3))
        clock.now_s = child.due_s
        supervisor.look()
    assert waits == [*BACKOFF_S, BACKOFF_S[-1], BACKOFF_S[-1]]
    assert max(BACKOFF_S[:3]) <= 1.0
    assert max(BACKOFF_S) == 10.0


def test_a_child_that_lost_its_gpu_leaves_time_to_the_one_beside_it(supervisor, clock):
    """However fast it dies again: whoever stands by counts it as gone first, and then takes what it held."""
    child = supervisor.add(ChildSpec("a", shell(f"exit {DeviceLost.exit_code}")))
    for n_deaths in range(1, 8):
        await_death(child)
        supervisor.look()
        assert child.due_s - clock.now_s == pytest.approx(max(DEVICE_LOST_S, BACKOFF_S[min(n_deaths, 6) - 1]))
        assert child.due_s - clock.now_s > SILENT_S + MIN_IDLE_S
        clock.now_s = child.due_s
        supervisor.look()


def test_a_long_life_forgives_earlier_deaths(supervisor, clock):
    """After a healthy life the next death is a first one again."""
    child = supervisor.add(ChildSpec("a", shell("exit 1"), beats=False))
    for _ in range(3):
        await_death(child)
        supervisor.look()
        clock.now_s = child.due_s
        supervisor.look()
    clock.now_s += HEALTHY_S + 1
    await_death(child)
    supervisor.look()
    assert child.due_s - clock.now_s == pytest.approx(BACKOFF_S[0])


def test_a_child_that_refuses_stays_down(supervisor, clock):
    """Wrong use and bad input would be refused again: no restart."""
    children = [supervisor.add(ChildSpec(str(code), shell(f"exit {code}"))) for code in (2, 3)]
    for child in children:
        await_death(child)
    supervisor.look()
    clock.sleep(100)
    supervisor.look()
    assert [child.state for child in children] == [ChildState.REFUSED] * 2
    assert [child.exit_code for child in children] == [2, 3]


@pytest.mark.parametrize("code", [0, 1])
def test_an_ended_work_is_not_a_death(supervisor, code):
    """A bridge whose session has ended is not started again; its exit code is its result."""
    child = supervisor.add(ChildSpec("a", shell(f"exit {code}"), ended=lambda: True))
    await_death(child)
    supervisor.look()
    assert (child.state, child.exit_code) == (ChildState.ENDED, code)


@pytest.mark.parametrize("script", ["exit 1", "kill -9 $$"])
def test_a_death_before_the_end_is_a_death(supervisor, script):
    """A bridge that goes away while its session is open is started again."""
    child = supervisor.add(ChildSpec("a", shell(script), ended=lambda: False))
    await_death(child)
    supervisor.look()
    assert child.state is ChildState.WAITING


def test_a_silent_child_is_killed_and_replaced(supervisor, clock):
    """A child that exists but no longer answers counts as hung."""
    child = supervisor.add(ChildSpec("a", FOREVER))
    first = child.pid
    supervisor.look(heard=[first])
    for _ in range(int(SILENCE_S)):
        clock.sleep(1)
        supervisor.look()
    assert child.pid == first
    clock.sleep(1)
    supervisor.look()
    assert (child.state, child.exit_code) == (ChildState.WAITING, -signal.SIGKILL)


def test_what_a_child_answers_is_kept(supervisor, clock):
    """Its stdout is for whoever asks, life by life; it is not waited for where a child of its own holds it open."""
    child = supervisor.add(ChildSpec("a", ("sh", "-c", "sleep 3 & echo first; exit 7")))
    child.process.wait()
    supervisor.look()
    assert (child.state, child.said) == (ChildState.WAITING, b"first\n")
    quiet = supervisor.add(ChildSpec("b", ("sh", "-c", "exit 7")))
    quiet.process.wait()
    supervisor.look()
    assert quiet.said == b""


def test_a_spec_may_know_better_what_a_refusal_is(supervisor):
    """Whether the same start would fail again can be in what the child said."""
    spec = ChildSpec("a", ("sh", "-c", "echo full; exit 4"), refuses=lambda code, said: (code, said) == (4, b"full\n"))
    child = supervisor.add(spec)
    child.process.wait()
    supervisor.look()
    assert (child.state, child.exit_code) == (ChildState.REFUSED, 4)


def test_a_starting_child_has_longer(supervisor, clock):
    """Imports and models take their time before the first heartbeat."""
    child = supervisor.add(ChildSpec("a", FOREVER))
    for _ in range(int(START_SILENCE_S)):
        clock.sleep(1)
        supervisor.look()
    assert child.state is ChildState.RUNNING
    clock.sleep(1)
    supervisor.look()
    assert child.state is ChildState.WAITING


def test_silence_means_nothing_while_redis_is_away(supervisor, clock):
    """Heartbeats that cannot arrive are not missed."""
    child = supervisor.add(ChildSpec("a", FOREVER))
    supervisor.look(heard=[child.pid])
    for _ in range(100):
        clock.sleep(1)
        supervisor.look(deaf=True)
    clock.sleep(1)
    supervisor.look()
    assert (child.state, child.restarts) == (ChildState.RUNNING, 0)


def test_a_machine_that_slept_kills_nobody(supervisor, clock):
    """After a pause of the whole machine the children get time to be heard again."""
    child = supervisor.add(ChildSpec("a", FOREVER))
    supervisor.look(heard=[child.pid])
    clock.sleep(3600)
    supervisor.look()
    assert (child.state, child.restarts) == (ChildState.RUNNING, 0)


def test_stop_ends_by_request(clock):
    """Children get SIGTERM first, and what they make of it is kept."""
    clock.sleep = time.sleep
    supervisor = Supervisor(clock, structlog.get_logger())
    child = supervisor.add(ChildSpec("a", (sys.executable, "-c", OBEYS_SIGTERM)))
    await_disposition(child.pid, "SigCgt")
    supervisor.stop()
    assert (child.state, child.exit_code) == (ChildState.STOPPED, 7)


def test_stop_kills_the_deaf_after_the_grace(supervisor, clock):
    """A child that ignores SIGTERM is killed when the grace is over."""
    child = supervisor.add(ChildSpec("a", (sys.executable, "-c", IGNORES_SIGTERM)))
    await_disposition(child.pid, "SigIgn")
    started_s = clock.now_s
    supervisor.stop(grace_s=10)
    assert (child.state, child.exit_code) == (ChildState.STOPPED, -signal.SIGKILL)
    assert clock.now_s - started_s == pytest.approx(10, abs=0.1)


def test_names_are_unique(supervisor):
    """Two children of one name would hide each other; a name whose child is over may be used again."""
    supervisor.add(ChildSpec("a", FOREVER))
    with pytest.raises(ValueError, match="a child named 'a' runs already"):
        supervisor.add(ChildSpec("a", FOREVER))
    supervisor.stop(["a"])
    assert supervisor.add(ChildSpec("a", FOREVER)).state is ChildState.RUNNING


IGNORES_SIGTERM = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(1000)"
OBEYS_SIGTERM = "import signal, sys, time; signal.signal(signal.SIGTERM, lambda *_: sys.exit(7)); time.sleep(1000)"


def await_disposition(pid: int, mask: str) -> None:
    """Wait until the kernel says that the process ignores (SigIgn) or catches (SigCgt) SIGTERM."""
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        with open(f"/proc/{pid}/status") as status:
            bits = next(int(line.split()[1], 16) for line in status if line.startswith(mask))
        if bits >> (signal.SIGTERM - 1) & 1:
            return
        time.sleep(0.01)
    raise AssertionError(f"{mask} of {pid} never held SIGTERM")


def test_a_scorer_whose_engine_changed_is_started_again():
    """It tries its golden windows anew; only what would be refused again stays down."""
    assert not by_code(EngineDrift.exit_code, b"") and by_code(BundleError.exit_code, b"")


def test_a_retired_child_ends_for_good(supervisor, clock):
    """Its death is its end, whatever its code; one that waits to be started again is not started."""
    running, dead = (supervisor.add(ChildSpec(name, command)) for name, command in (("a", FOREVER), ("b", ("false",))))
    await_death(dead)
    supervisor.look()
    supervisor.retire([running, dead])
    await_death(running)
    clock.sleep(BACKOFF_S[0])
    supervisor.look()
    assert [child.state for child in (running, dead)] == [ChildState.STOPPED] * 2


def test_a_retired_child_that_does_not_end_is_killed(supervisor, clock, tmp_path):
    """Its silence is no fault before: it ends what it has begun."""
    ready = tmp_path / "ready"
    child = supervisor.add(ChildSpec("a", shell(f"trap '' TERM; touch {ready}; while :; do sleep 0.1; done")))
    while not ready.exists():
        time.sleep(0.01)
    supervisor.retire([child])
    clock.now_s += STOP_GRACE_S / 2
    supervisor.look()
    assert child.state is ChildState.RUNNING
    clock.now_s += STOP_GRACE_S
    supervisor.look()
    assert (child.state, child.exit_code) == (ChildState.STOPPED, -signal.SIGKILL)
