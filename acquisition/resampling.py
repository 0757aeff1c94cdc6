"""Recordings at another rate brought to the montage's, in the reader, before everything else.

A recording is decided at the rate that it was recorded at; each stretch without a hole is resampled by itself, so that
nothing rings across one, and its decisions are carried over to the new grid, where the same law holds: a hole of 1-20
samples is bridged, a longer one opens a segment (law 4). A live stream is never resampled.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.signal import resample_poly

from acquisition.decisions import Decision
from acquisition.errors import RateError
from acquisition.montage import Binding, Montage
from acquisition.recording import Recording
from acquisition.stamps import LONGEST_BRIDGE
from acquisition.tape import decide

#: Largest term of the ratio of the rates: beyond it the filter of ``resample_poly`` grows without end.
MOST = 1000
#: A ratio is exact within the rounding of two floats.
EXACT = 1e-9


def resample(recording: Recording, montage: Montage, binding: Binding) -> Recording:
    """Bring a recording to the montage's rate.

    Parameters
    ----------
    recording : Recording
        At any rate; returned as it is where that is the montage's.
    montage : Montage
    binding : Binding
        Of the recording's columns; it holds for the result too.

    Returns
    -------
    Recording
        float64 samples, ``resampled_from_hz`` and ``decided`` filled in.

    Raises
    ------
    RateError
        If the rates are no ratio of whole numbers up to 1000, or the recording does not run at its own rate.
    """
    if recording.rate_hz == montage.rate_hz:
        return recording
    ratio = _ratio(recording, montage.rate_hz)
    decisions = decide(recording, replace(montage, rate_hz=recording.rate_hz), binding)
    carrier = _Carrier(recording, ratio, montage.rate_hz)
    for decision in decisions:
        carrier.obey(decision)
    return carrier.finished()


def _ratio(recording: Recording, rate_hz: float) -> Fraction:
    ratio = Fraction(rate_hz / recording.rate_hz).limit_denominator(MOST)
    if ratio.numerator > MOST or abs(float(ratio) * recording.rate_hz / rate_hz - 1) > EXACT:
        message = f"{recording.path} is at {recording.rate_hz:g} Hz, no simple ratio to {rate_hz:g} Hz."
        raise RateError(message, subject=str(recording.path), remedy="Resample it in the program that recorded it.")
    return ratio


@dataclass
class _Carrier:
    """Carries samples and decisions over to the new grid, in order."""

    recording: Recording
    ratio: Fraction
    rate_hz: float
    decided: list[Decision] = field(default_factory=list)
    samples: list[NDArray[np.float64]] = field(default_factory=list)
    stamps: list[NDArray[np.float64]] = field(default_factory=list)
    #: Samples of the source read so far, samples made so far, and the next places on both grids.
    read: int = 0
    made: int = 0
    grid: int = 0
    new_grid: int = 0
    #: The stretch that is open: places of its samples in the source, and decisions inside it.
    stretch: list[NDArray[np.intp]] = field(default_factory=list)
    inside: list[tuple[int, Decision]] = field(default_factory=list)
    n_rejected: int = 0

    def obey(self, decision: Decision) -> None:
        """Take the samples up to a decision, then the decision."""
        self._take(decision.at)
        if decision.kind == "reject":
            n = decision.count("n")
            self.read += n
            self.n_rejected += n
        elif decision.kind in ("bridged", "lost"):
            self._flush()
            self.grid += decision.count("n")
            self._hole(decision)
        elif decision.kind == "segment":
            self._flush()
            self._begin(decision.word("reason"))
        elif decision.kind in ("clock_reset", "end"):
            self._flush()
            self._emit(decision, decision.data)
        else:
            self.inside.append((sum(map(len, self.stretch)), decision))

    def finished(self) -> Recording:
        """Return the recording as it is now."""
        source = self.recording
        lone = "" if source.partner_from is None else ", or without a partner"
        rejected = f"{self.n_rejected} samples were rejected before resampling (repeated or out of order{lone})."
        assumed = f"resampled from {source.rate_hz:g} to {self.rate_hz:g} Hz: nothing above {source.rate_hz / 2:g} Hz."
        return replace(
            source,
            rate_hz=self.rate_hz,
            samples=np.concatenate([np.empty((0, source.samples.shape[1])), *self.samples]),
            stamps=np.concatenate([np.empty(0), *self.stamps]),
            assumed=(*source.assumed, assumed),
            problems=(*source.problems, rejected) if self.n_rejected else source.problems,
            resampled_from_hz=source.rate_hz,
            decided=tuple(self.decided),
        )

    def _take(self, until: int) -> None:
        if until > self.read:
            self.stretch.append(np.arange(self.read, until))
            self.grid += until - self.read
            self.read = until

    def _flush(self) -> None:
        """Resample the open stretch, and put the decisions inside it where they belong."""
        places = np.concatenate([np.empty(0, np.intp), *self.stretch])
        made = resampled(self.recording.samples[places], self.ratio)
        for after, decision in self.inside:
            self._emit(decision, self._moved(decision), min(self._scaled(after), len(made)))
        if len(places):
            self.samples.append(made)
            self.stamps.append(self.recording.stamps[places[0]] + np.arange(len(made)) / self.rate_hz)
        self.made += len(made)
        self.new_grid += len(made)
        self.stretch, self.inside = [], []

    def _moved(self, decision: Decision) -> dict[str, Any]:
        data = dict(decision.data)
        return data | {"sample": self._scaled(data["sample"])} if decision.kind in ("marker", "slip") else data

    def _hole(self, decision: Decision) -> None:
        missing = self._scaled(self.grid) - self.new_grid
        if missing <= 0:
            return
        self.new_grid += missing
        if decision.kind == "bridged" and missing <= LONGEST_BRIDGE:
            self._emit(decision, {"n": missing})
            return
        lost = replace(decision, kind="lost")
        self._emit(lost, {"n": missing, "reason": decision.data.get("reason", "gap")})
        if decision.kind == "bridged":
            self._begin("gap")

    def _begin(self, reason: str) -> None:
        number = sum(d.kind == "segment" for d in self.decided)
        data = {"segment": number, "first_sample": self.new_grid, "reason": reason}
        self.decided.append(Decision("segment", 1, 0, self.made, data))

    def _emit(self, decision: Decision, data: Mapping[str, Any], after: int = 0) -> None:
        self.decided.append(replace(decision, at=self.made + after, data=dict(data)))

    def _scaled(self, count: int) -> int:
        """Return the new grid's place at or after an old one."""
        return -(-count * self.ratio.numerator // self.ratio.denominator)


def resampled(samples: NDArray[Any], ratio: Fraction) -> NDArray[np.float64]:
    """Resample one stretch.

    Parameters
    ----------
    samples : ndarray, shape (n_samples, n_channels)
        Missing values (NaN, infinite) are held at the value before them, and missing in the result too.
    ratio : Fraction
        New rate by old rate.

    Returns
    -------
    ndarray, shape (ceil(n_samples * ratio), n_channels), float64
    """
    if len(samples) == 0:
        return np.empty((0, samples.shape[1]))
    values = samples.astype(np.float64)
    missing = ~np.isfinite(values)
    made = resample_poly(_held(values, missing), ratio.numerator, ratio.denominator, axis=0, padtype="line")
    if missing.any():
        nearest = np.arange(len(made)) * ratio.denominator // ratio.numerator
        made[missing[np.minimum(nearest, len(samples) - 1)]] = np.nan
    return np.asarray(made, np.float64)


def _held(values: NDArray[np.float64], missing: NDArray[np.bool_]) -> NDArray[np.float64]:
    if not missing.any():
        return values
    last = np.maximum.accumulate(np.where(missing, 0, np.arange(len(values))[:, None]), axis=0)
    return np.nan_to_num(np.take_along_axis(values, last, axis=0), nan=0.0, posinf=0.0, neginf=0.0)
