"""``flexion bench engines``: the engines of a CPU core beside each other, on the bundles that ship.

Each engine is a process of its own, which waits while another runs: the calls take turns, A B C A B C, so that what
the machine does meanwhile befalls all alike. The oracle is torch in float64.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from acquisition.errors import BadInput
from deploy.bench.engine_peers import EngineProcess, Peer, Unable, neighbours, started
from deploy.bench.machine import Machine, this_machine
from deploy.bench.report import markdown
from deploy.bench.spread import SHARES, Spread
from inference.bundle import resolve_bundle

BUNDLES = ("lstm-raw", "lstm-bands")
#: What runs here where it is installed; the first is what a bedside runs.
ENGINES = ("onnxruntime-cpu", "torch", "openvino")
#: Who gives the oracle.
ORACLE = "torch"
#: Windows whose logits are held against the oracle.
COMPARED = 32
LIBRARIES = ("flexion", "numpy", "onnxruntime", "torch", "openvino")
HEAD = (
    *("model", "batch", "engine", *SHARES, "calls"),
    *("Δlogit to float64", "speed by the best other", "busy p99 by p50"),
)
START_HEAD = (
    *("model", "engine", "version", "Python", "first result", "golden windows too", "whole self-check"),
    *("same bits twice", "in every batch"),
)
#: Calls that do not count, so that what is made at its first use is nobody's.
WARM_CALLS = 1


@dataclass(frozen=True)
class Cell:
    """One engine at one batch of one bundle; times are milliseconds per window.

    Parameters
    ----------
    bundle, engine : str
    batch : int
        Windows in a call.
    quiet, busy : Spread
        Alone, and beside busy neighbours; empty where that was not measured.
    dlogit : float or None
        Largest difference of a logit from float64; None without an oracle.
    """

    bundle: str
    engine: str
    batch: int
    quiet: Spread
    busy: Spread
    dlogit: float | None

    @property
    def tail(self) -> float | None:
        """The p99 beside busy neighbours by the median alone."""
        p99, p50 = self.busy.at("p99"), self.quiet.at("p50")
        return None if p99 is None or p50 is None else p99 / p50

    def speed_by(self, others: Sequence[Cell]) -> float | None:
        """Return its speed by the best of the others at this batch: above 1 it is the fastest."""
        medians = [cell.quiet.at("p50") for cell in others]
        best, own = min((p50 for p50 in medians if p50), default=None), self.quiet.at("p50")
        return None if best is None or own is None else best / own

    def to_json(self, others: Sequence[Cell]) -> dict[str, Any]:
        """Return it as JSON values."""
        return {
            "bundle": self.bundle,
            "engine": self.engine,
            "batch": self.batch,
            "quiet_ms_per_window": _quantiles(self.quiet),
            "busy_ms_per_window": _quantiles(self.busy),
            "largest_logit_difference": self.dlogit,
            "speed_by_the_best_other": self.speed_by(others),
            "busy_p99_by_quiet_p50": self.tail,
        }

    def row(self, others: Sequence[Cell]) -> tuple[str, ...]:
        """Return its line of the table, under ``HEAD``."""
        times = [_ms(self.quiet.at(name)) for name in SHARES]
        ratio, calls = _times(self.speed_by(others)), str(len(self.quiet.values))
        dlogit = "" if self.dlogit is None else f"{self.dlogit:.1e}"
        return (self.bundle, str(self.batch), self.engine, *times, calls, dlogit, ratio, _times(self.tail))


@dataclass(frozen=True)
class Start:
    """How an engine began with a bundle: what its process answered, and its Python."""

    bundle: str
    engine: str
    python: str
    opened: Mapping[str, Any]
    checked: Mapping[str, Any]

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON values."""
        names = {"bundle": self.bundle, "engine": self.engine, "python": self.python}
        return {**names, **self.opened, **self.checked}

    def row(self) -> tuple[str, ...]:
        """Return its line of the table, under ``START_HEAD``."""
        bits = ["yes" if self.checked[key] else "no" for key in ("repeatable", "batch_invariant")]
        cold_s, golden_s, check_s = self.opened["cold_s"], self.checked["golden_s"], self.checked["check_s"]
        times = [f"{cold_s:.2f} s", f"{cold_s + golden_s:.2f} s", f"{cold_s + check_s:.1f} s"]
        return (self.bundle, self.engine, self.opened["version"], self.python, *times, *bits)


@dataclass
class Found:
    """What is found while it is measured."""

    cells: list[Cell] = field(default_factory=list)
    starts: list[Start] = field(default_factory=list)
    absent: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class EnginesReport:
    """The whole bench.

    Parameters
    ----------
    machine : Machine
    rounds, busy : int
        Calls of each kind, and busy neighbours.
    found : Found
    """

    machine: Machine
    rounds: int
    busy: int
    found: Found

    @property
    def words(self) -> str:
        """Where, when and with what, in sentences."""
        told = self.machine
        beside = f", then beside {self.busy} busy neighbours" if self.busy else ""
        absent = "".join(f" {why}" for why in self.found.absent.values())
        return (
            f"{told.words}, {told.measured_utc}, Python {told.python}. Milliseconds per window, one thread each, "
            f"{self.rounds} calls in turn{beside}.{absent}"
        )

    @property
    def start_words(self) -> str:
        """What the second table holds."""
        return (
            "From reading the bundle, imports done: to the first result; to the end of the golden windows, from where "
            "on a scorer serves; to the end of the whole self-check."
        )

    def rows(self) -> list[tuple[str, ...]]:
        """Return the rows of the table, under ``HEAD``."""
        return [cell.row(self._others(cell)) for cell in self.found.cells]

    def start_rows(self) -> list[tuple[str, ...]]:
        """Return the rows of the table of starts, under ``START_HEAD``."""
        return [start.row() for start in self.found.starts]

    def markdown(self) -> str:
        """Return both tables as the docs have them."""
        parts = (self.words, markdown(HEAD, self.rows()), self.start_words, markdown(START_HEAD, self.start_rows()))
        return "\n\n".join(parts)

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON values."""
        return {
            "bench": "engines",
            "machine": self.machine.to_json(),
            "rounds": self.rounds,
            "busy": self.busy,
            "absent": self.found.absent,
            "starts": [start.to_json() for start in self.found.starts],
            "cells": [cell.to_json(self._others(cell)) for cell in self.found.cells],
        }

    def _others(self, cell: Cell) -> list[Cell]:
        same = [one for one in self.found.cells if (one.bundle, one.batch) == (cell.bundle, cell.batch)]
        return [one for one in same if one.engine != cell.engine]


def measure(
    peers: Sequence[Peer],
    bundles: Sequence[str],
    batches: Sequence[int],
    rounds: int,
    busy: int,
    say: Callable[[str], None],
) -> EnginesReport:
    """Measure every engine on every bundle.

    Parameters
    ----------
    peers : sequence of Peer
        One that is not there is told in the report.
    bundles : sequence of str
        That ship, or folders.
    batches : sequence of int
        Windows in a call.
    rounds : int
        Calls of each engine at each batch.
    busy : int
        Busy neighbours of a second pass; 0 for none.
    say : callable
        Hears how it goes.
    """
    machine, found = this_machine(LIBRARIES), Found()
    for bundle in bundles:
        with started(peers) as (running, absent):
            found.absent |= absent
            _one_bundle(running, bundle, batches, rounds, busy, found, say)
    return EnginesReport(machine, rounds, busy, found)


def chosen(named: Sequence[Peer]) -> list[Peer]:
    """Return the usual engines, with those that were named beside them or in their place."""
    peers = {name: Peer(name) for name in ENGINES} | {peer.name: peer for peer in named}
    return list(peers.values())


def sizes(text: str) -> list[int]:
    """Return the batches of ``1,8,32``.

    Raises
    ------
    BadInput
        If one of them is no whole number above 0.
    """
    found = [int(part) if part.strip().isdecimal() else 0 for part in text.split(",")]
    if min(found) < 1:
        raise BadInput(f"--batches {text} is no list of batches.", subject=text, remedy="Give it like 1,8,32.")
    return found


def _one_bundle(
    running: dict[str, EngineProcess], bundle: str, batches: Sequence[int], rounds: int, busy: int, found: Found,
    say: Callable[[str], None],
) -> None:  # fmt: skip
    say(f"{bundle}: starting {', '.join(running)}")
    found.starts += _begin(running, bundle, found.absent)
    exact = _oracle(running)
    for batch in batches:
        say(f"{bundle}: batches of {batch}")
        dlogits = {name: _dlogit(engine, batch, exact) for name, engine in running.items()}
        quiet = _in_turn(running, batch, rounds)
        with neighbours(busy):
            loud = _in_turn(running, batch, rounds if busy else 0)
        found.cells += [Cell(bundle, name, batch, quiet[name], loud[name], dlogits[name]) for name in running]


def _begin(running: dict[str, EngineProcess], bundle: str, absent: dict[str, str]) -> list[Start]:
    """Open the bundle in every process; one that cannot is told and left out."""
    starts = []
    for name, engine in list(running.items()):
        try:
            opened = engine.ask("open", bundle=str(resolve_bundle(bundle).resolve()))
        except Unable as why:
            absent[f"{name} {bundle}"] = str(why)
            del running[name]
            continue
        starts.append(Start(bundle, name, engine.python, opened, engine.ask("check")))
    return starts


def _oracle(running: Mapping[str, EngineProcess]) -> Sequence[float]:
    """Return the logits in float64; none where torch is not there."""
    if ORACLE not in running:
        return ()
    logits: list[float] = running[ORACLE].ask("oracle", n=COMPARED)["logits"]
    return logits


def _dlogit(engine: EngineProcess, batch: int, exact: Sequence[float]) -> float | None:
    if not exact:
        return None
    logits = engine.ask("logits", n=COMPARED, batch=batch)["logits"]
    return float(np.abs(np.array(logits) - exact).max())


def _in_turn(running: Mapping[str, EngineProcess], batch: int, rounds: int) -> dict[str, Spread]:
    """Time the engines in turn; milliseconds per window of each."""
    taken: dict[str, list[float]] = {name: [] for name in running}
    for _ in range(rounds + WARM_CALLS if rounds else 0):
        for name, engine in running.items():
            taken[name].append(1000 * engine.ask("run", batch=batch)["wall_s"] / batch)
    return {name: Spread(name, np.array(values[WARM_CALLS:])) for name, values in taken.items()}


def _quantiles(spread: Spread) -> dict[str, Any] | None:
    return {name: spread.at(name) for name in SHARES} | {"n": len(spread.values)} if len(spread.values) else None


def _ms(value: float | None) -> str:
    return "" if value is None else f"{value:.3g} ms"


def _times(ratio: float | None) -> str:
    return "" if ratio is None else f"{ratio:.2f}×"
