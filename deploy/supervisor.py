"""Supervisor: keeps child processes running; a child is alive when it answers, not when its process exists.

It does no data work, so that whatever kills a child does not kill it. A child that died, or that has not been heard
for too long, is started again after a back-off; one that refuses its work (exit code 2 or 3, unless its spec knows
better) would refuse it again and is left down. A child's stderr is ours, its stdout is its answer, kept for whoever
asks. Time comes from a clock, heartbeats from `heard`: both are handed in.
"""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import IO, Protocol

from structlog.typing import FilteringBoundLogger

from deploy import exits
from deploy.child import PARENT_VARIABLE
from deploy.priority import tell_group
from inference.standby import SILENT_S
from streaming.consumer import MIN_IDLE_S

#: Delays before the first, second ... restart of a child, in s: back at once after an accident, patient with a fault
#: that stays. The last one holds.
BACKOFF_S = (0.1, 0.5, 1.0, 2.0, 5.0, 10.0)
#: Delay after a GPU that failed, at least: until the scorer that stands by counts it as gone, and what it held is free
#: for that one. Sooner, a life that fails again would use up its windows' deliveries.
DEVICE_LOST_S = SILENT_S + MIN_IDLE_S + 1.0
#: A child that lived this long has recovered: its next death is a first one again.
HEALTHY_S = 60.0
#: Silence after which a child counts as hung. Heartbeats come at 1 Hz; a loaded machine may delay some.
SILENCE_S = 10.0
#: Until a child's first heartbeat more may pass: imports, models and a cold disk.
START_SILENCE_S = 60.0
#: Time from the request to end to the kill. Longer waits belong to the children's own lives.
STOP_GRACE_S = 10.0
#: How often a waiting supervisor looks at its children, in s.
LOOK_S = 0.05
#: This process's stderr, whatever stands in sys.stderr.
STDERR_FD = 2
#: Codes by which a child says that the same start would fail again.
REFUSALS = (exits.WRONG_USE, exits.BAD_INPUT)


class Clock(Protocol):
    """Time as the supervisor needs it."""

    def monotonic_s(self) -> float:
        """Return seconds that never go back."""

    def sleep(self, seconds: float) -> None:
        """Let time pass."""


def never() -> bool:
    """A work that is never over."""
    return False


def by_code(code: int, said: bytes) -> bool:
    """Tell by its exit code alone whether a child would fail again."""
    return code in REFUSALS


@dataclass(frozen=True)
class ChildSpec:
    """What to run, and what its end means.

    Parameters
    ----------
    name : str
        Unique under one supervisor.
    command : tuple of str
        Program and arguments.
    env : mapping
        Variables added to this process's own.
    ended : callable, optional
        Tells whether its work is over (a bridge's at its session's end): then exit codes 0 and 1 are its results. By
        default the work never is, and every exit is a death.
    beats : bool
        Whether it must be heard.
    refuses : callable
        Tells, from the exit code and what the child wrote on stdout, whether the same start would fail again.
    """

    name: str
    command: tuple[str, ...]
    env: Mapping[str, str] = field(default_factory=dict)
    ended: Callable[[], bool] = never
    beats: bool = True
    refuses: Callable[[int, bytes], bool] = by_code


class ChildState(Enum):
    """Where a child is in its life."""

    RUNNING = "running"
    WAITING = "waiting"  # dead, to be started again when its back-off is over
    ENDED = "ended"  # by itself, as it should
    REFUSED = "refused"  # it says that it cannot do this work
    STOPPED = "stopped"  # by us


@dataclass
class Child:
    """One child: its process and what is known of it."""

    spec: ChildSpec
    state: ChildState = ChildState.WAITING
    process: subprocess.Popen[bytes] | None = None
    exit_code: int | None = None
    #: What its last life wrote on stdout.
    said: bytes = b""
    restarts: int = 0
    started_s: float = 0.0
    heard: bool = False
    quiet_since_s: float = 0.0
    due_s: float = 0.0
    failures: int = 0
    #: When it was told to end for good.
    retired_s: float | None = None

    @property
    def pid(self) -> int | None:
        """Process id while there is a process."""
        return self.process.pid if self.process else None

    @property
    def over(self) -> bool:
        """Whether it will not run again."""
        return self.state in (ChildState.ENDED, ChildState.REFUSED, ChildState.STOPPED)


class Supervisor:
    """Start children, look after them, stop them.

    Parameters
    ----------
    clock : Clock
        Monotonic time and sleep.
    log : logger
        One line per change of a child.
    stderr : file or descriptor
        Where children's words go; this process's stderr by default.
    """

    def __init__(self, clock: Clock, log: FilteringBoundLogger, stderr: IO[bytes] | int = STDERR_FD) -> None:
        self._clock = clock
        self._log = log
        self._stderr = stderr
        self._children: dict[str, Child] = {}
        self._looked_s = clock.monotonic_s()

    @property
    def children(self) -> Mapping[str, Child]:
        """Every child by its name, also those that are over."""
        return self._children

    def add(self, spec: ChildSpec) -> Child:
        """Start a child.

        Raises
        ------
        ValueError
            If a child of this name is not over yet.
        """
        known = self._children.get(spec.name)
        if known is not None and not known.over:
            raise ValueError(f"a child named {spec.name!r} runs already")
        child = self._children[spec.name] = Child(spec)
        self._start(child)
        return child

    def look(self, heard: Iterable[int] = (), *, deaf: bool = False) -> None:
        """Look at every child once: note its end, its silence, or that it is due.

        Parameters
        ----------
        heard : iterable of int
            Process ids whose heartbeat came since the last look.
        deaf : bool
            Whether heartbeats cannot reach us now (Redis is away): then silence means nothing.
        """
        now_s = self._clock.monotonic_s()
        # Stopped and continued, or a suspended machine: the children could not be heard either.
        slept = now_s - self._looked_s > SILENCE_S / 2
        self._looked_s = now_s
        beating = set(heard)
        for child in self._children.values():
            if child.pid in beating:
                child.heard, child.quiet_since_s = True, now_s
            elif deaf or slept:
                child.quiet_since_s = now_s
            self._judge(child, now_s)

    def stop(self, names: Iterable[str] | None = None, grace_s: float = STOP_GRACE_S) -> None:
        """End children by SIGTERM, and by SIGKILL those that have not ended after `grace_s`; all of them by default."""
        wanted = [self._children[name] for name in (self._children if names is None else names)]
        running = [child for child in wanted if child.process is not None]
        for child in running:
            self._signal(child, signal.SIGTERM)
        deadline_s = self._clock.monotonic_s() + grace_s
        while self._any_alive(running) and self._clock.monotonic_s() < deadline_s:
            self._clock.sleep(LOOK_S)
        for child in wanted:
            self._finish(child)

    def retire(self, children: Iterable[Child]) -> None:
        """Tell children to end for good, without waiting; one that has not within `STOP_GRACE_S` is killed."""
        for child in children:
            child.retired_s = self._clock.monotonic_s()
            if child.process is not None:
                self._signal(child, signal.SIGTERM)
            elif not child.over:
                child.state = ChildState.STOPPED

    def _judge(self, child: Child, now_s: float) -> None:
        if child.state is ChildState.WAITING and now_s >= child.due_s:
            self._start(child)
        elif child.state is ChildState.RUNNING:
            assert child.process is not None
            code = child.process.poll()
            if code is not None:
                self._bury(child, code, now_s)
            elif child.retired_s is not None:
                if now_s - child.retired_s > STOP_GRACE_S:
                    self._finish(child)
            elif child.spec.beats and self._silent(child, now_s):
                self._log.warning("child hangs", child=child.spec.name, pid=child.pid)
                self._signal(child, signal.SIGKILL)
                self._bury(child, child.process.wait(), now_s)

    @staticmethod
    def _silent(child: Child, now_s: float) -> bool:
        return now_s - child.quiet_since_s > (SILENCE_S if child.heard else START_SILENCE_S)

    def _start(self, child: Child) -> None:
        # Its own session: Ctrl-C in the terminal reaches the supervisor alone, which then ends its children in order.
        child.process = subprocess.Popen(
            child.spec.command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,  # our own belongs to results
            stderr=self._stderr,
            env={**os.environ, **child.spec.env, PARENT_VARIABLE: str(os.getpid())},
            start_new_session=True,
        )
        tell_group(child.process.pid)
        child.state, child.exit_code, child.heard = ChildState.RUNNING, None, False
        child.started_s = child.quiet_since_s = self._clock.monotonic_s()
        self._log.info("child started", child=child.spec.name, pid=child.pid, restarts=child.restarts)

    def _bury(self, child: Child, code: int, now_s: float) -> None:
        lived_s = now_s - child.started_s
        child.said = _said(child.process)
        pid, child.process, child.exit_code = child.pid, None, code
        if child.retired_s is not None:
            child.state = ChildState.STOPPED
            self._log.info("child stopped", child=child.spec.name, exit=code)
            return
        if self._is_end(child):
            child.state = ChildState.ENDED
            self._log.info("child ended", child=child.spec.name, pid=pid, exit=code)
            return
        if child.spec.refuses(code, child.said):
            child.state = ChildState.REFUSED
            # It has told people why, on stderr.
            self._log.info("child refuses", child=child.spec.name, pid=pid, exit=code)
            return
        child.failures = 1 if lived_s >= HEALTHY_S else child.failures + 1
        delay_s = BACKOFF_S[min(child.failures, len(BACKOFF_S)) - 1]
        if code == exits.DEVICE_LOST:
            delay_s = max(delay_s, DEVICE_LOST_S)
        child.state, child.due_s, child.restarts = ChildState.WAITING, now_s + delay_s, child.restarts + 1
        self._log.warning("child died", child=child.spec.name, pid=pid, exit=code, again_in_s=delay_s)

    def _finish(self, child: Child) -> None:
        if child.process is not None:
            if child.process.poll() is None:
                self._log.warning("child killed", child=child.spec.name, pid=child.pid)
                self._signal(child, signal.SIGKILL)
            child.exit_code = child.process.wait()
            child.said = _said(child.process)
            child.process = None
            child.state = ChildState.ENDED if self._is_end(child) else ChildState.STOPPED
            self._log.info("child stopped", child=child.spec.name, exit=child.exit_code)
        elif not child.over:
            child.state = ChildState.STOPPED

    @staticmethod
    def _is_end(child: Child) -> bool:
        return child.exit_code in (exits.OK, exits.UNBALANCED) and child.spec.ended()

    @staticmethod
    def _any_alive(children: Iterable[Child]) -> bool:
        return any(child.process is not None and child.process.poll() is None for child in children)

    @staticmethod
    def _signal(child: Child, number: signal.Signals) -> None:
        assert child.process is not None
        child.process.send_signal(number)


def _said(process: subprocess.Popen[bytes] | None) -> bytes:
    """Return what a process that has ended wrote on stdout; what a child of its own may still write is not awaited."""
    if process is None or process.stdout is None:
        return b""
    os.set_blocking(process.stdout.fileno(), False)
    with process.stdout as stdout:
        return stdout.read() or b""
