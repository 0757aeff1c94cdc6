"""``flexion bench screen``: how late the screen is, and how soon it is there, measured in a real browser.

The demonstration runs with all its processes: a simulated amplifier on LSL, bridge, Redis, scorers, aggregator and the
server of the pages. Chromium opens the bedside page, and ``watch.js`` notes inside it what comes and what is drawn.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from acquisition.inlet import lsl_clock_s
from deploy.bench.browser import chromium, find_chromium
from deploy.bench.clock_tie import ClockTie
from deploy.bench.first_view import LINE_BITS, LINE_MS, LIVE, View, first_view, fresh_page, until_there
from deploy.bench.machine import Machine, this_machine
from deploy.bench.running_demo import RunningDemo
from deploy.bench.spread import HEAD, Spread
from deploy.bench.watched import Watched

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

#: What must hold: 95 of 100 samples and numbers (ms), half of the first views (ms, ms, kB).
SAMPLE_MS, NUMBER_MS, PAINT_MS, TRACE_MS, FIRST_KB = 150.0, 400.0, 600.0, 1500.0, 90.0
#: Put into the page.
WATCH = Path(__file__).with_name("watch.js")
#: How often the clocks are compared, before and after.
READINGS = 200
#: Whose versions belong to the record.
LIBRARIES = ("flexion", "fastapi", "uvicorn", "redis", "onnxruntime", "pylsl", "playwright")


@dataclass(frozen=True)
class ScreenReport:
    """What was found.

    Parameters
    ----------
    machine : Machine
    spreads : tuple of Spread
        What has an aim, then where the time goes.
    notes : tuple of str
        What else belongs to the record, in sentences.
    facts : mapping
        The same as JSON values.
    """

    machine: Machine
    spreads: tuple[Spread, ...]
    notes: tuple[str, ...]
    facts: Mapping[str, Any]

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON values."""
        lines = [spread.to_json() for spread in self.spreads]
        return {"bench": "screen", "machine": self.machine.to_json(), **self.facts, "lines": lines}

    @property
    def words(self) -> str:
        """Where, when, with what, and what else is to be said, in sentences."""
        versions = ", ".join(f"{name} {number}" for name, number in self.machine.versions.items())
        where = f"{self.machine.words}, {self.machine.measured_utc}, Python {self.machine.python}, {versions}."
        return " ".join([where, *self.notes])

    def table(self) -> tuple[Sequence[str], Sequence[Sequence[str]]]:
        """Return head and rows."""
        return HEAD, [spread.row() for spread in self.spreads]

    def figures(self) -> list[str]:
        """Return the rows of docs/figures.md: what has an aim."""
        where = f"{self.machine.words} | {self.machine.measured_utc[:10]} | `flexion bench screen`"
        return [f"| {s.what} | {s.figure()} | {where} |" for s in self.spreads if s.aim is not None]


def run(folder: Path, seconds: float, views: int, tell: Callable[[str], None]) -> ScreenReport:
    """Measure everything.

    Parameters
    ----------
    folder : Path
        For the demonstration; empty.
    seconds : float
        For how long the page is watched.
    views : int
        First views, 1 or more.
    tell : callable
        Hears what is being done.

    Raises
    ------
    BadEnvironment
        If there is no browser, nothing to drive it with, or the demonstration does not begin.
    """
    machine = this_machine(LIBRARIES)  # before the demonstration loads it
    find_chromium()
    tell(f"{machine.words}. The demonstration begins.")
    with RunningDemo(folder) as demo, chromium() as browser:
        version = browser.version
        tell(f"{views} first views over {LINE_BITS / 1e6:g} Mbit/s and {LINE_MS} ms.")
        first = [first_view(browser, demo.page, WATCH) for _ in range(views)]
        tell(f"The page is watched for {seconds:g} s in Chromium {version}.")
        seen, tie, said = watch(browser, demo.page, seconds)
    facts = {
        "chromium": version,
        "seconds": seconds,
        "clock": {"offset_s": tie.offset_s, "uncertainty_ms": 1000 * tie.uncertainty_s},
        "filters": seen.session.get("filters"),
        "page_says": said,
    }
    spreads = (*latencies(seen, tie), *views_spread(first), *stages(seen, tie))
    return ScreenReport(machine, spreads, tuple(_notes(seen, tie, version, seconds, first)), facts)


def watch(browser: Browser, url: str, seconds: float) -> tuple[Watched, ClockTie, Mapping[str, Any]]:
    """Watch a page; return what it saw, how its clock stands to LSL's, and what it says of its own drawing."""
    with fresh_page(browser, WATCH) as page:
        page.goto(url)
        until_there(page, LIVE)
        before = tie_clocks(page)
        page.wait_for_timeout(1000 * seconds)
        tie = before.with_drift(tie_clocks(page))
        said = page.evaluate("flexion.stats()")
        return Watched.read(page.evaluate("JSON.stringify(flexionSeen)")), tie, said


def tie_clocks(page: Page) -> ClockTie:
    """Ask a page for its clock between two looks at LSL's, many times."""
    return ClockTie.of((lsl_clock_s(), page.evaluate("performance.now()"), lsl_clock_s()) for _ in range(READINGS))


def latencies(seen: Watched, tie: ClockTie) -> list[Spread]:
    """Return how late samples and numbers are on the screen."""
    return [
        Spread("sample to pixel", seen.sample_to_pixel_ms(tie), SAMPLE_MS),
        Spread("window end to number", seen.window_to_number_ms(tie), NUMBER_MS),
    ]


def views_spread(views: Sequence[View]) -> list[Spread]:
    """Return how soon a page is there."""
    paint = np.array([view.paint_ms for view in views])
    trace = np.array([view.trace_ms for view in views])
    size = np.array([view.page_bytes / 1000 for view in views])
    return [
        Spread("first view: first paint", paint, PAINT_MS, "p50"),
        Spread("first view: first live trace", trace, TRACE_MS, "p50"),
        Spread("first view: bytes before it", size, FIRST_KB, "p50", "kB"),
    ]


def stages(seen: Watched, tie: ClockTie) -> list[Spread]:
    """Return where the time goes."""
    spent = seen.frame_stages_ms(tie) | {"frame later than the earliest": seen.jitter_ms()} | seen.window_stages_ms(tie)
    return [Spread(f"of it: {what}", values) for what, values in spent.items()]


def _notes(seen: Watched, tie: ClockTie, version: str, seconds: float, views: Sequence[View]) -> list[str]:
    """Return what belongs beside the figures."""
    notes = [
        f"Chromium {version}, headless, 1280 x 800, {seconds:g} s of a demonstration on the same machine.",
        f"The clocks of LSL and of the page are tied to {1000 * tie.uncertainty_s:.2f} ms.",
        *_filter_words(seen.session.get("filters") or {}),
    ]
    asked = max(view.requests for view in views)
    events_kb, wave_kb = (
        max(sizes) / 1000 for sizes in zip(*((v.event_bytes, v.wave_bytes) for v in views), strict=True)
    )
    said = f"A first view, early in the session, asks {asked} times; {events_kb:.0f} kB of its bytes are events"
    return [*notes, f"{said}, and {wave_kb:.0f} kB of live signal come beside them."]


def _filter_words(filters: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Return what the filters add, which is a property of the signal and not in the times."""
    delays = {(band["delay_ms"], band["delay_at_hz"]) for band in filters.values()}
    return [f"Beside it the filters delay {hz:g} Hz by {ms:.0f} ms." for ms, hz in sorted(delays)]
