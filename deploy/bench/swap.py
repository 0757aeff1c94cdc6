"""``flexion bench swap``: how long windows wait for their results while other bundles are made ready, and otherwise.

A ward with its Redis, scorers and aggregator; one session whose windows come at a steady pace. A copy of its bundle
with another version takes the place of what serves, then the bundle itself again, and so on.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import structlog

from acquisition.clock import LiveClock
from acquisition.errors import BadEnvironment
from deploy.bench.machine import Machine, this_machine
from deploy.bench.report import markdown
from deploy.bench.spread import HEAD, Spread
from deploy.bench.window_feed import WindowFeed
from deploy.opening import Models
from deploy.redis_choice import ChosenRedis
from deploy.settings import Settings, changed
from deploy.swap import Wanted
from deploy.ward import Ward
from inference.building import rewritten

__all__ = ["HEAD", "SwapReport", "measure"]

#: Results that come before anything counts.
WARM_RESULTS = 5
#: Seconds within which the first processes serve.
READY_S = 60.0
LIBRARIES = ("flexion", "numpy", "onnxruntime", "redis")


@dataclass(frozen=True)
class SwapReport:
    """The whole bench.

    Parameters
    ----------
    machine : Machine
    model : str
        Name and version.
    scorers : int
        Scoring processes.
    per_s : float
        Windows a second.
    otherwise, meanwhile : Spread
        Milliseconds from handing a window in to its result, while nothing changed and while bundles were changed.
    took : Spread
        Milliseconds of each change, from the command to the end of the processes that served before.
    n_windows, n_lost : int
        All windows, and those without a score.
    """

    machine: Machine
    model: str
    scorers: int
    per_s: float
    otherwise: Spread
    meanwhile: Spread
    took: Spread
    n_windows: int
    n_lost: int

    @property
    def words(self) -> str:
        """Where, when and with what, in sentences."""
        told = self.machine
        return (
            f"{told.words}, {told.measured_utc}, Python {told.python}. {self.per_s:g} windows a second of {self.model} "
            f"on {_counted(self.scorers, 'scorer')}; {_counted(self.n_windows, 'window')}, {self.n_lost} lost."
        )

    def rows(self) -> list[tuple[str, ...]]:
        """Return the rows of the table, under ``HEAD``."""
        return [spread.row() for spread in (self.otherwise, self.meanwhile, self.took)]

    def markdown(self) -> str:
        """Return the table as the docs have it."""
        return f"{self.words}\n\n{markdown(HEAD, self.rows())}"

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON values."""
        p99, calm_p99 = self.meanwhile.at("p99"), self.otherwise.at("p99")
        return {
            "bench": "swap",
            "machine": self.machine.to_json(),
            "model": self.model,
            "scorers": self.scorers,
            "windows_per_s": self.per_s,
            "windows": self.n_windows,
            "lost": self.n_lost,
            "p99_meanwhile_by_otherwise": p99 / calm_p99 if p99 and calm_p99 else None,
            "lines": [spread.to_json() for spread in (self.otherwise, self.meanwhile, self.took)],
        }


def measure(
    folder: Path, settings: Settings, swaps: int, per_s: float, calm_s: float, say: Callable[[str], None]
) -> SwapReport:
    """Measure.

    Parameters
    ----------
    folder : Path
        Empty; a copy of the bundle lies there.
    settings : Settings
        Name the bundle and the number of scorers.
    swaps : int
        How often what serves is changed.
    per_s : float
        Windows a second.
    calm_s : float
        Seconds before each change.
    say : callable
        Hears how it goes.

    Raises
    ------
    BadEnvironment
        If nothing is scored, or new processes do not begin.
    """
    machine, models = this_machine(LIBRARIES), Models.load(settings.models)
    copy = rewritten(models.eeg_emg, folder / "copy", version=f"{models.eeg_emg.model.head.version}+copy")
    folders = [copy.path, models.eeg_emg.path]
    clock, log = LiveClock(), structlog.get_logger("bench")
    redis = ChosenRedis(None, None, allow_bundled=True, log=log, monotonic_s=clock.monotonic_s)
    with (
        Ward(settings, models, redis, clock=clock, log=log, roles=("scorer", "aggregator")) as ward,
        WindowFeed(redis.url, models.eeg_emg, 1.0 / per_s) as feed,
    ):
        say("waiting for the first scores")
        _look_until(ward, lambda: len(feed.results) >= WARM_RESULTS, READY_S)
        first, during, took = feed.n, [range(0)], []
        for i in range(swaps):
            say(f"change {i + 1} of {swaps}")
            _look_for(ward, calm_s)
            begun_s, begun = time.monotonic(), feed.n
            names = {"models.eeg_emg": str(folders[i % 2])}
            answer = ward.serve(Wanted(Models.load(changed(settings, names).models), names))
            ward.run(answer.done)
            answer.result()
            took.append(1000.0 * (time.monotonic() - begun_s))
            during.append(range(begun, feed.n))
    return _report(machine, models, settings, per_s, feed, first, during, took)


def _look_for(ward: Ward, seconds: float) -> None:
    until_s = time.monotonic() + seconds
    ward.run(lambda: time.monotonic() >= until_s)


def _look_until(ward: Ward, true: Callable[[], bool], patience_s: float) -> None:
    until_s = time.monotonic() + patience_s
    ward.run(lambda: true() or time.monotonic() >= until_s)
    if not true():
        raise BadEnvironment(
            f"Nothing was scored within {patience_s:g} s.", subject="scorer", remedy="Look at what the scorers say."
        )


def _report(
    machine: Machine, models: Models, settings: Settings, per_s: float, feed: WindowFeed, first: int,
    during: Sequence[range], took: Sequence[float],
) -> SwapReport:  # fmt: skip
    changing = {index for indices in during for index in indices}
    waits = {index: 1000.0 * wait_s for index, wait_s in feed.waits_s.items() if index >= first}
    calm = np.array([wait for index, wait in waits.items() if index not in changing])
    busy = np.array([wait for index, wait in waits.items() if index in changing])
    scored = sum(result.state == "scored" for result in feed.results)
    return SwapReport(
        machine,
        models.eeg_emg.label,
        settings.models.scorers,
        per_s,
        Spread("a window's wait for its score, otherwise", calm),
        Spread("the same while bundles are changed", busy),
        Spread("a change, from the command to the end of the old processes", np.array(took)),
        feed.n,
        feed.n - scored,
    )


def _counted(n: int, word: str) -> str:
    return f"{n} {word}{'s' if n != 1 else ''}"
