"""A measurement: one figure about a session, with its unit, its interval and the trials that it rests on (law 8).

Descriptive: nothing of the score is made from it. A figure that cannot be given says why in ``missing``; there is no
NaN.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from acquisition.measures.intervals import MIN_TRIALS, interval, resamples

#: What a dimensionless figure has as its unit.
ONE = "1"


@dataclass(frozen=True)
class Subject:
    """What is measured.

    Parameters
    ----------
    measure : str
        Its name, as in the documentation.
    site : str
        Electrode, muscle or pair.
    phase : str
        The movement.
    unit : str
        Unit of the value and of the interval; ``"1"`` where it has none.
    """

    measure: str
    site: str
    phase: str
    unit: str


@dataclass(frozen=True)
class Measurement:
    """One figure.

    Parameters
    ----------
    subject : Subject
        What it is.
    n_trials : int
        Trials that the value rests on.
    left_out : mapping of str to int
        Trials that it does not rest on, by reason.
    value : float or None
        None where there is not enough to go by.
    interval : (float, float) or None
        95 % interval of the value.
    missing : str
        Why there is no value; empty where there is one.
    details : mapping of str to float
        Figures without which the value cannot be read, such as the confidence limit of a coherence.
    """

    subject: Subject
    n_trials: int
    left_out: Mapping[str, int]
    value: float | None = None
    interval: tuple[float, float] | None = None
    missing: str = ""
    details: Mapping[str, float] = field(default_factory=dict)

    @classmethod
    def of_trials(
        cls, subject: Subject, values: Sequence[float] | NDArray[np.float64], left_out: Mapping[str, int]
    ) -> Measurement:
        """Return the median over trials with its bootstrap interval.

        Parameters
        ----------
        subject : Subject
            What the values are.
        values : sequence of float
            One per trial that is used.
        left_out : mapping of str to int
            Those that are not, by reason.
        """
        if len(values) < MIN_TRIALS:
            return cls.without(subject, left_out, too_few(len(values)), n_trials=len(values))
        x: NDArray[np.float64] = np.asarray(values, dtype=np.float64)
        bounds = interval(np.median(x[resamples(len(x))], axis=1))
        return cls(subject, len(x), dict(left_out), float(np.median(x)), bounds)

    @classmethod
    def without(cls, subject: Subject, left_out: Mapping[str, int], missing: str, n_trials: int = 0) -> Measurement:
        """Return a measurement that has no value, and says why."""
        return cls(subject, n_trials, dict(left_out), missing=missing)

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON values."""
        return {
            **asdict(self.subject),
            "value": self.value,
            "interval": list(self.interval) if self.interval else None,
            "n_trials": self.n_trials,
            "left_out": dict(self.left_out),
            "missing": self.missing,
            "details": dict(self.details),
        }


def too_few(n_trials: int) -> str:
    """Return the words for fewer trials than an interval needs."""
    return f"not enough trials: {n_trials} of {MIN_TRIALS}"


def absent(labels: Sequence[str]) -> str:
    """Return the words for channels that the montage does not have."""
    return f"the montage has no channel {', '.join(labels)}"
