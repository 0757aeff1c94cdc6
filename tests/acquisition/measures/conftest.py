"""What the tests of the measures share: sessions put together from traces that are known, and simulated ones."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import pytest

from acquisition.measures.conditioned import Conditioned, Stretch
from acquisition.measures.trials import trials_of
from acquisition.paradigm import ParadigmPlan

RATE_HZ = 1000.0
#: 2 s preparation, 3 s flexion, 2 s rest, 3 s extension, from the first sample on.
PLAN = ParadigmPlan(still_s=0.0)
Make = Callable[..., Conditioned]


def phases(n_trials: int):
    """Return the phases of so many trials, as a timeline gives them."""
    first = 0
    for _ in range(n_trials):
        for phase, seconds in zip(("preparation", "flexion", "rest", "extension"), PLAN.durations_s, strict=True):
            yield phase, first, round(seconds * RATE_HZ)
            first += round(seconds * RATE_HZ)


def by_phase(n_trials: int, levels: Mapping[str, float], delay: int = 0) -> np.ndarray:
    """Return a level at each sample of a session: that of its phase, so many samples late."""
    out = np.zeros(sum(n for _, _, n in phases(n_trials)))
    for phase, first, _ in phases(n_trials):
        out[first + delay :] = levels[phase]
    return out


@pytest.fixture
def session() -> Make:
    """Return a function that makes a settled, good session of trials from the trace of each channel."""

    def make(**traces: np.ndarray) -> Conditioned:
        x_uv = np.stack(list(traces.values()), axis=1).astype(np.float32)
        good = np.ones((len(x_uv) // 100, len(traces)), dtype=bool)
        trials = trials_of(phases(len(x_uv) // 10_000))
        return Conditioned(tuple(traces), RATE_HZ, len(x_uv), (Stretch(0, 0, x_uv, good),), trials)

    return make
