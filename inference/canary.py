"""Canary: once a minute an engine that serves runs a golden window again, and must give the very same bits.

A self-check tells what an engine was at its start. Memory that fails, a device that throttles or a library that was
exchanged under a running process change it later, and its numbers go on looking like numbers.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime

import numpy as np

from inference.bundle import Bundle
from inference.engines.engine import Engine
from inference.engines.inputs import window_shape
from inference.engines.parity import golden_window
from inference.errors import EngineDrift

#: Seconds between two looks: at most so long may a broken engine go on.
INTERVAL_S = 60.0
#: The window: broad noise, which has every weight at work.
WINDOW, SEED = "noise", 0


class Canary:
    """Watch one engine.

    Parameters
    ----------
    bundle : Bundle
        The model.
    engine : Engine
        Warm, and past its golden windows: what it gives now is what it must give later.
    clock : callable
        Monotonic seconds.
    interval_s : float
        Seconds between two looks.
    """

    def __init__(
        self,
        bundle: Bundle,
        engine: Engine,
        *,
        clock: Callable[[], float] = time.monotonic,
        interval_s: float = INTERVAL_S,
    ) -> None:
        [tensor] = bundle.model.inputs
        self._inputs = {tensor.name: golden_window(WINDOW, SEED, window_shape(tensor))[np.newaxis]}
        self._bundle = bundle
        self._engine = engine
        self._clock = clock
        self._interval_s = interval_s
        self._expected = self._logit()
        #: How often it was looked.
        self.looks = 0
        self._looked()

    def look(self) -> None:
        """Look, if it is time to.

        Raises
        ------
        EngineDrift
            If the engine gives other bits than at its start: what it scored since the last look is in doubt.
        EngineError
            If it fails.
        """
        if self._clock() < self._due_s:
            return
        found = self._logit()
        if found.tobytes() != self._expected.tobytes():
            names = self._engine.info.backend, self._bundle.words
            raise drift(*names, float(found), float(self._expected), self._good_utc)
        self.looks += 1
        self._looked()

    def _logit(self) -> np.float32:
        return np.float32(self._engine.run(self._inputs)["logit"][0])

    def _looked(self) -> None:
        self._due_s = self._clock() + self._interval_s
        self._good_utc = datetime.now(UTC)


def drift(backend: str, model: str, now: float, before: float, good_utc: datetime) -> EngineDrift:
    """Return what is said of an engine whose logit was another at its start, and when it was last seen in order."""
    return EngineDrift(
        f"The engine {backend} has changed: for golden window {WINDOW} {SEED} of {model} it gives the logit {now:.9g}, "
        f"at its start {before:.9g}.",
        subject=model,
        remedy=f"It stops, and its scorer is started again. Do not lean on windows scored since {good_utc:%H:%M:%S} "
        "UTC; if it comes again, look at the machine's memory and its GPU.",
    )
