"""Drawing: our sweep beside uPlot, on the same recorded wave, in the same browser, in turn.

For each, on a page of its own: frames a second and script per frame, at full speed and with the processor slowed down
four times; the browser's share of a core above a page that draws nothing; what its scripts hold before and after.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from statistics import median
from typing import TYPE_CHECKING, Any

from deploy.bench import streamed
from deploy.bench.browser import chromium, find_chromium
from deploy.bench.machine import Machine, this_machine
from deploy.bench.measured_page import opened
from deploy.bench.report import markdown

if TYPE_CHECKING:
    from playwright.sync_api import Browser

#: How many times slower the processor is made.
SLOWED = 4
#: Seconds before anything counts: scripts compiled, the first page drawn.
WARM_S = 2.0
#: Seconds of the recording, which is played over and over.
RECORDED_S = 20.0
#: Heads of the table.
HEAD = ("what", "our sweep", "mark", "uPlot", "ours by uPlot")
OURS, PEER, IDLE = "sweep", "uplot", "nothing"
LIBRARIES = ("playwright",)


@dataclass(frozen=True)
class Drawn:
    """How one drawing did in one round.

    Parameters
    ----------
    fps, script_p50_ms, script_p95_ms, frame_p95_ms : float
        At full speed.
    slowed_fps, slowed_script_p95_ms : float
        With the processor slowed down.
    cpu_share : float
        Of one core, by the whole browser.
    heap_start_bytes, heap_end_bytes : int
        After garbage was collected, around the stretch at full speed.
    seconds : float
        Of that stretch.
    """

    fps: float
    script_p50_ms: float
    script_p95_ms: float
    frame_p95_ms: float
    slowed_fps: float
    slowed_script_p95_ms: float
    cpu_share: float
    heap_start_bytes: int
    heap_end_bytes: int
    seconds: float

    @property
    def heap_growth_bytes(self) -> int:
        """What was held more at the end."""
        return self.heap_end_bytes - self.heap_start_bytes


@dataclass(frozen=True)
class Mark:
    """What our drawing must do, and whether more is better."""

    value: float
    at_least: bool

    def met(self, value: float) -> bool:
        """Whether a value does."""
        return value >= self.value if self.at_least else value <= self.value


@dataclass(frozen=True)
class Figure:
    """One line: a value of ours beside the peer's.

    Parameters
    ----------
    what : str
    unit : str
    ours, peer : float
        Medians of the rounds; the peer's is None where it did not draw.
    mark : Mark or None
    """

    what: str
    unit: str
    ours: float
    peer: float | None
    mark: Mark | None = None

    @property
    def ratio(self) -> float | None:
        """Ours by the peer's; None where that means nothing."""
        return self.ours / self.peer if self.peer and self.peer > 0 and self.ours >= 0 else None

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON values."""
        met = None if self.mark is None else self.mark.met(self.ours)
        return {**asdict(self), "ratio": self.ratio, "met": met}

    def row(self) -> tuple[str, ...]:
        """Return it under ``HEAD``."""
        mark = "" if self.mark is None else self._mark(self.mark)
        ratio = "" if self.ratio is None else f"{self.ratio:.2g}×"
        peer = "" if self.peer is None else self._words(self.peer)
        return (self.what, self._words(self.ours), mark, peer, ratio)

    def words(self) -> str:
        """Return it in one sentence, with its ratio."""
        beside = "" if self.peer is None else f"; uPlot {self._words(self.peer)}"
        return self._words(self.ours) + beside + ("" if self.ratio is None else f"; {self.ratio:.2g}×")

    def _mark(self, mark: Mark) -> str:
        sign = "≥" if mark.at_least else "≤"
        return f"{sign} {mark.value:g}: {'met' if mark.met(self.ours) else 'missed'}"

    def _words(self, value: float) -> str:
        return f"{value:.3g} {self.unit}"


@dataclass(frozen=True)
class DrawingReport:
    """A whole bench.

    Parameters
    ----------
    machine : Machine
    browser : str
        Its version.
    ours, peer : tuple of Drawn
        By round; the peer's are none where ours drew alone.
    idle_shares : tuple of float
        The browser's share of a core with a page that draws nothing, by round.
    """

    machine: Machine
    browser: str
    ours: tuple[Drawn, ...]
    peer: tuple[Drawn, ...]
    idle_shares: tuple[float, ...]

    @property
    def figures(self) -> list[Figure]:
        """What is told, in its order."""
        return [
            self._figure("frames a second", "/s", lambda drawn: drawn.fps, Mark(59.0, True)),
            self._figure(f"frames a second, {SLOWED}× slowed", "/s", lambda drawn: drawn.slowed_fps, Mark(55.0, True)),
            self._figure("script per frame, p50", "ms", lambda drawn: drawn.script_p50_ms),
            self._figure("script per frame, p95", "ms", lambda drawn: drawn.script_p95_ms, Mark(0.5, False)),
            self._figure(f"script per frame, p95, {SLOWED}× slowed", "ms", lambda drawn: drawn.slowed_script_p95_ms),
            self._figure("from frame to frame, p95", "ms", lambda drawn: drawn.frame_p95_ms),
            self._figure("browser's share of a core above idle", "%", self._above_idle),
            self._figure("held by scripts at the end", "MB", lambda drawn: drawn.heap_end_bytes / 1e6),
            self._figure("growth of that", "kB", lambda drawn: drawn.heap_growth_bytes / 1e3),
        ]

    @property
    def words(self) -> str:
        """Where, when, with what, in sentences."""
        seconds = self.ours[0].seconds
        return (
            f"{self.machine.words}, {self.machine.measured_utc}, Chromium {self.browser} without a window or a GPU. "
            f"16 channels at 1000 Hz, 10 s on 1180 x 752 pixels. Each draws {seconds:g} s at full "
            f"speed, {len(self.ours)} times in turn. An idle page takes {100 * self._idle:.0f} % of a core."
        )

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON values."""
        return {
            "bench": "drawing",
            "machine": self.machine.to_json(),
            "browser": self.browser,
            "ours": [asdict(drawn) for drawn in self.ours],
            "uplot": [asdict(drawn) for drawn in self.peer],
            "idle_shares": list(self.idle_shares),
            "figures": [figure.to_json() for figure in self.figures],
        }

    def rows(self) -> list[tuple[str, ...]]:
        """Return the rows of the table, under ``HEAD``."""
        return [figure.row() for figure in self.figures]

    def markdown(self) -> str:
        """Return the table as docs/benchmarks.md has it, then the rows of docs/figures.md."""
        where = f"{self.machine.words} | {self.machine.measured_utc[:10]} | `flexion bench drawing`"
        figures = [f"| {figure.what}, 16 channels | {figure.words()} | {where} |" for figure in self.figures]
        return "\n\n".join([self.words, markdown(HEAD, self.rows()), "\n".join(figures)])

    @property
    def _idle(self) -> float:
        return median(self.idle_shares)

    def _above_idle(self, drawn: Drawn) -> float:
        return 100 * (drawn.cpu_share - self._idle)

    def _figure(self, what: str, unit: str, of: Callable[[Drawn], float], mark: Mark | None = None) -> Figure:
        peer = _median(self.peer, of) if self.peer else None
        return Figure(what, unit, _median(self.ours, of), peer, mark)


def measure(seconds: float, rounds: int, tell: Callable[[str], None], *, alone: bool = False) -> DrawingReport:
    """Measure both drawings in turn.

    Parameters
    ----------
    seconds : float
        Of each stretch at full speed; the slowed one is a third of it, 20 s at most.
    rounds : int
        1 or more.
    tell : callable
        Hears what is being done.
    alone : bool
        Leave out the peer: for a stretch of hours, which says what our scripts hold.

    Raises
    ------
    BadEnvironment
        If there is no browser, or nothing to drive it with.
    """
    find_chromium()
    machine = this_machine(LIBRARIES)
    tell("Recording a wave.")
    wave = streamed.record(RECORDED_S)
    idle, ours, peer = [], [], []
    with streamed.served(wave) as url, chromium() as browser:
        for n in range(rounds):
            tell(f"Round {n + 1} of {rounds}.")
            idle.append(_idle(browser, url, min(seconds, 20.0)))
            ours.append(_drawn(browser, f"{url}?by={OURS}", seconds))
            if not alone:
                peer.append(_drawn(browser, f"{url}?by={PEER}", seconds))
        return DrawingReport(machine, browser.version, tuple(ours), tuple(peer), tuple(idle))


def _idle(browser: Browser, url: str, seconds: float) -> float:
    with opened(browser, f"{url}?by={IDLE}") as page:
        page.wait(WARM_S)
        return page.watched(seconds)[1]


def _drawn(browser: Browser, url: str, seconds: float) -> Drawn:
    with opened(browser, url) as page:
        page.wait(WARM_S)
        heap_start = page.heap_bytes()
        full, cpu_share = page.watched(seconds)
        heap_end = page.heap_bytes()
        page.slow_down(SLOWED)
        page.wait(WARM_S)
        slowed, _ = page.watched(min(seconds / 3, 20.0))
    return Drawn(
        fps=full["fps"],
        script_p50_ms=full["script_p50_ms"],
        script_p95_ms=full["script_p95_ms"],
        frame_p95_ms=full["frame_p95_ms"],
        slowed_fps=slowed["fps"],
        slowed_script_p95_ms=slowed["script_p95_ms"],
        cpu_share=cpu_share,
        heap_start_bytes=heap_start,
        heap_end_bytes=heap_end,
        seconds=seconds,
    )


def _median(rounds: Sequence[Drawn], of: Callable[[Drawn], float]) -> float:
    return median(of(drawn) for drawn in rounds)
