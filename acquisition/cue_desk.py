"""CueDesk: the cues in real time. It waits for the next due time and sends each marker to its stream.

A marker carries the LSL stamp of the moment in which it was shown, also where that was late; how late is kept and told
(law 3).
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import Any

from acquisition.clock import Clock
from acquisition.cues import Cue, CueRunner, Event, Shown, State
from acquisition.paradigm import ParadigmPlan


@dataclass(frozen=True)
class Sent:
    """A marker that was sent.

    Parameters
    ----------
    cue : Cue
        What it said.
    stamp_s : float
        Its LSL stamp: the moment in which it was shown.
    """

    cue: Cue
    stamp_s: float

    def to_json(self) -> dict[str, Any]:
        """Return plain values."""
        cue = self.cue
        return {
            "text": cue.text,
            "trial": cue.trial,
            "stamp_s": self.stamp_s,
            "late_s": cue.late_s,
            "overtaken": cue.overtaken,
        }


class CueDesk:
    """A plan that runs in real time, with its markers.

    Commands may come from any thread, and so may questions; a marker goes out in the thread that finds it due.

    Parameters
    ----------
    plan : ParadigmPlan
        What is asked of the patient, and when.
    send : callable
        Sends one marker with its LSL stamp in s: ``outlet.MarkerOutlet.push``.
    clock : Clock
        Monotonic time for the plan, the LSL clock for the stamps.
    on_sent : callable
        Told of each marker right after it was sent.
    """

    def __init__(
        self,
        plan: ParadigmPlan,
        send: Callable[[str, float], object],
        clock: Clock,
        on_sent: Callable[[Sent], None] = lambda sent: None,
    ) -> None:
        self.plan = plan
        self._runner = CueRunner(plan)
        self._send_marker = send
        self._clock = clock
        self._on_sent = on_sent
        self._lock = threading.Lock()
        self._wake = threading.Event()
        self._listeners: list[Callable[[], object]] = []
        self._sent: list[Sent] = []

    @property
    def over(self) -> bool:
        """Whether the run has ended."""
        return self._runner.state is State.ENDED

    @property
    def sent(self) -> Sequence[Sent]:
        """Every marker that was sent, in order."""
        return tuple(self._sent)

    def shown(self) -> Shown:
        """Return what is shown now."""
        with self._lock:
            return self._runner.shown(self._clock.monotonic_s())

    def command(self, event: Event) -> None:
        """Do what a person asks for, at once; what means nothing now changes nothing."""
        self.turn(event)
        self._wake.set()

    def turn(self, event: Event | None = None) -> float | None:
        """Send every marker that is due, and tell the listeners if anything else is shown now.

        Returns
        -------
        float or None
            Seconds until the next marker is due; None while the run waits for a person, and after its end.
        """
        with self._lock:
            state = self._runner.state
            now_s, now_lsl_s = self._clock.monotonic_s(), self._clock.lsl_s()
            cues = self._runner.step(now_s, event)
            for cue in cues:
                self._send(cue, now_lsl_s)
            if cues or self._runner.state is not state:
                for listener in self._listeners:
                    listener()
            due_s = self._runner.due_s
            return None if due_s is None else max(0.0, due_s - self._clock.monotonic_s())

    def run(self, wait: Callable[[float | None], object] | None = None) -> None:
        """Send every marker on time, until the plan is over or a person ends it.

        Parameters
        ----------
        wait : callable, optional
            Waits for that many seconds (None: without end), or until a command came; a test hands in its own.
        """
        wait = wait or self._wait
        while not self.over:
            left_s = self.turn()
            if not self.over:
                wait(left_s)

    @contextmanager
    def listening(self, listener: Callable[[], object]) -> Iterator[None]:
        """Tell a listener whenever something else is shown, while the block runs; it must be quick."""
        with self._lock:
            self._listeners.append(listener)
        try:
            yield
        finally:
            with self._lock:
                self._listeners.remove(listener)

    def summary(self) -> dict[str, Any]:
        """Return what was sent and how late, as plain values."""
        cues = [sent.cue for sent in self._sent]
        late = [cue.late_s for cue in cues if cue.late]
        return {
            "completed": self._runner.ended_by is Event.PLAN_OVER,
            "plan": asdict(self.plan),
            "counts": dict(Counter(cue.text for cue in cues)),
            "late": {"n": len(late), "max_s": max(late, default=0.0), "overtaken": sum(c.overtaken for c in cues)},
            "sent": [sent.to_json() for sent in self._sent],
        }

    def _send(self, cue: Cue, stamp_s: float) -> None:
        self._send_marker(cue.text, stamp_s)
        self._sent.append(Sent(cue, stamp_s))
        self._on_sent(self._sent[-1])

    def _wait(self, seconds: float | None) -> None:
        self._wake.wait(seconds)
        self._wake.clear()
