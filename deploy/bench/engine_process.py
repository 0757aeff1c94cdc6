"""One engine in a process of its own, for ``flexion bench engines``; also in an environment that has little else.

``python -m deploy.bench.engine_process NAME`` imports the backend, then reads an order per line, JSON, and answers each
with one line. It needs numpy, the backend's own library and these sources, nothing of the command line.
"""

from __future__ import annotations

import json
import os
import platform
import sys
import time
from collections.abc import Callable
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from acquisition.errors import FlexionError
from deploy.priority import answer_at_once, go_first
from inference.bundle import Bundle
from inference.engines.engine import Engine
from inference.engines.inputs import window_shape
from inference.engines.parity import golden_window, settle
from inference.engines.registry import BACKENDS, check_name


class Worker:
    """What an order does.

    Parameters
    ----------
    name : str
        The backend; its library is imported here, so that no order pays for it.
    """

    def __init__(self, name: str) -> None:
        check_name(name)
        self._name = name
        self._opener: Callable[..., Engine] = BACKENDS[name].load(name)
        self._bundle: Bundle
        self._engine: Engine
        self._batches: dict[int, NDArray[np.float32]] = {}

    def open(self, bundle: str) -> dict[str, Any]:
        """Open a bundle and run one window, as late as that can be: its file is read and hashed here too."""
        begun_s = time.perf_counter()
        self._bundle = Bundle.load(Path(bundle))
        self._engine = self._opener(self._bundle, self._name, degraded=False)
        self._engine.warmup()
        return {"cold_s": time.perf_counter() - begun_s, **self._engine.info.to_json()}

    def check(self) -> dict[str, Any]:
        """Run the self-check: its golden windows, after which a scorer serves, then all batches."""
        begun_s = time.perf_counter()
        checks = self._engine.selfcheck()
        golden = next(checks)
        golden_s = time.perf_counter() - begun_s
        found = settle(chain([golden], checks))
        check_s = time.perf_counter() - begun_s
        answer_at_once()  # as a scorer does that is ready
        return {
            "golden_s": golden_s,
            "check_s": check_s,
            "repeatable": found.repeatable,
            "batch_invariant": found.batch_invariant,
            "problems": list(found.problems),
        }

    def run(self, batch: int) -> dict[str, Any]:
        """Run one batch; seconds for all of it."""
        inputs = self._inputs(batch)
        begun_s = time.perf_counter()
        self._engine.run(inputs)
        return {"wall_s": time.perf_counter() - begun_s}

    def logits(self, n: int, batch: int) -> dict[str, Any]:
        """Return the logits of n windows, so many at a time."""
        x = self._windows(n)
        return {"logits": _logits(self._engine, self._bundle, x, batch)}

    def oracle(self, n: int) -> dict[str, Any]:
        """Return the logits of n windows in float64; of the backend ``torch`` alone."""
        engine = self._opener(self._bundle, self._name, precision="fp64")
        return {"logits": _logits(engine, self._bundle, self._windows(n), 8)}

    def _inputs(self, batch: int) -> dict[str, NDArray[np.float32]]:
        if batch not in self._batches:
            self._batches[batch] = self._windows(batch)
        return {self._bundle.model.inputs[0].name: self._batches[batch]}

    def _windows(self, n: int) -> NDArray[np.float32]:
        """Return n golden windows, of broad and of slow noise in turn."""
        shape = window_shape(self._bundle.model.inputs[0])
        return np.stack([golden_window(("noise", "hold")[i % 2], i, shape) for i in range(n)])


def _logits(engine: Engine, bundle: Bundle, x: NDArray[np.float32], batch: int) -> list[float]:
    name = bundle.model.inputs[0].name
    parts = [engine.run({name: x[i : i + batch]})["logit"] for i in range(0, len(x), batch)]
    return [float(logit) for part in parts for logit in part]


def serve(name: str) -> None:
    """Answer orders until there are no more; what cannot be done is answered in words."""
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)  # what a library prints is no answer

    def answer(make: Callable[..., dict[str, Any]], **values: Any) -> bool:
        try:
            found = make(**values)
        except FlexionError as error:
            found = {"error": error.message}
        print(json.dumps(found), file=answers)
        return "error" not in found

    worker: list[Worker] = []

    def begin() -> dict[str, Any]:
        worker.append(Worker(name))
        return {"python": platform.python_version()}

    go_first()  # as a scorer of flexion live does
    if not answer(begin):
        return
    for line in sys.stdin:
        order = json.loads(line)
        answer(getattr(worker[0], order.pop("do")), **order)


if __name__ == "__main__":
    serve(sys.argv[1])
