"""What a bench found: one line per job, with its peers beside it and the mark that it must meet."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from deploy.bench.machine import Machine
from deploy.bench.rounds import Job, Timing, interleave

#: Heads of the table.
HEAD = ("what", "time", "CPU", "real time", "mark", "peer", "its time", "our speed by its")
#: Said of a peer that this machine lacks.
ABSENT = "not installed"


@dataclass(frozen=True)
class Task:
    """One thing to measure.

    Parameters
    ----------
    what : str
        In words; the line of the table.
    ours : Job
        How we do it.
    mark : float, optional
        How many times faster than real time it must be.
    peers : mapping of str to (Job or None)
        How others do it; None for one that is not installed.
    """

    what: str
    ours: Job
    mark: float | None = None
    peers: Mapping[str, Job | None] = field(default_factory=dict)


@dataclass(frozen=True)
class Line:
    """One thing that was measured; see ``Task``.

    Parameters
    ----------
    what : str
    signal_s : float
        Seconds of signal that it worked on.
    timing : Timing or None
        None where it could not be measured.
    mark : float, optional
    peers : mapping of str to (Timing or None)
    why_not : str
        Why it could not be measured.
    """

    what: str
    signal_s: float
    timing: Timing | None
    mark: float | None = None
    peers: Mapping[str, Timing | None] = field(default_factory=dict)
    why_not: str = ""

    @property
    def times_real_time(self) -> float | None:
        """Seconds of signal per second."""
        return None if self.timing is None else self.signal_s / self.timing.median_s

    @property
    def met(self) -> bool | None:
        """Whether the mark is met; None without one."""
        if self.mark is None:
            return None
        return self.times_real_time is not None and self.times_real_time >= self.mark

    def speed_by(self, peer: str) -> float | None:
        """Return our speed by a peer's: above 1 ours is the faster one."""
        other = self.peers[peer]
        return None if other is None or self.timing is None else other.median_s / self.timing.median_s

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON values."""
        return {
            "what": self.what,
            "signal_s": self.signal_s,
            "ours": None if self.timing is None else self.timing.to_json(),
            "why_not": self.why_not or None,
            "times_real_time": self.times_real_time,
            "mark": self.mark,
            "met": self.met,
            "peers": [
                {"name": name, **(timing.to_json() if timing else {}), "installed": timing is not None,
                 "our_speed_by_its": self.speed_by(name)}
                for name, timing in self.peers.items()
            ],
        }  # fmt: skip


@dataclass(frozen=True)
class Report:
    """A whole bench.

    Parameters
    ----------
    name : str
        As the command calls it.
    subject : str
        What was worked on, in a few words.
    machine : Machine
    lines : tuple of Line
    notes : tuple of str
        What else belongs to the record, such as what was worked on and how often, in sentences.
    facts : mapping
        The same as JSON values.
    """

    name: str
    subject: str
    machine: Machine
    lines: tuple[Line, ...]
    notes: tuple[str, ...]
    facts: Mapping[str, Any]

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON values."""
        return {
            "bench": self.name,
            "machine": self.machine.to_json(),
            **self.facts,
            "lines": [line.to_json() for line in self.lines],
        }

    @property
    def words(self) -> str:
        """Where, when, with what, and what else is to be said, in sentences."""
        versions = ", ".join(f"{name} {number}" for name, number in self.machine.versions.items())
        where = f"{self.machine.words}, {self.machine.measured_utc}, Python {self.machine.python}, {versions}."
        return " ".join([where, *self.notes])

    def rows(self) -> list[tuple[str, ...]]:
        """Return the rows of the table, under ``HEAD``: one per line, and one more per further peer."""
        return [row for line in self.lines for row in _rows(line)]

    def figures(self) -> list[str]:
        """Return the rows of docs/figures.md: what has a mark or a peer."""
        date = self.machine.measured_utc[:10]
        command = f"`flexion bench {self.name}`"
        return [
            f"| {line.what}, {self.subject} | {_figure(line)} | {self.machine.words} | {date} | {command} |"
            for line in self.lines
            if line.mark is not None or line.peers
        ]


def measure(tasks: Sequence[Task], rounds: int, signal_s: float) -> list[Line]:
    """Time every task and its peers in turn, and return their lines."""
    jobs = [job for task in tasks for job in (task.ours, *task.peers.values()) if job is not None]
    timings = iter(interleave(jobs, rounds))
    lines = []
    for task in tasks:
        ours = next(timings)
        peers = {name: None if job is None else next(timings) for name, job in task.peers.items()}
        lines.append(Line(task.what, signal_s, ours, task.mark, peers))
    return lines


def markdown(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return rows as a table of a page."""
    return "\n".join("| " + " | ".join(row) + " |" for row in [head, ["---"] * len(head), *rows])


def _rows(line: Line) -> list[tuple[str, ...]]:
    time = line.timing.words if line.timing else line.why_not
    cpu = line.timing.cpu_words if line.timing else ""
    ours = (line.what, time, cpu, _times(line.times_real_time), _mark(line))
    peers = [
        (name, timing.words if timing else ABSENT, _ratio(line.speed_by(name))) for name, timing in line.peers.items()
    ]
    first, *others = peers or [("", "", "")]
    return [(*ours, *first), *((*[""] * len(ours), *other) for other in others)]


def _figure(line: Line) -> str:
    if line.timing is None:
        return f"not measured: {line.why_not}"
    words = f"{_times(line.times_real_time)} real time: {line.timing.words}"
    beside = [f"{_ratio(line.speed_by(name))} as fast as {name}" for name, peer in line.peers.items() if peer]
    return ", ".join([words, *beside])


def _times(times: float | None) -> str:
    return "" if times is None else f"{times:.0f}×"


def _ratio(ratio: float | None) -> str:
    return "" if ratio is None else f"{ratio:.2g}×"


def _mark(line: Line) -> str:
    return "" if line.mark is None else f"{line.mark:g}×: {'met' if line.met else 'missed'}"
