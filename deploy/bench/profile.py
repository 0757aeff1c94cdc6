"""Where the time of one call goes: by stage of the path, and by function."""

from __future__ import annotations

import cProfile
import os
import pstats
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import FunctionType
from typing import Any

#: Functions that are shown.
SHOWN = 15


@dataclass(frozen=True)
class Spent:
    """What something took under the profiler, which makes small functions look dearer than they are.

    Parameters
    ----------
    name : str
    calls : int
    seconds : float
        Of a stage with all that it calls, of a function its own.
    share : float
        Of the whole call.
    """

    name: str
    calls: int
    seconds: float
    share: float

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON values."""
        return {"name": self.name, "calls": self.calls, "seconds": self.seconds, "share": self.share}

    def row(self) -> tuple[str, ...]:
        """Return it as a row under ``HEADS``."""
        return (self.name, str(self.calls), f"{self.seconds:.3f}", f"{100 * self.share:.0f} %")


@dataclass(frozen=True)
class Profile:
    """Stages in their order, and the functions with the most time of their own."""

    stages: tuple[Spent, ...]
    functions: tuple[Spent, ...]

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON values."""
        return {name: [spent.to_json() for spent in getattr(self, name)] for name in ("stages", "functions")}


def profiled(call: Callable[[], object], stages: Mapping[str, FunctionType]) -> Profile:
    """Run something once under the profiler.

    Parameters
    ----------
    call : callable
    stages : mapping of str to function
        Functions that do not call each other, by what they are called in words.
    """
    profiler = cProfile.Profile()
    profiler.runcall(call)
    stats = pstats.Stats(profiler)
    taken: Mapping[Any, tuple[int, int, float, float, Any]] = stats.stats  # type: ignore[attr-defined]
    whole_s: float = stats.total_tt  # type: ignore[attr-defined]
    by_stage = []
    for words, function in stages.items():
        code = function.__code__
        _, calls, _, seconds, _ = taken.get((code.co_filename, code.co_firstlineno, code.co_name), (0, 0, 0.0, 0.0, {}))
        by_stage.append(Spent(words, calls, seconds, seconds / whole_s))
    dearest = sorted(taken.items(), key=lambda item: item[1][2], reverse=True)[:SHOWN]
    functions = [Spent(_named(*where), calls, own_s, own_s / whole_s) for where, (_, calls, own_s, *_) in dearest]
    return Profile(tuple(by_stage), tuple(functions))


def tables(profile: Profile) -> list[tuple[str, tuple[tuple[str, ...], list[tuple[str, ...]]]]]:
    """Return title, head and rows of both tables."""
    stages = ("stage", "calls", "seconds", "share"), [spent.row() for spent in profile.stages]
    functions = ("function", "calls", "own seconds", "share"), [spent.row() for spent in profile.functions]
    return [("Where scoring spends its time, by stage.", stages), ("The dearest functions.", functions)]


def _named(file: str, line: int, name: str) -> str:
    return name if file == "~" else f"{os.path.splitext(os.path.basename(file))[0]}.{name}"
