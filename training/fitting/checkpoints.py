"""Checkpoints: what a fit needs to go on bit for bit, and the best network so far; both replaced whole.

``last.pt`` is the state of a fit: weights, optimiser, schedule, generators, the order of the windows and how far it
came. ``best.pt`` is the network that its stopping patients liked best, and which one it is. Both hold tensors and plain
values alone, so that reading one runs nothing.
"""

from __future__ import annotations

import io
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import torch

from acquisition.durable import make_folder, replace_file
from training.data.tokens import N_BANDS
from training.errors import RunError
from training.models.heads import FmaScale, Heads
from training.models.networks import NetworkSpec, Scale, StackedLstm, build

LAST, BEST = "last.pt", "best.pt"
#: Name and version of both.
SCHEMA = "flexion.checkpoint/1"
#: Seconds after which the state is kept also within an epoch: one of ``raw`` takes many minutes.
KEPT_EVERY_S = 300.0


class Keeper:
    """Keeps one fit in a folder.

    Parameters
    ----------
    folder : Path
        Made if it is not there.
    halted : callable
        Asked between steps; when it says yes, the fit keeps its state and stops (:class:`.errors.Interrupted`).
    clock : callable
        Monotonic seconds.

    Raises
    ------
    BadEnvironment
        If the folder cannot be made.
    """

    def __init__(
        self, folder: Path, halted: Callable[[], bool] = lambda: False, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.folder = folder
        self.halted = halted
        self._clock = clock
        self._kept_s = clock()
        make_folder(folder)

    def read(self, about: Mapping[str, Any]) -> dict[str, Any] | None:
        """Return the state that was kept last, or None at the beginning.

        Parameters
        ----------
        about : mapping
            What the fit is: its settings, patients and windows; a state of another one is refused.

        Raises
        ------
        RunError
            If the file is broken or of another fit; names what differs.
        """
        path = self.folder / LAST
        if not path.exists():
            return None
        state = read_checkpoint(path)
        different = [key for key in about if state["about"].get(key) != about[key]]
        if different:
            raise RunError(
                f"Checkpoint {path} was made with other {' and '.join(different)} than this fit has.",
                subject=str(path),
                remedy="Begin a new run, or go on with the configuration and cohort of the old one.",
            )
        return state

    def write(self, about: Mapping[str, Any], state: Mapping[str, Any]) -> None:
        """Keep the state of a fit."""
        write_checkpoint(self.folder / LAST, {"about": dict(about), **state})
        self._kept_s = self._clock()

    @property
    def due(self) -> bool:
        """Whether so much time has passed that the state is to be kept within an epoch."""
        return self._clock() - self._kept_s >= KEPT_EVERY_S


def write_checkpoint(path: Path, state: Mapping[str, Any]) -> None:
    """Replace a checkpoint; a reader finds the old one or the new one.

    Raises
    ------
    DiskFull
        If the disk does not take it.
    """
    buffer = io.BytesIO()
    torch.save({"schema": SCHEMA, **state}, buffer)
    replace_file(path, buffer.getvalue())


def read_checkpoint(path: Path) -> dict[str, Any]:
    """Return what ``write_checkpoint`` wrote.

    Raises
    ------
    RunError
        If the file is missing, broken or something else.
    """
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # torch lets through whatever its parts raise on bytes that are no file of its own
        raise _refusal(path, f"cannot be read ({type(error).__name__})") from error
    if not isinstance(state, dict) or state.get("schema") != SCHEMA:
        raise _refusal(path, f"is no {SCHEMA}")
    return state


def write_network(path: Path, net: StackedLstm, spec: NetworkSpec, facts: Mapping[str, Any]) -> None:
    """Write a network so that ``read_network`` builds it again."""
    state = {name: value.detach().cpu() for name, value in net.state_dict().items()}
    write_checkpoint(path, {"network": asdict(spec), "net": state, "facts": dict(facts)})


def read_network(path: Path) -> tuple[StackedLstm, NetworkSpec, dict[str, Any]]:
    """Return a network that was kept, for judging, with what it is and the facts that were kept with it.

    Raises
    ------
    RunError
        If the file is missing, broken or no network.
    """
    kept = read_checkpoint(path)
    if "network" not in kept:
        raise _refusal(path, "holds the state of a fit, not a network")
    spec = NetworkSpec(**kept["network"])
    state = kept["net"]
    # What is built here is only a place for the numbers that are read into it.
    n_inputs = state["layers.0.weight_ih_l0"].shape[1]
    one = np.ones(n_inputs, np.float32)
    heads = Heads(FmaScale(0.0, 1.0) if "fma" in spec.heads else None, "ordinal" in spec.heads)
    with torch.random.fork_rng(devices=[]):
        net = build(spec, n_inputs if spec.kind == "raw" else n_inputs // N_BANDS, Scale(one, one), heads)
    net.load_state_dict(state)
    return net.eval(), spec, kept["facts"]


def _refusal(path: Path, what: str) -> RunError:
    return RunError(
        f"Checkpoint {path} {what}.",
        subject=str(path),
        remedy="Delete it: the fold is then trained from its beginning.",
    )
